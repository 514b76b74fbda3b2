package smsmodem_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/warthog618/sms/encoding/tpdu"

	"github.com/godwit-gateway/godwit/transports"
	"github.com/godwit-gateway/godwit/transports/smsmodem"
	"github.com/godwit-gateway/godwit/transports/transporttest"
)

// up starts a driver and waits for the modem to be set up.
func up(t *testing.T, m *modem, tr *smsmodem.Transport) *running {
	t.Helper()
	r := start(t, tr, &transporttest.Sink{})
	r.until(m, "the first sweep", func() bool { return m.asked("+CMGL") >= 2 })
	return r
}

// wantOutcome checks the error of a Send.
func wantOutcome(t *testing.T, err error, outcome transports.Outcome, code int) {
	t.Helper()
	var failed *transports.SendError
	if !errors.As(err, &failed) {
		t.Fatalf("Send: %v is no *SendError", err)
	}
	if failed.Outcome != outcome || failed.Code != code {
		t.Errorf("Send: %v (code %d), want %v with code %d", err, failed.Code, outcome, code)
	}
}

var hello = transports.Downlink{To: transports.Address{Bearer: transports.SMS, ID: sender}, Payload: []byte("down")}

// 3GPP TS 27.005 §3.2.5, by what can be done about it. The modem says so at the prompt, or when it has the message.
func TestOutcomesByCode(t *testing.T) {
	for _, c := range []struct {
		reply         string
		code          int
		early, handed transports.Outcome
	}{
		{"+CMS ERROR: 1", 1, transports.Refused, transports.Refused},
		{"+CMS ERROR: 21", 21, transports.Refused, transports.Refused},
		{"+CMS ERROR: 28", 28, transports.Refused, transports.Refused},
		{"+CMS ERROR: 304", 304, transports.Refused, transports.Refused},
		{"+CMS ERROR: operation not allowed", 302, transports.Refused, transports.Refused},
		{"+CMS ERROR: 17", 17, transports.NotSent, transports.NotSent},
		{"+CMS ERROR: 22", 22, transports.NotSent, transports.NotSent},
		{"+CMS ERROR: 38", 38, transports.NotSent, transports.NotSent},
		{"+CMS ERROR: 41", 41, transports.NotSent, transports.NotSent},
		{"+CMS ERROR: 42", 42, transports.NotSent, transports.NotSent},
		{"+CMS ERROR: 301", 301, transports.NotSent, transports.NotSent},
		{"+CMS ERROR: 314", 314, transports.NotSent, transports.NotSent},
		{"+CMS ERROR: 322", 322, transports.NotSent, transports.NotSent},
		{"+CMS ERROR: 331", 331, transports.NotSent, transports.NotSent},
		{"+CMS ERROR: 513", 513, transports.NotSent, transports.NotSent},
		{"+CMS ERROR: 515", 515, transports.NotSent, transports.NotSent},
		{"+CME ERROR: 14", 14, transports.NotSent, transports.NotSent},
		{"+CME ERROR: 4", 4, transports.Refused, transports.Refused},
		{"ERROR", 0, transports.NotSent, transports.NotSent},
		{"+CMS ERROR: a maker's own", 0, transports.NotSent, transports.NotSent},
		// The network, or the modem, does not say whether it is on its way.
		{"+CMS ERROR: 332", 332, transports.NotSent, transports.MaybeSent},
		{"+CMS ERROR: 500", 500, transports.NotSent, transports.MaybeSent},
		{"+CME ERROR: 31", 31, transports.NotSent, transports.MaybeSent},
	} {
		t.Run(c.reply, func(t *testing.T) {
			m := newModem(t)
			var early, handed atomic.Bool
			m.script = func(cmd string) (string, bool) {
				return c.reply, strings.HasPrefix(cmd, "+CMGS") && early.CompareAndSwap(true, false)
			}
			m.onPDU = func(string) (string, bool) { return c.reply, handed.CompareAndSwap(true, false) }
			tr := newTransport(t, m)
			r := up(t, m, tr)
			early.Store(true)
			_, err := tr.Send(r.ctx, hello)
			wantOutcome(t, err, c.early, c.code)
			if own := slices.Contains([]int{14, 314, 331, 515}, c.code); transports.Unasked(err) != own {
				t.Errorf("it is the modem's own trouble: %t, want %t", !own, own)
			}
			handed.Store(true)
			_, err = tr.Send(r.ctx, hello)
			wantOutcome(t, err, c.handed, c.code)
			if _, err := tr.Send(r.ctx, hello); err != nil {
				t.Errorf("Send after both: %v", err)
			}
			r.stop()
			if s := tr.Stats(); s.Sent != 1 || s.SentParts != 1 || s.SendErrors != 2 || len(m.accepted) != 1 {
				t.Errorf("stats %+v, %d messages", s, len(m.accepted))
			}
		})
	}
}

// A modem without a word: what counts is whether it had the message.
func TestTimeOutBeforeAndAfterThePDU(t *testing.T) {
	m := newModem(t)
	var mute, deaf atomic.Bool
	m.script = func(cmd string) (string, bool) {
		return "", strings.HasPrefix(cmd, "+CMGS") && mute.CompareAndSwap(true, false)
	}
	m.onPDU = func(string) (string, bool) { return "", deaf.CompareAndSwap(true, false) }
	tr := newTransport(t, m)
	r := up(t, m, tr)
	mute.Store(true)
	_, err := tr.Send(r.ctx, hello)
	if wantOutcome(t, err, transports.NotSent, 0); !transports.Unasked(err) {
		t.Errorf("Send: %v, as if the network had been asked", err)
	}
	deaf.Store(true)
	_, err = tr.Send(r.ctx, hello)
	wantOutcome(t, err, transports.MaybeSent, 0)
	if _, err := tr.Send(r.ctx, hello); err != nil {
		t.Errorf("Send after both: %v", err)
	}
	r.stop()
	if s := tr.Stats(); s.Timeouts != 2 || s.Resyncs != 2 || len(m.accepted) != 1 {
		t.Errorf("stats %+v", s)
	}
}

// The line is lost: before the message was written whole it has not left, after that nobody knows.
func TestUnplugBeforeAndAfterThePDU(t *testing.T) {
	for name, want := range map[string]transports.Outcome{"before": transports.NotSent, "after": transports.MaybeSent} {
		t.Run(name, func(t *testing.T) {
			m := newModem(t)
			m.script = func(cmd string) (string, bool) {
				if name == "before" && strings.HasPrefix(cmd, "+CMGS") {
					m.unplug()
					return "", true
				}
				return "", false
			}
			m.onPDU = func(string) (string, bool) {
				m.unplug()
				return "", true
			}
			tr := newTransport(t, m)
			r := up(t, m, tr)
			_, err := tr.Send(r.ctx, hello)
			wantOutcome(t, err, want, 0)
			if err := r.ended(); err == nil {
				t.Error("Run returned nil when the modem was unplugged")
			}
			m.mu.Change(func() { m.script, m.onPDU = nil, nil })
			m.plug()
			works(t, m, tr, start(t, tr, &transporttest.Sink{}))
		})
	}
}

// The answer that comes after the time-out is not the answer to the next command.
func TestLateAnswerIsNotTheNextOnes(t *testing.T) {
	m := newModem(t)
	tr := newTransport(t, m)
	tr.SettleAfter(0)
	var late atomic.Bool
	m.onPDU = func(string) (string, bool) { return "", late.CompareAndSwap(true, false) }
	m.script = func(cmd string) (string, bool) {
		if cmd == "" && m.asked("+CMGS") == 1 { // the modem wakes up in the middle of being brought back in step
			return "+CMGS: 200\nOK\n\nOK", true
		}
		return "", false
	}
	r := up(t, m, tr)
	late.Store(true)
	_, err := tr.Send(r.ctx, hello)
	wantOutcome(t, err, transports.MaybeSent, 0)
	d := hello
	d.WantReport = true
	receipt, err := tr.Send(r.ctx, d)
	if err != nil || receipt.Ref != "17" {
		t.Errorf("receipt %+v (%v), want the modem's reference 17", receipt, err)
	}
}

// An OK without the reference is an answer to something else, or half of one.
func TestNoReference(t *testing.T) {
	for _, reply := range []string{"OK", "+CMGS: x\nOK", "+CMGS:\nOK", "+CMGS: 999\nOK"} {
		t.Run(reply, func(t *testing.T) {
			m := newModem(t)
			var once atomic.Bool
			m.onPDU = func(string) (string, bool) { return reply, !once.Swap(true) }
			tr := newTransport(t, m)
			r := up(t, m, tr)
			_, err := tr.Send(r.ctx, hello)
			wantOutcome(t, err, transports.MaybeSent, 0)
			if _, err := tr.Send(r.ctx, hello); err != nil {
				t.Error(err)
			}
		})
	}
}

// A command processor that sees two prompts writes the message twice.
func TestSecondPrompt(t *testing.T) {
	m := newModem(t)
	m.prompt = "\r\n> \r\n> "
	tr := newTransport(t, m)
	r := up(t, m, tr)
	for i := range 3 {
		d := hello
		d.Payload = fmt.Appendf(nil, "down %d", i)
		if _, err := tr.Send(r.ctx, d); err != nil {
			t.Errorf("Send: %v", err)
		}
	}
	r.stop()
	if len(m.pdus) != 3 {
		t.Errorf("the modem was given %d messages, want 3", len(m.pdus))
	}
	for i, pdu := range m.pdus {
		if got := string(submitOf(t, pdu).UD); got != fmt.Sprintf("down %d", i) {
			t.Errorf("message %d is %q", i, got)
		}
	}
}

func TestPrompts(t *testing.T) {
	for name, prompt := range map[string]string{"bare": ">", "no space": "\r\n>", "line end": "\r\n>\r\n", "indication before": "\r\n+CMTI: \"SM\",1\r\n\r\n> "} {
		t.Run(name, func(t *testing.T) {
			m := newModem(t)
			m.prompt = prompt
			tr := newTransport(t, m)
			r := up(t, m, tr)
			if _, err := tr.Send(r.ctx, hello); err != nil {
				t.Errorf("Send: %v", err)
			}
		})
	}
}

// With the echo on, what comes back is no reply.
func TestEchoStaysOn(t *testing.T) {
	m := newModem(t)
	m.script = answers(map[string]string{"E0": "ERROR"})
	tr := newTransport(t, m)
	r := start(t, tr, &transporttest.Sink{})
	works(t, m, tr, r)
	r.stop()
	if !m.echo || len(m.accepted) != 1 {
		t.Errorf("echo %t, %d messages", m.echo, len(m.accepted))
	}
}

// "320/322/531 storage full: sweep and delete": the network has more for us, and the modem cannot even send.
func TestFullStorageOnSend(t *testing.T) {
	m := newModem(t)
	m.onPDU = func(string) (string, bool) {
		m.mu.Lock()
		defer m.mu.Unlock()
		return "+CMS ERROR: 322", m.holds("SM") > 0
	}
	tr := newTransport(t, m)
	r := up(t, m, tr)
	m.put("SM", message{pdu: deliverPDU(t, sender, []byte("in the way"))})
	_, err := tr.Send(r.ctx, hello)
	wantOutcome(t, err, transports.NotSent, 322)
	r.gets("in the way")
	r.until(m, "the slot is given back", func() bool { return m.holds("SM") == 0 })
	if _, err := tr.Send(r.ctx, hello); err != nil {
		t.Errorf("Send with room: %v", err)
	}
}

// The SMSC is missing, or the SIM has gone: the modem is set up again.
func TestSetUpAgainAfterSend(t *testing.T) {
	for _, reply := range []string{"+CMS ERROR: 330", "+CMS ERROR: 311"} {
		t.Run(reply, func(t *testing.T) {
			m := newModem(t)
			var once atomic.Bool
			m.onPDU = func(string) (string, bool) { return reply, !once.Swap(true) }
			tr := newTransport(t, m, func(c *smsmodem.Config) { c.SMSC = "+491710760000" })
			r := up(t, m, tr)
			if _, err := tr.Send(r.ctx, hello); err == nil {
				t.Error("sent")
			}
			r.until(m, "the service centre is set again", func() bool { return m.asked("+CSCA") == 2 })
			if _, err := tr.Send(r.ctx, hello); err != nil {
				t.Errorf("Send after that: %v", err)
			}
		})
	}
}

// A modem that has just been switched on looks for its network. Messages are read meanwhile, and a Send waits a while.
func TestRegistration(t *testing.T) {
	m := newModem(t)
	var registered atomic.Bool
	m.script = func(cmd string) (string, bool) { return "+CREG: 0,2\nOK", cmd == "+CREG?" && !registered.Load() }
	tr := newTransport(t, m)
	r := up(t, m, tr)
	if s := tr.Stats(); !s.Up || s.Registered {
		t.Errorf("up %t, registered %t", s.Up, s.Registered)
	}
	_, err := tr.Send(r.ctx, hello)
	wantOutcome(t, err, transports.NotSent, 0)
	if !errors.Is(err, smsmodem.ErrNotRegistered) || !transports.Unasked(err) {
		t.Errorf("Send: %v", err)
	}
	before := m.count(func() int { return m.asked("+CREG?") })
	waits := make(chan error, 1)
	go func() {
		_, err := tr.Send(r.ctx, hello)
		waits <- err
	}()
	r.until(m, "the driver asks again", func() bool { return m.asked("+CREG?") > before+1 })
	registered.Store(true)
	if err := <-waits; err != nil {
		t.Errorf("Send while the modem registers: %v", err)
	}
	if !tr.Stats().Registered {
		t.Error("not registered")
	}
}

func TestConcatenation(t *testing.T) {
	m := newModem(t)
	tr := newTransport(t, m, func(c *smsmodem.Config) { c.Port = 5688 })
	r := up(t, m, tr)
	d := hello
	d.Payload, d.WantReport, d.Expires = []byte(strings.Repeat("0123456789", 30)), true, time.Now().Add(time.Hour)
	first, err := tr.Send(r.ctx, d)
	if err != nil || first.Parts != 3 || first.Ref != "17+18+19" {
		t.Fatalf("receipt %+v (%v)", first, err)
	}
	if _, err := tr.Send(r.ctx, d); err != nil {
		t.Fatal(err)
	}
	r.stop()
	// A reference that is used twice in a row mixes the parts of two messages at the receiver.
	_, _, ref1, _ := submitOf(t, m.accepted[0]).ConcatInfo()
	_, _, ref2, _ := submitOf(t, m.accepted[3]).ConcatInfo()
	if ref1 == ref2 {
		t.Errorf("both messages have reference %d", ref1)
	}
	if l := tr.Limits(); l != (transports.Limits{UplinkMax: 140, DownlinkMax: 1280, PerMessage: 133}) {
		t.Errorf("limits %+v", l)
	}
}

// A part in the middle fails: the error says where it stopped, and the next try goes on there, so that no part is paid for twice.
func TestPartFails(t *testing.T) {
	m := newModem(t)
	var n atomic.Int32
	m.onPDU = func(string) (string, bool) { return "+CMS ERROR: 42", n.Add(1) == 2 }
	tr := newTransport(t, m)
	r := up(t, m, tr)
	d := hello
	d.Payload, d.Ref, d.WantReport = make([]byte, 300), 7, true
	_, err := tr.Send(r.ctx, d)
	wantOutcome(t, err, transports.NotSent, 42)
	if !strings.Contains(err.Error(), "part 2 of 3") {
		t.Errorf("Send: %v", err)
	}
	if len(m.pdus) != 2 {
		t.Errorf("%d parts were handed over: each costs money", len(m.pdus))
	}
	other := d
	other.Ref = 8 // the same bytes in another message: from the start
	if _, err := tr.Send(r.ctx, other); err != nil || len(m.accepted) != 4 {
		t.Fatalf("another message: %v, %d parts taken in all, want 4", err, len(m.accepted))
	}
	receipt, err := tr.Send(r.ctx, d)
	if err != nil || receipt.Parts != 3 || strings.Count(receipt.Ref, "+") != 2 {
		t.Fatalf("receipt %+v (%v)", receipt, err)
	}
	r.stop()
	if len(m.accepted) != 6 {
		t.Errorf("the network took %d parts, want three of each message", len(m.accepted))
	}
	_, _, ref, _ := submitOf(t, m.accepted[0]).ConcatInfo()
	for i, k := range []int{0, 4, 5} {
		segments, seq, got, _ := submitOf(t, m.accepted[k]).ConcatInfo()
		if segments != 3 || seq != i+1 || got != ref {
			t.Errorf("part %d: segment %d of %d under reference %d, want %d", i+1, seq, segments, got, ref)
		}
	}
	if s := tr.Stats(); s.SentParts != 6 {
		t.Errorf("%d parts are counted as billed, want 6", s.SentParts)
	}
}

func TestSendWithdrawn(t *testing.T) {
	m := newModem(t)
	block := make(chan struct{})
	m.onPDU = func(string) (string, bool) {
		<-block
		return "+CMGS: 1\nOK", true
	}
	tr := newTransport(t, m)
	r := up(t, m, tr)
	ctx, cancel := context.WithCancel(r.ctx)
	first := make(chan error, 1)
	go func() {
		_, err := tr.Send(ctx, hello)
		first <- err
	}()
	r.until(m, "the first is on its way", func() bool { return len(m.pdus) == 1 })
	second := make(chan error, 1)
	go func() {
		_, err := tr.Send(ctx, hello)
		second <- err
	}()
	cancel()
	wantOutcome(t, <-first, transports.MaybeSent, 0)
	wantOutcome(t, <-second, transports.NotSent, 0)
	close(block)
}

func TestExpiredInTheQueue(t *testing.T) {
	m := newModem(t)
	var late atomic.Bool
	now := func() time.Time {
		if late.Load() {
			return stamp.Add(time.Hour)
		}
		return stamp
	}
	m.script = func(cmd string) (string, bool) {
		if cmd == "+CREG?" && m.asked("+CMGL") >= 2 {
			late.Store(true)
		}
		return "+CREG: 0,2\nOK", cmd == "+CREG?" && !late.Load()
	}
	tr := newTransport(t, m, func(c *smsmodem.Config) { c.Now = now })
	r := up(t, m, tr)
	d := hello
	d.Expires = stamp.Add(time.Minute)
	_, err := tr.Send(r.ctx, d)
	wantOutcome(t, err, transports.Refused, 0)
	if !errors.Is(err, transports.ErrExpired) || len(m.pdus) != 0 {
		t.Errorf("Send: %v, %d messages", err, len(m.pdus))
	}
}

// reports collects the states of reports in order.
func reportsOf(t *testing.T, r *running, ref string, n int) transports.Report {
	t.Helper()
	got, ok := r.sink.AwaitReport(r.ctx, ref, n)
	if !ok {
		t.Fatalf("no report %d on %q", n, ref)
	}
	return got
}

// The recipient may come back in national form. A message in parts is delivered when all its parts are.
func TestReportsOnParts(t *testing.T) {
	m := newModem(t)
	tr := newTransport(t, m)
	r := up(t, m, tr)
	d := hello
	d.Payload, d.WantReport = make([]byte, 200), true
	receipt, err := tr.Send(r.ctx, d)
	if err != nil || receipt.Ref != "17+18" {
		t.Fatalf("receipt %+v (%v)", receipt, err)
	}
	national := tpdu.Address{TOA: 0xA1, Addr: "01700000001"}
	ring := func(mr int, status byte) {
		index := m.put("SM", message{pdu: reportPDU(t, national, mr, status)})
		m.urc(fmt.Sprintf(`+CDSI: "SM",%d`, index))
	}
	ring(18, 0)
	if got := reportsOf(t, r, "17+18", 1); got.State != transports.ReportPending || got.To != d.To || got.Code != 0 {
		t.Errorf("report %+v, want pending: one part is missing", got)
	}
	ring(17, 0x30)
	if got := reportsOf(t, r, "17+18", 2); got.State != transports.ReportPending || got.Code != 0x30 {
		t.Errorf("report %+v, want pending", got)
	}
	ring(17, 0)
	if got := reportsOf(t, r, "17+18", 3); got.State != transports.ReportDelivered || !got.At.Equal(stamp.Add(time.Minute)) {
		t.Errorf("report %+v, want delivered", got)
	}
	r.until(m, "the slots are given back", func() bool { return m.holds("SM") == 0 })
}

// A report may come before whoever sent the message has filed its receipt, so it is held back a little.
func TestReportIsHeldBack(t *testing.T) {
	m := newModem(t)
	tr := newTransport(t, m)
	tr.SettleAfter(200 * time.Millisecond)
	r := up(t, m, tr)
	d := hello
	d.WantReport = true
	index := m.put("SM", message{pdu: reportPDU(t, tpdu.NewAddress(tpdu.FromNumber(sender)), 17, 0)})
	m.onPDU = func(string) (string, bool) { return fmt.Sprintf("+CDSI: \"SM\",%d\n+CMGS: 17\nOK", index), true }
	receipt, err := tr.Send(r.ctx, d)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	reportsOf(t, r, receipt.Ref, 1)
	if took := time.Since(began); took < 100*time.Millisecond {
		t.Errorf("the report came %v after the receipt", took)
	}
}

// A Send whose turn does not come gives up: another link may be free.
func TestSendWaitsItsTurn(t *testing.T) {
	m := newModem(t)
	tr := newTransport(t, m)
	tr.QueueFor(20 * time.Millisecond)
	release := make(chan struct{})
	sink := &transporttest.Sink{Judge: func(context.Context, transports.Uplink) (transports.Settlement, error) {
		<-release
		return transports.Stored, nil
	}}
	r := start(t, tr, sink)
	m.deliver("SM", deliverPDU(t, sender, []byte("held")))
	r.gets("held")
	_, err := tr.Send(r.ctx, hello)
	if wantOutcome(t, err, transports.NotSent, 0); !transports.Unasked(err) {
		t.Errorf("Send: %v, as if the network had been asked", err)
	}
	close(release)
	tr.QueueFor(5 * time.Second)
	if _, err := tr.Send(r.ctx, hello); err != nil {
		t.Errorf("Send after that: %v", err)
	}
}

// After a restart, or for another recipient, a report names the reference that the network gave.
func TestReportOnUnknown(t *testing.T) {
	m := newModem(t)
	tr := newTransport(t, m)
	r := up(t, m, tr)
	d := hello
	d.WantReport = true
	if _, err := tr.Send(r.ctx, d); err != nil {
		t.Fatal(err)
	}
	other := tpdu.NewAddress(tpdu.FromNumber("+491799999999"))
	m.urc("+CDS: 26\r\n" + reportPDU(t, other, 17, 0)) // handed over
	if got := reportsOf(t, r, "17", 1); got.To.ID != "+491799999999" {
		t.Errorf("report %+v, want on its own recipient", got)
	}
	m.deliver("SM", reportPDU(t, other, 99, 0x45))
	if got := reportsOf(t, r, "99", 1); got.State != transports.ReportFailed || got.Code != 0x45 {
		t.Errorf("report %+v", got)
	}
	r.until(m, "the report is acknowledged", func() bool { return m.asked("+CNMA") == 1 })
}

// A report that the sink does not take stays in its slot.
func TestReportSinkFails(t *testing.T) {
	m := newModem(t)
	sink := &transporttest.Sink{}
	var tries atomic.Int32
	sink.JudgeReport = func(transports.Report) error {
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.holds("SM") != 2 {
			t.Error("a report was deleted before it was on disk, or a message was not waiting for its batch")
		}
		if tries.Add(1) == 1 {
			return transporttest.ErrSink
		}
		return nil
	}
	m.put("SM", message{pdu: reportPDU(t, tpdu.NewAddress(tpdu.FromNumber(sender)), 5, 0)})
	m.put("SM", message{pdu: "0001", stat: 3})
	tr := newTransport(t, m)
	r := start(t, tr, sink)
	if _, ok := sink.AwaitReport(r.ctx, "5", 2); !ok {
		t.Fatal("the report did not come again")
	}
	r.until(m, "the slot is given back", func() bool { return m.holds("SM") == 1 })
}

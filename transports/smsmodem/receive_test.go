package smsmodem_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/transports"
	"github.com/godwit-gateway/godwit/transports/smsmodem"
	"github.com/godwit-gateway/godwit/transports/transporttest"
)

// What came while nobody listened, or was rung for while nobody heard, is found at the start and by the sweep.
func TestSweepAtStart(t *testing.T) {
	m := newModem(t)
	m.put("SM", message{pdu: deliverPDU(t, sender, []byte("before"))})
	m.put("ME", message{pdu: deliverPDU(t, sender, []byte("read before")), stat: 1})
	r := start(t, newTransport(t, m), &transporttest.Sink{})
	r.gets("before")
	r.gets("read before")
	r.until(m, "both slots are given back", func() bool { return m.holds("SM")+m.holds("ME") == 0 })
}

func TestSweepFindsWhatNobodyRangFor(t *testing.T) {
	m := newModem(t)
	tr := newTransport(t, m, func(c *smsmodem.Config) { c.Sweep = time.Second })
	r := start(t, tr, &transporttest.Sink{})
	r.until(m, "the first sweep", func() bool { return m.asked("+CMGL") == 2 })
	m.put("SM", message{pdu: deliverPDU(t, sender, []byte("quiet"))})
	r.gets("quiet")
}

// A message lands in one storage while the other is selected, and modems miscount: gauges of zero are no reason not to list.
func TestBothStoragesAreReadWhateverTheCounts(t *testing.T) {
	m := newModem(t)
	m.script = func(cmd string) (string, bool) {
		if strings.HasPrefix(cmd, "+CPMS=") {
			m.mu.Change(func() { m.selectStorage(strings.TrimPrefix(cmd, "+CPMS=")) })
			return "+CPMS: 0,25,0,25,0,25\nOK", true
		}
		return "", false
	}
	tr := newTransport(t, m)
	r := start(t, tr, &transporttest.Sink{})
	r.until(m, "the first sweep", func() bool { return m.asked("+CMGL") == 2 })
	m.deliver("ME", deliverPDU(t, sender, []byte("to ME")))
	r.gets("to ME")
	m.deliver("SM", deliverPDU(t, sender, []byte("to SM")))
	r.gets("to SM")
	r.stop()
	if slots := tr.Stats().Slots; len(slots) != 2 || slots[0] != (smsmodem.Slot{Storage: "SM", Total: 25}) {
		t.Errorf("slots %+v", slots)
	}
}

func TestGauges(t *testing.T) {
	m := newModem(t)
	m.sizes["SM"] = 20
	m.put("SM", message{pdu: deliverPDU(t, sender, []byte("up"))})
	m.put("SM", message{pdu: "0001", stat: 2}) // a draft
	sink := &transporttest.Sink{}
	tr := newTransport(t, m)
	r := start(t, tr, sink)
	r.gets("up")
	r.until(m, "the slot is given back", func() bool { return m.holds("SM") == 1 })
	m.urc(`+CMTI: "SM",3`)
	r.until(m, "another listing", func() bool { return m.asked("+CMGL") >= 3 })
	r.stop()
	s := tr.Stats()
	if s.Slots[0] != (smsmodem.Slot{Storage: "SM", Used: 1, Total: 20, Foreign: 1}) {
		t.Errorf("slots %+v", s.Slots)
	}
	if s.Received != 1 || s.Stored != 1 || s.Deleted != 1 || s.Setups != 1 || s.IMEI != "350000000000017" || s.Model != "FAKE 1" || s.SignalDBm != -73 || s.Up {
		t.Errorf("stats %+v", s)
	}
}

// An indication in the middle of a reply belongs to no reply, nor does the PDU of one that was handed over.
func TestIndicationInsideReply(t *testing.T) {
	m := newModem(t)
	m.put("SM", message{pdu: deliverPDU(t, sender, []byte("listed"))})
	other := deliverPDU(t, "+491700000002", []byte("handed over"))
	var once atomic.Bool
	m.script = func(cmd string) (string, bool) {
		if cmd != "+CMGL=4" || once.Swap(true) {
			return "", false
		}
		var list string
		m.mu.Change(func() { list = m.list() })
		head, rest, _ := strings.Cut(list, "\n")
		return head + "\n+CMTI: \"SM\",7\n\n+CMT: ,30\n" + other + "\n^RSSI:19\n+CREG: 5\nRING\n" + rest, true
	}
	r := start(t, newTransport(t, m), &transporttest.Sink{})
	r.gets("listed")
	r.gets("handed over")
	r.until(m, "the slot is given back", func() bool { return m.holds("SM") == 0 })
	r.stop()
	if us := r.sink.Received(); len(us) != 2 {
		t.Errorf("%d uplinks, want 2: %+v", len(us), us)
	}
}

// Parts go up as they are, each with its place: the one who stores them puts them together.
func TestPartsGoUpOneByOne(t *testing.T) {
	m := newModem(t)
	m.put("SM", message{pdu: deliverPDU(t, sender, []byte("second"), ie(8, 1, 7, 2, 2), ie(5, 0x16, 0x38, 0, 0))})
	m.put("SM", message{pdu: deliverPDU(t, sender, []byte("first"), ie(0, 7, 2, 1))})
	tr := newTransport(t, m)
	r := start(t, tr, &transporttest.Sink{})
	r.until(m, "the slots are given back", func() bool { return m.holds("SM") == 0 })
	r.stop()
	us := r.sink.Received()
	if len(us) != 2 || us[0].Part != (transports.Part{Ref: 0x107, RefBits: 16, Total: 2, Seq: 2}) || us[0].Port != 5688 ||
		us[1].Part != (transports.Part{Ref: 7, RefBits: 8, Total: 2, Seq: 1}) || !us[0].SentAt.Equal(stamp) {
		t.Errorf("uplinks %+v", us)
	}
	if n := tr.Stats().Parts; n != 2 {
		t.Errorf("%d parts counted", n)
	}
}

// A WAP push for another port must not keep its slot, and must not be read as data.
func TestOtherPortIsKeptRaw(t *testing.T) {
	m := newModem(t)
	push := deliverPDU(t, sender, []byte("push"), ie(5, 0x0B, 0x84, 0, 0))
	m.put("SM", message{pdu: push})
	m.put("SM", message{pdu: deliverPDU(t, sender, []byte("data"), ie(5, 0x16, 0x38, 0, 0))})
	tr := newTransport(t, m, func(c *smsmodem.Config) { c.Port = 5688 })
	r := start(t, tr, &transporttest.Sink{})
	r.gets("data")
	r.gets(mustHex(t, push))
	r.until(m, "the slots are given back", func() bool { return m.holds("SM") == 0 })
	for _, u := range r.sink.Received() {
		if want := string(u.Payload) == "data"; (u.Content == transports.ContentData) != want || u.From.ID != sender {
			t.Errorf("uplink %+v", u)
		}
	}
}

// What cannot be read is handed up byte for byte once the modem has said it twice, and then its slot is free.
func TestUnreadableIsKeptRaw(t *testing.T) {
	m := newModem(t)
	cut := deliverPDU(t, sender, []byte("payload"))
	cut = cut[:len(cut)-6]
	m.put("SM", message{pdu: cut})
	m.put("SM", message{pdu: "0791 not hex at all"})
	tr := newTransport(t, m)
	r := start(t, tr, &transporttest.Sink{})
	r.gets(mustHex(t, cut))
	r.gets("0791 not hex at all")
	r.until(m, "the slots are given back", func() bool { return m.holds("SM") == 0 })
	for _, u := range r.sink.Received() {
		if u.Content != transports.ContentRaw {
			t.Errorf("uplink %+v, want raw", u)
		}
	}
}

// The line lost a byte of the listing: what the modem stores is another message.
func TestGarbledListingIsReadAgain(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(list, pdu string) string
	}{
		{"byte lost", func(list, pdu string) string { return strings.Replace(list, pdu, pdu[:30]+pdu[31:], 1) }},
		{"two bytes lost", func(list, pdu string) string { return strings.Replace(list, pdu, pdu[:60]+pdu[62:], 1) }},
		{"PDU lost", func(list, pdu string) string { return strings.Replace(list, pdu, "", 1) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newModem(t)
			pdu := deliverPDU(t, sender, []byte("as it was sent"))
			m.put("SM", message{pdu: pdu})
			var once atomic.Bool
			m.script = func(cmd string) (string, bool) {
				if cmd != "+CMGL=4" || once.Swap(true) {
					return "", false
				}
				var list string
				m.mu.Change(func() { list = m.list() })
				return c.spoil(list, pdu), true
			}
			r := start(t, newTransport(t, m), &transporttest.Sink{})
			r.gets("as it was sent")
			r.until(m, "the slot is given back", func() bool { return m.holds("SM") == 0 })
			if n := len(r.sink.Received()); n != 1 {
				t.Errorf("%d uplinks, want 1", n)
			}
		})
	}
}

// A modem whose length is always wrong says the same thing twice, and is right.
func TestWrongLengthInHeader(t *testing.T) {
	m := newModem(t)
	m.put("SM", message{pdu: deliverPDU(t, sender, []byte("payload")), length: 99})
	r := start(t, newTransport(t, m), &transporttest.Sink{})
	r.gets("payload")
	r.until(m, "the slot is given back", func() bool { return m.holds("SM") == 0 })
}

// The line of a PDU is missing: the one after it is a result and no PDU.
func TestMissingPDULine(t *testing.T) {
	m := newModem(t)
	tr := newTransport(t, m)
	var once atomic.Bool
	m.script = func(cmd string) (string, bool) {
		if cmd != "+CMGL=4" || once.Swap(true) {
			return "", false
		}
		return "+CMT: ,30\nOK", true
	}
	r := start(t, tr, &transporttest.Sink{})
	m.put("SM", message{pdu: deliverPDU(t, sender, []byte("later"))})
	r.until(m, "the first sweep", func() bool { return m.asked("+CMGL") >= 2 })
	m.urc(`+CMTI: "SM",1`)
	r.gets("later")
	r.stop()
	if n := tr.Stats().Timeouts; n != 0 {
		t.Errorf("%d time-outs: the result was swallowed", n)
	}
}

// A modem that lists nothing is read slot by slot.
func TestWithoutListing(t *testing.T) {
	m := newModem(t)
	m.sizes["SM"], m.sizes["ME"] = 5, 5
	m.put("SM", message{pdu: deliverPDU(t, sender, []byte("one"))})
	m.put("SM", message{pdu: deliverPDU(t, sender, []byte("two"))})
	m.script = func(cmd string) (string, bool) { return "+CMS ERROR: 303", cmd == "+CMGL=4" }
	r := start(t, newTransport(t, m), &transporttest.Sink{})
	r.gets("one")
	r.gets("two")
	r.until(m, "the slots are given back", func() bool { return m.holds("SM") == 0 })
}

// What the modem does not delete comes again, and is deleted then.
func TestDeleteFails(t *testing.T) {
	m := newModem(t)
	m.put("SM", message{pdu: deliverPDU(t, sender, []byte("sticky"))})
	var once atomic.Bool
	m.script = func(cmd string) (string, bool) {
		return "+CMS ERROR: 500", strings.HasPrefix(cmd, "+CMGD") && !once.Swap(true)
	}
	tr := newTransport(t, m)
	r := start(t, tr, &transporttest.Sink{})
	if _, ok := r.sink.Await(r.ctx, []byte("sticky"), 2); !ok {
		t.Fatal("it did not come again")
	}
	r.until(m, "the slot is given back", func() bool { return m.holds("SM") == 0 })
	r.stop()
	if s := tr.Stats(); s.DeleteErrors != 1 || s.Deleted != 1 {
		t.Errorf("stats %+v", s)
	}
}

// A modem that starts over between listing and deleting may call other messages by these numbers.
func TestRestartBeforeDelete(t *testing.T) {
	m := newModem(t)
	m.put("ME", message{pdu: deliverPDU(t, sender, []byte("in ME"))})
	keep := message{pdu: deliverPDU(t, sender, []byte("kept")), stat: 3}
	m.put("SM", keep)
	sink := &transporttest.Sink{}
	var once atomic.Bool
	sink.Judge = func(context.Context, transports.Uplink) (transports.Settlement, error) {
		if !once.Swap(true) {
			m.mu.Change(m.reset) // SM is selected now, and index 1 is another message
			m.urc("RDY")
		}
		return transports.Stored, nil
	}
	tr := newTransport(t, m)
	r := start(t, tr, sink)
	r.until(m, "the slot is given back", func() bool { return m.holds("ME") == 0 })
	r.stop()
	if m.holds("SM") != 1 {
		t.Error("a message that was not listed was deleted")
	}
	if s := tr.Stats(); s.Reboots != 1 || s.Setups != 2 {
		t.Errorf("%d restarts, %d set-ups", s.Reboots, s.Setups)
	}
}

// The same without a word, while the sink takes its time.
func TestSilentRestartBeforeDelete(t *testing.T) {
	m := newModem(t)
	m.put("ME", message{pdu: deliverPDU(t, sender, []byte("in ME"))})
	m.put("SM", message{pdu: deliverPDU(t, sender, []byte("kept")), stat: 3})
	sink := &transporttest.Sink{Judge: func(ctx context.Context, _ transports.Uplink) (transports.Settlement, error) {
		m.mu.Change(m.reset)
		pause(ctx, 50*time.Millisecond)
		return transports.Stored, nil
	}}
	r := start(t, newTransport(t, m), sink)
	r.until(m, "the slot is given back", func() bool { return m.holds("ME") == 0 })
	r.stop()
	if m.holds("SM") != 1 {
		t.Error("a message that was not listed was deleted")
	}
}

// A sink that fails is asked again after a pause, and nothing is deleted before it has said yes.
func TestSinkFailsForAWhile(t *testing.T) {
	m := newModem(t)
	m.put("SM", message{pdu: deliverPDU(t, sender, []byte("again"))})
	sink := &transporttest.Sink{}
	var tries atomic.Int32
	sink.Judge = func(context.Context, transports.Uplink) (transports.Settlement, error) {
		if tries.Add(1) < 4 {
			m.mu.Lock()
			defer m.mu.Unlock()
			if m.asked("+CMGD") > 0 {
				t.Error("deleted before it was settled")
			}
			return transports.Unsettled, transporttest.ErrSink
		}
		return transports.Stored, nil
	}
	tr := newTransport(t, m)
	r := start(t, tr, sink)
	r.until(m, "the slot is given back", func() bool { return m.holds("SM") == 0 })
	r.stop()
	if s := tr.Stats(); s.Unsettled != 3 || s.Stored != 1 {
		t.Errorf("stats %+v", s)
	}
}

// A full SIM is read in batches, oldest first.
func TestFullStorage(t *testing.T) {
	m := newModem(t)
	for i := range 100 {
		m.put("SM", message{pdu: deliverPDU(t, sender, fmt.Appendf(nil, "message %d", i))})
	}
	r := start(t, newTransport(t, m), &transporttest.Sink{})
	r.until(m, "all slots are given back", func() bool { return m.holds("SM") == 0 })
	r.stop()
	us := r.sink.Received()
	if len(us) != 100 || !slices.IsSortedFunc(us, func(a, b transports.Uplink) int { return a.SentAt.Compare(b.SentAt) }) || string(us[9].Payload) != "message 9" {
		t.Errorf("%d uplinks", len(us))
	}
}

// ^SMMEMFULL names no slot: everything is listed.
func TestFullIndication(t *testing.T) {
	m := newModem(t)
	r := start(t, newTransport(t, m), &transporttest.Sink{})
	r.until(m, "the first sweep", func() bool { return m.asked("+CMGL") == 2 })
	m.put("ME", message{pdu: deliverPDU(t, sender, []byte("waiting"))})
	m.urc(`^SMMEMFULL: "SM"`)
	r.gets("waiting")
}

// A modem that hands messages over gets its +CNMA when they are on disk, and not before: the network sends them again otherwise.
func TestDirectDeliveryIsAcknowledgedAfterTheSink(t *testing.T) {
	m := newModem(t)
	sink := &transporttest.Sink{}
	var tries atomic.Int32
	sink.Judge = func(context.Context, transports.Uplink) (transports.Settlement, error) {
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.asked("+CNMA") > 0 {
			t.Error("acknowledged before the sink had it")
		}
		if tries.Add(1) == 1 {
			return transports.Unsettled, transporttest.ErrSink
		}
		return transports.Stored, nil
	}
	r := start(t, newTransport(t, m), sink)
	r.until(m, "the first sweep", func() bool { return m.asked("+CMGL") == 2 })
	direct := "+CMT: ,30\r\n" + deliverPDU(t, sender, []byte("direct"))
	m.urc(direct)
	if _, ok := sink.Await(r.ctx, []byte("direct"), 1); !ok {
		t.Fatal("the sink did not get it")
	}
	m.urc(direct) // the network's second try
	r.until(m, "the acknowledgement", func() bool { return m.asked("+CNMA") == 1 })
}

// While the sink takes its time, what a modem hands over is held up to a limit; the network sends the rest again.
func TestDirectDeliveryIsBounded(t *testing.T) {
	m := newModem(t)
	release := make(chan struct{})
	sink := &transporttest.Sink{Judge: func(context.Context, transports.Uplink) (transports.Settlement, error) {
		<-release
		return transports.Stored, nil
	}}
	tr := newTransport(t, m)
	r := start(t, tr, sink)
	r.until(m, "the first sweep", func() bool { return m.asked("+CMGL") == 2 })
	m.deliver("SM", deliverPDU(t, sender, []byte("first")))
	r.gets("first")
	for i := range 300 {
		m.urc("+CMT: ,30\r\n" + deliverPDU(t, sender, fmt.Appendf(nil, "direct %d", i)))
	}
	m.say("\r\n") // taken once all before it is
	close(release)
	r.gets("direct 255")
	r.until(m, "the acknowledgements", func() bool { return m.asked("+CNMA") == 256 })
	r.stop()
	if n := tr.Stats().Overruns; n != 44 {
		t.Errorf("%d lines dropped, want 44", n)
	}
}

// Without phase 2+ nobody sends it again, so it is kept until the sink takes it.
func TestDirectDeliveryWithoutPhase2(t *testing.T) {
	m := newModem(t)
	m.script = func(cmd string) (string, bool) { return "+CMS ERROR: 303", cmd == "+CSMS=1" }
	sink := &transporttest.Sink{}
	var tries atomic.Int32
	sink.Judge = func(context.Context, transports.Uplink) (transports.Settlement, error) {
		if tries.Add(1) < 3 {
			return transports.Unsettled, transporttest.ErrSink
		}
		return transports.Stored, nil
	}
	tr := newTransport(t, m)
	r := start(t, tr, sink)
	r.until(m, "the first sweep", func() bool { return m.asked("+CMGL") == 2 })
	m.urc("+CMT: ,30\r\n" + deliverPDU(t, sender, []byte("direct")))
	if _, ok := sink.Await(r.ctx, []byte("direct"), 3); !ok {
		t.Fatal("it was not offered again")
	}
	r.stop()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.asked("+CNMA") != 0 || tr.Stats().Stored != 1 {
		t.Errorf("stats %+v", tr.Stats())
	}
}

// More of them than came at once wait for a sink that does not take any; when it does, all are there.
func TestManyWaitWithoutPhase2(t *testing.T) {
	m := newModem(t)
	m.script = func(cmd string) (string, bool) { return "+CMS ERROR: 303", cmd == "+CSMS=1" }
	sink := &transporttest.Sink{}
	var open atomic.Bool
	sink.Judge = func(context.Context, transports.Uplink) (transports.Settlement, error) {
		if !open.Load() {
			return transports.Unsettled, transporttest.ErrSink
		}
		return transports.Stored, nil
	}
	tr := newTransport(t, m)
	r := start(t, tr, sink)
	r.until(m, "the first sweep", func() bool { return m.asked("+CMGL") == 2 })
	for i := range 100 {
		m.urc("+CMT: ,30\r\n" + deliverPDU(t, sender, fmt.Appendf(nil, "direct %d", i)))
	}
	m.say("\r\n")      // taken once all before it is
	r.gets("direct 0") // and refused
	open.Store(true)
	m.urc("+CMT: ,30\r\n" + deliverPDU(t, sender, []byte("one more")))
	r.gets("one more") // the last in line
	r.stop()
	if s := tr.Stats(); s.Overruns != 0 || s.Stored != 101 {
		t.Errorf("%d were stored and %d dropped, want all 101 stored", s.Stored, s.Overruns)
	}
}

// A storage that nobody configured is swept once the modem rings for it.
func TestStorageOfReports(t *testing.T) {
	m := newModem(t)
	m.storages["SR"], m.sizes["SR"] = map[int]message{}, 10
	r := start(t, newTransport(t, m), &transporttest.Sink{})
	r.until(m, "the first sweep", func() bool { return m.asked("+CMGL") == 2 })
	m.deliver("SR", deliverPDU(t, sender, []byte("in SR")))
	r.gets("in SR")
	m.urc(`+CMTI: "XX",1`)
	m.urc("+CMTI: ")
	m.deliver("SM", deliverPDU(t, sender, []byte("after nonsense")))
	r.gets("after nonsense")
}

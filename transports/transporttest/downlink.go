package transporttest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/transports"
)

// wantSendError expects Send to fail with an outcome, and with a cause unless that is nil.
func (s *suite) wantSendError(t *testing.T, d transports.Downlink, cause error, outcomes ...transports.Outcome) {
	t.Helper()
	receipt, err := s.tr.Send(s.ctx, d)
	if err == nil {
		t.Errorf("Send gave the receipt %+v, want an error", receipt)
		return
	}
	var failed *transports.SendError
	if !errors.As(err, &failed) {
		t.Errorf("Send: %v is no *SendError", err)
		return
	}
	if cause != nil && !errors.Is(err, cause) {
		t.Errorf("Send: %v, want one that wraps %q", err, cause)
	}
	for _, o := range outcomes {
		if failed.Outcome == o {
			return
		}
	}
	t.Errorf("Send: %v has outcome %q, want one of %v", err, failed.Outcome, outcomes)
}

// downlink returns a small downlink to wherever the driver can send to at any time.
func (s *suite) downlink() transports.Downlink {
	d := transports.Downlink{To: s.Address(0), Payload: []byte("down")}
	if sender, ok := s.Harness.(Sender); ok {
		d.To = sender.Target()
	}
	return d
}

func testSendRefusals(t *testing.T, s *suite) {
	_, canSend := s.Harness.(Sender)
	d := s.downlink()
	if canSend {
		s.wantSendError(t, d, transports.ErrDown, transports.NotSent) // not running
	}
	r := s.start(t)
	s.confirmed(t, s.inject(t, 0, "up"), "a stored payload") // it is running
	if !canSend {
		s.wantSendError(t, d, nil, transports.Refused)
	}
	large := d
	large.Payload = make([]byte, s.tr.Limits().DownlinkMax+1)
	s.wantSendError(t, large, transports.ErrTooLarge, transports.Refused)
	late := d
	late.Expires = time.Now().Add(-time.Second)
	s.wantSendError(t, late, transports.ErrExpired, transports.Refused)
	if !s.caps.Windows {
		windowed := d
		windowed.Window = transports.Window{ID: 1, Until: time.Now().Add(time.Minute)}
		s.wantSendError(t, windowed, nil, transports.Refused)
	}
	s.stop(t, r)
	if canSend {
		s.wantSendError(t, d, transports.ErrDown, transports.NotSent)
	}
}

// "Payload belongs to the caller and is valid until Send returns."
func testSend(t *testing.T, s *suite) {
	sender, ok := s.Harness.(Sender)
	if !ok {
		t.Skip("the driver sends only in windows")
	}
	s.start(t)
	s.confirmed(t, s.inject(t, 0, "up"), "a stored payload")
	for _, want := range []string{"d", "\x00\x1a\x1b\r\n\xff>", strings.Repeat("\x81\x00\xfe", s.tr.Limits().DownlinkMax/3)} {
		payload := []byte(want)
		receipt, err := s.tr.Send(s.ctx, transports.Downlink{To: sender.Target(), Payload: payload, Ref: 7, Expires: time.Now().Add(time.Hour)})
		scribble(payload)
		if err != nil {
			t.Fatalf("Send: %v", err)
		}
		if receipt.Parts < 1 || receipt.At.IsZero() {
			t.Errorf("receipt %+v, want at least one part and a time", receipt)
		}
		got, ok := sender.Sent(s.ctx)
		if !ok || string(got) != want {
			t.Fatalf("the target got %q (%t), want %q", got, ok, want)
		}
	}
	ctx, cancel := context.WithCancel(s.ctx)
	cancel()
	if _, err := s.tr.Send(ctx, s.downlink()); err == nil {
		t.Error("Send with a context that is done gave a receipt")
	}
}

func testSendOutcomes(t *testing.T, s *suite) {
	refuser, ok := s.Harness.(Refuser)
	if !ok {
		t.Skip("the network does not refuse")
	}
	s.start(t)
	s.confirmed(t, s.inject(t, 0, "up"), "a stored payload")
	refuser.Refuse(t)
	s.wantSendError(t, s.downlink(), nil, transports.Refused, transports.NotSent)
	if _, err := s.tr.Send(s.ctx, s.downlink()); err != nil {
		t.Errorf("Send after one that was refused: %v", err)
	}
	if !refuser.Mute(t) {
		return
	}
	_, err := s.tr.Send(s.ctx, s.downlink())
	var failed *transports.SendError
	if err == nil || (errors.As(err, &failed) && failed.Outcome != transports.MaybeSent) {
		t.Errorf("Send to a network that kept silent: %v, want the outcome %q", err, transports.MaybeSent)
	}
}

// "if not zero, answer there and nowhere else"
func testWindows(t *testing.T, s *suite) {
	if !s.caps.Windows {
		t.Skip("the bearer has no windows")
	}
	answerer, ok := s.Harness.(Answerer)
	if !ok {
		t.Fatal("a harness with windows must be an Answerer")
	}
	r := s.start(t)
	ids := []string{s.inject(t, 1, "from one"), s.inject(t, 2, "from two")}
	windows := []transports.Window{s.arrives(t, "from one", 1).Window, s.arrives(t, "from two", 1).Window}
	for i, w := range windows {
		s.confirmed(t, ids[i], "a stored payload")
		if w.ID == 0 || !w.Until.After(time.Now()) {
			t.Fatalf("window %+v, want one that is open", w)
		}
	}
	for i, want := range []string{"to one", "to two"} {
		payload := []byte(want)
		if _, err := s.tr.Send(s.ctx, transports.Downlink{Window: windows[i], Payload: payload}); err != nil {
			t.Fatalf("Send in a window: %v", err)
		}
		scribble(payload)
		for { // the reply of the sink may be in front of it
			got, ok := answerer.Answered(s.ctx, ids[i])
			if !ok {
				t.Fatalf("the device did not get %q", want)
			}
			if string(got) == want {
				break
			}
		}
	}
	unknown := transports.Window{ID: windows[1].ID + 1<<40, Until: time.Now().Add(time.Minute)}
	s.wantSendError(t, transports.Downlink{Window: unknown, Payload: []byte("x")}, nil, transports.Refused)
	s.stop(t, r)
	s.wantSendError(t, transports.Downlink{Window: windows[0], Payload: []byte("x")}, nil, transports.Refused, transports.NotSent)
}

// "Reply, if not empty, is for the device and goes out at once on the exchange that the uplink came in on."
func testReplies(t *testing.T, s *suite) {
	answerer, ok := s.Harness.(Answerer)
	if !ok {
		t.Skip("the bearer has no exchanges")
	}
	s.start(t)
	for device := range Devices {
		id := s.inject(t, device, "question "+string(rune('a'+device)))
		got, ok := answerer.Answered(s.ctx, id)
		if !ok || string(got) != Reply {
			t.Errorf("device %d got %q (%t), want %q", device, got, ok, Reply)
		}
	}
}

func testReports(t *testing.T, s *suite) {
	reporter, ok := s.Harness.(Reporter)
	if !ok {
		t.Skip("the network does not report")
	}
	if _, ok := s.Harness.(Sender); !ok {
		t.Fatal("a harness that reports must be a Sender")
	}
	s.start(t)
	s.confirmed(t, s.inject(t, 0, "up"), "a stored payload")
	for _, state := range []transports.ReportState{transports.ReportDelivered, transports.ReportFailed} {
		d := s.downlink()
		d.WantReport = true
		receipt, err := s.tr.Send(s.ctx, d)
		if err != nil {
			t.Fatalf("Send: %v", err)
		}
		if receipt.Ref == "" {
			t.Fatal("the receipt has no reference although a report was asked for")
		}
		reporter.Report(t, receipt.Ref, state)
		got, ok := s.sink.AwaitReport(s.ctx, receipt.Ref, 1)
		if !ok {
			t.Fatalf("no report on %q reached the sink", receipt.Ref)
		}
		if got.Transport != s.tr.Name() || got.To != d.To || got.State != state || got.ReceivedAt.IsZero() {
			t.Errorf("report %+v, want %q on %v through %q", got, state, d.To, s.tr.Name())
		}
	}
}

func testLineLost(t *testing.T, s *suite) {
	cutter, ok := s.Harness.(Cutter)
	if !ok {
		t.Skip("the line cannot be lost")
	}
	r := s.start(t)
	s.confirmed(t, s.inject(t, 0, "up"), "a stored payload")
	cutter.Cut(t)
	if err := s.ended(t, r); err == nil {
		t.Fatal("Run returned nil when the line was lost")
	}
	if _, canSend := s.Harness.(Sender); canSend {
		s.wantSendError(t, s.downlink(), transports.ErrDown, transports.NotSent)
	}
	cutter.Mend(t)
	s.start(t)
	id := s.inject(t, 0, "up again")
	s.arrives(t, "up again", 1)
	s.confirmed(t, id, "a stored payload")
}

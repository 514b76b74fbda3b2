package hub_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/transports"
)

func (b *bench) message(link string) {
	b.t.Helper()
	if _, err := b.hub.SendMessage(b.t.Context(), "meter-1", hub.Message{Payload: []byte("x"), Link: link}); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) attempt(link string) time.Time {
	b.t.Helper()
	wake, err := b.hub.TransmitOnce(b.t.Context(), link)
	if err != nil {
		b.t.Fatal(err)
	}
	return wake
}

// downlink returns the newest downlink of meter-1.
func (b *bench) downlink() hub.DownlinkRecord {
	b.t.Helper()
	list, err := b.hub.Downlinks("meter-1")
	if err != nil || len(list) == 0 {
		b.t.Fatalf("%d downlinks, %v", len(list), err)
	}
	return list[len(list)-1]
}

// References of messages come again every 256: a report counts for the number that it names.
func TestReportCountsForItsNumber(t *testing.T) {
	tests := []struct{ name, to, state string }{
		{"the same", msisdn, hub.DownlinkDelivered},
		{"the national form", "01700000001", hub.DownlinkDelivered},
		{"dialled abroad", "00491700000001", hub.DownlinkDelivered},
		{"not named", "", hub.DownlinkDelivered},
		{"another", "+15550000", hub.DownlinkAccepted},
		{"another of the same network", "+491700000002", hub.DownlinkAccepted},
		{"too short to tell", "01", hub.DownlinkAccepted},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t)
			b.importOne(8)
			b.message("sms")
			b.attempt("sms")
			err := b.hub.Report(t.Context(), transports.Report{
				Transport: "sms", To: transports.Address{Bearer: transports.SMS, ID: tt.to}, Ref: "7", State: transports.ReportDelivered, ReceivedAt: b.clock.t,
			})
			if err != nil || b.downlink().State != tt.state {
				t.Errorf("%+v, %v", b.downlink(), err)
			}
		})
	}
}

// A socket that took a datagram is no device that has it.
func TestWithoutReportADownlinkStaysAccepted(t *testing.T) {
	b := newBench(t)
	_ = b.store.Close()
	out := &fakeTransport{silent: true}
	b.udpOut = out
	b.open()
	d := b.importOne(8)
	for n := range 20 { // more than may be open at once
		b.message("udp")
		b.send(transports.Uplink{
			Transport: "udp", From: transports.Address{Bearer: transports.UDP, ID: "127.0.0.1:9"}, Payload: d.to(d.status(3.6)),
			Window: transports.Window{ID: uint64(n + 1), Until: b.clock.t.Add(time.Minute)},
		})
		b.attempt("udp")
	}
	if s := b.downlink().State; s != hub.DownlinkAccepted || len(out.sent) != 20 {
		t.Fatalf("%s, %d sent", s, len(out.sent))
	}
	b.crash()
	b.clock.t = b.clock.t.Add(24*time.Hour - time.Second)
	b.attempt("udp")
	if s := b.downlink().State; s != hub.DownlinkAccepted {
		t.Errorf("%s before its end", s)
	}
	b.clock.t = b.clock.t.Add(time.Second)
	if err := b.hub.RetainOnce(t.Context()); err != nil {
		t.Fatal(err)
	}
	if list, err := b.hub.Downlinks("meter-1"); err != nil || len(list) != 0 {
		t.Errorf("%+v, %v", list, err)
	}
	for _, e := range b.events() {
		if strings.HasSuffix(e.Subject, ".downlink.expired") || strings.HasSuffix(e.Subject, ".downlink.delivered") {
			t.Errorf("event %s", e.Payload)
		}
	}
	if len(out.sent) != 20 {
		t.Errorf("%d sent", len(out.sent))
	}
}

// A network that promised a report and gave none took the message all the same.
func TestAcceptedIsFinalAtItsEnd(t *testing.T) {
	b := newBench(t)
	b.importOne(8)
	b.message("sms")
	b.attempt("sms")
	b.clock.t = b.clock.t.Add(24 * time.Hour)
	b.attempt("sms")
	if d := b.downlink(); d.State != hub.DownlinkAccepted || d.Error != "" || len(b.sms.sent) != 1 {
		t.Errorf("%+v, %d sent", d, len(b.sms.sent))
	}
}

// A message that the network does not take is tried again soon at first; one whose recipient is out of reach, seldom. The last try of either is
// within the day that it has.
func TestPausesBetweenAttempts(t *testing.T) {
	minutes := func(ms ...float64) (ds []time.Duration) {
		for _, m := range ms {
			ds = append(ds, time.Duration(m*float64(time.Minute)))
		}
		return ds
	}
	for name, tt := range map[string]struct {
		slow bool
		want []time.Duration
	}{
		"soon":   {false, minutes(0.5, 1, 2, 4, 8, 16, 30)},
		"seldom": {true, minutes(15, 30, 60, 120, 240, 240, 240)},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.importOne(8)
			b.sms.err = &transports.SendError{Outcome: transports.NotSent, Code: 27, Slow: tt.slow, Err: errors.New("refused")}
			b.message("sms")
			b.attempt("sms")
			for i, want := range tt.want {
				b.clock.t = b.clock.t.Add(want - time.Second)
				b.attempt("sms")
				if n := len(b.sms.sent); n != i+1 {
					t.Fatalf("%d attempts %s after attempt %d, want that it waits", n, want-time.Second, i+1)
				}
				b.clock.t = b.clock.t.Add(time.Second)
				b.attempt("sms")
				if n := len(b.sms.sent); n != i+2 {
					t.Fatalf("%d attempts %s after attempt %d, want one more", n, want, i+1)
				}
			}
			if d := b.downlink(); d.State != hub.DownlinkFailed {
				t.Errorf("%+v after eight attempts", d)
			}
		})
	}
}

// While a network cannot be reached, a downlink keeps the tries that it has and the device its day, however long that is and however often the gateway starts
// anew: nobody has said anything about it. It waits longer and longer, for others may be waiting too.
func TestNetworkThatIsNotReachedCostsNoTries(t *testing.T) {
	for name, err := range map[string]error{
		"not reached": &transports.SendError{Outcome: transports.NotSent, Slow: true, Unasked: true, Err: errors.New("no route to host")},
		"down":        errLineDown,
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.importOne(8)
			b.message("sms")
			b.sms.err = err
			var pauses []time.Duration
			for tries := range 12 {
				wake := b.attempt("sms") // says when to look again: now
				if !wake.Equal(b.clock.t) || len(b.sms.sent) != tries+1 {
					t.Fatalf("%d tries, wake in %s", len(b.sms.sent), wake.Sub(b.clock.t))
				}
				if d := b.downlink(); d.State != hub.DownlinkQueued || d.Attempts != 0 {
					t.Fatalf("%+v after %d tries", d, tries+1)
				}
				pause := b.attempt("sms").Sub(b.clock.t)
				if len(pauses) > 0 && pause < pauses[len(pauses)-1] {
					t.Errorf("a pause of %s after %s", pause, pauses[len(pauses)-1])
				}
				pauses = append(pauses, pause)
				if b.clock.t = b.clock.t.Add(pause); tries == 5 {
					b.crash()
					pauses = nil // how long it has been is not written down
				}
				if b.clock.t.After(b.downlink().QueuedAt.Add(20 * time.Hour)) {
					break
				}
			}
			b.sms.err = nil
			b.attempt("sms")
			if d := b.downlink(); d.State != hub.DownlinkAccepted || d.Attempts != 1 {
				t.Errorf("%+v once it is reached", d)
			}
		})
	}
}

// One that is never reached ends when its downlink does.
func TestNetworkThatIsNeverReached(t *testing.T) {
	b := newBench(t)
	b.importOne(8)
	b.message("sms")
	b.sms.err = &transports.SendError{Outcome: transports.NotSent, Unasked: true, Err: errors.New("no route to host")}
	end := b.clock.t.Add(24 * time.Hour)
	for b.clock.t.Before(end) {
		b.clock.t = b.attempt("sms")
	}
	b.clock.t = end
	b.attempt("sms")
	if d := b.downlink(); d.State != hub.DownlinkExpired || d.Attempts != 0 || len(b.sms.sent) > 60 {
		t.Errorf("%+v after %d tries", d, len(b.sms.sent))
	}
}

// A downlink that its network does not take, now or ever, holds up none behind it, of its device or of others.
func TestDownlinkHoldsUpNoOther(t *testing.T) {
	for name, err := range map[string]error{
		"not now":        &transports.SendError{Outcome: transports.NotSent, Code: -5, Slow: true, Err: errors.New("the modem's queue is full")},
		"never":          &transports.SendError{Outcome: transports.Refused, Code: -3, Err: errors.New("too large")},
		"not reached":    &transports.SendError{Outcome: transports.NotSent, Unasked: true, Err: errors.New("no route")},
		"nobody can say": &transports.SendError{Outcome: transports.MaybeSent, Err: errors.New("no answer")},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.importOne(8)
			b.sms.err = err
			b.message("sms")
			b.attempt("sms")
			b.sms.err = nil
			b.message("sms")
			b.attempt("sms")
			if list, err := b.hub.Downlinks("meter-1"); err != nil || len(list) != 2 || list[1].State != hub.DownlinkAccepted || list[0].State == hub.DownlinkAccepted || len(b.sms.sent) != 2 {
				t.Errorf("%+v, %v, %d sent", list, err, len(b.sms.sent))
			}
		})
	}
}

// A modem that holds an attempt holds up no other link.
func TestLinksTransmitBesideEachOther(t *testing.T) {
	b := newBench(t)
	_ = b.store.Close()
	held, release, sent := make(chan struct{}), make(chan struct{}), make(chan struct{})
	b.sms.hold = func(context.Context, transports.Downlink) { close(held); <-release }
	b.udpOut = &fakeTransport{silent: true, hold: func(context.Context, transports.Downlink) { close(sent) }}
	b.open()
	d := b.importOne(8)
	b.message("sms")
	_ = b.store.Close()
	b.driven = true
	b.open()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- b.hub.Run(ctx) }()
	<-held
	b.message("udp")
	b.send(transports.Uplink{
		Transport: "udp", From: transports.Address{Bearer: transports.UDP, ID: "127.0.0.1:9"}, Payload: d.to(d.status(3.6)),
		Window: transports.Window{ID: 1, Until: b.clock.t.Add(time.Minute)},
	})
	<-sent
	close(release)
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// A gateway that starts again and again spends no more in a day than one that runs.
func TestBudgetHoldsAcrossRestarts(t *testing.T) {
	b := newBench(t)
	b.importOne(8)
	send := func() {
		for range 60 {
			if _, err := b.hub.SendMessage(t.Context(), "meter-1", hub.Message{Payload: []byte{1}, Link: "sms"}); err != nil {
				return
			}
			b.attempt("sms")
			if err := b.hub.Report(t.Context(), transports.Report{Transport: "sms", Ref: "7", State: transports.ReportDelivered, ReceivedAt: b.clock.t}); err != nil {
				t.Fatal(err)
			}
			b.crash()
		}
	}
	send()
	if len(b.sms.sent) != 50 {
		t.Errorf("%d sent in a day, want 50", len(b.sms.sent))
	}
	b.clock.t = b.clock.t.Add(12*time.Hour + time.Minute)
	send()
	if len(b.sms.sent) <= 50 {
		t.Error("none sent on the next day")
	}
}

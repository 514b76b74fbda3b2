package hub_test

import (
	"context"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/transports"
)

// The gateway's clock jumps, within a run and between two, or begins in 1970 and is set right later. What is news and what is a repeat is told by counters,
// so each frame is one event; what waits for a time goes on.
func TestClockJumps(t *testing.T) {
	const year = 365 * 24 * time.Hour
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name string
		boot time.Time
		then time.Duration
	}{
		{"an hour ahead", start, time.Hour},
		{"an hour back", start, -time.Hour},
		{"five years back", start, -5 * year},
		{"right after 1970", time.Unix(12, 0), start.Sub(time.Unix(12, 0))},
	} {
		for _, restart := range []bool{false, true} {
			name := c.name
			if restart {
				name += ", at a restart"
			}
			t.Run(name, func(t *testing.T) { jump(t, c.boot, c.then, restart) })
		}
	}
}

func jump(t *testing.T, boot time.Time, by time.Duration, restart bool) {
	t.Helper()
	b := newBench(t)
	b.clock.t = boot
	d := b.device(7)
	name := b.onSMS(d)
	before := d.to(d.status(3.71))
	b.settled(b.udp(before), transports.Stored)
	late := d.to(d.status(3.72)) // on its way while the clock is set
	down, err := b.hub.SendMessage(t.Context(), name, hub.Message{Link: "sms", Payload: []byte{1}})
	if err != nil {
		t.Fatal(err)
	}
	b.sms.err = &transports.SendError{Outcome: transports.NotSent, Err: context.DeadlineExceeded} // the modem is busy: tried again later
	b.transmit()

	b.clock.t = b.clock.t.Add(by)
	if restart {
		b.crash()
	}
	if err := b.hub.RetainOnce(t.Context()); err != nil {
		t.Fatal(err)
	}
	switch v := b.udp(before); v.Settlement {
	case transports.Duplicate:
		if !d.acked(v.Reply, 1) {
			t.Error("the repeat of a frame from before the jump is not acknowledged")
		}
	case transports.Rejected: // its row was old enough to be deleted
	default:
		t.Errorf("a repeat is settled as %s", v.Settlement)
	}
	b.settled(b.udp(late), transports.Stored)
	b.clock.t = b.clock.t.Add(11 * time.Second) // acknowledgements of repeats are limited
	v := b.udp(late)
	b.settled(v, transports.Duplicate)
	if !d.acked(v.Reply, 2) {
		t.Error("the repeat of a frame from after the jump is not acknowledged")
	}
	fresh := d.to(d.status(3.73))
	b.settled(b.udp(fresh), transports.Stored)
	for id, n := range b.ids() {
		if n != 1 {
			t.Errorf("%d events %s", n, id)
		}
	}
	if got := b.frames(name); len(got) != 4 {
		t.Errorf("events %v, want 4", got)
	}
	if !restart {
		return // within a run Go's own clock tells how much time has passed, which a clock of a test cannot
	}
	b.sms.err = nil
	for range 8 * 24 {
		b.clock.t = b.clock.t.Add(time.Hour)
		b.transmit()
		if err := b.hub.RetainOnce(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	records, err := b.hub.Downlinks(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		if r.Ref == down.Ref && r.State == hub.DownlinkQueued {
			t.Errorf("the message still waits: %+v", r)
		}
	}
}

package hub_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/gateway/rollout"
	"github.com/godwit-gateway/godwit/transports"
)

// answering is a bench with a free link that can send.
func answering(t *testing.T) (*bench, *fakeTransport) {
	t.Helper()
	b := newBench(t)
	_ = b.store.Close()
	out := &fakeTransport{silent: true}
	b.udpOut = out
	b.open()
	return b, out
}

// opens has a device speak, so that it can be answered.
func (b *bench) opens(d *device) {
	b.t.Helper()
	b.settled(b.send(transports.Uplink{
		Transport: "udp", From: transports.Address{Bearer: transports.UDP, ID: "127.0.0.1:9"}, Payload: d.to(d.status(3.6)),
		Window: transports.Window{ID: d.next, Until: b.clock.t.Add(30 * time.Second)},
	}), transports.Stored)
}

// A downlink that ends when it would leave leaves the device's window to the one behind it.
func TestDownlinkThatEndsTakesNoWindow(t *testing.T) {
	b, out := answering(t)
	d := b.device(7)
	b.settled(b.udp(d.to(d.hello("1.0.0"))), transports.Stored)
	b.release(1000)
	id := b.rolling(nil)
	b.settled(b.udp(d.to(d.status(3.7))), transports.Stored) // the offer is queued
	if _, err := b.hub.SendMessage(t.Context(), "dev-7", hub.Message{Payload: []byte("x"), Link: "udp"}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.hub.MoveRollout(as(t, "ann", "operator"), id, rollout.Pause, "wait"); err != nil {
		t.Fatal(err)
	}
	b.opens(d)
	b.attempt("udp")
	list, err := b.hub.Downlinks("dev-7")
	if err != nil || len(list) != 2 || list[0].State != hub.DownlinkExpired || list[1].State != hub.DownlinkAccepted || len(out.sent) != 1 {
		t.Errorf("%+v, %v, %d sent", list, err, len(out.sent))
	}
}

// A downlink that did not leave in a device's window leaves in the next one, whenever that comes.
func TestNextWindowIsNotMissed(t *testing.T) {
	for name, c := range map[string]struct {
		err      error
		attempts int
	}{
		"window is gone": {&transports.SendError{Outcome: transports.Refused, Err: transports.ErrExpired}, 0},
		"line is down":   {errLineDown, 0},
		"not taken":      {&transports.SendError{Outcome: transports.NotSent, Err: errors.New("no buffers")}, 1},
	} {
		for _, size := range []int{1, 300} {
			t.Run(fmt.Sprintf("%s, %d bytes", name, size), func(t *testing.T) {
				b, out := answering(t)
				d := b.importOne(8)
				if _, err := b.hub.SendMessage(t.Context(), "meter-1", hub.Message{Payload: make([]byte, size), Link: "udp"}); err != nil {
					t.Fatal(err)
				}
				out.err = c.err
				b.opens(d)
				b.attempt("udp")
				if r := b.downlink(); r.State != hub.DownlinkQueued || size == 1 && r.Attempts != c.attempts || len(out.sent) != 1 {
					t.Fatalf("%+v, %d sent", r, len(out.sent))
				}
				b.attempt("udp")
				if len(out.sent) != 1 {
					t.Fatalf("tried %d times in one window", len(out.sent))
				}
				out.err = nil
				b.clock.t = b.clock.t.Add(time.Second)
				b.opens(d)
				b.attempt("udp")
				if r := b.downlink(); len(out.sent) != 2 || r.Error != "" || size == 1 && r.State != hub.DownlinkAccepted {
					t.Errorf("%+v, %d sent", r, len(out.sent))
				}
			})
		}
	}
}

// What no window has room for is refused for good.
func TestTooLargeForAnyWindow(t *testing.T) {
	b, out := answering(t)
	d := b.importOne(8)
	b.message("udp")
	out.err = &transports.SendError{Outcome: transports.Refused, Err: transports.ErrTooLarge}
	b.opens(d)
	b.attempt("udp")
	if r := b.downlink(); r.State != hub.DownlinkFailed {
		t.Errorf("%+v", r)
	}
}

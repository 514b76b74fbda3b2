package hub_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/codec/manifest"
	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/gateway/rollout"
	"github.com/godwit-gateway/godwit/transports"
)

// What transports say of a downlink.
var (
	errLineDown = &transports.SendError{Outcome: transports.NotSent, Err: transports.ErrDown}
	errLineBusy = &transports.SendError{Outcome: transports.NotSent, Err: errors.New("busy")}
	errNoAnswer = &transports.SendError{Outcome: transports.MaybeSent, Err: errors.New("no answer")}
)

// When the hub ends, an attempt under way is not broken off, and what came of it is written down: as one that may have left it would be sent and paid for again.
func TestAttemptUnderWayAtTheEnd(t *testing.T) {
	b := newBench(t)
	b.importOne(8)
	b.message("sms")
	_ = b.store.Close()
	b.driven = true
	held, release := make(chan struct{}), make(chan struct{})
	b.sms.hold = func(ctx context.Context, _ transports.Downlink) {
		close(held)
		<-release
		if ctx.Err() != nil {
			t.Error("it was broken off")
		}
	}
	b.open()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- b.hub.Run(ctx) }()
	<-held
	cancel()
	if err := b.hub.RetainOnce(t.Context()); err != nil { // commits go on until it is settled
		t.Error(err)
	}
	close(release)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	b.driven = false
	b.crash()
	b.poll()
	if r := b.downlink(); r.State != hub.DownlinkAccepted || r.Error != "" || r.Attempts != 1 {
		t.Errorf("%+v", r)
	}
}

// An interval rides on an acknowledgement also if the first try did not leave.
func TestIntervalRidesAgain(t *testing.T) {
	b := priced(t)
	d := b.importOne(8)
	b.speaks(d)
	b.settled(b.smsFrom(msisdn, d.asks()), transports.Stored)
	b.sms.err = errLineBusy
	b.clock.t = b.clock.t.Add(time.Minute)
	b.transmitSMS()
	b.sms.err = nil
	b.clock.t = b.clock.t.Add(time.Minute)
	for range 4 {
		b.transmitSMS()
	}
	if len(b.sms.sent) != 2 {
		t.Errorf("%d messages", len(b.sms.sent)-1)
	}
}

// longRelease makes 2.0.0 known under a reference for which one message is too short.
func (b *bench) longRelease() {
	b.t.Helper()
	_, err := b.hub.AddRelease(as(b.t, "ann", "operator"), rollout.Release{
		Manifest:  manifest.Manifest{Product: "buoy", Version: "2.0.0", Sequence: 2, Size: 1000, URL: "https://updates.example/2.0.0.bin"},
		Reference: "https://updates.example/" + strings.Repeat("a/", 90) + "2.0.0.cose", Hash: make([]byte, 32),
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

// An offer in fragments of which none left is withdrawn with its rollout.
func TestOfferInFragmentsThatNeverBegan(t *testing.T) {
	b := newBench(t)
	d := b.importOne(8)
	b.bySMS(d.hello("1.0.0"))
	b.longRelease()
	id := b.rolling(nil)
	b.sms.err = errLineDown
	b.bySMS(d.status(3.7))
	b.transmitSMS()
	if s := b.stands("meter-1").Standing; s != rollout.Eligible || len(b.sms.sent) != 1 {
		t.Errorf("an offer that did not leave makes it %s, %d tries", s, len(b.sms.sent))
	}
	if _, err := b.hub.MoveRollout(as(t, "ann", "operator"), id, rollout.Pause, "wait"); err != nil {
		t.Fatal(err)
	}
	b.sms.err = nil
	b.clock.t = b.clock.t.Add(time.Hour)
	b.transmitSMS()
	if len(b.sms.sent) != 1 {
		t.Error("a fragment of a paused rollout's offer was sent")
	}
}

// A device that asks again to join has not heard the answer that may have left: that one is not repeated beside the new one.
func TestJoinIsAnsweredOnce(t *testing.T) {
	b := newBench(t)
	d := b.device(7)
	b.onSMS(d)
	j, request := d.request(1, 1)
	b.sms.err = errNoAnswer
	b.settled(b.smsFrom(phone, request), transports.Stored)
	b.transmit()
	b.sms.err = nil
	b.clock.t = b.clock.t.Add(time.Minute)
	b.settled(b.smsFrom(phone, request), transports.Duplicate)
	b.transmit()
	b.clock.t = b.clock.t.Add(time.Hour)
	b.transmit()
	if len(b.sms.sent) != 2 {
		t.Fatalf("%d messages", len(b.sms.sent))
	}
	d.accepted(b.sms.sent[1].Payload, j)
}

// An interval that did not leave was not told: it is not taken for what the device runs, and goes out with the next try.
func TestIntervalThatDidNotLeave(t *testing.T) {
	for name, err := range map[string]error{
		"not taken":   errLineBusy,
		"not reached": errLineDown,
	} {
		t.Run(name, func(t *testing.T) {
			b := priced(t)
			d := b.importOne(8)
			b.speaks(d)
			b.clock.t = b.clock.t.Add(time.Hour)
			b.speaks(d)
			b.sms.err = err
			for range 3 {
				b.transmitSMS()
				b.clock.t = b.clock.t.Add(2 * time.Minute)
			}
			b.crash()
			b.poll()
			b.sms.err = nil
			b.clock.t = b.clock.t.Add(5 * time.Minute)
			b.transmitSMS()
			if r := b.downlink(); r.State != hub.DownlinkAccepted || len(b.sms.sent) != 4 {
				t.Errorf("%+v, %d tries", r, len(b.sms.sent))
			}
			b.clock.t = b.clock.t.Add(time.Minute)
			b.speaks(d)
			b.transmitSMS()
			if len(b.sms.sent) != 4 {
				t.Error("it is told again within minutes")
			}
		})
	}
}

// An acknowledgement that may have left is not repeated beside the one of a later frame, which says all that it said.
func TestOneAcknowledgementAfterDoubt(t *testing.T) {
	b := newBench(t)
	d := b.importOne(8)
	b.settled(b.smsFrom(msisdn, d.asks()), transports.Stored)
	b.sms.err = errNoAnswer
	b.clock.t = b.clock.t.Add(time.Minute)
	b.attempt("sms")
	b.sms.err = nil
	b.settled(b.smsFrom(msisdn, d.asks()), transports.Stored)
	b.crash()
	for range 30 {
		b.clock.t = b.clock.t.Add(time.Minute)
		b.attempt("sms")
	}
	if len(b.sms.sent) != 2 || !d.acked(b.sms.sent[1].Payload, d.next-1) {
		t.Errorf("%d messages", len(b.sms.sent))
	}
}

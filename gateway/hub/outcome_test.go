package hub_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/codec/manifest"
	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/gateway/rollout"
	"github.com/godwit-gateway/godwit/scheduler/core"
	"github.com/godwit-gateway/godwit/scheduler/ledger"
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
		"line is down":   {&transports.SendError{Outcome: transports.NotSent, Err: transports.ErrDown}, 0},
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

// A network may report before the receipt is filed.
func TestReportBeforeItsReceipt(t *testing.T) {
	for name, c := range map[string]struct {
		report transports.Report
		err    error
		want   string
	}{
		"delivered":      {transports.Report{Ref: "7", State: transports.ReportDelivered}, nil, hub.DownlinkDelivered},
		"given up":       {transports.Report{Ref: "7", State: transports.ReportFailed}, nil, hub.DownlinkFailed},
		"of another one": {transports.Report{Ref: "8", State: transports.ReportDelivered}, nil, hub.DownlinkAccepted},
		"never taken":    {transports.Report{Ref: "7", State: transports.ReportDelivered}, &transports.SendError{Outcome: transports.NotSent}, hub.DownlinkQueued},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.importOne(8)
			b.message("sms")
			c.report.Transport, c.report.ReceivedAt = "sms", b.clock.t
			b.sms.err = c.err
			b.sms.hold = func(context.Context, transports.Downlink) {
				if err := b.hub.Report(t.Context(), c.report); err != nil {
					t.Error(err)
				}
			}
			b.attempt("sms")
			if b.crash(); b.downlink().State != c.want {
				t.Errorf("%+v", b.downlink())
			}
			// A report that nothing waited for is not kept for what comes.
			b.sms.hold, b.sms.err = nil, nil
			b.message("sms")
			b.clock.t = b.clock.t.Add(time.Minute)
			b.attempt("sms")
			b.attempt("sms")
			if r := b.downlink(); r.State != hub.DownlinkAccepted {
				t.Errorf("the next one is %+v", r)
			}
		})
	}
}

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

const imei = "300234010000001"

// twoWays is a bench whose device can be reached over two paid links.
func twoWays(t *testing.T, b *bench, sbd transports.Transport) *device {
	t.Helper()
	_ = b.store.Close()
	b.sbd = sbd
	b.open()
	d := b.importOne(8)
	if _, err := b.hub.GiveAddress(t.Context(), "meter-1", "sbd", imei); err != nil {
		t.Fatal(err)
	}
	return d
}

func (b *bench) bySBD(payload []byte) {
	b.t.Helper()
	b.settled(b.send(transports.Uplink{Transport: "sbd", From: transports.Address{Bearer: transports.SBD, ID: imei}, Payload: payload}), transports.Stored)
}

// asks is a message that asks for an acknowledgement.
func (d *device) asks() []byte { return d.say([]byte{byte(codec.MessageUser), byte(d.next)}, 1) }

// An acknowledgement that waits for a link that is dead goes where the device speaks now, and one that has just begun to wait does not.
func TestAcknowledgementFollowsTheDevice(t *testing.T) {
	b, sbd := newBench(t), &fakeTransport{silent: true}
	d := twoWays(t, b, sbd)
	b.settled(b.smsFrom(msisdn, d.asks()), transports.Stored)
	b.bySBD(d.asks())
	if r := b.downlink(); r.Link != "sms" {
		t.Fatalf("%+v", r)
	}
	b.sms.err = &transports.SendError{Outcome: transports.NotSent, Err: transports.ErrDown}
	b.clock.t = b.clock.t.Add(time.Minute)
	b.attempt("sms")
	b.bySBD(d.asks())
	b.crash()
	b.clock.t = b.clock.t.Add(time.Minute)
	b.attempt("sbd")
	b.sms.err = nil
	b.clock.t = b.clock.t.Add(time.Hour)
	b.attempt("sms")
	if len(sbd.sent) != 1 || !d.acked(sbd.sent[0].Payload, d.next-1) || len(b.sms.sent) != 1 {
		t.Errorf("%d over the link that lives, %d over the other, %+v", len(sbd.sent), len(b.sms.sent), b.downlink())
	}
}

// It has time for that, however long it waited in vain.
func TestAcknowledgementThatFollowsHasTime(t *testing.T) {
	b, sbd := newBench(t), &fakeTransport{silent: true}
	d := twoWays(t, b, sbd)
	b.settled(b.smsFrom(msisdn, d.asks()), transports.Stored)
	queued := b.clock.t
	b.sms.err = &transports.SendError{Outcome: transports.NotSent, Err: transports.ErrDown}
	b.clock.t = queued.Add(time.Minute)
	b.attempt("sms")
	b.clock.t = queued.Add(24*time.Hour - time.Second)
	b.bySBD(d.asks())
	b.clock.t = b.clock.t.Add(time.Minute)
	b.attempt("sbd")
	if len(sbd.sent) != 1 || !d.acked(sbd.sent[0].Payload, d.next-1) {
		t.Errorf("%d sent, %+v", len(sbd.sent), b.downlink())
	}
}

// An offer that waits is kept where the device speaks over a link on which there is no way to it.
func TestOfferStaysWhereThereIsNoOtherWay(t *testing.T) {
	b, sbd := newBench(t), &fakeTransport{silent: true}
	_ = b.store.Close()
	b.sbd = sbd
	b.open()
	d := b.importOne(8)
	b.bySMS(d.hello("1.0.0"))
	b.release(1000)
	b.rolling(nil)
	b.sms.err = &transports.SendError{Outcome: transports.NotSent, Err: transports.ErrDown}
	b.bySMS(d.status(3.7))
	b.transmitSMS()
	tried := len(b.sms.sent)
	b.bySBD(d.to(d.status(3.7)))
	b.sms.err = nil
	b.clock.t = b.clock.t.Add(time.Hour)
	if b.transmitSMS(); tried != 1 || len(b.sms.sent) != 2 || len(sbd.sent) != 0 {
		t.Errorf("%d and %d by SMS, %d over the other link: %+v", tried, len(b.sms.sent), len(sbd.sent), b.downlink())
	}
}

// An interval and an offer follow the device as well.
func TestOfferAndIntervalFollowTheDevice(t *testing.T) {
	b, sbd := newBench(t), &fakeTransport{silent: true}
	b.schedule = priced(t).schedule
	b.schedule.Core.Links, b.schedule.Core.Tariffs = nil, nil
	d := twoWays(t, b, sbd)
	b.bySMS(d.hello("1.0.0"))
	b.release(1000)
	b.rolling(nil)
	b.sms.err = &transports.SendError{Outcome: transports.NotSent, Err: transports.ErrDown}
	b.bySMS(d.status(3.7))
	b.transmitSMS()
	b.transmitSMS()
	dead := len(b.sms.sent)
	b.bySBD(d.status(3.7))
	for range 4 {
		b.attempt("sbd")
	}
	b.sms.err = nil
	b.clock.t = b.clock.t.Add(time.Hour)
	for range 4 {
		b.attempt("sms")
	}
	if len(sbd.sent) != 2 || dead != 2 || len(b.sms.sent) != dead {
		t.Errorf("%d over the link that lives, %d and %d over the other", len(sbd.sent), dead, len(b.sms.sent))
	}
	if s := b.stands("meter-1").Standing; s != rollout.Offered {
		t.Errorf("it is %s", s)
	}
}

// An interval rides on an acknowledgement also if the first try did not leave.
func TestIntervalRidesAgain(t *testing.T) {
	b := priced(t)
	d := b.importOne(8)
	b.speaks(d)
	b.settled(b.smsFrom(msisdn, d.asks()), transports.Stored)
	b.sms.err = &transports.SendError{Outcome: transports.NotSent, Err: errors.New("busy")}
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

// What waits for money or for an address is sent once that is there.
func TestMoneyAndAddressesWakeUp(t *testing.T) {
	b := priced(t, ledger.Budget{Scope: ledger.Scope{Level: ledger.OfLink, Name: "sms", Currency: "EUR"}, Amount: 10_000, Hard: true})
	b.importOne(8)
	b.message("sms")
	b.transmitSMS()
	if r := b.downlink(); len(b.sms.sent) != 0 || !strings.HasPrefix(r.Error, hub.BudgetSpent) {
		t.Fatalf("%+v", r)
	}
	b.hub.Woken("sms")
	s := b.schedule
	s.Core.Budgets = nil
	if err := b.hub.Reconfigure(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	if !b.hub.Woken("sms") {
		t.Error("a budget wakes nobody")
	}
	if b.transmitSMS(); len(b.sms.sent) != 1 {
		t.Errorf("%+v", b.downlink())
	}
	b.hub.Woken("sms")
	if _, err := b.hub.GiveAddress(t.Context(), "meter-1", "sms", "+491700000009"); err != nil || !b.hub.Woken("sms") {
		t.Errorf("an address wakes nobody: %v", err)
	}
	if _, err := b.hub.AcceptAddress(t.Context(), "meter-1", "sms", "+491700000009"); err != nil || !b.hub.Woken("sms") {
		t.Errorf("an address that is accepted wakes nobody: %v", err)
	}
}

// A gateway that starts with other budgets tries at once what had no money.
func TestMoneyThatComesWithAStart(t *testing.T) {
	b := priced(t, ledger.Budget{Scope: ledger.Scope{Level: ledger.OfLink, Name: "sms", Currency: "EUR"}, Amount: 10_000, Hard: true})
	b.importOne(8)
	b.message("sms")
	b.transmitSMS()
	b.schedule.Core.Budgets = nil
	b.crash()
	if b.transmitSMS(); len(b.sms.sent) != 1 {
		t.Errorf("%+v", b.downlink())
	}
}

// fakeLine is a transport that tells whether its line is there.
type fakeLine struct {
	fakeTransport
	up bool
}

func (f *fakeLine) Up() bool { return f.up }

// A line that was down for long is used soon once it is back.
func TestLineThatIsBack(t *testing.T) {
	for _, size := range []int{1, 300} {
		b, line := newBench(t), &fakeLine{}
		twoWays(t, b, line)
		if _, err := b.hub.SendMessage(t.Context(), "meter-1", hub.Message{Payload: make([]byte, size), Link: "sbd"}); err != nil {
			t.Fatal(err)
		}
		line.err = &transports.SendError{Outcome: transports.NotSent, Err: transports.ErrDown}
		for end := b.clock.t.Add(3 * time.Hour); b.clock.t.Before(end); {
			wake := b.attempt("sbd")
			if wait := wake.Sub(b.clock.t); wait > 30*time.Second {
				t.Fatalf("nobody looks for the line for %s", wait)
			}
			b.clock.t = wake
		}
		tried := len(line.sent)
		if tried > 14 {
			t.Errorf("%d tries", tried)
		}
		line.err, line.up = nil, true
		wake := b.attempt("sbd")
		for n := 0; n < 2 && len(line.sent) == tried; n++ {
			b.clock.t = wake
			wake = b.attempt("sbd")
		}
		if len(line.sent) != tried+1 {
			t.Errorf("%d bytes: %+v", size, b.downlink())
		}
	}
}

// One downlink that is taken shows that the network is reached, for all that wait for it.
func TestNetworkThatIsReachedAgain(t *testing.T) {
	b := newBench(t)
	b.importOne(8)
	b.sms.err = &transports.SendError{Outcome: transports.NotSent, Slow: true, Unasked: true, Err: errors.New("no route to host")}
	b.message("sms")
	for range 12 {
		b.clock.t = b.attempt("sms")
	}
	for !b.attempt("sms").After(b.clock.t) { // until it waits
	}
	b.message("sms")
	b.sms.err = nil
	b.attempt("sms")
	b.attempt("sms")
	list, err := b.hub.Downlinks("meter-1")
	if err != nil || len(list) != 2 || list[0].State != hub.DownlinkAccepted || list[1].State != hub.DownlinkAccepted {
		t.Errorf("%+v, %v", list, err)
	}
}

// A network that takes one now and then is not asked for all that wait each time.
func TestNetworkThatTakesOneAtATime(t *testing.T) {
	b := newBench(t)
	b.importOne(8)
	busy := &transports.SendError{Outcome: transports.NotSent, Unasked: true, Err: errors.New("too many calls")}
	rest := func() {
		t.Helper()
		b.sms.err = busy
		for !b.attempt("sms").After(b.clock.t) { // until all wait
		}
	}
	const waiting = 6
	for range waiting {
		b.message("sms")
	}
	rest()
	b.message("sms")
	b.sms.err = nil
	b.attempt("sms")
	if rest(); len(b.sms.sent) != waiting+2 {
		t.Errorf("%d tries after the one that was taken", len(b.sms.sent)-waiting-1)
	}
	b.sms.err = nil
	b.message("sms")
	for !b.attempt("sms").After(b.clock.t) { // until none waits
	}
	if len(b.sms.sent) != 2*waiting+3 {
		t.Errorf("%d sent", len(b.sms.sent))
	}
}

// A try in which the network was not reached costs nothing: the next one is soon, however slow the network is when it is reached.
func TestShortPauseAfterOneTryInVain(t *testing.T) {
	b := newBench(t)
	b.importOne(8)
	b.sms.err = &transports.SendError{Outcome: transports.NotSent, Slow: true, Unasked: true, Err: errors.New("no route to host")}
	b.message("sms")
	b.attempt("sms")
	if wait := b.attempt("sms").Sub(b.clock.t); wait > time.Minute {
		t.Errorf("it waits for %s", wait)
	}
}

// Pauses of a network that is slow when it is reached get as long as is said, and no longer.
func TestLongestPauseInVain(t *testing.T) {
	b := newBench(t)
	b.importOne(8)
	b.sms.err = &transports.SendError{Outcome: transports.NotSent, Slow: true, Unasked: true, Err: errors.New("no route to host")}
	b.message("sms")
	longest := time.Duration(0)
	for range 12 {
		b.attempt("sms")
		pause := b.attempt("sms").Sub(b.clock.t)
		longest = max(longest, pause)
		b.clock.t = b.clock.t.Add(pause)
	}
	if longest != 4*time.Hour {
		t.Errorf("%s", longest)
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
	b.sms.err = &transports.SendError{Outcome: transports.NotSent, Err: transports.ErrDown}
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
	b.sms.err = &transports.SendError{Outcome: transports.MaybeSent, Err: errors.New("no answer")}
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
		"not taken":   &transports.SendError{Outcome: transports.NotSent, Err: errors.New("busy")},
		"not reached": &transports.SendError{Outcome: transports.NotSent, Err: transports.ErrDown},
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
	b.sms.err = &transports.SendError{Outcome: transports.MaybeSent, Err: errors.New("no answer")}
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

// Where reports do not come, what the network took holds up nothing that is new.
func TestReportsThatNeverCome(t *testing.T) {
	b := newBench(t)
	b.importOne(8)
	for range 20 {
		b.message("sms")
		b.attempt("sms")
	}
	if len(b.sms.sent) != 20 {
		t.Errorf("%d sent", len(b.sms.sent))
	}
}

// A start ends the pauses of what never reached its network.
func TestStartEndsPauses(t *testing.T) {
	b := newBench(t)
	b.importOne(8)
	b.message("sms")
	b.sms.err = &transports.SendError{Outcome: transports.NotSent, Err: transports.ErrDown}
	for range 12 {
		b.clock.t = b.attempt("sms")
	}
	for !b.attempt("sms").After(b.clock.t) { // until it waits
	}
	b.sms.err = nil
	b.crash()
	if b.attempt("sms"); b.downlink().State != hub.DownlinkAccepted {
		t.Errorf("%+v", b.downlink())
	}
}

// A pause is no longer than it was if the clock was set back while the gateway was off.
func TestPauseOfAClockThatWasAhead(t *testing.T) {
	b := newBench(t)
	b.importOne(8)
	b.message("sms")
	b.sms.err = &transports.SendError{Outcome: transports.NotSent, Err: errors.New("busy")}
	b.attempt("sms")
	b.sms.err = nil
	b.clock.t = b.clock.t.Add(-5 * time.Hour)
	b.crash()
	b.attempt("sms")
	if len(b.sms.sent) != 1 {
		t.Fatal("there is no pause")
	}
	b.clock.t = b.clock.t.Add(time.Minute)
	if b.attempt("sms"); len(b.sms.sent) != 2 {
		t.Errorf("%+v", b.downlink())
	}
}

// Word of what arrived of a message goes where the device asks for it, not where it asked before, and goes once.
func TestFragmentStatusFollowsTheDevice(t *testing.T) {
	b, out := answering(t)
	d := b.importOne(8)
	piece := pieces(t, 1, append([]byte{byte(codec.MessageUser)}, make([]byte, 300)...), 100)[0]
	b.settled(b.udp(d.to(d.say(piece, 1))), transports.Stored) // in a window that is gone
	b.settled(b.smsFrom(msisdn, d.say(piece, 1)), transports.Stored)
	b.sms.err = &transports.SendError{Outcome: transports.MaybeSent, Err: errors.New("no answer")}
	b.clock.t = b.clock.t.Add(time.Minute)
	b.attempt("sms")
	b.attempt("sms")
	tried := len(b.sms.sent)
	b.sms.err = nil
	b.settled(b.smsFrom(msisdn, d.say(piece, 0)), transports.Stored)
	b.settled(b.smsFrom(msisdn, d.say(piece, 1)), transports.Stored)
	for range 30 {
		b.clock.t = b.clock.t.Add(time.Minute)
		b.attempt("sms")
	}
	b.opens(d)
	b.attempt("udp")
	statuses := 0
	list, err := b.hub.Downlinks("meter-1")
	for _, r := range list {
		if r.Kind == "fragments" {
			statuses += r.Attempts
		}
	}
	if err != nil || statuses != 2 || tried == 0 || len(out.sent) != 0 {
		t.Errorf("%d statuses, %d tried, %d by udp: %+v, %v", statuses, tried, len(out.sent), list, err)
	}
}

// Money that is held for what another link has in hand is free again soon, so what waits for it does not wait as long as for a budget that is spent.
func TestMoneyThatIsHeldIsFreeSoon(t *testing.T) {
	b, sbd := priced(t, ledger.Budget{Scope: ledger.Scope{Level: ledger.Fleet, Currency: "EUR"}, Amount: 30_000, Hard: true}), &fakeTransport{silent: true}
	b.schedule.Core.Links = append(b.schedule.Core.Links, core.Link{Name: "sbd", Tariff: "text", Wakes: true})
	twoWays(t, b, sbd)
	b.message("sbd")
	sbd.err = &transports.SendError{Outcome: transports.NotSent, Err: errors.New("busy")}
	var wake time.Time
	sbd.hold = func(context.Context, transports.Downlink) {
		b.message("sms")
		wake = b.attempt("sms")
		if r := b.downlink(); len(b.sms.sent) != 0 || !strings.HasPrefix(r.Error, hub.BudgetSpent) {
			t.Errorf("%+v", r)
		}
	}
	b.attempt("sbd")
	if wait := wake.Sub(b.clock.t); wait > time.Minute {
		t.Errorf("nobody looks for it for %s", wait)
	}
	b.clock.t = wake
	if b.transmitSMS(); len(b.sms.sent) != 1 {
		t.Errorf("%+v", b.downlink())
	}
}

// What waits for a link that is configured no more does not keep a device from hearing over another one.
func TestAcknowledgementAfterItsLinkIsGone(t *testing.T) {
	b := newBench(t)
	d := twoWays(t, b, &fakeTransport{silent: true})
	b.bySBD(d.asks())
	_ = b.store.Close()
	b.sbd = nil
	b.open()
	b.settled(b.smsFrom(msisdn, d.asks()), transports.Stored)
	b.clock.t = b.clock.t.Add(time.Minute)
	b.attempt("sms")
	if len(b.sms.sent) != 1 || !d.acked(b.sms.sent[0].Payload, d.next-1) {
		t.Errorf("%+v", b.downlink())
	}
}

package hub_test

import (
	"context"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/gateway/rollout"
	"github.com/godwit-gateway/godwit/transports"
)

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
	b.sms.err = errLineDown
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
	b.sms.err = errLineDown
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

// An acknowledgement of which nobody knows whether it left is not repeated once another one was taken that says the same, over whichever link; it is while it
// has more to say.
func TestAcknowledgementInDoubtIsSuperseded(t *testing.T) {
	for name, test := range map[string]struct {
		inHand bool // by its network while the other one is taken
		more   bool // a frame is heard while the other one is in hand
		want   int
	}{
		"doubtful": {}, "in hand": {inHand: true}, "with more to say": {more: true, want: 1},
	} {
		b, sbd := newBench(t), &fakeTransport{silent: true}
		d := twoWays(t, b, sbd)
		b.settled(b.smsFrom(msisdn, d.asks()), transports.Stored)
		b.clock.t = b.clock.t.Add(time.Minute)
		other := func(context.Context, transports.Downlink) {
			b.bySBD(d.asks())
			b.clock.t = b.clock.t.Add(time.Minute)
			b.attempt("sbd")
		}
		if test.more {
			sbd.hold = func(context.Context, transports.Downlink) { b.bySBD(d.status(3.7)) }
		}
		b.sms.err = errNoAnswer
		if test.inHand {
			b.sms.hold = other
		}
		b.attempt("sms")
		if b.sms.err = nil; !test.inHand {
			other(nil, transports.Downlink{})
		}
		b.clock.t = b.clock.t.Add(time.Hour)
		b.attempt("sms")
		if n := len(b.sms.sent) - 1; n != test.want || len(sbd.sent) != 1 {
			t.Errorf("%s: repeated %d times, %d over the other link: %+v", name, n, len(sbd.sent), b.ofKind("ack"))
		}
	}
}

// What a network took after all, though it was not to be repeated, has its report: it is delivered, and paid for.
func TestAcknowledgementThatIsSupersededInHand(t *testing.T) {
	b, sbd := newBench(t), &fakeTransport{silent: true}
	d := twoWays(t, b, sbd)
	b.settled(b.smsFrom(msisdn, d.asks()), transports.Stored)
	b.clock.t = b.clock.t.Add(time.Minute)
	b.sms.hold = func(context.Context, transports.Downlink) {
		b.bySBD(d.asks())
		b.clock.t = b.clock.t.Add(time.Minute)
		b.attempt("sbd")
	}
	b.attempt("sms")
	b.attempt("sms")
	if err := b.hub.Report(t.Context(), transports.Report{Transport: "sms", Ref: "7", State: transports.ReportDelivered, ReceivedAt: b.clock.t}); err != nil {
		t.Fatal(err)
	}
	if r := b.ofKind("ack")[0]; r.Link != "sms" || r.State != hub.DownlinkDelivered || len(sbd.sent) != 1 {
		t.Errorf("%d over the other link: %+v", len(sbd.sent), r)
	}
}

// One that was not to be repeated, and did not leave, is over at once: the device's next frame has an acknowledgement of its own. It is over as well if the power
// fails before it is known what came of it.
func TestAcknowledgementThatIsSupersededIsOver(t *testing.T) {
	for name, err := range map[string]error{"it did not leave": errLineBusy, "its line was down": errLineDown, "the power failed": nil} {
		t.Run(name, func(t *testing.T) {
			b, sbd := newBench(t), &fakeTransport{silent: true}
			d := twoWays(t, b, sbd)
			b.settled(b.smsFrom(msisdn, d.asks()), transports.Stored)
			b.clock.t = b.clock.t.Add(time.Minute)
			other := func() {
				b.bySBD(d.asks())
				b.clock.t = b.clock.t.Add(time.Minute)
				b.attempt("sbd")
			}
			if err == nil {
				b.diesInHand(b.sms, "sms", other)
				b.poll()
			} else {
				b.sms.err, b.sms.hold = err, func(context.Context, transports.Downlink) { other() }
				b.attempt("sms")
				b.sms.err, b.sms.hold = nil, nil
			}
			if r := b.ofKind("ack")[0]; r.Link != "sms" || r.State != hub.DownlinkExpired {
				t.Errorf("%+v", r)
			}
			b.settled(b.smsFrom(msisdn, d.asks()), transports.Stored)
			for range 3 {
				b.clock.t = b.clock.t.Add(time.Hour)
				b.attempt("sms")
			}
			if len(sbd.sent) != 1 || len(b.sms.sent) != 2 || !d.acked(b.sms.sent[1].Payload, d.next-1) {
				t.Errorf("%d over the other link, %d by SMS: %+v", len(sbd.sent), len(b.sms.sent), b.ofKind("ack"))
			}
		})
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
	b.sms.err = errLineDown
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
	b.sms.err = errLineDown
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

// Word of what arrived of a message goes where the device asks for it, not where it asked before, and goes once.
func TestFragmentStatusFollowsTheDevice(t *testing.T) {
	b, out := answering(t)
	d := b.importOne(8)
	piece := pieces(t, 1, append([]byte{byte(codec.MessageUser)}, make([]byte, 300)...), 100)[0]
	b.settled(b.udp(d.to(d.say(piece, 1))), transports.Stored) // in a window that is gone
	b.settled(b.smsFrom(msisdn, d.say(piece, 1)), transports.Stored)
	b.sms.err = errNoAnswer
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

package hub_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/codec/session"
	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/transports"
)

// ofKind lists the downlinks of a kind to meter-1.
func (b *bench) ofKind(kind string) (list []hub.DownlinkRecord) {
	b.t.Helper()
	all, err := b.hub.Downlinks("meter-1")
	if err != nil {
		b.t.Fatal(err)
	}
	for _, r := range all {
		if r.Kind == kind {
			list = append(list, r)
		}
	}
	return list
}

// rekeyed has a device follow the rekey of a message.
func (d *device) rekeyed(payload []byte, counter uint64) {
	d.t.Helper()
	kind, body := d.opened(payload, counter)
	r, err := codec.DecodeRekey(body)
	if kind != codec.MessageRekey || err != nil {
		d.t.Fatalf("type %d, %v", kind, err)
	}
	d.enter(r.Epoch, r.Salt)
}

// F-120: a rekey that waits for a link that is dead goes where the device speaks now. One goes, also if there were several, and the device has a day to answer
// it. Its counter is above those that others had meanwhile.
func TestRekeyFollowsTheDevice(t *testing.T) {
	b, sbd := newBench(t), &fakeTransport{silent: true}
	d := twoWays(t, b, sbd)
	b.bySMS(d.hello("1.0.0"))
	b.clock.t = b.clock.t.Add(session.AgeMax)
	b.sms.err = errLineDown
	b.bySMS(d.status(3.7))
	if _, err := b.hub.Rekey(t.Context(), "meter-1", "sms"); err != nil {
		t.Fatal(err)
	}
	b.rests("sms")
	first := b.ofKind("rekey")[1].Counter
	b.crash()
	b.clock.t = b.clock.t.Add(50 * time.Hour)
	b.bySBD(d.status(3.7))
	b.attempt("sbd")
	for range 12 {
		b.bySBD(d.status(3.7))
		b.attempt("sbd")
		b.clock.t = b.clock.t.Add(time.Hour)
	}
	b.sms.err = nil
	tried := len(b.sms.sent)
	b.transmitSMS()
	list := b.ofKind("rekey")
	if len(sbd.sent) != 1 || list[0].Counter <= first || len(b.sms.sent) != tried || len(list) != 2 {
		t.Fatalf("%d over the link that lives, %d more over the other: %+v", len(sbd.sent), len(b.sms.sent)-tried, list)
	}
	if left := list[0].Expires.Sub(list[0].Changed); left != session.Grace {
		t.Errorf("it had %s left to go", left)
	}
	d.rekeyed(sbd.sent[0].Payload, list[0].Counter)
	b.bySBD(d.hello("1.0.0"))
	if g := b.session("meter-1"); g.Current.Number != d.epoch || d.epoch == 0 {
		t.Errorf("%+v", g)
	}
}

// F-120: devices take the counters of downlinks as they rise, so a rekey that another downlink overtook is sealed anew when it is tried again, over whichever
// link; one that none overtook is the frame that it was. None is a rekey of another epoch.
func TestRekeyThatWasOvertaken(t *testing.T) {
	for name, overtaken := range map[string]bool{"overtaken": true, "not overtaken": false} {
		b, sbd := newBench(t), &fakeTransport{silent: true}
		d := twoWays(t, b, sbd)
		b.bySMS(d.hello("1.0.0"))
		if _, err := b.hub.Rekey(t.Context(), "meter-1", "sms"); err != nil {
			t.Fatal(err)
		}
		b.sms.err = errLineDown
		b.attempt("sms")
		first := b.sms.sent[0].Payload
		was := b.ofKind("rekey")[0].Counter
		if overtaken {
			b.message("sbd")
			b.attempt("sbd")
		}
		b.bySBD(d.status(3.7))
		b.attempt("sbd")
		b.crash()
		now := b.ofKind("rekey")[0].Counter
		sent := sbd.sent[len(sbd.sent)-1].Payload
		if (now > was) != overtaken || bytes.Equal(sent, first) == overtaken || now > b.session("meter-1").Current.Down {
			t.Errorf("%s: counter %d after %d, used are those up to %d", name, now, was, b.session("meter-1").Current.Down)
		}
		d.rekeyed(sent, now)
		b.bySBD(d.hello("1.0.0"))
		if g := b.session("meter-1"); g.Current.Number != 1 || d.epoch != 1 {
			t.Errorf("%s: %+v", name, g)
		}
	}
}

// A rekey stays where the link that the device speaks over has no way to it.
func TestRekeyStaysWhereThereIsNoOtherWay(t *testing.T) {
	b := newBench(t)
	b.sbd = &fakeTransport{silent: true}
	b.crash()
	d := b.importOne(8)
	b.bySMS(d.hello("1.0.0"))
	b.sms.err = errLineDown
	if _, err := b.hub.Rekey(t.Context(), "meter-1", ""); err != nil {
		t.Fatal(err)
	}
	b.transmitSMS()
	b.bySBD(d.to(d.status(3.7)))
	if list := b.ofKind("rekey"); len(list) != 1 || list[0].Link != "sms" || list[0].State != hub.DownlinkQueued {
		t.Errorf("%+v", list)
	}
}

// A rekey that did not leave is not sent any more once its device is to have another epoch, or has it: it would be paid for in vain, or lead the device astray.
func TestRekeyEndsWithItsEpoch(t *testing.T) {
	b := newBench(t)
	d := b.importOne(8)
	b.bySMS(d.hello("1.0.0"))
	b.sms.err = errLineDown
	for range 2 {
		if _, err := b.hub.Rekey(t.Context(), "meter-1", ""); err != nil {
			t.Fatal(err)
		}
	}
	b.transmitSMS()
	b.sms.err = nil
	tried := len(b.sms.sent)
	j, request := d.request(1, 1)
	reply := b.udp(request).Reply
	b.clock.t = b.clock.t.Add(time.Hour)
	b.transmitSMS()
	for _, r := range b.ofKind("rekey") {
		if r.State != hub.DownlinkExpired || r.Error == "" || len(b.sms.sent) != tried {
			t.Errorf("after the join: %d sent, %+v", len(b.sms.sent)-tried, r)
		}
	}
	d.accepted(reply, j)
	b.settled(b.udp(d.to(d.hello("1.0.0"))), transports.Stored)

	for range 2 {
		if _, err := b.hub.Rekey(t.Context(), "meter-1", "sms"); err != nil {
			t.Fatal(err)
		}
	}
	b.attempt("sms")
	d.rekeyed(b.sms.sent[tried].Payload, b.ofKind("rekey")[2].Counter)
	b.settled(b.udp(d.to(d.hello("1.0.0"))), transports.Stored)
	if b.transmitSMS(); len(b.sms.sent) != tried+1 {
		t.Errorf("told again of the epoch in which it is: %+v", b.ofKind("rekey"))
	}
}

// Nor is a rekey of a backup, once there is another one.
func TestRekeyOfABackupEndsWithTheNext(t *testing.T) {
	b := newBench(t)
	d := b.importOne(8)
	b.bySMS(d.hello("1.0.0"))
	if _, err := b.hub.Rekey(t.Context(), "meter-1", ""); err != nil {
		t.Fatal(err)
	}
	b.saysRestored()
	if _, err := b.hub.Rekey(t.Context(), "meter-1", ""); err != nil {
		t.Fatal(err)
	}
	if list := b.ofKind("rekey"); len(list) != 2 || list[0].State != hub.DownlinkExpired || list[1].State != hub.DownlinkQueued {
		t.Errorf("%+v", list)
	}
}

// challenged brings a device to where a request of it is answered with a challenge.
func (b *bench) challenged(d *device) {
	b.t.Helper()
	b.bySMS(d.hello("1.0.0"))
	j, request := d.request(5, 1)
	d.accepted(b.udp(request).Reply, j)
	b.settled(b.udp(d.to(d.hello("1.0.0"))), transports.Stored)
}

// F-111: a challenge that waits for a link that is dead goes where the device asks now, though the hour in which it costs no other is not over; and no more
// than that one goes.
func TestChallengeFollowsTheDevice(t *testing.T) {
	b, sbd := newBench(t), &fakeTransport{silent: true}
	d := twoWays(t, b, sbd)
	b.challenged(d)
	b.sms.err = errLineDown
	_, lost := d.request(1, 2)
	b.settled(b.smsFrom(msisdn, lost), transports.Stored)
	b.transmitSMS()
	bySBD := func(payload []byte) {
		t.Helper()
		b.send(transports.Uplink{Transport: "sbd", From: transports.Address{Bearer: transports.SBD, ID: imei}, Payload: payload})
		b.attempt("sbd")
	}
	b.clock.t = b.clock.t.Add(time.Minute)
	j, request := d.request(1, 3)
	bySBD(request)
	for range 10 {
		_, again := d.request(1, 4)
		bySBD(again)
		b.clock.t = b.clock.t.Add(5 * time.Minute)
	}
	b.sms.err = nil
	tried := len(b.sms.sent)
	if b.transmitSMS(); len(sbd.sent) != 1 || len(b.sms.sent) != tried {
		t.Fatalf("%d over the link that lives, %d more over the other: %+v", len(sbd.sent), len(b.sms.sent)-tried, b.ofKind("join"))
	}
	f := d.said(sbd.sent[0].Payload, j)
	if f.Type != codec.ControlChallenge {
		t.Fatalf("a %s", f.Type)
	}
	bySBD(codec.AppendJoinConfirm(nil, d.joinKey(), j, f.Nonce))
	d.accepted(sbd.sent[1].Payload, j)
	b.bySBD(d.hello("1.0.0"))
}

// F-111: an old request that somebody sends again while a challenge waits for a link that is dead gets no answer, and changes nothing: the hour goes on.
func TestReplayWhileAChallengeWaits(t *testing.T) {
	b, sbd := newBench(t), &fakeTransport{silent: true}
	d := twoWays(t, b, sbd)
	b.bySMS(d.hello("1.0.0"))
	j, old := d.request(5, 1)
	d.accepted(b.udp(old).Reply, j)
	b.settled(b.udp(d.to(d.hello("1.0.0"))), transports.Stored)
	b.sms.err = errLineDown
	_, lost := d.request(1, 2)
	b.settled(b.smsFrom(msisdn, lost), transports.Stored)
	b.transmitSMS()
	before := b.session("meter-1")
	b.settled(b.send(transports.Uplink{Transport: "sbd", From: transports.Address{Bearer: transports.SBD, ID: imei}, Payload: old}), transports.Duplicate)
	if g := b.session("meter-1"); g != before || g.ChallengedAt == 0 {
		t.Errorf("%+v, was %+v", g, before)
	}
}

// An answer to a join that did not leave is not sent any more once the device is in its new epoch.
func TestJoinAnswerEndsWithTheJoin(t *testing.T) {
	b := newBench(t)
	d := b.importOne(8)
	b.bySMS(d.hello("1.0.0"))
	b.sms.err = errLineDown
	j, request := d.request(1, 1)
	b.settled(b.smsFrom(msisdn, request), transports.Stored)
	b.transmitSMS()
	d.accepted(b.udp(request).Reply, j)
	b.settled(b.udp(d.to(d.hello("1.0.0"))), transports.Stored)
	b.sms.err = nil
	tried := len(b.sms.sent)
	b.clock.t = b.clock.t.Add(time.Hour)
	if b.transmitSMS(); len(b.sms.sent) != tried {
		t.Errorf("%+v", b.ofKind("join"))
	}
}

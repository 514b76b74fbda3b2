package hub_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/codec/manifest"
	"github.com/godwit-gateway/godwit/gateway/audit"
	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/gateway/rollout"
	"github.com/godwit-gateway/godwit/transports"
)

func as(t *testing.T, name, role string) context.Context {
	t.Helper()
	return hub.WithActor(t.Context(), audit.Actor{Name: name, Role: role})
}

// release makes 2.0.0 of the buoys known, with an image of so many bytes.
func (b *bench) release(size uint64) {
	b.t.Helper()
	_, err := b.hub.AddRelease(as(b.t, "ann", "operator"), rollout.Release{
		Manifest:  manifest.Manifest{Product: "buoy", Version: "2.0.0", Sequence: 2, Size: size, URL: "https://updates.example/2.0.0.bin"},
		Reference: "https://updates.example/2.0.0.cose", Hash: make([]byte, 32), Signer: "releases",
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

// rolling is a rollout of 2.0.0 to all buoys at once, that was allowed and begun.
func (b *bench) rolling(change func(*rollout.Spec)) rollout.ID {
	b.t.Helper()
	s := rollout.Spec{Name: "spring", Product: "buoy", Version: "2.0.0", Waves: []rollout.Wave{{Share: 1}}, Soak: 2}
	if change != nil {
		change(&s)
	}
	r, err := b.hub.CreateRollout(as(b.t, "ann", "operator"), s)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, m := range []struct {
		move      rollout.Move
		who, role string
	}{{rollout.Submit, "ann", "operator"}, {rollout.Approve, "ben", "approver"}, {rollout.Start, "ann", "operator"}} {
		if _, err := b.hub.MoveRollout(as(b.t, m.who, m.role), r.ID, m.move, "as planned"); err != nil {
			b.t.Fatal(err)
		}
	}
	return r.ID
}

// stands is where a device stands in its newest rollout.
func (b *bench) stands(name string) rollout.DeviceView {
	b.t.Helper()
	list, err := b.hub.UpdatesOf(name)
	if err != nil || len(list) == 0 {
		b.t.Fatalf("updates of %s: %v, %v", name, list, err)
	}
	return list[0]
}

// offerIn decodes the offer in a downlink.
func (d *device) offerIn(down transports.Downlink, counter uint64) codec.Offer {
	d.t.Helper()
	kind, body := d.opened(down.Payload, counter)
	o, err := codec.DecodeOffer(body)
	if kind != codec.MessageOffer || err != nil {
		d.t.Fatalf("type %d: %v", kind, err)
	}
	return o
}

// steps is a step log.
func (d *device) steps(number uint32, steps ...codec.UpdateStep) []byte {
	d.t.Helper()
	l := codec.StepLog{Rollout: number}
	for i, s := range steps {
		e := codec.StepEntry{Step: s, Code: codec.CodeSuccess, Age: time.Duration(len(steps)-i) * time.Minute}
		l.Steps = append(l.Steps, e)
	}
	body, err := codec.AppendStepLog(nil, &l)
	if err != nil {
		d.t.Fatal(err)
	}
	return d.say(body, 0)
}

// bySMS has the gateway take a frame, some hours after the last one.
func (b *bench) bySMS(frame []byte) {
	b.t.Helper()
	b.settled(b.smsFrom(msisdn, frame), transports.Stored)
	b.poll()
	b.clock.t = b.clock.t.Add(2 * time.Hour)
}

// A device is offered a release when it speaks, tells of its steps, boots, and is confirmed when it kept on speaking with the new version: each once, also
// with a power failure after each step.
func TestRolloutFromOfferToConfirmation(t *testing.T) {
	for _, fails := range []bool{false, true} {
		t.Run(fmt.Sprintf("power fails %t", fails), func(t *testing.T) {
			b := newBench(t)
			step := func() {
				t.Helper()
				if fails {
					b.crash()
				}
				b.poll()
			}
			d := b.importOne(8)
			b.bySMS(d.hello("1.0.0"))
			b.release(1000)
			step()
			id := b.rolling(nil)
			step()
			if s := b.stands("meter-1").Standing; s != rollout.Eligible {
				t.Fatalf("before it speaks it is %s", s)
			}
			b.bySMS(d.status(3.7))
			step()
			b.transmitSMS()
			step()
			if len(b.sms.sent) != 1 {
				t.Fatalf("%d messages were sent, want the offer", len(b.sms.sent))
			}
			o := d.offerIn(b.sms.sent[0], 1)
			if id2, ok := b.offerOf(o.Rollout); !ok || id2 != id || o.Version != "2.0.0" || o.Reference != "https://updates.example/2.0.0.cose" || o.Memory != 2000 {
				t.Fatalf("offer %+v", o)
			}
			if s := b.stands("meter-1").Standing; s != rollout.Offered {
				t.Fatalf("after the offer it is %s", s)
			}
			b.bySMS(d.steps(o.Rollout, codec.StepAccepted, codec.StepDownloading))
			step()
			b.bySMS(d.steps(o.Rollout, codec.StepDownloaded, codec.StepVerified, codec.StepInstalling, codec.StepRebooting))
			step()
			if v := b.stands("meter-1"); v.Standing != rollout.Rebooting || len(v.History) < 6 {
				t.Fatalf("after its steps it is %s, %d steps", v.Standing, len(v.History))
			}
			b.bySMS(d.hello("2.0.0"))
			step()
			if s := b.stands("meter-1").Standing; s != rollout.Soaking {
				t.Fatalf("after its boot it is %s", s)
			}
			if told := b.told(hub.KindConfirmed); len(told) != 0 {
				t.Fatalf("confirmed by one frame: %v", told)
			}
			for range 2 {
				b.bySMS(d.status(3.7))
				step()
			}
			if s := b.stands("meter-1").Standing; s != rollout.Confirmed {
				t.Fatalf("after its soak it is %s", s)
			}
			told := b.told(hub.KindConfirmed)
			if len(told) != 1 || told[0]["version"] != "2.0.0" || told[0]["from"] != "1.0.0" || told[0]["rollout"] != float64(id) {
				t.Fatalf("events %v", told)
			}
			b.transmitSMS()
			if len(b.sms.sent) != 1 {
				t.Errorf("%d messages in all, want one", len(b.sms.sent))
			}
			b.sound()
			want := []string{"ann release.register", "ann rollout.create", "ann rollout.submit", "ben rollout.approve", "ann rollout.start"}
			for i, act := range b.acts()[1:] { // the first is the import
				if i < len(want) && !strings.HasPrefix(act, want[i]) {
					t.Errorf("the book has %q, want %q", act, want[i])
				}
			}
			for _, kind := range []string{"created", "submitted", "approved", "started"} {
				if told := b.told("rollout." + kind); len(told) != 1 || told[0]["rollout_name"] != "spring" {
					t.Errorf("events %s: %v", kind, told)
				}
			}
		})
	}
}

// offerOf is the rollout of the number of an offer.
func (b *bench) offerOf(number uint32) (id rollout.ID, ok bool) {
	b.hub.LookAtRollouts(func(_ time.Time, m *rollout.Machine) { id, ok = m.Of(number) })
	return id, ok
}

// A device that declined is left alone, however often it speaks, until somebody retries.
func TestDeclinedIsNotOfferedAgain(t *testing.T) {
	b := newBench(t)
	d := b.importOne(8)
	b.bySMS(d.hello("1.0.0"))
	other := b.device(7) // it never speaks again: the rollout goes on
	b.settled(b.udp(other.to(other.hello("1.0.0"))), transports.Stored)
	b.release(1000)
	id := b.rolling(nil)
	b.bySMS(d.status(3.7))
	b.transmitSMS()
	b.bySMS(d.steps(d.offerIn(b.sms.sent[0], 1).Rollout, codec.StepDeclined))
	for range 40 {
		b.bySMS(d.status(3.7))
		b.transmitSMS()
	}
	if s := b.stands("meter-1").Standing; s != rollout.Declined || len(b.sms.sent) != 1 {
		t.Fatalf("it is %s and got %d messages", s, len(b.sms.sent))
	}
	if n, err := b.hub.RetryRollout(as(t, "ann", "operator"), id, []string{"meter-1"}, "they agreed by telephone"); n != 1 || err != nil {
		t.Fatalf("retry: %d, %v", n, err)
	}
	b.crash()
	b.bySMS(d.status(3.7))
	b.transmitSMS()
	if len(b.sms.sent) != 2 || d.offerIn(b.sms.sent[1], 2).Version != "2.0.0" {
		list, _ := b.hub.Downlinks("meter-1")
		t.Fatalf("after the retry %d messages; %+v %+v", len(b.sms.sent), b.stands("meter-1"), list)
	}
	if _, err := b.hub.RetryRollout(as(t, "ann", "operator"), id, []string{"ghost"}, ""); err == nil {
		t.Error("a device that nobody knows was retried")
	}
}

// What cannot work is refused before anything is sent, with the reason; what holds no more when it would leave is not sent either.
func TestNothingIsOfferedInVain(t *testing.T) {
	t.Run("memory", func(t *testing.T) {
		b := newBench(t)
		d := b.importOne(8)
		b.bySMS(d.hello("1.0.0")) // 1 MiB free
		b.release(1 << 20)
		b.rolling(nil)
		b.bySMS(d.status(3.7))
		b.transmitSMS()
		if v := b.stands("meter-1"); v.Standing != rollout.Refused || !strings.Contains(v.Reason, "memory") || len(b.sms.sent) != 0 {
			t.Fatalf("it is %s (%s), %d messages", v.Standing, v.Reason, len(b.sms.sent))
		}
	})
	t.Run("paused before it leaves", func(t *testing.T) {
		b := newBench(t)
		d := b.importOne(8)
		b.bySMS(d.hello("1.0.0"))
		b.release(1000)
		id := b.rolling(nil)
		b.bySMS(d.status(3.7))
		if _, err := b.hub.MoveRollout(as(t, "ann", "operator"), id, rollout.Pause, "wait"); err != nil {
			t.Fatal(err)
		}
		b.transmitSMS()
		if len(b.sms.sent) != 0 {
			t.Fatal("an offer of a paused rollout was sent")
		}
		if _, err := b.hub.MoveRollout(as(t, "ann", "operator"), id, rollout.Resume, ""); err != nil {
			t.Fatal(err)
		}
		b.bySMS(d.status(3.7))
		b.transmitSMS()
		if len(b.sms.sent) != 1 {
			t.Fatalf("%d messages after it was resumed", len(b.sms.sent))
		}
	})
	t.Run("by hand under the same number", func(t *testing.T) {
		b := newBench(t)
		d := b.importOne(8)
		b.bySMS(d.hello("1.0.0"))
		b.release(1000)
		b.rolling(nil)
		o := codec.Offer{Rollout: 1, Version: "3.0.0", Reference: "https://updates.example/3", Size: 1, Hash: make([]byte, 16)}
		if _, err := b.hub.SendCommand(t.Context(), "meter-1", hub.Command{Offer: &o}); !errors.Is(err, hub.ErrDownlink) {
			t.Fatalf("an offer by hand under a rollout's number: %v", err)
		}
	})
}

// The network's word of an offer counts: what it did not take is offered anew, what it took is not sent twice.
func TestOffersOnABadNetwork(t *testing.T) {
	b := newBench(t)
	d := b.importOne(8)
	b.bySMS(d.hello("1.0.0"))
	b.release(1000)
	b.rolling(nil)
	b.sms.err = &transports.SendError{Outcome: transports.NotSent, Err: errors.New("busy")}
	b.bySMS(d.status(3.7))
	b.transmitSMS()
	if s := b.stands("meter-1").Standing; s != rollout.Eligible {
		t.Fatalf("an offer that did not leave makes it %s", s)
	}
	b.sms.err = nil
	b.clock.t = b.clock.t.Add(time.Hour)
	b.transmitSMS()
	if s := b.stands("meter-1").Standing; s != rollout.Offered || len(b.sms.sent) != 2 {
		t.Fatalf("it is %s after %d attempts", s, len(b.sms.sent))
	}
	b.bySMS(d.status(3.7))
	b.transmitSMS()
	if len(b.sms.sent) != 2 {
		t.Errorf("the offer was sent again at once: %d attempts", len(b.sms.sent))
	}
}

// wide is a transport whose messages are as long as datagrams.
type wide struct{ fakeTransport }

func (*wide) Limits() transports.Limits { return transports.Limits{UplinkMax: 1280, DownlinkMax: 1232} }

// Over UDP the offer leaves in the window that the device's frame opened.
func TestOfferInAWindow(t *testing.T) {
	b := newBench(t)
	_ = b.store.Close()
	out := &wide{fakeTransport{silent: true}}
	b.udpOut = out
	b.open()
	d := b.device(7)
	say := func(frame []byte) {
		b.send(transports.Uplink{
			Transport: "udp", From: transports.Address{Bearer: transports.UDP, ID: "127.0.0.1:9"}, Payload: d.to(frame),
			Window: transports.Window{ID: d.next, Until: b.clock.t.Add(30 * time.Second)},
		})
		if _, err := b.hub.TransmitOnce(t.Context(), "udp"); err != nil {
			t.Fatal(err)
		}
		b.clock.t = b.clock.t.Add(time.Hour)
	}
	say(d.hello("1.0.0"))
	b.release(1000)
	b.rolling(nil)
	say(d.status(3.7))
	if len(out.sent) != 1 {
		t.Fatalf("%d downlinks, want the offer", len(out.sent))
	}
	o := d.offerIn(out.sent[0], 1)
	say(d.steps(o.Rollout, codec.StepAccepted))
	if s := b.stands("dev-7").Standing; s != rollout.Accepted || len(out.sent) != 1 {
		t.Fatalf("it is %s after %d downlinks", s, len(out.sent))
	}
}

// Nobody approves what the same token created, and no order that was refused leaves a trace.
func TestSecondPersonApproves(t *testing.T) {
	b := newBench(t)
	b.importOne(8)
	b.release(1000)
	ann := as(t, "ann", "admin")
	r, err := b.hub.CreateRollout(ann, rollout.Spec{Name: "x", Product: "buoy", Version: "2.0.0", Waves: []rollout.Wave{{Share: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.hub.MoveRollout(ann, r.ID, rollout.Submit, ""); err != nil {
		t.Fatal(err)
	}
	acts := b.acts()
	for _, x := range []struct {
		who  context.Context
		move rollout.Move
		want error
	}{
		{ann, rollout.Approve, rollout.ErrSameActor},
		{as(t, "ben", "operator"), rollout.Approve, rollout.ErrForbidden},
		{as(t, "ben", "viewer"), rollout.Stop, rollout.ErrForbidden},
		{as(t, "ben", "approver"), rollout.Start, rollout.ErrState},
	} {
		if _, err := b.hub.MoveRollout(x.who, r.ID, x.move, "because"); !errors.Is(err, x.want) {
			t.Errorf("%s: %v, want %v", x.move, err, x.want)
		}
	}
	if got := b.acts(); !slices.Equal(got, acts) {
		t.Errorf("refused orders are in the book: %q", got)
	}
	b.crash()
	if r, err := b.hub.MoveRollout(as(t, "ben", "approver"), r.ID, rollout.Approve, "fine"); err != nil || r.State != rollout.Approved || r.Approver != "ben" {
		t.Fatalf("%+v, %v", r, err)
	}
}

package hub_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/codec/manifest"
	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/gateway/rollout"
	"github.com/godwit-gateway/godwit/scheduler"
	"github.com/godwit-gateway/godwit/scheduler/ledger"
	"github.com/godwit-gateway/godwit/transports"
)

// An offer that takes several messages is put together by the device, survives a power failure between two of them, and counts as delivered by the
// device's own word.
func TestOfferInFragments(t *testing.T) {
	b := newBench(t)
	f := far{device: b.importOne(8)}
	b.bySMS(f.hello("1.0.0"))
	long := "https://updates.example/" + strings.Repeat("a/", 90) + "2.0.0.cose"
	_, err := b.hub.AddRelease(as(t, "ann", "operator"), rollout.Release{
		Manifest:  manifest.Manifest{Product: "buoy", Version: "2.0.0", Sequence: 2, Size: 1000, URL: "https://updates.example/2.0.0.bin"},
		Reference: long, Hash: make([]byte, 32),
	})
	if err != nil {
		t.Fatal(err)
	}
	b.rolling(nil)
	b.bySMS(f.device.status(3.7))
	b.transmitSMS()
	if s := b.stands("meter-1").Standing; s != rollout.Offered {
		t.Fatalf("with its first fragment away it is %s", s)
	}
	b.crash()
	b.transmitSMS()
	b.clock.t = b.clock.t.Add(time.Hour)
	b.transmitSMS()
	if len(b.sms.sent) < 2 {
		t.Fatalf("%d fragments", len(b.sms.sent))
	}
	var set uint8
	for _, down := range b.sms.sent {
		set, _ = f.take(down)
	}
	b.bySMS(f.status(set))
	o, err := codec.DecodeOffer(f.message[1:])
	if err != nil || o.Reference != long || f.whole != 1 {
		t.Fatalf("put together: %+v, %v", o, err)
	}
	list, err := b.hub.Downlinks("meter-1")
	if err != nil || len(list) != 1 || list[0].State != hub.DownlinkDelivered || list[0].Kind != "offer" {
		t.Fatalf("downlinks %+v, %v", list, err)
	}
	b.bySMS(f.steps(o.Rollout, codec.StepAccepted))
	if s := b.stands("meter-1").Standing; s != rollout.Accepted {
		t.Errorf("it is %s", s)
	}
}

// Of an offer that may have left nothing is believed: it counts as sent, also over a power failure, and is repeated after a pause and not at once.
func TestOfferThatMayHaveLeft(t *testing.T) {
	b := newBench(t)
	d := b.importOne(8)
	b.bySMS(d.hello("1.0.0"))
	b.release(1000)
	b.rolling(nil)
	b.sms.err = &transports.SendError{Outcome: transports.MaybeSent, Err: errors.New("no answer")}
	b.bySMS(d.status(3.7))
	b.transmitSMS()
	b.crash()
	b.sms.err = nil
	if s := b.stands("meter-1").Standing; s != rollout.Offered {
		t.Fatalf("it is %s", s)
	}
	for range 12 {
		b.bySMS(d.status(3.7))
		b.transmitSMS()
	}
	if n := len(b.sms.sent); n < 2 || n > 6 {
		t.Errorf("%d attempts in a day", n)
	}
	if v := b.stands("meter-1"); v.Standing != rollout.Offered || v.Tries < 2 {
		t.Errorf("it is %s after %d tries", v.Standing, v.Tries)
	}
}

// What a rollout costs is foreseen, and charged to it.
func TestRolloutIsPaidFor(t *testing.T) {
	b := priced(t)
	d := b.importOne(8)
	b.settled(b.smsFrom(msisdn, d.hello("1.0.0")), transports.Stored)
	b.release(1000)
	id := b.rolling(func(s *rollout.Spec) { s.Soak = 1 })
	f, err := b.hub.PlanRollout(rollout.Spec{Name: "x", Product: "buoy", Version: "2.0.0", Waves: []rollout.Wave{{Share: 1}}})
	if err != nil || len(f.Waves) != 1 || f.Waves[0].Cost["EUR"] != 80_000 {
		t.Errorf("forecast %+v, %v", f, err)
	}
	b.settled(b.smsFrom(msisdn, d.status(3.7)), transports.Stored)
	b.transmitSMS() // the interval or the offer
	b.transmitSMS() // and the other
	if s := b.stands("meter-1").Standing; s != rollout.Offered {
		t.Fatalf("it is %s", s)
	}
	number := uint32(id) // of the first try
	b.settled(b.smsFrom(msisdn, d.steps(number, codec.StepAccepted)), transports.Stored)
	b.settled(b.smsFrom(msisdn, d.steps(number, codec.StepFailed)), transports.Stored)
	var spent scheduler.Micros
	for _, s := range b.hub.Spend(0, ledger.ByCampaign, hub.SpendFilter{}).Totals {
		if s.Campaign == "1" {
			spent += s.Micros
		}
	}
	if spent != 60_000 {
		t.Errorf("the rollout cost %s, want an offer and two step logs", spent)
	}
}

// A hard budget holds offers back as anything that is paid for.
func TestHardBudgetHoldsOffersBack(t *testing.T) {
	b := priced(t, ledger.Budget{Scope: ledger.Scope{Level: ledger.OfLink, Name: "sms", Currency: "EUR"}, Amount: 50_000, Hard: true})
	d := b.importOne(8)
	b.settled(b.smsFrom(msisdn, d.hello("1.0.0")), transports.Stored) // 0.02
	b.release(1000)
	b.rolling(nil)
	b.settled(b.smsFrom(msisdn, d.status(3.7)), transports.Stored) // 0.04
	b.transmitSMS()
	b.transmitSMS()
	list, err := b.hub.Downlinks("meter-1")
	if err != nil || len(b.sms.sent) != 0 || len(list) == 0 || list[0].Kind != "offer" || !strings.Contains(list[0].Error, "budget") {
		t.Errorf("%d sent, %+v, %v", len(b.sms.sent), list, err)
	}
	if s := b.stands("meter-1").Standing; s != rollout.Eligible {
		t.Errorf("what was held back makes it %s", s)
	}
}

// Devices that are behind, and those that are silent, can be asked for.
func TestDevicesBehindAndSilent(t *testing.T) {
	b := newBench(t)
	for number, version := range map[uint32]string{1: "1.9.0", 2: "1.10.0", 3: "2.0.0", 4: ""} {
		d := b.device(number)
		frame := d.status(3.7)
		if version != "" {
			frame = d.hello(version)
		}
		b.settled(b.udp(d.to(frame)), transports.Stored)
	}
	names := func(q hub.DeviceQuery) (list []string) {
		t.Helper()
		found, _, err := b.hub.Devices(q)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range found {
			list = append(list, d.Name)
		}
		return list
	}
	for version, want := range map[string]string{"1.10.0": "dev-1 dev-4", "2.0.0": "dev-1 dev-2 dev-4", "1.9.0": "dev-4", "3": "dev-1 dev-2 dev-3 dev-4"} {
		if got := strings.Join(names(hub.DeviceQuery{Behind: version, State: fleet.Active}), " "); got != want {
			t.Errorf("behind %s: %s, want %s", version, got, want)
		}
	}
	if got := names(hub.DeviceQuery{Silent: true}); len(got) != 0 {
		t.Errorf("silent at once: %v", got)
	}
	d := b.device(9)
	for range 6 { // it speaks every hour, and then no more
		b.settled(b.udp(d.to(d.status(3.7))), transports.Stored)
		b.clock.t = b.clock.t.Add(time.Hour)
	}
	b.clock.t = b.clock.t.Add(7 * 24 * time.Hour)
	b.poll()
	if got := strings.Join(names(hub.DeviceQuery{Silent: true}), " "); !strings.Contains(got, "dev-9") {
		t.Errorf("silent after a week: %s", got)
	}
}

package hub_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/scheduler"
	"github.com/godwit-gateway/godwit/scheduler/core"
	"github.com/godwit-gateway/godwit/scheduler/ledger"
	"github.com/godwit-gateway/godwit/scheduler/tariff"
	"github.com/godwit-gateway/godwit/transports"
)

// priced is a bench whose messages cost 0.02, and whose buoys are told to speak every two hours.
func priced(t *testing.T, budgets ...ledger.Budget) *bench {
	t.Helper()
	book, err := tariff.NewBook([]*tariff.Tariff{{Name: "text", Currency: "EUR", Terms: []tariff.Term{{Unit: tariff.PerMessage, Price: 20_000}}}})
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t)
	_ = b.store.Close()
	b.schedule = hub.Schedule{Send: true, Core: core.Config{
		Links: []core.Link{{Name: "udp"}, {Name: "sms", Tariff: "text", Wakes: true}}, Tariffs: book, Currency: "EUR", Budgets: budgets,
		Rules: []core.Rule{{Product: "buoy", Policy: scheduler.Policy{Law: scheduler.LawFixed, Every: 7200}}},
	}}
	b.open()
	return b
}

// poll looks for silence and plans.
func (b *bench) poll() {
	b.t.Helper()
	for more := true; more; {
		var err error
		if more, err = b.hub.ScheduleOnce(b.t.Context()); err != nil {
			b.t.Fatal(err)
		}
	}
}

// speaks has the device send a status by SMS, and the gateway plan with what it learned.
func (b *bench) speaks(d *device) {
	b.t.Helper()
	b.settled(b.smsFrom(msisdn, d.status(3.7)), transports.Stored)
	b.poll()
}

// receipt is a status that says which policy is in force.
func (d *device) receipt(revision uint8) []byte {
	d.t.Helper()
	f := d.tm.Fields()
	body, h, err := d.tm.AppendKeyframe(nil, 0, &codec.Status{
		Time: d.clock.t, ClockValid: true, Values: []codec.Value{f[0].Quantize(3.7), f[1].Quantize(1)},
		Rare: codec.Rare{Present: true, VersionIndex: 1, HasPolicy: true, Policy: revision},
	})
	if err != nil {
		d.t.Fatal(err)
	}
	item := d.seal(h, d.next, body)
	d.next++
	return item
}

// told are the data of the events of a kind.
func (b *bench) told(kind string) (list []map[string]any) {
	b.t.Helper()
	for _, e := range b.events() {
		var v struct {
			Type string
			Data map[string]any
		}
		if err := json.Unmarshal(e.Payload, &v); err != nil {
			b.t.Fatal(err)
		}
		if v.Type == "io.godwit."+kind {
			list = append(list, v.Data)
		}
	}
	return list
}

func (b *bench) transmitSMS() {
	b.t.Helper()
	if _, err := b.hub.TransmitOnce(b.t.Context(), "sms"); err != nil {
		b.t.Fatal(err)
	}
}

// A device is told its interval in a message of its own, once; what it runs is known from the moment at which it says so, also after a power failure.
func TestIntervalIsToldOnceAndKnownByItsReceipt(t *testing.T) {
	b := priced(t)
	d := b.importOne(8)
	b.speaks(d)
	b.clock.t = b.clock.t.Add(time.Hour)
	b.speaks(d)
	b.transmitSMS()
	if len(b.sms.sent) != 1 {
		t.Fatalf("%d messages, want one with the interval", len(b.sms.sent))
	}
	kind, body := d.opened(b.sms.sent[0].Payload, 1)
	p, err := codec.DecodePolicy(body)
	if kind != codec.MessagePolicy || err != nil || p.Interval != 7200 || p.Revision == 0 {
		t.Fatalf("type %d: %+v, %v", kind, p, err)
	}
	b.crash()
	b.poll()
	b.clock.t = b.clock.t.Add(time.Minute)
	b.speaks(d)
	b.transmitSMS()
	if len(b.sms.sent) != 1 {
		t.Fatalf("it is told again within a minute: %d messages", len(b.sms.sent))
	}
	frames := len(b.frames("meter-1"))
	b.settled(b.smsFrom(msisdn, d.receipt(uint8(p.Revision))), transports.Stored)
	if n := len(b.frames("meter-1")); n != frames+1 {
		t.Fatalf("the status with the receipt became %d events of a frame", n-frames)
	}
	changed := b.told(hub.KindSchedule)
	if len(changed) != 1 || changed[0]["to_seconds"] != 7200.0 {
		t.Fatalf("events %v", changed)
	}
	for range 30 {
		b.clock.t = b.clock.t.Add(2 * time.Hour)
		b.speaks(d)
		b.transmitSMS()
	}
	if len(b.sms.sent) != 1 {
		t.Errorf("a device that runs what it should got %d messages", len(b.sms.sent))
	}
}

// Where an acknowledgement goes anyway the interval is part of its message, and costs nothing more.
func TestIntervalRidesOnAnAcknowledgement(t *testing.T) {
	b := priced(t)
	d := b.importOne(8)
	b.speaks(d)
	item := d.seal(codec.MakeHeader(codec.KindExtended, 0, 1), d.next, []byte{byte(codec.MessageUser), 1})
	d.next++
	b.settled(b.smsFrom(msisdn, item), transports.Stored)
	b.transmitSMS()
	if len(b.sms.sent) != 0 {
		t.Fatal("the interval did not wait for the acknowledgement")
	}
	b.clock.t = b.clock.t.Add(time.Minute)
	b.transmitSMS()
	b.transmitSMS()
	if len(b.sms.sent) != 1 || !d.acked(b.sms.sent[0].Payload, d.next-1) {
		t.Fatalf("%d messages", len(b.sms.sent))
	}
	_, rest, err := codec.NextItem(b.sms.sent[0].Payload)
	if err != nil || len(rest) == 0 {
		t.Fatalf("nothing rides on %x: %v", b.sms.sent[0].Payload, err)
	}
	if kind, body := d.opened(rest, 1); kind != codec.MessagePolicy {
		t.Errorf("type %d: %x", kind, body)
	}
	list, err := b.hub.Downlinks("meter-1")
	if err != nil || len(list) != 2 || list[0].State != hub.DownlinkAccepted && list[0].State != hub.DownlinkDelivered {
		t.Errorf("%+v, %v", list, err)
	}
}

// What a hard budget has no money for waits, and somebody is told before it is spent.
func TestHardBudgetHoldsMessagesBack(t *testing.T) {
	b := priced(t, ledger.Budget{Scope: ledger.Scope{Level: ledger.OfLink, Name: "sms", Currency: "EUR"}, Amount: 100_000, Hard: true})
	d := b.importOne(8)
	b.settled(b.smsFrom(msisdn, d.status(3.7)), transports.Stored) // 0.02 by the device itself
	for range 6 {
		if _, err := b.hub.SendMessage(t.Context(), "meter-1", hub.Message{Payload: []byte("x")}); err != nil {
			t.Fatal(err)
		}
	}
	for range 20 {
		b.transmitSMS()
	}
	if len(b.sms.sent) != 4 {
		t.Errorf("%d messages of 0.02 left on what a budget of 0.10 had left", len(b.sms.sent))
	}
	var percents []float64
	for _, w := range b.told(hub.KindBudget) {
		p, _ := w["percent"].(float64)
		percents = append(percents, p)
	}
	if !slices.Equal(percents, []float64{70, 90, 100}) {
		t.Errorf("warnings at %v", percents)
	}
	list, err := b.hub.Downlinks("meter-1")
	if err != nil || !slices.ContainsFunc(list, func(r hub.DownlinkRecord) bool { return strings.Contains(r.Error, "budget") }) {
		t.Errorf("%+v, %v", list, err)
	}
	b.crash()
	b.transmitSMS()
	if len(b.sms.sent) != 4 {
		t.Error("after a power failure the budget is forgotten")
	}
	b.clock.t = time.Date(2026, 4, 1, 0, 30, 0, 0, time.UTC)
	for range 3 {
		b.transmitSMS()
	}
	if len(b.sms.sent) != 4 {
		t.Log("messages of March are too old in April") // they expired
	}
}

// A device that stops speaking is told of, with its evidence, and once more when it is heard again.
func TestSilenceAndReturn(t *testing.T) {
	b := priced(t)
	d := b.importOne(8)
	for range 20 {
		b.speaks(d)
		b.clock.t = b.clock.t.Add(2 * time.Hour)
	}
	if n := len(b.told(hub.KindSilent)); n != 0 {
		t.Fatalf("%d times silent while it speaks", n)
	}
	for range 30 {
		b.clock.t = b.clock.t.Add(12 * time.Hour)
		b.poll()
	}
	silent := b.told(hub.KindSilent)
	if len(silent) == 0 || silent[0]["missed"].(float64) < 1 || len(silent[0]["evidence"].([]any)) < 2 {
		t.Fatalf("events %v", silent)
	}
	if last := silent[len(silent)-1]; last["class"] != "presumed dead" {
		t.Errorf("after 15 days it is %v", last)
	}
	b.crash()
	b.poll()
	if again := b.told(hub.KindSilent); len(again) != len(silent) {
		t.Errorf("after a power failure it is told again: %v", again[len(silent):])
	}
	b.speaks(d)
	if back := b.told(hub.KindRecovered); len(back) != 1 || back[0]["was"] != "presumed dead" {
		t.Errorf("its return: %v", back)
	}
}

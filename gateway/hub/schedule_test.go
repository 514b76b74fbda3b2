package hub_test

import (
	"encoding/json"
	"errors"
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

// explained is what the schedule says of a device.
func (b *bench) explained(name string) hub.Explanation {
	b.t.Helper()
	x, err := b.hub.Explain(name)
	if err != nil {
		b.t.Fatal(err)
	}
	return x
}

// priced is a bench whose messages cost 0.02, and whose buoys are told to speak every two hours.
func priced(t *testing.T, budgets ...ledger.Budget) *bench {
	t.Helper()
	book, err := tariff.NewBook([]*tariff.Tariff{{Name: "text", Currency: "EUR", Terms: []tariff.Term{
		{Unit: tariff.PerMessage, Price: 20_000}, {For: []tariff.Kind{tariff.MailboxCheck}, Unit: tariff.PerMessage, Price: 50_000},
	}}})
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

// An interval that somebody gives by hand is what the device is held to once it says that it runs it; where devices are told, the plan has it changed back.
func TestIntervalByHandIsKnown(t *testing.T) {
	b := priced(t)
	_ = b.store.Close()
	b.schedule.Send = false
	b.open()
	d := b.importOne(8)
	for range 4 {
		b.speaks(d)
		b.clock.t = b.clock.t.Add(time.Hour)
	}
	if _, err := b.hub.SendCommand(t.Context(), "meter-1", hub.Command{Policy: &codec.Policy{Interval: 48 * 3600}}); err != nil {
		t.Fatal(err)
	}
	b.transmitSMS()
	_, body := d.opened(b.sms.sent[len(b.sms.sent)-1].Payload, 1)
	p, err := codec.DecodePolicy(body)
	if err != nil || p.Interval != 48*3600 || p.Revision == 0 {
		t.Fatalf("%+v, %v", p, err)
	}
	if x := b.explained("meter-1"); x.Pending != 48*3600 {
		t.Errorf("%d s are pending", x.Pending)
	}
	b.settled(b.smsFrom(msisdn, d.receipt(uint8(p.Revision))), transports.Stored)
	b.crash()
	b.clock.t = b.clock.t.Add(40 * time.Hour)
	b.poll()
	if x := b.explained("meter-1"); x.Running != 48*3600 || !x.Told || x.Class != "due" {
		t.Errorf("it runs %d s, told %v, and is %s", x.Running, x.Told, x.Class)
	}
	if changed := b.told(hub.KindSchedule); len(changed) != 1 || changed[0]["to_seconds"] != 172800.0 {
		t.Errorf("events %v", changed)
	}
	_ = b.store.Close()
	b.schedule.Send = true
	b.open()
	b.poll()
	b.clock.t = b.clock.t.Add(8 * time.Hour)
	b.speaks(d)
	b.transmitSMS()
	if x := b.explained("meter-1"); x.Pending != 7200 {
		t.Errorf("%d s are pending, want those of its policy", x.Pending)
	}
}

// An interval by hand that expires before it left is not waited for.
func TestIntervalByHandThatNeverLeft(t *testing.T) {
	b := priced(t)
	_ = b.store.Close()
	b.schedule.Send = false
	b.open()
	d := b.importOne(8)
	b.speaks(d)
	if _, err := b.hub.SendCommand(t.Context(), "meter-1", hub.Command{Policy: &codec.Policy{Interval: 48 * 3600}, TTL: time.Hour}); err != nil {
		t.Fatal(err)
	}
	b.crash()
	pending := func() int64 { return b.explained("meter-1").Pending }
	if got := pending(); got != 48*3600 {
		t.Errorf("%d s are pending", got)
	}
	b.clock.t = b.clock.t.Add(2 * time.Hour)
	b.transmitSMS()
	if got := pending(); got != 0 || len(b.sms.sent) != 0 {
		t.Errorf("%d s are pending after the end, %d messages", got, len(b.sms.sent))
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

// Where a policy has bands, an interval follows the battery that statuses tell of; attention makes a device count for more until it ends.
func TestBatteryAndAttention(t *testing.T) {
	b := priced(t)
	_ = b.store.Close()
	r := &b.schedule.Core.Rules[0]
	r.Policy = scheduler.Policy{Law: scheduler.LawBands, Every: 3600, Bands: []scheduler.Band{{Below: 50, Every: 21600}}}
	r.Gauge = core.Gauge{Field: "battery", Empty: 3, Full: 4}
	b.open()
	d := b.importOne(8)
	for _, step := range []struct {
		volts float64
		want  int64
	}{{3.7, 3600}, {3.2, 21600}, {2.6, 21600}, {4.4, 3600}} {
		b.clock.t = b.clock.t.Add(7 * time.Hour)
		b.settled(b.smsFrom(msisdn, d.status(step.volts)), transports.Stored)
		b.poll()
		if x := b.explained("meter-1"); x.Interval != step.want {
			t.Errorf("at %.1f V it is to speak every %d s, want %d", step.volts, x.Interval, step.want)
		}
	}
	_ = b.store.Close()
	r.Policy, b.schedule.Core.Money = scheduler.Policy{}, 5_000_000
	b.open()
	b.poll()
	interval := func() int64 { return b.explained("meter-1").Interval }
	calm, until := interval(), b.clock.t.Add(time.Hour)
	x, err := b.hub.Attend(t.Context(), "meter-1", 25, until)
	if err != nil || x.Interval*4 > calm {
		t.Errorf("with 25 times its weight it is to speak every %d s instead of every %d, %v", x.Interval, calm, err)
	}
	if x.Attention != 25 || !x.Until.Equal(until) {
		t.Errorf("attention of %g until %s", x.Attention, x.Until)
	}
	b.clock.t = until
	if x := b.explained("meter-1"); x.Attention != 0 {
		t.Errorf("attention of %g after its end", x.Attention)
	}
	if got := interval(); got != calm {
		t.Errorf("after its end it is to speak every %d s, want %d", got, calm)
	}
	for name, call := range map[string]func() error{
		"no attention": func() error { _, err := b.hub.Attend(t.Context(), "meter-1", 0, until.Add(time.Hour)); return err },
		"in the past":  func() error { _, err := b.hub.Attend(t.Context(), "meter-1", 5, until); return err },
	} {
		if err := call(); !errors.Is(err, hub.ErrSchedule) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A device that raises an alarm draws the attention that its policy says; one that clears an alarm does not.
func TestAlarmDrawsAttention(t *testing.T) {
	b := priced(t)
	_ = b.store.Close()
	b.schedule.Core.Rules[0].Alarm = core.Attention{Factor: 5, Lasts: 24 * time.Hour}
	b.open()
	d := b.device(7)
	b.settled(b.udp(d.to(d.hello("1.0.0"))), transports.Stored)
	for _, step := range []struct {
		alarm codec.Alarm
		want  float64
	}{{codec.Alarm{Code: 42, Cleared: true}, 0}, {codec.Alarm{Code: 42, Text: "bilge"}, 5}} {
		body, err := codec.AppendAlarm(nil, &step.alarm)
		if err != nil {
			t.Fatal(err)
		}
		b.settled(b.udp(d.to(d.say(body, 0))), transports.Stored)
		if x := b.explained("dev-7"); x.Attention != step.want {
			t.Errorf("attention of %g, want %g", x.Attention, step.want)
		}
	}
	b.crash()
	if x := b.explained("dev-7"); x.Attention != 5 {
		t.Errorf("after a power failure attention of %g", x.Attention)
	}
}

// A transmission is paid for once, however many frames are in it; again when it comes again; and also if nobody is known to have sent it.
func TestTransmissionsArePaidOnce(t *testing.T) {
	b := priced(t)
	d := b.importOne(8)
	spent := func() (price string, count int64) {
		totals := b.hub.Spend(0, 0, hub.SpendFilter{}).Totals
		if len(totals) == 0 {
			return "0.00", 0
		}
		return totals[0].Micros.String(), totals[0].Count
	}
	both := append(d.status(3.7), d.status(3.6)...)
	b.settled(b.smsFrom(msisdn, both), transports.Stored)
	if price, n := spent(); price != "0.02" || n != 1 {
		t.Errorf("two frames in a message: %s for %d", price, n)
	}
	b.settled(b.smsFrom(msisdn, both), transports.Duplicate)
	if price, n := spent(); price != "0.04" || n != 2 {
		t.Errorf("and again: %s for %d", price, n)
	}
	b.smsFrom("+4915550000000", []byte{0x47, 1, 2, 3, 4, 5, 6, 7})
	if price, n := spent(); price != "0.06" || n != 3 {
		t.Errorf("and a stranger's: %s for %d", price, n)
	}
}

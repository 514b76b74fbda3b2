package hub_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/gateway/store"
	"github.com/godwit-gateway/godwit/scheduler"
	"github.com/godwit-gateway/godwit/scheduler/core"
	"github.com/godwit-gateway/godwit/scheduler/ledger"
	"github.com/godwit-gateway/godwit/scheduler/tariff"
	"github.com/godwit-gateway/godwit/transports"
)

// costs are the billed bytes and the prices of a kind of events, one after the other.
func (b *bench) costs(kind string) (bytes []float64, prices []string) {
	b.t.Helper()
	for _, data := range b.told(kind) {
		if price, ok := data["price"].(string); ok && data["currency"] == "EUR" {
			n, _ := data["billed_bytes"].(float64)
			bytes, prices = append(bytes, n), append(prices, price)
		}
	}
	return bytes, prices
}

// byte50 has a price for each byte, 50 at least, on both links.
func byte50(t *testing.T) *bench {
	t.Helper()
	book, err := tariff.NewBook([]*tariff.Tariff{{Name: "data", Currency: "EUR", Terms: []tariff.Term{{Unit: tariff.Byte, Min: 50, Price: 30}}}})
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t)
	_ = b.store.Close()
	b.schedule = hub.Schedule{Core: core.Config{Links: []core.Link{{Name: "udp", Tariff: "data"}, {Name: "sms", Tariff: "data", Wakes: true}}, Tariffs: book, Currency: "EUR"}}
	b.open()
	return b
}

// The events of frames say what was booked for them: one by one, for the statuses of a batch and for frames that waited for their base together, also
// after a power failure, and their sum is the ledger's.
func TestEventsSayWhatWasBooked(t *testing.T) {
	b := byte50(t)
	p := b.packer(7)
	b.settled(b.udp(p.keyframe()), transports.Stored)
	b.settled(b.udp(append(p.to(p.status(3.7)), p.to(p.status(3.8))...)), transports.Stored)
	p.states[p.next-1] = p.states[p.next-3]
	key := p.keyframe()
	batch := p.batch(1, 3)
	b.settled(b.udp(batch), transports.Stored) // waits for its base
	b.crash()
	b.settled(b.udp(key), transports.Stored)
	bytes, prices := b.costs("status")
	if len(prices) != 7 {
		t.Fatalf("%v: %v", bytes, prices)
	}
	var sum scheduler.Micros
	var billed int64
	for i, text := range prices {
		m, err := scheduler.ParseMicros(text)
		if err != nil || m != scheduler.Micros(30*bytes[i]) {
			t.Errorf("event %d: %v bytes for %s, %v", i, bytes[i], text, err)
		}
		sum, billed = sum+m, billed+int64(bytes[i])
	}
	if bytes[0] != 50 || bytes[1] < 50 || bytes[2] != 0 || prices[2] != "0.00" || bytes[4] != 50 || bytes[5] != 0 || bytes[6] != 0 {
		t.Errorf("%v: %v", bytes, prices)
	}
	hellos, _ := b.costs("hello")
	spent := b.hub.Spend(0, ledger.ByDirection, hub.SpendFilter{}).Totals
	if want := billed + int64(hellos[0]); len(spent) != 2 || spent[0].Billed != want || spent[0].Micros != sum+scheduler.Micros(30*hellos[0]) {
		t.Errorf("the ledger has %+v, the events %d bytes for %s", spent, want, sum)
	}
	if e := b.told("status")[6]; e["correlation"] != "dev-7.0.5" {
		t.Errorf("%+v", e)
	}
	f, ok, err := b.store.Frame(store.FrameKey{Number: 7, Counter: 5})
	if err != nil || !ok || !f.Charged || f.Billed != 50 || f.Micros != 1500 {
		t.Errorf("%+v, %v", f, err)
	}
	if f, _, _ := b.store.Frame(store.FrameKey{Number: 7, Counter: 3}); f.Charged {
		t.Errorf("the second frame of a transmission is charged: %+v", f)
	}
}

// Links without a tariff say nothing of money. A downlink says what its attempts have cost so far, also after a power failure.
func TestDownlinksSayWhatTheyCost(t *testing.T) {
	b := priced(t)
	d := b.importOne(8)
	b.settled(b.udp(d.to(d.status(3.7))), transports.Stored)
	if _, prices := b.costs("status"); len(prices) != 0 {
		t.Errorf("without a tariff: %v", prices)
	}
	if _, err := b.hub.SendMessage(t.Context(), "meter-1", hub.Message{Payload: []byte{1}, Link: "sms"}); err != nil {
		t.Fatal(err)
	}
	b.sms.err = &transports.SendError{Outcome: transports.MaybeSent}
	b.transmitSMS()
	b.crash()
	b.sms.err = nil
	b.clock.t = b.clock.t.Add(10 * time.Minute)
	b.transmitSMS()
	for kind, want := range map[string]string{"downlink.queued": "0.00", "downlink.accepted": "0.04"} {
		if _, prices := b.costs(kind); len(prices) != 1 || prices[0] != want {
			t.Errorf("%s: %v, want %s", kind, prices, want)
		}
	}
	list, err := b.hub.Downlinks("meter-1")
	if err != nil || len(list) != 1 || list[0].Price != 40_000 {
		t.Errorf("%+v, %v", list, err)
	}
}

// What an attempt has cost is told and kept also if its downlink ended while it was under way.
func TestCostOfADownlinkThatEndedMeanwhile(t *testing.T) {
	b := priced(t)
	b.importOne(8)
	b.message("sms")
	b.sms.hold = func(context.Context, transports.Downlink) {
		b.sms.hold = nil
		b.clock.t = b.clock.t.Add(24 * time.Hour)
		b.transmitSMS()
		if s := b.downlink().State; s != hub.DownlinkExpired {
			t.Errorf("%s at its end", s)
		}
	}
	b.transmitSMS()
	b.crash()
	if _, prices := b.costs("downlink.expired"); !slices.Equal(prices, []string{"0.00", "0.02"}) {
		t.Errorf("told: %v", prices)
	}
	if d := b.downlink(); d.Price != 20_000 || d.State != hub.DownlinkExpired {
		t.Errorf("%+v", d)
	}
}

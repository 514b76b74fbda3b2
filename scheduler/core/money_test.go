package core_test

import (
	"testing"

	"github.com/godwit-gateway/godwit/scheduler"
	"github.com/godwit-gateway/godwit/scheduler/core"
	"github.com/godwit-gateway/godwit/scheduler/ledger"
	"github.com/godwit-gateway/godwit/scheduler/tariff"
)

// Over a link whose end at the gateway is a mobile too each message is billed twice, up and down, booked in one direction, and planned with as such.
func TestRelaysAreBilledTwice(t *testing.T) {
	book, err := tariff.NewBook([]*tariff.Tariff{{Name: "sky", Currency: "EUR", Terms: []tariff.Term{
		{Min: 10, Price: 1000}, {For: []tariff.Kind{tariff.MailboxCheck}, Unit: tariff.PerMessage, Price: 500},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	for relays, want := range map[bool]scheduler.Micros{false: 20_000, true: 40_000} {
		k := newCore(t, core.Config{Links: []core.Link{{Name: "sky", Tariff: "sky", Relays: relays}}, Tariffs: book, Currency: "EUR"})
		know(k, 1)
		if c := k.Heard(t0, 0, core.Contact{Bytes: 20, Cause: ledger.CauseStatus, Newest: true}); c.Micros != want {
			t.Errorf("relays %v: up costs %s", relays, c.Micros)
		}
		dl := core.Downlink{Bytes: 20, Cause: ledger.CauseMessage}
		quote, _ := k.Quote(t0, 0, 0, tariff.MT, 20)
		if price, _, _ := k.Price(t0, 0, dl); price != want || quote != want || k.Charge(t0, 0, dl).Micros != want {
			t.Errorf("relays %v: down costs %s, by the quote %s", relays, price, quote)
		}
		k.Stranger(t0, 0, 20)
		k.Check(t0, 0)
		for _, s := range k.Ledger().Totals(tariff.MonthOf(t0), ledger.ByDirection, nil) {
			if sum := map[tariff.Direction]scheduler.Micros{tariff.MO: 2*want + 500, tariff.MT: want}[s.Direction]; s.Micros != sum {
				t.Errorf("relays %v: %s %s are booked, want %s", relays, s.Micros, s.Direction, sum)
			}
		}
		if r := k.Rates(book.At("sky", t0), 0); r[0].Cost(20) != want || r[1].Cost(20) != want {
			t.Errorf("relays %v: planned with %+v", relays, r)
		}
	}
}

// A hard budget holds for all that is under way together, and for the reports that are asked for.
func TestPriceWithWhatIsUnderWay(t *testing.T) {
	book, err := tariff.NewBook([]*tariff.Tariff{{Name: "text", Currency: "EUR", Terms: []tariff.Term{{Unit: tariff.PerMessage, Price: 20_000}}}})
	if err != nil {
		t.Fatal(err)
	}
	fleet := ledger.Scope{Level: ledger.Fleet, Currency: "EUR"}
	k := newCore(t, core.Config{
		Links: []core.Link{{Name: "sms", Tariff: "text"}}, Tariffs: book, Currency: "EUR", Budgets: []ledger.Budget{{Scope: fleet, Amount: 100_000, Hard: true}},
	})
	know(k, 1)
	for held, want := range map[scheduler.Micros]bool{0: true, 80_000: true, 80_001: false} {
		price, of, ok := k.Price(t0, 0, core.Downlink{Bytes: 10, Held: held})
		if price != 20_000 || ok != want || !ok && of != fleet {
			t.Errorf("%s under way: %s, %v, %s", held, price, ok, of)
		}
	}
	if with, _, _ := k.Price(t0, 0, core.Downlink{Bytes: 10, Report: true}); with < 20_000 {
		t.Errorf("with a report: %s", with)
	}
}

package core_test

import (
	"testing"

	"github.com/godwit-gateway/godwit/scheduler"
	"github.com/godwit-gateway/godwit/scheduler/core"
	"github.com/godwit-gateway/godwit/scheduler/ledger"
	"github.com/godwit-gateway/godwit/scheduler/tariff"
)

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

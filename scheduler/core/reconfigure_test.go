package core_test

import (
	"errors"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/scheduler"
	"github.com/godwit-gateway/godwit/scheduler/core"
	"github.com/godwit-gateway/godwit/scheduler/ledger"
	"github.com/godwit-gateway/godwit/scheduler/tariff"
)

// Another configuration takes the place of the one that is in force as a whole, and what was spent and learned stays; a wrong one changes nothing.
func TestReconfigure(t *testing.T) {
	book := func(price scheduler.Micros) *tariff.Book {
		b, err := tariff.NewBook([]*tariff.Tariff{{Name: "text", Currency: "EUR", Terms: []tariff.Term{{Unit: tariff.PerMessage, Price: price}}}})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	fleet := ledger.Scope{Level: ledger.Fleet, Currency: "EUR"}
	c := core.Config{
		Links: []core.Link{{Name: "sms", Tariff: "text", Wakes: true}}, Tariffs: book(20_000), Currency: "EUR",
		Rules:   []core.Rule{{Policy: scheduler.Policy{Law: scheduler.LawFixed, Every: 7200}}},
		Budgets: []ledger.Budget{{Scope: fleet, Amount: 1_000_000}},
	}
	k := newCore(t, c)
	know(k, 3)
	now := t0
	hear := func() (last core.Cost) {
		for range 10 {
			now = now.Add(2 * time.Hour)
			for at := range core.Place(3) {
				last = k.Heard(now, at, core.Contact{Bytes: 30, Cause: ledger.CauseStatus, Newest: true})
			}
			k.Poll(now)
		}
		return last
	}
	hear()
	every := func() scheduler.Secs {
		x, ok := k.Explain(now, 1)
		if !ok {
			t.Fatal("nothing is planned")
		}
		return x.Interval
	}
	before := k.Ledger().Spent(tariff.MonthOf(now), fleet).All()
	if every() != 7200 || before != 600_000 {
		t.Fatalf("%s, spent %s", time.Duration(every())*time.Second, before)
	}
	for what, change := range map[string]func(*core.Config){
		"tariff":  func(c *core.Config) { c.Links = []core.Link{{Name: "sms", Tariff: "ghost"}} },
		"links":   func(c *core.Config) { c.Links = append([]core.Link{{Name: "udp"}}, c.Links...) },
		"budget":  func(c *core.Config) { c.Budgets = append(c.Budgets, c.Budgets[0]) },
		"policy":  func(c *core.Config) { c.Rules = []core.Rule{{Policy: scheduler.Policy{Min: 50, Max: 10}}} },
		"nothing": func(c *core.Config) { c.Links = nil },
	} {
		bad := c
		bad.Tariffs, bad.Budgets = book(1), append([]ledger.Budget(nil), c.Budgets...)
		change(&bad)
		if err := k.Reconfigure(bad, now); !errors.Is(err, core.ErrConfig) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if cost := hear(); every() != 7200 || cost.Micros != 20_000 {
		t.Errorf("after wrong ones: %s, %s", time.Duration(every())*time.Second, cost.Micros)
	}
	c.Tariffs, c.Budgets[0].Amount = book(30_000), 1_600_000
	c.Rules = []core.Rule{{Customer: "nobody"}, {Policy: scheduler.Policy{Law: scheduler.LawFixed, Every: 14400}}}
	if err := k.Reconfigure(c, now); err != nil {
		t.Fatal(err)
	}

	know(k, 3)
	if m, p := k.Presence(); len(p.Bursts) != 3 || m.Attrition(k.Programme(1)) <= 0 || m.Attrition(99) <= 0 {
		t.Errorf("rollouts are told of %d rules: %v", len(p.Bursts), p)
	}
	k.Poll(now)
	if every() != 14400 {
		t.Errorf("every %s", time.Duration(every())*time.Second)
	}
	k.Actions()
	cost := hear()
	spent := k.Ledger().Spent(tariff.MonthOf(now), fleet).All()
	warned := 0
	for _, a := range k.Actions() {
		if a.Kind == core.ActBudget && a.Warning.Budget == 1_600_000 {
			warned++
		}
	}
	// All warnings of the month were given when 1.20 of 1.00 was spent, which is more than 70 % of 1.60, and less than 90.
	if cost.Micros != 30_000 || spent != 1_200_000+900_000 || warned != 2 {
		t.Errorf("%s each, %s spent, %d warnings", cost.Micros, spent, warned)
	}
}

// What was learned of attrition stays with the devices of which it was: over rules in another order, a device of another product, and a restart.
func TestAttritionStaysWithItsDevices(t *testing.T) {
	k, store, now := newCore(t, config(t)), newRows(), t0
	know(k, 3)
	now = visit(k, 0, sms, now, now.Add(60*24*time.Hour), 2*time.Hour)
	fresh := attrition(k, 2)
	for range 400 { // silent, and presumed dead in the end
		now = now.Add(time.Hour)
		k.Poll(now)
	}
	silent := attrition(k, 0)
	if silent == fresh || attrition(k, 1) != fresh {
		t.Fatalf("%g of the one that was heard, %g and %g of others", silent, attrition(k, 1), fresh)
	}
	c := config(t)
	c.Rules = []core.Rule{{Product: "truck"}, c.Rules[1], c.Rules[0]}
	if err := k.Reconfigure(c, now); err != nil {
		t.Fatal(err)
	}
	know(k, 3)
	check := func(what string, buoy, meter float64) {
		t.Helper()
		if a := [...]float64{attrition(k, 0), attrition(k, 1), attrition(k, 2)}; a != [...]float64{buoy, meter, fresh} {
			t.Errorf("%s: %g, want %g, %g, %g", what, a, buoy, meter, fresh)
		}
	}
	check("reloaded", silent, fresh)
	k.Drain(store)
	k = newCore(t, c)
	know(k, 3)
	if err := k.Load(store, now, byNumber); err != nil {
		t.Fatal(err)
	}
	check("restarted", silent, fresh)
	// The death that is expected goes with the device; the time in which it lived was that of its product.
	k.Know(0, 100, "meter", "customer-0")
	m, _ := k.Presence()
	rest, moved := m.Attrition(2), m.Attrition(1)
	if rest >= silent || moved <= fresh {
		t.Errorf("of another product: %g, %g", rest, moved)
	}
}

// attrition is that of a device's rule.
func attrition(k *core.Core, at core.Place) float64 {
	m, _ := k.Presence()
	return m.Attrition(k.Programme(at))
}

package core_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/scheduler"
	"github.com/godwit-gateway/godwit/scheduler/core"
	"github.com/godwit-gateway/godwit/scheduler/ledger"
	"github.com/godwit-gateway/godwit/scheduler/presence"
)

// A device is told what the plan says once it is heard, runs it once it says so, and is left alone then.
func TestOfferAndReceipt(t *testing.T) {
	k := newCore(t, config(t))
	know(k, 2)
	if _, ok := k.Decide(t0, 1, 0); ok {
		t.Fatal("something is decided before there is a plan")
	}
	now := visit(k, 1, sms, t0, t0.Add(time.Minute), time.Minute)
	k.Poll(now)
	o, ok := k.Decide(now, 1, 0)
	if !ok || o.Interval != 7200 || o.Revision == 0 {
		t.Fatalf("a meter is told %+v, %v, want two hours", o, ok)
	}
	k.Offered(now, 1, o)
	if _, again := k.Decide(now.Add(time.Minute), 1, 0); again {
		t.Error("it is told again at once")
	}
	if k.Receipt(now, 1, o.Revision+1) {
		t.Error("a receipt of another policy counts")
	}
	if !k.Receipt(now, 1, o.Revision) || k.Receipt(now, 1, o.Revision) {
		t.Error("the receipt does not count once")
	}
	if every, told, pending := k.Running(1); every != 7200 || !told || pending != 0 {
		t.Errorf("it runs %d, told %v, pending %d", every, told, pending)
	}
	if _, again := k.Decide(now.Add(48*time.Hour), 1, 0); again {
		t.Error("it is told what it runs")
	}
}

// A device that never says what it runs is asked ever more seldom: it must not cost a downlink at each contact.
func TestOffersWithoutReceipt(t *testing.T) {
	k := newCore(t, config(t))
	know(k, 2)
	now, offers := t0, 0
	for range 90 * 24 { // three months of hourly contacts
		k.Poll(now)
		k.Heard(now, 1, core.Contact{Link: sms, Bytes: 30, Cause: ledger.CauseStatus, Newest: true})
		if o, ok := k.Decide(now, 1, 0); ok {
			k.Offered(now, 1, o)
			offers++
		}
		now = now.Add(time.Hour)
	}
	if offers < 3 || offers > 16 {
		t.Errorf("it was told %d times in three months", offers)
	}
	for i := range 90 * 24 { // and what it should do keeps changing
		k.Know(1, 101, [...]string{"meter", "truck"}[i%2], "customer-1")
		k.Heard(now, 1, core.Contact{Link: sms, Bytes: 30, Cause: ledger.CauseStatus, Newest: true})
		if o, ok := k.Decide(now, 1, 0); ok {
			k.Offered(now, 1, o)
			offers++
		}
		now = now.Add(time.Hour)
	}
	if offers > 20 {
		t.Errorf("it was told %d times in half a year", offers)
	}
}

func kinds(actions []core.Action) (list []core.ActionKind) {
	for _, a := range actions {
		list = append(list, a.Kind)
	}
	return list
}

// A device that stops is silent once it has missed contacts, and it is told when it is heard again. What it runs is learned from what it does where
// nobody told it.
func TestSilentAndRecovered(t *testing.T) {
	k := newCore(t, config(t))
	know(k, 1)
	now := visit(k, 0, udp, t0, t0.Add(10*24*time.Hour), 6*time.Hour)
	if a := k.Actions(); len(a) != 0 {
		t.Fatalf("%v while it speaks", kinds(a))
	}
	if every, told, _ := k.Running(0); every < 5*3600 || every > 7*3600 || told {
		t.Fatalf("it is taken to speak every %d s, told %v", every, told)
	}
	silent := time.Time{}
	for end := now.Add(90 * 24 * time.Hour); now.Before(end) && silent.IsZero(); now = now.Add(time.Hour) {
		for k.Poll(now) {
		}
		for _, a := range k.Actions() {
			if a.Kind == core.ActSilent && a.Place == 0 && a.Standing.Missed > 0 {
				silent = now
			}
		}
	}
	if silent.IsZero() {
		t.Fatal("nobody is told that it is silent")
	}
	if k.Silent()[presence.Due] != 0 {
		t.Errorf("classes %v", k.Silent())
	}
	k.Heard(now, 0, core.Contact{Link: udp, Bytes: 30, Newest: true})
	if a := k.Actions(); len(a) != 1 || a[0].Kind != core.ActRecovered || a[0].Missed == 0 {
		t.Errorf("when it is heard: %+v", a)
	}
	k.Retire(0)
	for range 100 {
		now = now.Add(24 * time.Hour)
		k.Poll(now)
	}
	if a := k.Actions(); len(a) != 0 {
		t.Errorf("of a retired device: %v", kinds(a))
	}
}

// Prices tell before what is booked after, and a hard budget refuses what would exceed it; what devices send by themselves it cannot refuse.
func TestBudgets(t *testing.T) {
	c := config(t)
	c.Budgets = []ledger.Budget{{Scope: ledger.Scope{Level: ledger.OfLink, Name: "sms0", Currency: "EUR"}, Amount: 100_000, Hard: true}}
	k := newCore(t, c)
	know(k, 2)
	sent := 0
	for range 10 {
		dl := core.Downlink{Link: sms, Bytes: 40, Cause: ledger.CauseMessage}
		price, _, ok := k.Price(t0, 0, dl)
		if !ok {
			continue
		}
		if booked := k.Charge(t0, 0, dl); booked.Micros != price || price != 20_000 {
			t.Errorf("said %s, booked %s", price, booked.Micros)
		}
		sent++
	}
	if sent != 5 {
		t.Errorf("%d messages of 0.02 were sent on a budget of 0.10", sent)
	}
	percents := []int64{}
	for _, a := range k.Actions() {
		percents = append(percents, a.Warning.Percent)
	}
	if len(percents) != 3 || percents[0] != 70 || percents[1] != 90 || percents[2] != 100 {
		t.Errorf("warnings at %v percent", percents)
	}
	k.Heard(t0, 1, core.Contact{Link: sms, Bytes: 30, Cause: ledger.CauseStatus, Newest: true})
	spent := k.Ledger().Spent(k.Ledger().Months()[0], ledger.Scope{Level: ledger.OfLink, Name: "sms0", Currency: "EUR"})
	if spent.Ours != 100_000 || spent.Own != 20_000 {
		t.Errorf("spent %+v", spent)
	}
	for range 40 { // of the included bytes nothing is paid, and beyond them each
		k.Charge(t0, 0, core.Downlink{Link: udp, Bytes: 40, Cause: ledger.CauseAck})
	}
	if d := k.Ledger().Device(k.Ledger().Months()[0], 100); len(d) != 2 || d[1].Down.Micros != 60_000 {
		t.Errorf("a device with an allowance: %+v", d)
	}
}

// What is tried changes nothing, and a larger budget buys fresher knowledge.
func TestWhatIf(t *testing.T) {
	c := config(t)
	c.Money = 3_000_000
	c.Rules[0].Policy.Name, c.Rules[1].Policy.Name = "buoys", "meters"
	k := newCore(t, c)
	know(k, 30)
	now := t0
	for range 3 {
		for i := range 30 {
			if i%3 != 1 {
				k.Heard(now, core.Place(i), core.Contact{Link: []int{sms, udp, sat}[i%3], Bytes: 30, Cause: ledger.CauseStatus, Newest: true})
			}
		}
		now = now.Add(time.Hour)
		k.Poll(now)
	}
	before := k.Summary()
	more := before.Money * 4
	is, would, changes, all, err := k.WhatIf(now, core.What{Money: &more}, 5)
	if err != nil || would.Spend <= is.Spend || would.Stale >= is.Stale || all < 5 || len(changes) != 5 || would.Detect >= is.Detect {
		t.Errorf("%+v against %+v, %d changes, %v", would, is, all, err)
	}
	none := scheduler.Micros(0)
	if _, free, _, _, err := k.WhatIf(now, core.What{Money: &none}, 0); err != nil || free.Spend <= would.Spend || free.Value != 0 {
		t.Errorf("without a limit %+v, %v", free, err)
	}
	if _, _, _, _, err := k.WhatIf(now, core.What{Every: 3600}, 0); !errors.Is(err, scheduler.ErrFleet) {
		t.Errorf("an interval of no law: %v", err)
	}
	day := scheduler.Secs(86_400)
	if _, short, _, n, err := k.WhatIf(now, core.What{Max: 7200}, 5); err != nil || short.Stale >= is.Stale || n == 0 {
		t.Errorf("with short intervals %+v, %d changes, %v", short, n, err)
	}
	if _, other, list, n, err := k.WhatIf(now, core.What{Only: "meters", Max: 7200}, 50); err != nil || n != 0 || len(list) != 0 || other != is {
		t.Errorf("a policy that no device heard has: %+v, %d changes, %v", other, n, err)
	}
	if _, _, _, _, err := k.WhatIf(now, core.What{Only: "ghost", Max: day}, 0); !errors.Is(err, scheduler.ErrFleet) {
		t.Errorf("a policy that is not there: %v", err)
	}
	if after := k.Summary(); after.S != before.S || after.Spend != before.Spend {
		t.Errorf("the plan was %+v and is %+v", before.Plan, after.Plan)
	}
	x, ok := k.Explain(now, 0)
	if !ok || x.String() == "" {
		t.Errorf("no explanation: %+v", x)
	}
	k.Heard(now, 1, core.Contact{Link: sms, Bytes: 30, Cause: ledger.CauseStatus, Newest: true}) // a meter, whose interval is fixed
	for only, useful := range map[string]bool{"": true, "meters": true, "buoys": false} {
		if _, _, _, _, err := k.WhatIf(now, core.What{Only: only, Every: 3600}, 0); useful != (err == nil) {
			t.Errorf("an interval for %q: %v", only, err)
		}
	}
}

// What is told of an update is what its offer carries, whatever is feared of it.
func TestExplainedBurstIsOffered(t *testing.T) {
	c := config(t)
	c.Rules[0].Hazard = &scheduler.Hazard{Chance: 0.02, Tau: 12 * 3600, Loss: 4}
	k := newCore(t, c)
	know(k, 3)
	for i := range core.Place(3) {
		k.Heard(t0, i, core.Contact{Link: sms, Bytes: 30, Cause: ledger.CauseStatus, Newest: true})
	}
	k.Poll(t0.Add(time.Hour))
	for i := range core.Place(3) {
		if x, ok := k.Explain(t0.Add(time.Hour), i); !ok || len(x.Burst) == 0 || !slices.Equal(x.Burst, k.Burst(i)) {
			t.Errorf("device %d: told %v, offered %v", i, x.Burst, k.Burst(i))
		}
	}
}

// What is told by hand is what a device runs once it says so, also one that was told before it was heard; what never left is not waited for.
func TestToldByHand(t *testing.T) {
	k := newCore(t, config(t))
	know(k, 2)
	hour, day := scheduler.Secs(3600), scheduler.Secs(86_400)
	expect := func(what string, at core.Place, runs scheduler.Secs, pending scheduler.Secs) {
		t.Helper()
		if every, _, offered := k.Running(at); every != runs || offered != pending {
			t.Errorf("%s: it runs %d s, %d s are pending, want %d and %d", what, every, offered, runs, pending)
		}
	}
	first := k.NextRevision(0)
	k.ToldByHand(core.Order{At: t0}, 0, hour, first)
	heard := func(at core.Place, now time.Time) {
		k.Heard(now, at, core.Contact{Bytes: 30, Cause: ledger.CauseStatus, Newest: true})
	}
	heard(0, t0.Add(time.Minute))
	if second := k.NextRevision(0); second == first || !k.Receipt(t0.Add(time.Minute), 0, first) {
		t.Errorf("revisions %d and %d", first, second)
	}
	expect("told before it was heard", 0, hour, 0)

	k.ToldByHand(core.Order{At: t0.Add(time.Hour)}, 0, day, k.NextRevision(0))
	expect("told another one", 0, hour, day)
	k.Withdrawn(t0.Add(2*time.Hour), 0, core.Order{At: t0})
	expect("an older one never left", 0, hour, day)
	never := k.NextRevision(0) - 1
	k.Withdrawn(t0.Add(2*time.Hour), 0, core.Order{At: t0.Add(time.Hour)})
	expect("it never left", 0, hour, 0)
	if k.Receipt(t0.Add(2*time.Hour), 0, never) || k.NextRevision(0) == never {
		t.Errorf("revision %d never left", never)
	}
	k.Poll(t0.Add(5 * time.Hour))
	if st, ok := k.Standing(t0.Add(5*time.Hour), 0); !ok || st.Missed == 0 {
		t.Errorf("it is held to what never left: %+v", st)
	}
}

package core_test

import (
	"strings"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/scheduler/core"
	"github.com/godwit-gateway/godwit/scheduler/ledger"
	"github.com/godwit-gateway/godwit/scheduler/tariff"
)

// Months are closed by themselves once nothing can come for them, and forgotten a year later, so that neither memory nor store grows for ever.
func TestMonthsCloseAndAreForgotten(t *testing.T) {
	k, store := newCore(t, config(t)), newRows()
	know(k, 3)
	now := t0
	for range 3 * 365 {
		now = now.Add(24 * time.Hour)
		k.Poll(now)
		for i := range 3 {
			k.Heard(now, core.Place(i), core.Contact{Link: i, Bytes: 30, Cause: ledger.CauseStatus, Newest: true})
		}
		k.Drain(store)
	}
	months := k.Ledger().Months()
	if closed := k.Ledger().Closed(); closed+1 < months[len(months)-1] || len(months) < 13 || len(months) > 16 {
		t.Errorf("%d months, %v to %v, closed %v", len(months), months[0], months[len(months)-1], closed)
	}
	again := newCore(t, config(t))
	know(again, 3)
	if err := again.Load(store, now, byNumber); err != nil {
		t.Fatal(err)
	}
	if got := again.Ledger().Months(); len(got) != len(months) || again.Ledger().Closed() != k.Ledger().Closed() {
		t.Errorf("after a restart months %v, want %v; closed %v", got, months, again.Ledger().Closed())
	}
}

// Months are those of the zone in which all links are billed; where tariffs have several, each link's own, and a month is over when it is over in all.
func TestMonthsHaveTheZoneOfTheTariffs(t *testing.T) {
	zone := func(name string) *tariff.Tariff {
		z, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		return &tariff.Tariff{Name: name, Currency: "EUR", Zone: z, Terms: []tariff.Term{{Unit: tariff.PerMessage, Price: 1}}}
	}
	const berlin, auckland, honolulu = "Europe/Berlin", "Pacific/Auckland", "Pacific/Honolulu"
	book, err := tariff.NewBook([]*tariff.Tariff{zone(berlin), zone(auckland), zone(honolulu)})
	if err != nil {
		t.Fatal(err)
	}
	last := time.Date(2026, 10, 31, 23, 30, 0, 0, time.UTC)
	for _, v := range []struct {
		tariffs []string
		zone    string
		months  string // of what is heard over the links in the last half hour of October UTC
		over    time.Duration
	}{
		{[]string{berlin, ""}, berlin, "2026-11 2026-11", 0},
		{[]string{auckland, honolulu}, "UTC", "2026-11 2026-10", 10*time.Hour + 30*time.Minute},
		{[]string{"", ""}, "UTC", "2026-10 2026-10", 30 * time.Minute},
	} {
		c := core.Config{Tariffs: book, Currency: "EUR"}
		for i, name := range v.tariffs {
			c.Links = append(c.Links, core.Link{Name: string(rune('a' + i)), Tariff: name})
		}
		k := newCore(t, c)
		know(k, 1)
		var months []string
		for i := range c.Links {
			k.Heard(last, 0, core.Contact{Link: i, Bytes: 10, Cause: ledger.CauseStatus})
		}
		for i := range c.Links {
			for _, at := range k.Ledger().Months() {
				if len(k.Ledger().Totals(at, 0, func(g *ledger.Group) bool { return g.Link == c.Links[i].Name })) > 0 {
					months = append(months, at.String())
				}
			}
		}
		if got := k.Local(last).Location().String(); got != v.zone || strings.Join(months, " ") != v.months {
			t.Errorf("%v: zone %s, months %v", v.tariffs, got, months)
		}
		october := tariff.MonthOf(time.Date(2026, 10, 5, 0, 0, 0, 0, time.UTC))
		if v.over > 0 {
			if _, err := k.CloseMonth(october, last.Add(v.over-time.Minute)); err == nil {
				t.Errorf("%v: October is closed before it is over", v.tariffs)
			}
		}
		if _, err := k.CloseMonth(october, last.Add(v.over)); err != nil {
			t.Errorf("%v: %v", v.tariffs, err)
		}
	}
}

// runs has a gateway ask the clock for so many hours.
func runs(k *core.Core, from time.Time, hours int) {
	for h := range hours + 1 {
		k.Poll(from.Add(time.Duration(h) * time.Hour))
	}
}

// What is closed is closed for ever: a clock that is wrong for some minutes closes nothing, nor does one that is far ahead for hours, or jumps on meanwhile. One
// that is far ahead for a day, with devices that are heard, closes a year and no more.
func TestWrongClocksCloseLittle(t *testing.T) {
	k := newCore(t, config(t))
	know(k, 1)
	visits := func(now time.Time, some ...time.Duration) {
		for _, d := range some {
			k.Poll(now.Add(d))
			k.Heard(now.Add(d), 0, core.Contact{Bytes: 30, Cause: ledger.CauseStatus, Newest: true})
		}
	}
	closed := func(what string, want tariff.Month) {
		t.Helper()
		if got := k.Ledger().Closed(); got != want {
			t.Errorf("%s: closed are the months until %s, want %s", what, got, want)
		}
	}
	march := tariff.MonthOf(t0)
	visits(t0, 0)
	k.Poll(t0.AddDate(50, 0, 0))
	k.Poll(t0.AddDate(50, 0, 0).Add(10 * time.Minute))
	visits(t0, time.Hour, 2*time.Hour)
	closed("for ten minutes it was 50 years later", 0)
	visits(t0.AddDate(50, 0, 0), 0)
	runs(k, t0.AddDate(50, 0, 0), 23)
	closed("for most of a day", 0)
	runs(k, t0.AddDate(51, 0, 0), 23)
	closed("then 51 years later", 0)
	visits(t0, 3*time.Hour)
	visits(t0.AddDate(50, 0, 0), 48*time.Hour, 72*time.Hour)
	closed("a day later than 50 years, at a jump", 0)
	visits(t0, 4*time.Hour)
	visits(t0.AddDate(50, 0, 0), 48*time.Hour)
	runs(k, t0.AddDate(50, 0, 2), 24)
	closed("for a day", march+12)
	visits(t0.AddDate(0, 1, 0), 0, time.Hour)
	closed("then the clock was right again", march+12)

	k = newCore(t, config(t))
	know(k, 1)
	visits(time.Unix(0, 0), 72*time.Hour, 73*time.Hour)
	visits(t0, 0)
	runs(k, t0, 23)
	closed("it was 1970 at first, and most of a day ago", 0)
	visits(t0, 24*time.Hour)
	closed("it was 1970 at first", tariff.MonthOf(time.Unix(0, 0).UTC())+12)
	visits(t0.AddDate(0, 1, 2), 0, time.Hour)
	closed("a month later", march)
}

// A gateway that is some months behind and never runs for a whole day closes them once it has run for one in all. What it had heard before goes for nothing
// once the clock says otherwise, also if the gateway is restarted then.
func TestRestartsDoNotKeepMonthsOpen(t *testing.T) {
	store := newRows()
	var k *core.Core
	starts := func(from time.Time, minutes int) {
		k = newCore(t, config(t))
		know(k, 1)
		if err := k.Load(store, from, byNumber); err != nil {
			t.Fatal(err)
		}
		for m := 0; m <= minutes; m += 5 {
			k.Poll(from.Add(time.Duration(m) * time.Minute))
			if k.Must() {
				k.Drain(store)
			}
		}
	}
	closed := func(when string, want tariff.Month) {
		t.Helper()
		if got := k.Ledger().Closed(); got != want {
			t.Errorf("%s: closed are the months until %s, want %s", when, got, want)
		}
	}
	march := tariff.MonthOf(t0)
	k = newCore(t, config(t))
	know(k, 1)
	k.Heard(t0, 0, core.Contact{Bytes: 30, Cause: ledger.CauseStatus, Newest: true})
	k.Drain(store)
	june := time.Date(2026, 6, 3, 6, 10, 0, 0, time.UTC)
	for day := range 3 {
		starts(june.AddDate(0, 0, day), 7*60)
	}
	closed("three times seven hours in June", 0)
	starts(t0.Add(time.Hour), 0)
	for day := range 3 {
		starts(june.AddDate(0, 0, 3+day), 7*60)
	}
	closed("as often again, and March in between", 0)
	for day := range 3 {
		starts(time.Date(2026, 7, 3+day, 6, 10, 0, 0, time.UTC), 7*60)
	}
	closed("as often in July", 0)
	starts(time.Date(2026, 7, 6, 6, 10, 0, 0, time.UTC), 3*60)
	closed("a day in all", march+3)

	store.metas["schedule/months_over"][0]++
	starts(time.Date(2026, 8, 3, 6, 10, 0, 0, time.UTC), 20)
	closed("what another release wrote of a clock is not read", march+3)
	starts(time.Date(2026, 8, 4, 6, 10, 0, 0, time.UTC), 10)
	closed("half an hour in all", march+4)
}

// What is of no device is traffic as well.
func TestMonthsOfChecksAreClosed(t *testing.T) {
	k := newCore(t, config(t))
	know(k, 1)
	k.Heard(t0, 0, core.Contact{Bytes: 30, Cause: ledger.CauseStatus, Newest: true})
	now := t0.AddDate(0, 0, 5)
	for range 20 {
		now = now.AddDate(0, 1, 0)
		k.Check(now, sms)
		k.Poll(now)
		k.Poll(now.Add(time.Hour))
	}
	if got, want := k.Ledger().Closed(), tariff.MonthOf(now)-1; got != want {
		t.Errorf("closed are the months until %s, want %s", got, want)
	}
}

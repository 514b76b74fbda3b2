package scheduler_test

import (
	"math"
	"strings"
	"testing"

	"github.com/godwit-gateway/godwit/scheduler"
)

// Quiet hours that take a fifth of the contacts are planned with as links of which a contact takes a fifth less: money, and of the battery.
func TestQuietHoursArePlannedWith(t *testing.T) {
	b := &scheduler.Budget{Money: 2_000_000_000}
	quiet, cheap := mixedFleet(300, 5), mixedFleet(300, 5)
	for i := range quiet.Devices {
		quiet.Devices[i].Quiet = 65535 / 5
		if i%3 == 0 {
			quiet.Devices[i].Cap, cheap.Devices[i].Cap = 5_000_000, 5_000_000
		}
	}
	for i := range cheap.Links {
		cheap.Links[i].Up.Price = cheap.Links[i].Up.Price * 4 / 5
		cheap.Links[i].Energy *= .8
	}
	p, want, plain := solve(t, quiet, b), solve(t, cheap, b), solve(t, mixedFleet(300, 5), b)
	if math.Abs(p.S/want.S-1) > 1e-6 || p.S > .95*plain.S || p.Spend != want.Spend {
		t.Errorf("s %g, spend %s, want %g and %s; %g without quiet hours", p.S, p.Spend, want.S, want.Spend, plain.S)
	}
	for i := range quiet.Devices {
		o := scheduler.Occasion{Now: somewhen, Ack: 20}
		quiet.Devices[i].Current, cheap.Devices[i].Current = 0, 0
		if got, want := scheduler.Decide(p, quiet, &quiet.Devices[i], o), scheduler.Decide(want, cheap, &cheap.Devices[i], o); got != want {
			t.Errorf("device %d: %+v, want %+v", i, got, want)
		}
	}
}

// What quiet hours add to the age of what is known moves no interval, and is told of.
func TestQuietHoursMakeOlder(t *testing.T) {
	b := &scheduler.Budget{Money: 2_000_000_000}
	f := mixedFleet(100, 6)
	plain, hours := solve(t, f, b), 0.0
	for i := range f.Devices {
		if i%2 == 0 {
			f.Devices[i].Rest = 90
			hours += 1.5 * float64(f.Devices[i].Weight)
		}
	}
	p := solve(t, f, b)
	if p.Quiet != 50 || math.Abs(p.Stale-plain.Stale-hours) > 1e-6*hours || p.S != plain.S || p.Spend != plain.Spend || p.Bound != plain.Bound {
		t.Errorf("%+v, without quiet hours %+v, which should be older by %g", p, plain, hours)
	}
	d := &f.Devices[0]
	d.Quiet = 65535 / 4
	x := scheduler.Explain(p, f, b, d, scheduler.Occasion{Now: somewhen})
	x.Hours = "22:00 to 05:00 UTC"
	if s := x.String(); !strings.Contains(s, "; quiet 22:00 to 05:00 UTC: 25 % fewer contacts, which the cost leaves out, +1.5 h mean age; ") {
		t.Error(s)
	}
}

// A device that may never speak is planned as any other, and costs nothing.
func TestQuietAllDay(t *testing.T) {
	b := &scheduler.Budget{Money: 2_000_000_000}
	f := mixedFleet(50, 7)
	for i := range f.Devices {
		f.Devices[i].Quiet, f.Devices[i].Rest = 65535, 12*60
	}
	p := solve(t, f, b)
	if p.Spend != 0 || p.Short != 0 || math.IsNaN(p.Stale) || math.IsInf(p.Stale, 0) {
		t.Errorf("%+v", p)
	}
	for i := range f.Devices {
		if d := scheduler.Decide(p, f, &f.Devices[i], scheduler.Occasion{Now: somewhen}); d.Interval <= 0 {
			t.Errorf("%+v", d)
		}
	}
}

package scheduler_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/godwit-gateway/godwit/scheduler"
)

// Codes are levels of 2^(1/4), the nearest of which is never off by more than 2^(1/8).
func TestGrid(t *testing.T) {
	for code, want := range map[scheduler.Code]scheduler.Secs{0: 900, 1: 1070, 4: 1800, 16: 4 * 3600, 63: 49_598_089, scheduler.CodeExact: 0} {
		if got := code.Secs(); got != want {
			t.Errorf("code %d: %d s, want %d", code, got, want)
		}
	}
	for code := range scheduler.Code(scheduler.Codes) {
		if got := scheduler.Nearest(code.Secs()); got != code {
			t.Errorf("the level nearest to that of %d is %d", code, got)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		every := scheduler.Secs(rapid.Int64Range(900, 49_598_089).Draw(t, "every"))
		if off := math.Log2(float64(scheduler.Nearest(every).Secs()) / float64(every)); math.Abs(off) > .126 {
			t.Fatalf("%d s is said as %d", every, scheduler.Nearest(every).Secs())
		}
	})
}

// one is a fleet of one device over sbd, and the plan of a price at which its interval would be 31 hours.
func one(change func(f *scheduler.Fleet, d *scheduler.Device)) (*scheduler.Fleet, *scheduler.Plan) {
	f := &scheduler.Fleet{Links: mixedLinks(), Policies: []scheduler.Policy{{}}, Devices: []scheduler.Device{{Number: 7, Weight: 1.3, Status: 40, Via: 1, Heard: uint32(somewhen - 3600)}}}
	d := &f.Devices[0]
	d.Links[0] = scheduler.Via{Link: 3}
	if change != nil {
		change(f, d)
	}
	s := 31 / math.Sqrt(.12/(1.3*(1/.9-.5)))
	return f, &scheduler.Plan{S: s, Value: scheduler.Micros(1e6 / s / s), LinkPools: []int16{-1, -1, -1, -1}}
}

// Each limit holds, and each law has its interval.
func TestLimitsAndLaws(t *testing.T) {
	hours := func(h float64) scheduler.Secs { return scheduler.Secs(h * 3600) }
	for name, c := range map[string]struct {
		change func(f *scheduler.Fleet, d *scheduler.Device)
		want   scheduler.Secs
		within float64
	}{
		"none":           {nil, hours(31), .1},
		"policy floor":   {func(f *scheduler.Fleet, _ *scheduler.Device) { f.Policies[0].Min = hours(50) }, hours(50), .1},
		"policy cap":     {func(f *scheduler.Fleet, _ *scheduler.Device) { f.Policies[0].Max = hours(10) }, hours(10), .1},
		"link floor":     {func(f *scheduler.Fleet, _ *scheduler.Device) { f.Links[2].MinGap = hours(100) }, hours(100), .1},
		"link cap":       {func(f *scheduler.Fleet, _ *scheduler.Device) { f.Links[2].MaxGap = hours(3) }, hours(3), .1},
		"battery":        {func(_ *scheduler.Fleet, d *scheduler.Device) { d.Power = 15_000. / 3600 / 40 }, hours(40), .1},
		"monthly cap":    {func(_ *scheduler.Fleet, d *scheduler.Device) { d.Cap = 120_000 * 744 / 50 }, hours(50 / .95), .1},
		"service level":  {func(f *scheduler.Fleet, _ *scheduler.Device) { f.Policies[0].Stale = hours(24) }, hours(12), .1}, // two losses in a hundred
		"floor wins":     {func(f *scheduler.Fleet, d *scheduler.Device) { f.Policies[0].Max, d.Power = hours(10), 15_000./3600/40 }, hours(40), .1},
		"tail":           {func(f *scheduler.Fleet, _ *scheduler.Device) { f.Policies[0].Tail = 2 }, hours(math.Cbrt(31 * 31 * 24)), .1},
		"attention":      {func(_ *scheduler.Fleet, d *scheduler.Device) { d.Boost, d.BoostEnds = 4, uint32(somewhen+2*day) }, hours(15.5), .1},
		"last contact":   {func(_ *scheduler.Fleet, d *scheduler.Device) { d.Boost, d.BoostEnds = 4, uint32(somewhen+day*2/3) }, hours(31), .1},
		"attention over": {func(_ *scheduler.Fleet, d *scheduler.Device) { d.Boost, d.BoostEnds = 4, uint32(somewhen) }, hours(31), .1},
		"hazard": {func(f *scheduler.Fleet, d *scheduler.Device) {
			f.Hazards = []scheduler.Hazard{{Chance: .1, Tau: day, Loss: 1.3 * 3 * 240}}
			d.Hazard, d.Updated = 1, uint32(somewhen)
		}, hours(15.5), .1},
		"fixed": {func(f *scheduler.Fleet, _ *scheduler.Device) {
			f.Policies[0] = scheduler.Policy{Law: scheduler.LawFixed, Every: day}
		}, day, 0},
		"class": {func(f *scheduler.Fleet, _ *scheduler.Device) {
			f.Policies[0] = scheduler.Policy{Law: scheduler.LawClass, Every: day, Class: []scheduler.Secs{3600, 0, 2 * day}}
		}, 2 * day, 0},
		"class that is not in the table": {func(f *scheduler.Fleet, _ *scheduler.Device) {
			f.Policies[0] = scheduler.Policy{Law: scheduler.LawClass, Every: day}
		}, day, 0},
		"bands": {func(f *scheduler.Fleet, d *scheduler.Device) {
			f.Policies[0] = scheduler.Policy{Law: scheduler.LawBands, Every: 3600, Bands: []scheduler.Band{{Below: 20, Every: 4 * day}, {Below: 50, Every: day}}}
			d.Battery = 49
		}, day, 0},
		"bands, battery unknown": {func(f *scheduler.Fleet, _ *scheduler.Device) {
			f.Policies[0] = scheduler.Policy{Law: scheduler.LawBands, Every: 3600, Bands: []scheduler.Band{{Below: 50, Every: day}}}
		}, 3600, 0},
	} {
		f, p := one(c.change)
		got := scheduler.Decide(p, f, &f.Devices[0], scheduler.Occasion{Now: somewhen})
		if off := float64(got.Interval)/float64(c.want) - 1; math.Abs(off) > c.within {
			t.Errorf("%s: %.2f h, want %.2f", name, got.Interval.Hours(), c.want.Hours())
		}
		if got.Send != scheduler.SendOwn || got.Link != 2 || got.Via != 0 {
			t.Errorf("%s: %+v", name, got)
		}
		if code := got.Code.Secs(); got.Code != scheduler.CodeExact && code != got.Interval {
			t.Errorf("%s: code %d is %d s, the interval %d", name, got.Code, code, got.Interval)
		}
	}
}

// A device is told another interval if that is worth a downlink, or free, or if it runs what it may not.
func TestHysteresis(t *testing.T) {
	decide := func(current scheduler.Secs, o scheduler.Occasion, change func(f *scheduler.Fleet, d *scheduler.Device)) scheduler.Decision {
		f, p := one(change)
		f.Devices[0].Current = uint32(current)
		o.Now = somewhen
		return scheduler.Decide(p, f, &f.Devices[0], o)
	}
	aim := decide(0, scheduler.Occasion{}, nil).Interval
	// A downlink costs what a status does and eight days hold n = 192/31 of them, so that |ln r| decides at sqrt(1/n) = 0.4.
	for _, c := range []struct {
		ratio float64
		ack   int
		want  scheduler.Send
	}{
		{1, 0, scheduler.SendNone},
		{1.3, 0, scheduler.SendNone},
		{1 / 1.3, 0, scheduler.SendNone},
		{1.7, 0, scheduler.SendOwn},
		{1 / 1.7, 0, scheduler.SendOwn},
		{1.3, 20, scheduler.SendPiggyback},
		{1.05, 20, scheduler.SendNone}, // less than a step of the grid
		{1.3, 990, scheduler.SendNone}, // the ack has no room left
		{1.7, 990, scheduler.SendPiggyback},
	} {
		current := scheduler.Secs(float64(aim) * c.ratio)
		got := decide(current, scheduler.Occasion{Ack: c.ack}, nil)
		if got.Send != c.want || (got.Interval == current) != (c.want == scheduler.SendNone) {
			t.Errorf("from %v times the aim, ack of %d bytes: %+v, want send %d", c.ratio, c.ack, got, c.want)
		}
		if want := somewhen - 3600 + current; got.Due != want {
			t.Errorf("due at %d, want %d: the device runs what it acknowledged", got.Due, want)
		}
	}
	// Half the interval saves half of what a contact costs, each of the new intervals: three times in two days, but the change will be told twice.
	for ends, want := range map[scheduler.Secs]scheduler.Send{7 * day: scheduler.SendOwn, 2 * day: scheduler.SendNone} {
		attended := func(_ *scheduler.Fleet, d *scheduler.Device) { d.Boost, d.BoostEnds = 4, uint32(somewhen+ends) }
		if got := decide(aim, scheduler.Occasion{}, attended); got.Send != want {
			t.Errorf("an episode of %d s: %+v, want send %d", ends, got, want)
		}
	}
	capped := func(_ *scheduler.Fleet, d *scheduler.Device) { d.Power = float32(15_000. / 3600 / aim.Hours()) }
	if got := decide(scheduler.Secs(float64(aim)/1.2), scheduler.Occasion{}, capped); got.Send != scheduler.SendOwn {
		t.Errorf("a device that empties its battery: %+v", got)
	}
	fixed := func(f *scheduler.Fleet, _ *scheduler.Device) {
		f.Policies[0] = scheduler.Policy{Law: scheduler.LawFixed, Every: day}
	}
	if got := decide(day-60, scheduler.Occasion{}, fixed); got.Send != scheduler.SendOwn || got.Interval != day {
		t.Errorf("a fixed interval that is not run: %+v", got)
	}
	if got := decide(day, scheduler.Occasion{}, fixed); got.Send != scheduler.SendNone {
		t.Errorf("a fixed interval that is run: %+v", got)
	}
	if got := decide(5, scheduler.Occasion{}, func(_ *scheduler.Fleet, d *scheduler.Device) { d.Links = [scheduler.MaxVias]scheduler.Via{} }); got.Via != -1 || got.Send != scheduler.SendNone {
		t.Errorf("a device without links: %+v", got)
	}
}

// A link out of reach is not chosen, unless there is no other.
func TestNoCover(t *testing.T) {
	f, p := one(func(_ *scheduler.Fleet, d *scheduler.Device) {
		d.Via = 0
		d.Links = [scheduler.MaxVias]scheduler.Via{{Link: 1, Deliver: 1}, {Link: 3}}
	})
	if got := scheduler.Decide(p, f, &f.Devices[0], scheduler.Occasion{Now: somewhen}); got.Link != 2 {
		t.Errorf("%+v, want the link that reaches", got)
	}
	f.Devices[0].Links[1] = scheduler.Via{}
	if got := scheduler.Decide(p, f, &f.Devices[0], scheduler.Occasion{Now: somewhen}); got.Link != 0 {
		t.Errorf("%+v, want the only link", got)
	}
}

func TestDecideDoesNotAllocate(t *testing.T) {
	f, b := pooledFleet(100)
	f.Devices[0].Growth = 3
	f.Policies[0].Tail = 2
	p := solve(t, f, b)
	if n := testing.AllocsPerRun(10, func() {
		for i := range f.Devices {
			sink = scheduler.Decide(p, f, &f.Devices[i], scheduler.Occasion{Now: somewhen, Ack: 20})
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// A Solver decides as Decide does: at the moment that it solved for and at others, with allowances, growth, attention and fear of updates.
func TestSolverDecides(t *testing.T) {
	mixed := mixedFleet(2000, 3)
	mixed.Hazards = []scheduler.Hazard{{Chance: .03, Tau: day, Loss: 500}}
	pooled, allowances := pooledFleet(2000)
	for name, c := range map[string]struct {
		f *scheduler.Fleet
		b *scheduler.Budget
	}{"mixed": {mixed, &scheduler.Budget{Money: 2_400_000_000}}, "pooled": {pooled, allowances}} {
		for i := range c.f.Devices {
			d := &c.f.Devices[i]
			d.Growth = float32(i % 5 / 4)
			if i%3 == 0 {
				d.Boost, d.BoostEnds = 5, uint32(somewhen)+uint32(i)*60
			}
			if len(c.f.Hazards) > 0 && i%7 == 0 {
				d.Hazard, d.Updated = 1, uint32(somewhen)-uint32(i)
			}
		}
		var s scheduler.Solver
		p, err := s.Solve(c.f, c.b, nil, somewhen)
		if err != nil {
			t.Fatal(err)
		}
		for i := range c.f.Devices {
			for _, o := range []scheduler.Occasion{{Now: somewhen}, {Now: somewhen, Ack: 16}, {Now: somewhen + day, Ack: 16}} {
				if got, want := s.Decide(&p, c.f, i, o), scheduler.Decide(&p, c.f, &c.f.Devices[i], o); got != want {
					t.Fatalf("%s: device %d at %+v: %+v, want %+v", name, i, o, got, want)
				}
			}
		}
	}
}

package scheduler_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/godwit-gateway/godwit/scheduler"
)

// drawRate draws what a message may cost.
func drawRate(t *rapid.T, label string) scheduler.Rate {
	return scheduler.Rate{
		Fixed: scheduler.Micros(rapid.SampledFrom([]int64{0, 0, 20_000}).Draw(t, label+" fixed")), Header: rapid.SampledFrom([]int{0, 28}).Draw(t, label+" header"),
		Min: rapid.SampledFrom([]int{0, 15, 60}).Draw(t, label+" min"), Inc: rapid.SampledFrom([]int{1, 10, 50}).Draw(t, label+" inc"),
		Price: scheduler.Micros(rapid.Int64Range(1, 100_000).Draw(t, label+" price")), Failed: rapid.Bool().Draw(t, label+" failed"),
	}
}

// burden is what an interval over one link costs at a price of money, computed from the definitions.
func burden(d *scheduler.Device, l *scheduler.Link, weight, price, hours float64) float64 {
	size := int(d.Status) + int(math.Ceil(float64(d.Growth)*hours-1e-6))
	lost := 1.0
	for range int(l.Retries) + 1 {
		lost *= 1 - l.Deliver
	}
	times := 1 - lost
	if l.Up.Failed {
		times = (1 - lost) / l.Deliver
	}
	cost := times * float64(l.Up.Cost(size)) / 1e6
	return weight*(1/(1-lost)-.5)*hours + price*cost/hours
}

// Of links, retries and billing steps, Decide's choice is as good as the best of all intervals tried one by one.
func TestChoiceAgainstBruteForce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := &scheduler.Fleet{Policies: []scheduler.Policy{{}}}
		d := scheduler.Device{Number: 1, Weight: 1, Status: uint16(rapid.IntRange(0, 100).Draw(t, "status"))}
		if rapid.Bool().Draw(t, "grows") {
			d.Growth = float32(rapid.Float64Range(.1, 30).Draw(t, "growth"))
		}
		for i := range rapid.IntRange(1, 3).Draw(t, "links") {
			f.Links = append(f.Links, scheduler.Link{Name: "l", Up: drawRate(t, "rate"), Deliver: rapid.Float64Range(.3, 1).Draw(t, "deliver"), Retries: uint8(rapid.IntRange(0, 2).Draw(t, "retries"))})
			d.Links[i] = scheduler.Via{Link: uint8(i + 1)}
		}
		f.Devices = []scheduler.Device{d}
		p := &scheduler.Plan{S: math.Exp(rapid.Float64Range(-2, 6).Draw(t, "price")), LinkPools: []int16{-1, -1, -1}}
		got := scheduler.Decide(p, f, &d, scheduler.Occasion{Now: somewhen})
		have := burden(&d, &f.Links[got.Link], 1, p.Price(), got.Interval.Hours())
		best, at := math.Inf(1), 0.0
		for i := range f.Links {
			for hours := .25; hours <= 168; hours *= 1.002 {
				if b := burden(&d, &f.Links[i], 1, p.Price(), hours); b < best {
					best, at = b, hours
				}
			}
		}
		if have > best*1.004 { // the grid costs 0.38 % at worst
			t.Fatalf("%v over link %d has burden %v, %.3f h has %v (%+v)", got.Interval, got.Link, have, at, best, f.Links)
		}
	})
}

// A fallback chain is used as often as its cost and its success say together.
func TestFallbackChain(t *testing.T) {
	links := mixedLinks()
	links[0].Deliver, links[2].Deliver = .5, .9
	f := &scheduler.Fleet{Links: links, Policies: []scheduler.Policy{{}}}
	d := scheduler.Device{Number: 1, Weight: 1}
	d.Links = [scheduler.MaxVias]scheduler.Via{{Link: 1, Tries: 3}, {Link: 3}}
	p := &scheduler.Plan{S: 40, LinkPools: []int16{-1, -1, -1, -1}}
	got := scheduler.Decide(p, f, &d, scheduler.Occasion{Now: somewhen})
	cost, success := .001*(1-.125)/.5+.125*.12, 1-.125*.1
	want := 40 * math.Sqrt(cost/(1/success-.5))
	if got.Via != 0 || math.Abs(got.Interval.Hours()/want-1) > .1 {
		t.Errorf("%+v, want the chain every %.2f h", got, want)
	}
	if _, err := scheduler.Solve(&scheduler.Fleet{Links: links, Policies: f.Policies, Devices: []scheduler.Device{d}}, &scheduler.Budget{Money: 1e6}, nil, somewhen); err != nil {
		t.Error(err)
	}
}

func pooledFleet(n int) (*scheduler.Fleet, *scheduler.Budget) {
	f := mixedFleet(n, 5)
	for i := range f.Devices {
		f.Devices[i].Links[1] = scheduler.Via{}
	}
	f.Links[2].Up.Pool, f.Links[2].Up.Inc, f.Links[2].Up.Price = "iridium", 50, 120_000
	f.Links[3].Up.Pool, f.Links[3].Up.Inc, f.Links[3].Up.Price, f.Links[3].Up.Fixed = "idp", 10, 12_000, 5_000
	return f, &scheduler.Budget{Money: 1_500_000_000, Pools: []scheduler.Allowance{
		{Pool: "iridium", Left: 600_000, Reserve: 100_000, Period: 20 * day}, {Pool: "idp", Left: 2_000_000, Period: 20 * day},
	}}
}

// An allowance that is scarce is used up and has a price; one that is not has none; nothing is bought unless that is worth its price.
func TestAllowances(t *testing.T) {
	f, b := pooledFleet(1000)
	within := 500_000 * scheduler.MonthHours / 480
	for _, c := range []struct {
		name    string
		change  func()
		overage bool
		slack   bool
	}{
		{name: "scarce", change: func() { b.Pools[0].Hard = true }},
		{name: "overage", change: func() { b.Pools[0].Hard, b.Pools[0].Left = false, 150_000 }, overage: true},
		{name: "slack", change: func() { b.Pools[0].Left = 1 << 40 }, slack: true},
	} {
		c.change()
		p := solve(t, f, b)
		if p.Pools[0].Pool != "idp" || p.Pools[1].Pool != "iridium" {
			t.Fatalf("%s: pools %+v, want them by name", c.name, p.Pools)
		}
		g := p.Pools[1]
		dearest := p.Price() * .12 / 50
		switch {
		case c.slack:
			if g.Price != 0 || g.Overage != 0 {
				t.Errorf("%s: %+v", c.name, g)
			}
		case c.overage:
			if math.Abs(g.Price/dearest-1) > 1e-8 || g.Overage <= 0 {
				t.Errorf("%s: %+v, want a price of %v", c.name, g, dearest)
			}
		default:
			if g.Price <= 0 || math.Abs(g.Bytes/within-1) > 1e-8 || g.Overage > 1e-6*g.Bytes {
				t.Errorf("%s: %+v, want %v bytes", c.name, g, within)
			}
		}
		if math.Abs(float64(p.Spend)/float64(b.Money)-1) > 1e-6 {
			t.Errorf("%s: spends %v of %v", c.name, p.Spend, b.Money)
		}
		if gap := math.Abs(p.Stale-p.Bound) / p.Stale; gap > 1e-8 {
			t.Errorf("%s: a dual gap of %v", c.name, gap)
		}
	}
}

// Where all devices could use an allowance or a dear link, the plan mixes them instead of running to and fro.
func TestAllowanceThatNotAllCanUse(t *testing.T) {
	f := &scheduler.Fleet{Links: mixedLinks(), Policies: []scheduler.Policy{{}}, Devices: make([]scheduler.Device, 1000)}
	f.Links[1].Up = scheduler.Rate{Min: 1, Inc: 100, Price: 200_000, Pool: "sms", Failed: true}
	for i := range f.Devices {
		f.Devices[i] = scheduler.Device{Number: uint32(i), Weight: 1, Status: 40, Links: [scheduler.MaxVias]scheduler.Via{{Link: 2}, {Link: 3}}}
	}
	b := &scheduler.Budget{Money: 1_000_000_000, Pools: []scheduler.Allowance{{Pool: "sms", Left: 1_000_000, Period: 30 * day, Hard: true}}}
	p := solve(t, f, b)
	one := *b
	for i := range f.Devices {
		f.Devices[i].Links[0], f.Devices[i].Links[1] = scheduler.Via{Link: 3}, scheduler.Via{}
	}
	if dear := solve(t, f, &one); p.Stale > .75*dear.Stale {
		t.Errorf("staleness %v with the allowance, %v without", p.Stale, dear.Stale)
	}
	if g := p.Pools[0]; g.Bytes > 1_000_000/720*scheduler.MonthHours*1.01 || g.Bytes < 500_000 {
		t.Errorf("uses %+v of a million", g)
	}
}

package scheduler_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/godwit-gateway/godwit/scheduler"
)

// spendAt is what keys spend in an hour at a scale of their rates.
func spendAt(keys []scheduler.Key, scale float64) (sum float64) {
	for _, k := range keys {
		sum += k.Cost * min(max(scale*k.Q, k.Lo), k.Hi)
	}
	return sum
}

// exactScale solves for the scale of the rates by sorting all points at which a limit is met: the reference.
func exactScale(keys []scheduler.Key, budget float64) float64 {
	var points []float64
	for _, k := range keys {
		points = append(points, k.Lo/k.Q, k.Hi/k.Q)
	}
	slices.Sort(points)
	at := slices.IndexFunc(points, func(scale float64) bool { return spendAt(keys, scale) >= budget })
	if at < 0 {
		return math.Inf(1)
	}
	if at == 0 {
		return 0
	}
	lo, hi := points[at-1], points[at]
	from, to := spendAt(keys, lo), spendAt(keys, hi)
	return lo + (hi-lo)*(budget-from)/(to-from)
}

func keysOf(f *scheduler.Fleet, p *scheduler.Plan) []scheduler.Key {
	keys := make([]scheduler.Key, len(f.Devices))
	for i := range keys {
		keys[i], _ = p.Key(f, &f.Devices[i], somewhen)
	}
	return keys
}

// drawFleet draws devices with one link each, without pools.
func drawFleet(t *rapid.T) *scheduler.Fleet {
	f := mixedFleet(rapid.IntRange(1, 60).Draw(t, "devices"), rapid.Uint64().Draw(t, "seed"))
	for i := range f.Devices {
		f.Devices[i].Links[1] = scheduler.Via{}
	}
	f.Policies[0].Max = scheduler.Secs(rapid.IntRange(24, 1000).Draw(t, "longest")) * 3600
	return f
}

func drawBudget(t *rapid.T) *scheduler.Budget {
	return &scheduler.Budget{Money: scheduler.Micros(math.Exp(rapid.Float64Range(10, 22).Draw(t, "budget")))}
}

// The price is that of the exact solver, the plan meets the conditions of Karush, Kuhn and Tucker, and its dual gap is nothing.
func TestSolveIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f, b := drawFleet(t), drawBudget(t)
		p := solve(t, f, b)
		keys := keysOf(f, p)
		rate := float64(b.Money) / 1e6 / scheduler.MonthHours
		switch want := exactScale(keys, rate); {
		case math.IsInf(want, 1):
			if p.S != 0 || p.Value != 0 {
				t.Fatalf("the budget suffices for all, but S is %v", p.S)
			}
		case want == 0:
			if p.S < 1e8 || spendAt(keys, 0) > rate*(1+1e-6) && p.Short == 0 && p.Spend > b.Money+1 {
				t.Fatalf("the budget is too small, but S is %v, short by %v", p.S, p.Short)
			}
		default:
			if got := spendAt(keys, 1/p.S); math.Abs(got/rate-1) > 1e-8 {
				t.Fatalf("spends %v of %v an hour at S %v, want %v", got, rate, p.S, 1/want)
			}
			if math.Abs(float64(p.Spend-b.Money)) > 1e-8*float64(b.Money)+1 || p.Short != 0 {
				t.Fatalf("spends %v of %v, short %v", p.Spend, b.Money, p.Short)
			}
		}
		if p.S < 1e8 && math.Abs(p.Stale-p.Bound) > 1e-8*p.Stale {
			t.Fatalf("staleness %v, dual %v: a gap of %v", p.Stale, p.Bound, p.Stale-p.Bound)
		}
		if p.S == 0 || p.S >= 1e8 {
			return
		}
		for _, k := range keys { // what a free device would save by one more contact is what that costs
			r := min(max(k.Q/p.S, k.Lo), k.Hi)
			slope := k.Q * k.Q * k.Cost / (r * r) // w g / r²
			price := p.Price() * k.Cost
			if free := r > k.Lo && r < k.Hi; free && math.Abs(slope/price-1) > 1e-9 || r == k.Lo && slope > price*(1+1e-9) || r == k.Hi && slope < price*(1-1e-9) {
				t.Fatalf("%+v at rate %v: worth %v, price %v", k, r, slope, price)
			}
		}
	})
}

// No other rates that cost no more have less staleness.
func TestPerturbationsNeverBeatThePlan(t *testing.T) {
	f := mixedFleet(50, 3)
	for i := range f.Devices {
		f.Devices[i].Links[1] = scheduler.Via{}
	}
	p := solve(t, f, &scheduler.Budget{Money: 50_000_000})
	keys := keysOf(f, p)
	r := rand.New(rand.NewPCG(1, 2))
	staleness := func(rates []float64) (sum, spend float64) {
		for i, k := range keys {
			sum += k.Q * k.Q * k.Cost / rates[i]
			spend += k.Cost * rates[i]
		}
		return sum, spend
	}
	rates := make([]float64, len(keys))
	for i, k := range keys {
		rates[i] = min(max(k.Q/p.S, k.Lo), k.Hi)
	}
	best, budget := staleness(rates)
	tried := 0
	for range 20_000 {
		other := slices.Clone(rates)
		for range 1 + r.IntN(5) {
			i := r.IntN(len(other))
			other[i] = min(max(other[i]*math.Exp(.3*r.NormFloat64()), keys[i].Lo), keys[i].Hi)
		}
		if sum, spend := staleness(other); spend <= budget {
			tried++
			if sum < best*(1-1e-9) {
				t.Fatalf("staleness %v at %v, the plan has %v at %v", sum, spend, best, budget)
			}
		}
	}
	if tried < 1000 {
		t.Fatalf("only %d of the perturbations were feasible", tried)
	}
}

// A tighter budget never costs more and is never fresher. A link that becomes dearer is never used more: at the same prices, whatever other links
// there are; and at the same budget, where devices have no other. (At the same budget with other links it may be: a device that could afford an
// even dearer one until then may come down to it.)
func TestSolveIsMonotone(t *testing.T) {
	use := func(f *scheduler.Fleet, p *scheduler.Plan, link int) (contacts float64) {
		for i := range f.Devices {
			k, _ := p.Key(f, &f.Devices[i], somewhen)
			if d := scheduler.Decide(p, f, &f.Devices[i], scheduler.Occasion{Now: somewhen}); d.Link == link {
				contacts += min(max(k.Q/p.S, k.Lo), k.Hi)
			}
		}
		return contacts
	}
	rapid.Check(t, func(t *rapid.T) {
		f := mixedFleet(rapid.IntRange(2, 60).Draw(t, "devices"), rapid.Uint64().Draw(t, "seed"))
		for i := range f.Devices {
			f.Devices[i].Current = 0
		}
		b := drawBudget(t)
		p := solve(t, f, b)
		less := *b
		less.Money = scheduler.Micros(float64(b.Money) * rapid.Float64Range(.3, .999).Draw(t, "share"))
		if q := solve(t, f, &less); q.Spend > p.Spend+1 || q.Stale < p.Stale*(1-1e-9) {
			t.Fatalf("%v instead of %v: spends %v instead of %v, staleness %v instead of %v", less.Money, b.Money, q.Spend, p.Spend, q.Stale, p.Stale)
		}
		if p.S == 0 || p.S >= 1e8 {
			return
		}
		link := rapid.IntRange(0, 3).Draw(t, "link")
		before := use(f, p, link)
		f.Links[link].Up.Price *= 2
		if after := use(f, p, link); after > before*(1+1e-9) {
			t.Fatalf("%s was used %v times an hour, and %v when it became twice as dear", f.Links[link].Name, before, after)
		}
		f.Links[link].Up.Price /= 2
		for i := range f.Devices {
			f.Devices[i].Links[1] = scheduler.Via{}
		}
		if p = solve(t, f, b); p.S == 0 {
			return
		}
		before = use(f, p, link)
		f.Links[link].Up.Price *= 2
		if after := use(f, solve(t, f, b), link); after > before*(1+1e-9) {
			t.Fatalf("%s, which had no rival, was used %v times an hour, and %v when it became twice as dear", f.Links[link].Name, before, after)
		}
	})
}

// A plan that starts from another comes to the same prices, within the ninth digit.
func TestSolveFromAnotherPlan(t *testing.T) {
	f := mixedFleet(5000, 7)
	for i := range f.Devices {
		f.Devices[i].Links[1] = scheduler.Via{}
	}
	b := &scheduler.Budget{Money: 3_000_000_000}
	want := solve(t, f, b)
	for _, money := range []scheduler.Micros{1, 1_000_000_000, 1_000_000_000_000_000} {
		start := solve(t, f, &scheduler.Budget{Money: money})
		got, err := scheduler.Solve(f, b, start, somewhen)
		if err != nil || math.Abs(got.S/want.S-1) > 1e-9 {
			t.Errorf("from S %v: %v, %v, want %v", start.S, got.S, err, want.S)
		}
	}
}

// The histogram's price is the plan's, whatever the order of changes.
func TestHistogram(t *testing.T) {
	for _, tail := range []uint8{1, 2, 4} {
		f := mixedFleet(20_000, 11)
		f.Policies[0].Tail = tail
		p := solve(t, f, &scheduler.Budget{Money: 12_000_000_000})
		var h, reverse scheduler.Hist
		h.Tail, reverse.Tail = tail, tail
		keys := keysOf(f, p)
		for i := range keys {
			h.Replace(scheduler.Key{}, keys[i])
			reverse.Replace(keys[i], keys[len(keys)-1-i])
		}
		for i := range keys {
			reverse.Replace(scheduler.Key{}, keys[i])
		}
		got := h.Price(12_000 / scheduler.MonthHours)
		if math.Abs(got/p.S-1) > 2e-3 {
			t.Errorf("tail %d: S %v from the histogram, %v from the plan", tail, got, p.S)
		}
		if again := reverse.Price(12_000 / scheduler.MonthHours); again != got {
			t.Errorf("tail %d: %v in one order, %v in another", tail, got, again)
		}
		if h.Devices() != int64(len(keys)) {
			t.Errorf("%d devices, want %d", h.Devices(), len(keys))
		}
	}
}

package scheduler

import (
	"math"
	"slices"
	"strings"
)

// A pool is an allowance as the search for prices needs it.
type pool struct {
	name    string
	rate    float64 // bytes an hour that may be used
	overage float64 // money for a byte beyond
	hard    bool
}

// pools are the budget's allowances by name, with the price of a byte beyond them: the highest of the links that draw on them.
func (b *Budget) pools(f *Fleet) ([]pool, error) {
	var out []pool
	for i := range b.Pools {
		a := &b.Pools[i]
		if a.Pool == "" || a.Period <= 0 || a.Left < 0 || a.Reserve < 0 {
			return nil, fleetError("allowance %q: %d bytes left, %d in reserve, for %d s: want a name, no negative number and a period", a.Pool, a.Left, a.Reserve, a.Period)
		}
		g := pool{name: a.Pool, rate: max(0, float64(a.Left-a.Reserve)) / a.Period.Hours(), hard: a.Hard}
		for j := range f.Links {
			if up := &f.Links[j].Up; up.Pool == a.Pool {
				g.overage = max(g.overage, float64(up.Price)*perUnit/float64(max(up.Inc, 1)))
			}
		}
		out = append(out, g)
	}
	slices.SortFunc(out, func(a, b pool) int { return strings.Compare(a.name, b.name) })
	for i := range len(out) - 1 {
		if out[i].name == out[i+1].name {
			return nil, fleetError("allowance %q: given twice", out[i].name)
		}
	}
	if b.Money < 0 {
		return nil, fleetError("budget of %v a month: want no negative amount", b.Money)
	}
	return out, nil
}

// price finds the plan's prices for the entries: outside that of money, inside those of the pools.
func (s *Solver) price(p *Plan, b *Budget, pools []pool) {
	s.wanted = make([]float64, len(pools))
	for i := range s.wanted {
		s.wanted[i] = -1
	}
	at := p.prices()
	at.money = 0
	target := float64(b.Money) * perUnit / MonthHours
	r := math.Inf(1)
	if !b.Unlimited {
		r = s.find(target, 1/p.S, func(r float64) (float64, float64) { return s.spend(at, pools, r) })
	}
	p.S = rounded(min(1/r, maxScale))
	at.money = p.Price()
	s.settle(at, pools)
	for i := range p.Pools {
		p.Pools[i].Price = rounded(at.pools[i].Price)
	}
}

// maxScale stands for an infinite price, at which everything is at its longest interval.
const maxScale = 1e9

// spend is the money that is spent in an hour at a price of 1/r², and its slope over the logarithm of r.
func (s *Solver) spend(at *prices, pools []pool, r float64) (sum, slope float64) {
	at.money = 1 / (r * r)
	s.settle(at, pools)
	sc := newScales(at)
	s.passes++
	if !(r > s.sketch.from && r < s.sketch.to) {
		s.sketch.draw(s.entries, r)
	}
	sum, slope = s.sketch.spend(s.entries, &sc)
	for g := range s.members {
		for _, i := range s.members[g] {
			more, bend := s.entries[i].spend(&sc)
			sum += more
			slope += bend
		}
	}
	for g := range pools {
		if pools[g].overage == 0 || pools[g].hard {
			continue
		}
		used, bend := s.use(&sc, g)
		if over := used - pools[g].rate; over > 0 {
			sum += float64(over * pools[g].overage)
			slope += float64(bend * pools[g].overage)
		}
	}
	return sum, slope
}

// slower is 2/(1+b): how much a rate follows its price, compared with the square root's.
var slower = [MaxTail + 1]float64{1: 1, 2: 2.0 / 3, 3: 0.5, 4: 0.4}

// settle finds the prices of the pools at a price of money: what makes the allowance last, but no more than what a byte beyond it costs.
func (s *Solver) settle(at *prices, pools []pool) {
	for g := range pools {
		limit := float64(at.money * pools[g].overage)
		if pools[g].hard {
			limit = math.Inf(1)
		} else if pools[g].overage == 0 {
			limit = 0
		}
		if s.wanted[g] < 0 || s.mixed[g] {
			guess := 1 / math.Sqrt(at.pools[g].Price)
			r := s.find(pools[g].rate, guess, func(r float64) (float64, float64) {
				at.pools[g].Price = 1 / (r * r)
				sc := newScales(at)
				s.passes++
				return s.use(&sc, g)
			})
			s.wanted[g] = min(1/(r*r), maxScale*maxScale)
		}
		at.pools[g].Price = min(s.wanted[g], limit)
	}
}

// use is how many bytes of a pool are used in an hour, and its slope over the logarithm of the scale.
func (s *Solver) use(sc *scales, g int) (sum, slope float64) {
	for _, i := range s.members[g] {
		e := &s.entries[i]
		if e.pool < 0 {
			continue
		}
		rate, free := e.rate(sc)
		used := float64(e.bytes * rate)
		sum += used
		if free {
			slope += float64(used * slower[e.tail])
		}
	}
	return sum, slope
}

// find is the scale at which a rising sum reaches a target: +Inf if it never exceeds it, 0 if it is never so low. Newton's steps in the scale are
// exact where no limit is met on the way, since the sum is then straight; where they leave what is known to hold the solution, it is halved by ratio.
func (s *Solver) find(target, guess float64, sum func(scale float64) (sum, slope float64)) float64 {
	lo, hi, r := 0.0, math.Inf(1), guess
	if !(r > 0) || math.IsInf(r, 1) {
		r = 1
	}
	for range 60 {
		got, slope := sum(r)
		if math.Abs(got-target) <= 1e-11*target {
			break
		}
		if slope == 0 { // all are at a limit: there may be no solution
			if top, _ := sum(math.Inf(1)); top <= target {
				return math.Inf(1)
			}
			if bottom, _ := sum(0); bottom >= target {
				return 0
			}
		}
		if got < target {
			lo = r
		} else {
			hi = r
		}
		switch {
		case lo >= maxScale:
			return math.Inf(1)
		case hi <= 1/maxScale:
			return 0
		case hi <= lo*(1+1e-12):
			return r
		}
		next := r + float64((target-got)/slope*r)
		switch {
		case slope > 0 && next > lo && next < hi:
		case lo == 0:
			next = hi / 8
		case math.IsInf(hi, 1):
			next = lo * 8
		default:
			next = math.Sqrt(lo) * math.Sqrt(hi)
		}
		if next == r {
			break
		}
		r = next
	}
	return r
}

// rounded is x to nine digits, so that a difference in its last bits makes no other decision.
func rounded(x float64) float64 {
	if math.IsInf(x, 0) || x == 0 {
		return x
	}
	fraction, exponent := math.Frexp(x)
	return math.Ldexp(math.Floor(float64(fraction*(1<<31))+0.5)/(1<<31), exponent)
}

package scheduler

import (
	"math"
	"slices"
	"strings"
)

// Solve finds the prices at which a fleet spends its budget: of money, and of the bytes of each allowance. A plan made before is where it starts,
// which saves time and hardly changes the result; nil: from nothing. now is for episodes and hazards.
func Solve(f *Fleet, b *Budget, prev *Plan, now Secs) (Plan, error) {
	return new(Solver).Solve(f, b, prev, now)
}

// A Solver keeps the memory of one Solve for the next. The zero Solver is ready.
type Solver struct {
	now     Secs // that was solved for
	entries []entry
	ways    []entry        // of each link of those with a choice
	later   [MaxVias]entry // of one, at another moment
	members [][]int32      // for each pool: its entries
	mixed   []bool         // for each pool: money has a part in the price of its contacts
	wanted  []float64      // for each pool: the price at which the allowance is just used up
	sketch  sketch
	passes  int
}

// Solve is as the function Solve.
func (s *Solver) Solve(f *Fleet, b *Budget, prev *Plan, now Secs) (Plan, error) {
	if err := f.checkTables(); err != nil {
		return Plan{}, err
	}
	pools, err := b.pools(f)
	if err != nil {
		return Plan{}, err
	}
	s.passes = 0
	p := Plan{S: 1, LinkPools: make([]int16, len(f.Links)), Devices: len(f.Devices)}
	for i := range f.Links {
		p.LinkPools[i] = int16(slices.IndexFunc(pools, func(g pool) bool { return g.name == f.Links[i].Up.Pool })) //nolint:gosec // no more pools than links
	}
	for i := range pools {
		p.Pools = append(p.Pools, PoolPrice{Pool: pools[i].name, Price: pools[i].overage})
	}
	if prev != nil {
		p.recall(prev)
	}
	if err := s.begin(f, p.LinkPools, now); err != nil {
		return Plan{}, err
	}
	s.rounds(&p, f, b, pools)
	s.total(&p, f, b, pools)
	return p, nil
}

// recall takes over the prices of an earlier plan.
func (p *Plan) recall(prev *Plan) {
	p.S = prev.S
	for i := range p.Pools {
		if at, found := slices.BinarySearchFunc(prev.Pools, p.Pools[i].Pool, func(g PoolPrice, name string) int { return strings.Compare(g.Pool, name) }); found {
			p.Pools[i].Price = prev.Pools[at].Price
		}
	}
}

// prices are the plan's, for choices.
func (p *Plan) prices() *prices {
	return &prices{money: p.Price(), pools: slices.Clone(p.Pools), links: p.LinkPools}
}

// total computes what the plan reports of itself.
func (s *Solver) total(p *Plan, f *Fleet, b *Budget, pools []pool) {
	at := p.prices()
	sc := newScales(at)
	var spend, burden float64
	for i := range p.Pools {
		p.Pools[i].Bytes, p.Pools[i].Overage = 0, 0
	}
	for i := range s.entries {
		e := &s.entries[i]
		if e.hi == 0 {
			continue
		}
		rate, _ := e.rate(&sc)
		hours := 1 / rate
		age := float64(e.weight * penalty(hours, int(e.tail)))
		p.Stale += age
		if d := &f.Devices[i]; d.Rest > 0 { // no interval changes that
			p.Quiet++
			p.Stale += float64(f.Weigh(d, s.now) * (penalty(hours+float64(d.Rest)/60, int(e.tail)) - penalty(hours, int(e.tail))))
		}
		spend += e.money / hours
		burden += age + e.price(at)/hours
		if e.pool >= 0 {
			p.Pools[e.pool].Bytes += e.bytes / hours
		}
	}
	paid := float64(at.money * spend)
	for i := range p.Pools {
		g := &p.Pools[i]
		g.Overage = max(0, g.Bytes-pools[i].rate)
		spend += float64(g.Overage * pools[i].overage)
		paid += float64(at.money*pools[i].overage*g.Overage) + float64(g.Price*min(g.Bytes, pools[i].rate))
		g.Bytes, g.Overage = g.Bytes*MonthHours, g.Overage*MonthHours
	}
	p.Bound = burden - paid
	p.Spend = micros(spend * MonthHours)
	if p.S > 0 {
		p.Value = micros(1 / p.Price())
	}
	if !b.Unlimited {
		if short := p.Spend - b.Money; short > b.Money/1_000_000+1 {
			p.Short = short
		}
	}
	p.Iterations = s.passes
}

// micros rounds an amount in units of the currency.
func micros(units float64) Micros { return Micros(math.Floor(float64(units*microsPerUnit) + 0.5)) }

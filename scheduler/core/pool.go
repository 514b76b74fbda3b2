package core

import (
	"time"

	"github.com/godwit-gateway/godwit/scheduler"
	"github.com/godwit-gateway/godwit/scheduler/ledger"
	"github.com/godwit-gateway/godwit/scheduler/tariff"
)

// A Pool is what tariffs do not say of an allowance that devices share. Its amount is the tariffs'.
type Pool struct {
	Name    string   // as Tariff.PoolName has it
	Members int64    // lines, where each adds to the allowance; 0: 1
	Reserve *float64 // share of what is left that is kept for what is not planned; nil: as earlier months had it
	Hard    bool     // no plan buys anything beyond it
}

// endless is the time over which an allowance is spread that has no end.
const endless = 365 * 24 * time.Hour

// A PoolState is a shared allowance, how far it is used, and what the plan takes of it.
type PoolState struct {
	Pool
	tariff.Balance
	Bytes   float64 // that the plan takes in a mean month
	Overage float64 // of these: beyond the allowance
	Kept    float64 // share of what is left that is kept for what is not planned
}

// Pools are the shared allowances of the links' tariffs, in the order of the links.
func (k *Core) Pools(now time.Time) []PoolState {
	var list []PoolState
	seen := make(map[string]bool)
	for i := range k.config.Links {
		t := k.config.tariff(&k.config.Links[i], now)
		if t == nil || t.PoolName() == "" || seen[t.PoolName()] {
			continue
		}
		s := PoolState{Pool: k.config.pool(t.PoolName())}
		seen[s.Name] = true
		var meter tariff.Meter
		if m := k.pools[s.Name]; m != nil {
			meter = *m
		}
		meter.Members = s.Members
		var ok bool
		if s.Balance, ok = t.Balance(&meter, now); !ok {
			continue
		}
		if s.Sized {
			if left, _, reserve := k.spread(&s, now); left > 0 {
				s.Kept = reserve / left
			}
		}
		for j := range k.plan.Pools {
			if p := &k.plan.Pools[j]; p.Pool == s.Name {
				s.Bytes, s.Overage = p.Bytes, p.Overage
			}
		}
		list = append(list, s)
	}
	return list
}

// pool is what is configured of a pool.
func (c *Config) pool(name string) Pool {
	for _, p := range c.Pools {
		if p.Name == name {
			p.Members = max(p.Members, 1)
			return p
		}
	}
	return Pool{Name: name, Members: 1}
}

// allowances are the pools that can be planned with: those of bytes.
func (k *Core) allowances(now time.Time) []scheduler.Allowance {
	var list []scheduler.Allowance
	pools := k.Pools(now)
	for i := range pools {
		p := &pools[i]
		if !p.Sized {
			continue
		}
		left, period, reserve := k.spread(p, now)
		list = append(list, scheduler.Allowance{Pool: p.Name, Left: int64(left), Reserve: int64(reserve), Period: scheduler.Secs(period * 3600), Hard: p.Hard})
	}
	return list
}

// spread is what is left of a pool of bytes, for how many hours it must do, and what of it is kept for what is not planned.
func (k *Core) spread(p *PoolState, now time.Time) (left, period, reserve float64) {
	left, period = float64(p.Amount-p.Used), endless.Hours()
	switch {
	case p.Ends.IsZero():
	case !now.Before(p.Ends): // it is over, and does not come again
		left, period = 0, p.Ends.Sub(p.Begins).Hours()
	default:
		left, period = p.paced(now), p.Ends.Sub(p.Begins).Hours()
	}
	switch {
	case p.Reserve != nil:
		reserve = left * min(max(*p.Reserve, 0), 1)
	case period > shortMonth && period < longMonth:
		reserve = min(float64(scheduler.Reserve(k.unplanned(p.Name, now), reserveShare)), reserveMost*left)
	}
	return left, period, reserve
}

// How a reserve is learned.
const (
	shortMonth   = 27 * 24 // hours: between the two are allowances of a month, whose earlier ones can be looked at. One has an
	longMonth    = 32 * 24 // hour more or less where clocks are changed
	reserveShare = 0.8     // of earlier months, that it would have sufficed for
	reserveMost  = 0.95    // of what is left
)

// unplanned is what each month before this one took of a pool that no plan had: all but statuses that were due.
func (k *Core) unplanned(pool string, now time.Time) (bytes []int64) {
	of := func(g *ledger.Group) bool { return g.Pool == pool }
	for _, at := range k.ledger.Months() {
		if at >= tariff.MonthOf(k.Local(now)) {
			break
		}
		var sum int64
		totals := k.ledger.Totals(at, ledger.ByCause, of)
		for i := range totals {
			if t := &totals[i]; t.Cause != ledger.CauseStatus {
				sum += t.Billed
			}
		}
		if len(totals) > 0 {
			bytes = append(bytes, sum)
		}
	}
	return bytes
}

// paced is what a whole period may take at the moment's pace: like money, what was used less than an even pace would have, or more, is made up for within
// two weeks, not by the period's end. Only a pool that is hard is never planned with more than it has.
func (p *PoolState) paced(now time.Time) float64 {
	whole, passed := p.Ends.Sub(p.Begins).Hours(), now.Sub(p.Begins).Hours()
	even := float64(p.Amount) / whole
	ahead := float64(even*passed) - float64(p.Used)
	rate := min(max(even+ahead/paceHours, paceLeast*even), paceMost*even)
	if p.Hard {
		rate = min(rate, float64(p.Amount-p.Used)/max(whole-passed, 1))
	}
	return rate * whole
}

// How pools are paced, as scheduler.Pace does with money.
const (
	paceHours = 14 * 24
	paceLeast = 0.6
	paceMost  = 1.4
)

package core

import (
	"fmt"
	"slices"
	"time"

	"github.com/godwit-gateway/godwit/scheduler"
	"github.com/godwit-gateway/godwit/scheduler/presence"
)

// gather copies the devices that are to be planned: those that were heard, and are not taken for dead.
func (k *Core) gather(f *scheduler.Fleet) {
	f.Devices = f.Devices[:0]
	for _, at := range k.inOrder() {
		if d := k.find(at); d != nil && d.heard > 0 && !d.retired && d.silent != presence.Presumed {
			f.Devices = append(f.Devices, k.planning(&k.known[at], d))
		}
	}
}

func (k *Core) budget(money scheduler.Micros, now time.Time) scheduler.Budget {
	return scheduler.Budget{Money: money, Unlimited: k.config.Money == 0 && k.config.Cap == 0, Pools: k.allowances(now)}
}

// growthPause is the least time between two plans that are made because the fleet has grown.
const growthPause = 10 * time.Second

// due reports whether a plan is to be made: the last one is old, a clock was set back, or a tenth of the fleet was not there then.
func (k *Core) due(now time.Time) bool {
	if k.tried.IsZero() || now.Before(k.tried) || !now.Before(k.tried.Add(k.config.Replan)) {
		return true
	}
	return k.heard > k.then+k.then/10 && !now.Before(k.tried.Add(growthPause))
}

// Replan makes a new plan if one is due.
func (k *Core) Replan(now time.Time) {
	if !k.due(now) {
		return
	}
	k.tried, k.then = now, k.heard
	k.pace.Spent(scheduler.Secs(now.Unix()), k.spent.up, k.spent.down)
	k.spent.up, k.spent.down = 0, 0
	k.fleet.Links = k.config.fleet(now).Links // tariffs are dated
	k.gather(&k.fleet)
	b := k.budget(k.pace.Money(), now)
	var prev *scheduler.Plan
	if !k.planned.IsZero() {
		prev = &k.plan
	}
	p, err := scheduler.Solve(&k.fleet, &b, prev, scheduler.Secs(now.Unix()))
	k.fleet.Devices = nil // plans are rare: memory for the next one is not kept
	if k.failed = err; err != nil {
		return
	}
	k.plan, k.planned = p, now
	k.dirty.plan = p.Devices > 0
}

// A Summary is the plan in force.
type Summary struct {
	scheduler.Plan
	Planned time.Time
	Money   scheduler.Micros // for contacts in a mean month, at the moment
	Failed  error            // why the last plan was not made
}

// Summary is the plan in force.
func (k *Core) Summary() Summary {
	return Summary{Plan: k.plan, Planned: k.planned, Money: k.pace.Money(), Failed: k.failed}
}

// A What is what is to be tried.
type What struct {
	Money *scheduler.Micros         // another budget, 0: no limit; nil: the same
	Tails uint8                     // of all policies; 0: as they are
	Law   *scheduler.Law            // of all policies; nil: as they are
	Every scheduler.Secs            // of the law, where it wants one
	Min   scheduler.Secs            // the shortest interval; 0: as it is
	Max   scheduler.Secs            // and the longest
	Only  string                    // the policy of this name alone; "": all
	Rates map[int][2]scheduler.Rate // by place of a link: other prices, up and down
}

// An Outcome is what a plan comes to.
type Outcome struct {
	Spend   scheduler.Micros // in a mean month
	Stale   float64          // hours, the weighted mean age
	Detect  float64          // hours until a device that stops is missed twice, the mean
	Value   scheduler.Micros // of a weighted stale-hour
	Short   scheduler.Micros // by how much the longest intervals exceed the budget
	Devices int
}

// A Change is what becomes of a device.
type Change struct {
	Number   uint32
	From, To scheduler.Secs
	FromLink int // place in Config.Links; -1: none
	ToLink   int
}

// WhatIf plans the fleet as it is and as it would be, without changing anything, and names the devices whose interval or link would change, the
// largest changes first, and at most so many.
func (k *Core) WhatIf(now time.Time, w What, most int) (is, would Outcome, changes []Change, all int, err error) {
	base := k.copyFleet()
	other := k.copyFleet()
	money := k.pace.Money()
	b := k.budget(money, now)
	is, plan, err := k.outcome(base, b, now)
	if err != nil {
		return is, would, nil, 0, err
	}
	if w.Money != nil {
		b.Money, b.Unlimited = *w.Money, *w.Money == 0
	}
	if w.Only != "" && !slices.ContainsFunc(other.Policies, func(p scheduler.Policy) bool { return p.Name == w.Only }) {
		return is, would, nil, 0, fmt.Errorf("there is no policy %q: %w", w.Only, scheduler.ErrFleet)
	}
	w.apply(other)
	if w.Every > 0 && !w.laws(other) {
		return is, would, nil, 0, fmt.Errorf("an interval of %s is of no use to the law %s, and no device has another: %w", time.Duration(w.Every)*time.Second, scheduler.LawPrice, scheduler.ErrFleet)
	}
	would, otherPlan, err := k.outcome(other, b, now)
	if err != nil {
		return is, would, nil, 0, err
	}
	changes, all = compare(base, other, &plan, &otherPlan, now, most)
	return is, would, changes, all, nil
}

func (k *Core) copyFleet() *scheduler.Fleet {
	f := scheduler.Fleet{
		Links: append([]scheduler.Link(nil), k.fleet.Links...), Policies: append([]scheduler.Policy(nil), k.fleet.Policies...), Hazards: k.fleet.Hazards,
	}
	k.gather(&f)
	for i := range f.Devices {
		f.Devices[i].Current = 0 // what would be right, not what is worth a change
	}
	return &f
}

func (w *What) apply(f *scheduler.Fleet) {
	for i := range f.Policies {
		p := &f.Policies[i]
		if w.Only != "" && p.Name != w.Only {
			continue
		}
		if w.Min > 0 {
			p.Min = w.Min
		}
		if w.Max > 0 {
			p.Max = w.Max
		}
		if w.Tails > 0 {
			p.Tail = w.Tails
		}
		if w.Law != nil {
			p.Law = *w.Law
		}
		if w.Every > 0 {
			p.Every = w.Every
		}
	}
	for i, r := range w.Rates {
		if i >= 0 && i < len(f.Links) {
			f.Links[i].Up, f.Links[i].Down = r[0], r[1]
		}
	}
}

// laws reports whether an interval is of use to a law of those whom it is tried for.
func (w *What) laws(f *scheduler.Fleet) bool {
	wants := func(p scheduler.Policy) bool { return p.Law != scheduler.LawPrice }
	if w.Only != "" {
		return slices.ContainsFunc(f.Policies, func(p scheduler.Policy) bool { return p.Name == w.Only && wants(p) })
	}
	return len(f.Devices) == 0 || slices.ContainsFunc(f.Devices, func(d scheduler.Device) bool { return wants(f.Policies[d.Policy]) })
}

func (k *Core) outcome(f *scheduler.Fleet, b scheduler.Budget, now time.Time) (Outcome, scheduler.Plan, error) {
	at := scheduler.Secs(now.Unix())
	var solver scheduler.Solver
	p, err := solver.Solve(f, &b, nil, at)
	if err != nil {
		return Outcome{}, p, err
	}
	o := Outcome{Spend: p.Spend, Value: p.Value, Short: p.Short, Devices: p.Devices}
	weights := 0.0
	for i := range f.Devices {
		d := &f.Devices[i]
		dec := solver.Decide(&p, f, i, scheduler.Occasion{Now: at})
		if dec.Link < 0 {
			continue
		}
		weights += f.Weigh(d, at)
		o.Detect += 2.5*dec.Interval.Hours() + float64(d.Rest)/60
	}
	if weights > 0 {
		o.Stale = p.Stale / weights
	}
	if n := len(f.Devices); n > 0 {
		o.Detect /= float64(n)
	}
	return o, p, nil
}

package trial

import (
	"context"
	"fmt"
	"math"

	"github.com/godwit-gateway/godwit/scheduler"
)

// Row is a year of one policy, and what it is compared with.
type Row struct {
	Fleet     string  `json:"fleet"`
	Policy    string  `json:"policy"`
	Against   string  `json:"against,omitempty"` // the baseline it is compared with
	Equal     string  `json:"equal,omitempty"`   // what was made equal to the baseline's: mean, money or p95
	Budget    float64 `json:"budget,omitempty"`  // of a month, where the policy has one
	Monthly   float64 `json:"monthly"`           // spent, in the mean
	Mean      float64 `json:"mean_hours"`
	P95       float64 `json:"p95_hours"`
	Bound     float64 `json:"bound_ratio"`  // staleness over what no policy could beat for the same money
	Contacts  float64 `json:"contacts"`     // a day and living device
	Changes   float64 `json:"change_share"` // of what was spent
	Overspend float64 `json:"overspend"`    // of the dearest month, over its plan
	OfMonthly float64 `json:"of_monthly,omitempty"`
	OfMean    float64 `json:"of_mean,omitempty"` // over that of the baseline
	OfP95     float64 `json:"of_p95,omitempty"`
	middle    bool    // its budget is Middle, for a fleet of the usual size
}

// Block is one piece of work of a comparison. Blocks share nothing: they may run at the same time.
type Block struct {
	Name string
	Run  func(ctx context.Context) ([]Row, error)
}

// The names by which rows are found again.
const (
	Stationary = "stationary"
	Episodic   = "episodes"
	Alike      = "equal weights, stationary"
	HeldOut    = "held out, stationary"
	HeldOutToo = "held out, episodes"

	FixedDay   = "fixed 24 h"
	ClassA     = "class 1/6/24/12 h"
	ClassB     = "class 4/12/48/24 h"
	Bands      = "voltage bands on 1/6/24/12 h"
	BackingOff = "back-off up to 24 h"
	Ours       = "price"
	OursSquare = "price, tail 2"
)

// longest is the longest interval that our policy may choose.
const longest = 60 * Day

var (
	linear = Priced(scheduler.Policy{Max: scheduler.Secs(longest)})
	square = Priced(scheduler.Policy{Max: scheduler.Secs(longest), Tail: 2})
)

// baseline is a policy that knows no budget, and what it is compared at.
type baseline struct {
	name  string
	make  func(*Fleet) Policy
	equal []Figure
	table bool // a table by class of link
}

var baselines = []baseline{
	{FixedDay, func(f *Fleet) Policy { return Fixed(f, Day) }, []Figure{Mean, Money, P95}, false},
	{ClassA, func(f *Fleet) Policy { return Table(f, Hour, 6*Hour, 24*Hour, 12*Hour) }, []Figure{Mean, Money}, true},
	{ClassB, func(f *Fleet) Policy { return Table(f, 4*Hour, 12*Hour, 48*Hour, 24*Hour) }, []Figure{Mean, Money}, true},
	{Bands, func(f *Fleet) Policy { return Voltage(f, Table(f, Hour, 6*Hour, 24*Hour, 12*Hour)) }, []Figure{Mean, Money}, false},
	{BackingOff, BackOff, []Figure{Mean, Money}, false},
}

// heldOut is what is added to a seed for a fleet on which nothing was tried.
const heldOut = 1000

// Budgets are those of our policy for a fleet of 10,000, in money a month.
var Budgets = []scheduler.Micros{3000e6, 12000e6, 30000e6}

// Middle is the budget at which most of the goals are set.
const Middle scheduler.Micros = 12000e6

// usual is the size of a fleet for which Budgets are.
const usual = 10_000

// Blocks is the whole comparison: our policy at budgets, and with each baseline at an equal mean and at equal money, on fleets with and without
// episodes, with and without differences in weight, and on one held out.
func Blocks(devices int, seed uint64) []Block {
	var all []Block
	for _, f := range []struct {
		name  string
		setup Setup
	}{
		{Stationary, Setup{Spread: 0.8}},
		{Episodic, Setup{Spread: 0.8, Episodes: true}},
		{Alike, Setup{}},
		{HeldOut, Setup{Spread: 0.8, Seed: heldOut}},
		{HeldOutToo, Setup{Spread: 0.8, Episodes: true, Seed: heldOut}},
	} {
		f.setup.Devices = devices
		f.setup.Seed += seed
		fleet := &comparison{name: f.name, Fleet: NewFleet(f.setup)}
		budgets, against := Budgets, baselines
		if f.name != Stationary && f.name != Episodic { // beside the two that count, what the goals need
			budgets, against = []scheduler.Micros{Middle}, short(baselines[:3])
		}
		for _, budget := range budgets {
			all = append(all, Block{f.name + ", " + Ours + " at " + budget.String(), func(ctx context.Context) ([]Row, error) { return fleet.budget(ctx, budget) }})
		}
		for _, b := range against {
			all = append(all, Block{f.name + ", against " + b.name, func(ctx context.Context) ([]Row, error) { return fleet.against(ctx, b) }})
		}
	}
	return all
}

// short are baselines that are only compared at an equal mean.
func short(all []baseline) []baseline {
	var out []baseline
	for _, b := range all {
		b.equal = []Figure{Mean}
		out = append(out, b)
	}
	return out
}

// comparison is a fleet on which policies are compared.
type comparison struct {
	*Fleet
	name string
}

// scaled is a budget for a fleet of the usual size, for this one.
func (c *comparison) scaled(budget scheduler.Micros) scheduler.Micros {
	return budget * scheduler.Micros(len(c.All)) / usual
}

// budget is a year of our policy.
func (c *comparison) budget(ctx context.Context, budget scheduler.Micros) ([]Row, error) {
	r, err := linear.run(ctx, c.Fleet, c.scaled(budget))
	if err != nil {
		return nil, err
	}
	row := c.row(Ours, r, c.scaled(budget))
	row.middle = budget == Middle
	return []Row{row}, nil
}

// against is a year of a baseline, and those of our policy at what it reaches.
func (c *comparison) against(ctx context.Context, b baseline) ([]Row, error) {
	base, err := Run(ctx, c.Fleet, b.make(c.Fleet))
	if err != nil {
		return nil, err
	}
	rows := []Row{c.row(b.name, base, 0)}
	for _, figure := range b.equal {
		tuned, name := linear, Ours
		if figure.Name == P95.Name {
			tuned, name = square, OursSquare
		}
		row, err := c.equal(ctx, b.name, base, tuned, figure)
		if err != nil {
			return nil, err
		}
		row.Policy = name
		rows = append(rows, row)
		if b.table && figure.Name == Mean.Name && row.OfP95 > 1 { // what it costs to be no worse in p95 either
			if row, err = c.equal(ctx, b.name, base, linear, P95); err != nil {
				return nil, err
			}
			rows = append(rows, row)
		}
	}
	return rows, nil
}

// equal is a year of our policy at the budget at which it has something in common with a baseline.
func (c *comparison) equal(ctx context.Context, name string, base *Result, tuned Tuned, figure Figure) (Row, error) {
	r, budget, err := Match(ctx, c.Fleet, tuned, figure, figure.Of(base), base.Monthly()*2/3)
	if err != nil {
		return Row{}, fmt.Errorf("%s, against %s: %w", c.name, name, err)
	}
	row := c.row(Ours, r, budget)
	row.Against, row.Equal = name, figure.Name
	row.OfMonthly, row.OfMean, row.OfP95 = float64(r.Spent)/float64(base.Spent), r.Mean()/base.Mean(), P95.Of(r)/P95.Of(base)
	return row, nil
}

func (c *comparison) row(policy string, r *Result, budget scheduler.Micros) Row {
	lived := 0.0
	for i := range c.All {
		lived += float64(c.All[i].Death) / float64(Day)
	}
	row := Row{
		Fleet: c.name, Policy: policy, Budget: float64(budget) / 1e6, Monthly: float64(r.Monthly()) / 1e6, Mean: r.Mean(), P95: P95.Of(r),
		Bound: c.Bound(r), Contacts: float64(r.Uplinks) / lived, Changes: float64(r.Changes) / float64(r.Spent),
	}
	if budget > 0 {
		row.Overspend = r.Overspend(budget)
	}
	return row
}

// Summary is what the goals are about, on the fleets with differences in weight.
type Summary struct {
	Stationary float64 `json:"bound_ratio_stationary"` // at Middle
	Episodes   float64 `json:"bound_ratio_episodes"`   // at budgets: the worst with four contacts a day or more
	Fixed      float64 `json:"cost_vs_fixed24"`        // at an equal mean; the worse with and without episodes
	Class      float64 `json:"cost_vs_class"`          // at an equal mean and a p95 that is no worse; the worst of both tables, with and without episodes
	Changes    float64 `json:"change_share"`           // the largest of all years of the policy
	Overspend  float64 `json:"overspend"`              // likewise
}

// Summarise finds the summary in the rows of a comparison.
func Summarise(rows []Row) Summary {
	s := Summary{Overspend: math.Inf(-1)}
	for i := range rows {
		r := &rows[i]
		if r.Fleet != Stationary && r.Fleet != Episodic || r.Policy != Ours {
			continue
		}
		s.Changes, s.Overspend = max(s.Changes, r.Changes), max(s.Overspend, r.Overspend)
		switch {
		case r.Fleet == Stationary && r.middle:
			s.Stationary = r.Bound
		case r.Fleet == Episodic && r.Against == "" && r.Contacts >= 4:
			s.Episodes = max(s.Episodes, r.Bound)
		case r.Against == FixedDay && r.Equal == Mean.Name:
			s.Fixed = max(s.Fixed, r.OfMonthly)
		case (r.Against == ClassA || r.Against == ClassB) && r.Equal != Money.Name:
			s.Class = max(s.Class, r.OfMonthly)
		}
	}
	return s
}

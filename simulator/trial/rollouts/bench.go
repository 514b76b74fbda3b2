package rollouts

import (
	"context"
	"fmt"
	"slices"

	"github.com/godwit-gateway/godwit/gateway/rollout/verdict"
	"github.com/godwit-gateway/godwit/simulator/trial"
)

// Good are updates that do no harm, while other things go wrong.
var Good = []Scenario{
	{Name: "plain"},
	{Name: "attrition x5", Attrition: 5},
	{Name: "36 h outage, 70 % of SMS", SMS: true},
	{Name: "outages x3", Outages: 3},
	{Name: "attrition x5 in product 1", Attrition: 5, OneOnly: true},
}

// Bad are updates that silence devices of product 1.
var Bad = []Scenario{
	{Name: "3 %", Bad: 0.03},
	{Name: "10 %", Bad: 0.10},
	{Name: "1 %", Bad: 0.01},
	{Name: "3 % within days", Bad: 0.03, Delay: trial.Day},
	{Name: "3 %, attrition x5", Bad: 0.03, Attrition: 5},
}

// A Plan is how much is played: Good rollouts in all, evenly over scenarios; for each bad scenario, a twentieth of that with waves that follow the ramp
// alone; and for each scenario as many with waves that wait for the verdict.
type Plan struct {
	Runs    int
	Devices int
	Seed    uint64
	Burst   []uint // minutes after the boot of an update
}

// perFleet is how many good rollouts of a scenario are played on a fleet.
const perFleet = 25

// A Block is the work on one fleet, which shares nothing with others.
type Block struct {
	plan  Plan
	seed  uint64
	good  int // rollouts of each scenario
	bad   int
	fleet int
}

// Blocks cuts the work.
func (p Plan) Blocks() []Block {
	each := (p.Runs + len(Good) - 1) / len(Good)
	fleets := (each + perFleet - 1) / perFleet
	badEach := max(p.Runs/20, 1)
	var all []Block
	for i := range fleets {
		all = append(all, Block{
			plan: p, fleet: i, seed: p.Seed + uint64(i)<<20,
			good: each*(i+1)/fleets - each*i/fleets, bad: badEach*(i+1)/fleets - badEach*i/fleets,
		})
	}
	return all
}

// A Record is what came of blocks.
type Record struct {
	Good   [][]Result // by scenario
	Bad    [][]Result
	Held   [][]Result // Good, then Bad, with waves that wait for the verdict
	Detect Detection
}

// NewRecord is an empty one.
func NewRecord() *Record {
	return &Record{Good: make([][]Result, len(Good)), Bad: make([][]Result, len(Bad)), Held: make([][]Result, len(Good)+len(Bad))}
}

// Add adds another one.
func (r *Record) Add(o *Record) {
	for _, lists := range [3][2][][]Result{{r.Good, o.Good}, {r.Bad, o.Bad}, {r.Held, o.Held}} {
		for i := range lists[0] {
			lists[0][i] = append(lists[0][i], lists[1][i]...)
		}
	}
	r.Detect.Add(&o.Detect)
}

// Play plays a block.
func (b *Block) Play(ctx context.Context) (*Record, error) {
	f, err := NewFleet(b.plan.Devices, b.seed, b.plan.Burst)
	if err != nil {
		return nil, err
	}
	out := NewRecord()
	seed := b.seed << 8
	play := func(to *[]Result, s Scenario, hold bool) error {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("fleet %d: %w", b.fleet, err)
		}
		seed++
		r, err := Run{Fleet: f, Scenario: s, Seed: seed, Hold: hold}.Play()
		if err != nil {
			return err
		}
		*to = append(*to, r)
		return nil
	}
	for i, s := range Bad {
		for range b.bad {
			if err := play(&out.Bad[i], s, false); err != nil {
				return nil, err
			}
		}
	}
	for i, s := range slices.Concat(Good, Bad) {
		for range b.bad {
			if err := play(&out.Held[i], s, true); err != nil {
				return nil, err
			}
		}
	}
	d, err := Detect(f, seed+1)
	if err != nil {
		return nil, err
	}
	out.Detect.Add(d)
	for i, s := range Good {
		for range b.good {
			if err := play(&out.Good[i], s, false); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// Figures are the last line of the measurement.
type Figures struct {
	GoodRuns       int     `json:"good_runs"`
	FalseHalts     int     `json:"false_halts"`
	HaltHours      float64 `json:"halt_hours_median"` // 3 % of product 1, at once
	Bricked        int     `json:"bricked_median"`
	HaltHours10    float64 `json:"halt_hours_10pct"`
	DelayedBricked int     `json:"delayed_bricked_median"` // with waves that wait for the verdict
	DetectMedian   float64 `json:"detect_hours_median"`
	DetectP90      float64 `json:"detect_hours_p90"`
	FalsePer1000   float64 `json:"false_per_1000"`
}

// Figures finds them.
func (r *Record) Figures() Figures {
	f := Figures{DetectMedian: r.Detect.Median, DetectP90: r.Detect.P90, FalsePer1000: r.Detect.False}
	for _, all := range r.Good {
		s := Summarise(all, Ours)
		f.GoodRuns += s.Runs
		f.FalseHalts += s.Halted
	}
	three, ten, late := Summarise(r.Bad[0], Ours), Summarise(r.Bad[1], Ours), Summarise(r.Held[len(Good)+3], Ours)
	f.HaltHours, f.Bricked, f.HaltHours10, f.DelayedBricked = three.Hours, three.Bricked, ten.Hours, late.Bricked
	return f
}

// Means are the mean final evidence of each component over good rollouts, by scenario. It is not to exceed 1.
func (r *Record) Means() map[string][verdict.Components]float64 {
	means := map[string][verdict.Components]float64{}
	for s, all := range r.Good {
		var e [verdict.Components]float64
		for i := range all {
			for c, x := range all[i].Evidence {
				e[c] += x / float64(len(all))
			}
		}
		means[Good[s].Name] = e
	}
	return means
}

// A Row is how one judgement fared in one scenario.
type Row struct {
	Judgement string `json:"judgement"`
	Scenario  string `json:"scenario"`
	Bad       bool   `json:"bad"`
	Waits     bool   `json:"waits"` // waves wait for the verdict
	Summary
}

// Rows are all of them.
func (r *Record) Rows() []Row {
	var rows []Row
	for _, j := range Judgements() {
		for i, s := range Good {
			rows = append(rows, Row{Judgement: j.Name, Scenario: s.Name, Summary: Summarise(r.Good[i], j)})
		}
		for i, s := range Bad {
			rows = append(rows, Row{Judgement: j.Name, Scenario: s.Name, Bad: true, Summary: Summarise(r.Bad[i], j)})
		}
	}
	for i, s := range slices.Concat(Good, Bad) {
		rows = append(rows, Row{Judgement: Ours.Name, Scenario: s.Name, Bad: i >= len(Good), Waits: true, Summary: Summarise(r.Held[i], Ours)})
	}
	return rows
}

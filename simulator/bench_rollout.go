package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"text/tabwriter"

	"golang.org/x/sync/errgroup"

	"github.com/godwit-gateway/godwit/gateway/rollout/verdict"
	"github.com/godwit-gateway/godwit/simulator/trial/rollouts"
)

// benchRolloutCmd puts package gateway/rollout/verdict to the test.
type benchRolloutCmd struct {
	Runs    int    `help:"Rollouts of good updates, over all scenarios; of bad ones, a tenth of that for each." default:"2000"`
	Devices int    `help:"Devices of each fleet." default:"10000"`
	Seed    uint64 `help:"Seed of the fleets and of what happens to them." default:"42"`
	Burst   []uint `help:"Minutes after the boot of an update at which devices report until they are heard; by default as a gateway has it."`
	Speed   int    `help:"Devices of the rollout with which times are taken, of the processor; 0: none are." default:"100000"`
	Output  string `short:"o" help:"Form of the result: json, all of it in one line, or text, tables that end with a line of JSON." enum:"json,text" default:"text"`
}

// Help says what is measured.
func (benchRolloutCmd) Help() string {
	return `Updates go out to a mixed fleet in waves, in virtual time: good ones while devices die, links fail and
carriers have outages, and bad ones that silence devices of one product at once or within days. How
often and how soon the verdict halts them, and how many devices are lost by then, is compared with its
components alone and with the rules that people use instead; then how soon the silence of one device is
known to be the update's, and how long a verdict takes.

In the last line, halts are of waves that follow the ramp alone. delayed_bricked_median is of waves that
wait for the verdict, as they do in production; people give a rollout up that it holds for ten days.

Example:
  godwit-sim bench rollout
  godwit-sim bench rollout --runs 200 --seed 7 --burst 10,60,240,720`
}

// Validate implements kong's check.
func (c *benchRolloutCmd) Validate() error {
	if c.Devices < 400 || c.Devices > 100_000 || c.Runs < 5 || c.Runs > 1_000_000 || c.Speed < 0 || c.Speed > 1_000_000 {
		return fmt.Errorf("--devices %d --runs %d --speed %d: want 400 to 100000, 5 to 1000000, at most 1000000", c.Devices, c.Runs, c.Speed)
	}
	for i, m := range c.Burst {
		if m == 0 || m > 1440 || i > 0 && m <= c.Burst[i-1] || i == 16 {
			return fmt.Errorf("--burst %v: want at most 16 numbers of minutes of a day that rise", c.Burst)
		}
	}
	return nil
}

// Run measures.
func (c *benchRolloutCmd) Run(e *env) error {
	if len(c.Burst) == 0 {
		c.Burst = rollouts.Programme()
	}
	var speed rollouts.Speed
	if c.Speed > 0 { // first, while nothing else of ours runs
		var err error
		if speed, err = rollouts.Measure(c.Speed, processTime); err != nil {
			return fmt.Errorf("measure the verdict: %w", err)
		}
	}
	all, err := c.play(e)
	if err != nil {
		return err
	}
	if c.Output == "json" {
		figures := all.Figures()
		return json.NewEncoder(e.stdout).Encode(&rolloutResult{
			Devices: c.Devices, Seed: c.Seed, Burst: c.Burst, Rows: all.Rows(), Evidence: all.Means(), Detection: &all.Detect, Speed: &speed, Figures: &figures,
		})
	}
	return c.print(e.stdout, all, &speed)
}

// rolloutResult is all that was measured.
type rolloutResult struct {
	Devices   int                                    `json:"devices"`
	Seed      uint64                                 `json:"seed"`
	Burst     []uint                                 `json:"burst_minutes"`
	Rows      []rollouts.Row                         `json:"rows"`
	Evidence  map[string][verdict.Components]float64 `json:"mean_evidence"` // by good scenario
	Detection *rollouts.Detection                    `json:"detection"`
	Speed     *rollouts.Speed                        `json:"speed"`
	Figures   *rollouts.Figures                      `json:"figures"`
}

// play plays all blocks, as many at a time as there are processors, and adds them in their order.
func (c *benchRolloutCmd) play(e *env) (*rollouts.Record, error) {
	blocks := rollouts.Plan{Runs: c.Runs, Devices: c.Devices, Seed: c.Seed, Burst: c.Burst}.Blocks()
	records := make([]*rollouts.Record, len(blocks))
	work, ctx := errgroup.WithContext(e.ctx)
	work.SetLimit(runtime.GOMAXPROCS(0))
	for i := range blocks {
		work.Go(func() (err error) {
			if records[i], err = blocks[i].Play(ctx); err == nil {
				e.log.Info("played", slog.Int("fleet", i+1), slog.Int("of", len(blocks)))
			}
			return err
		})
	}
	if err := work.Wait(); err != nil {
		return nil, fmt.Errorf("play rollouts: %w", err)
	}
	all := rollouts.NewRecord()
	for _, r := range records {
		all.Add(r)
	}
	return all, nil
}

// print writes the tables, and the figures as one line of JSON.
func (c *benchRolloutCmd) print(w io.Writer, r *rollouts.Record, speed *rollouts.Speed) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintf(t, "good updates, halted")
	for i := range rollouts.Good {
		_, _ = fmt.Fprintf(t, "\t%s", rollouts.Good[i].Name)
	}
	_, _ = fmt.Fprintln(t, "\t")
	_, _ = fmt.Fprint(t, "verdict, waves wait for it: halted or given up; hours to the end")
	for i := range rollouts.Good {
		s := rollouts.Summarise(r.Held[i], rollouts.Ours)
		_, _ = fmt.Fprintf(t, "\t%d of %d; %.0f", s.Halted, s.Runs, s.Complete)
	}
	_, _ = fmt.Fprintln(t, "\t")
	for _, j := range rollouts.Judgements() {
		_, _ = fmt.Fprint(t, j.Name)
		for i := range rollouts.Good {
			s := rollouts.Summarise(r.Good[i], j)
			_, _ = fmt.Fprintf(t, "\t%d of %d", s.Halted, s.Runs)
		}
		_, _ = fmt.Fprintln(t, "\t")
	}
	means := r.Means()
	for k := range verdict.Components {
		_, _ = fmt.Fprintf(t, "mean final evidence: %s", k)
		for i := range rollouts.Good {
			_, _ = fmt.Fprintf(t, "\t%.2g", means[rollouts.Good[i].Name][k])
		}
		_, _ = fmt.Fprintln(t, "\t")
	}
	_, _ = fmt.Fprint(t, "\nbad updates: halted, hours (90 %), got it, silenced")
	for i := range rollouts.Bad {
		_, _ = fmt.Fprintf(t, "\t%s", rollouts.Bad[i].Name)
	}
	_, _ = fmt.Fprintln(t, "\t")
	row := func(name string, runs [][]rollouts.Result, j rollouts.Judgement) {
		_, _ = fmt.Fprint(t, name)
		for i := range rollouts.Bad {
			s := rollouts.Summarise(runs[i], j)
			_, _ = fmt.Fprintf(t, "\t%d of %d%s, %s, %d, %d", s.Halted, s.Runs, given(&s), hours(&s), s.Exposed, s.Bricked)
		}
		_, _ = fmt.Fprintln(t, "\t")
	}
	row("verdict, waves wait for it", r.Held[len(rollouts.Good):], rollouts.Ours)
	for _, j := range rollouts.Judgements() {
		row(j.Name, r.Bad, j)
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("write the table: %w", err)
	}
	d := &r.Detect
	_, _ = fmt.Fprintf(w, "\nOf %d updated devices %d were silenced and %d found: median %.2f h, 90 %% within %.2f h; %.2f false in 1000.\n", d.Updates, d.Bricks, d.Found, d.Median, d.P90, d.False)
	if speed.Devices > 0 {
		_, _ = fmt.Fprintf(w, "With %d devices in a rollout: %.0f ns for a contact, %.1f µs for a verdict, %d bytes a device.\n", speed.Devices, speed.Contact, speed.Verdict/1e3, speed.Bytes)
	}
	_, _ = fmt.Fprintf(w, "%d devices, seed %d, burst %v min.\n", c.Devices, c.Seed, c.Burst)
	figures := r.Figures()
	return json.NewEncoder(w).Encode(&figures)
}

// hours is the median of a summary and its 90 %.
func hours(s *rollouts.Summary) string {
	if s.Halted == 0 {
		return "never"
	}
	return fmt.Sprintf("%.1f (%.1f)", s.Hours, s.Hours90)
}

// given is how many of them were given up.
func given(s *rollouts.Summary) string {
	if s.GivenUp == 0 {
		return ""
	}
	return fmt.Sprintf(" (%d given up)", s.GivenUp)
}

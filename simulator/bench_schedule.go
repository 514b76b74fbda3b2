package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"text/tabwriter"

	"golang.org/x/sync/errgroup"

	"github.com/godwit-gateway/godwit/simulator/trial"
)

// benchScheduleCmd puts package scheduler to the test.
type benchScheduleCmd struct {
	Devices int    `help:"Devices of each fleet; budgets are for 10,000 and follow the number." default:"10000"`
	Seed    uint64 `help:"Seed of the fleets." default:"42"`
	World   bool   `help:"Play the fleet in a world, through the gateway's own hub, under prices, one interval for all, a table and bands of voltage; nothing else is measured."`
	Days    int    `help:"Days that are played with --world." default:"365"`
	Keep    string `help:"With --world: each play is written to this file, and those that it has are not played again: hours can be spent in pieces. It does not say of which program they are." placeholder:"FILE"`
	Million int    `help:"Devices of the fleet with which times are taken, of the processor; 0: none are." default:"1000000"`
	Output  string `short:"o" help:"Form of the result: json, all of it in one line, or text, a table that ends with a line of JSON." enum:"json,text" default:"text"`
}

// Help says what is measured.
func (benchScheduleCmd) Help() string {
	return `A mixed fleet of cellular, SMS and satellite devices lives for a year in virtual time, under our policy
and under those that people use instead: one interval for all, a table by link, bands of voltage,
back-off. What each spends, how old what is known of the devices is, and the least that any policy
could reach for the same money are compared, at an equal mean and at equal money; then how well
silence tells the dead, and how long plans and decisions take.

Example:
  godwit-sim bench schedule
  godwit-sim bench schedule --devices 1000 --seed 7 -o json
  godwit-sim bench schedule --world --devices 1000 --days 30`
}

// Validate implements kong's check.
func (c *benchScheduleCmd) Validate() error {
	if c.Devices < 100 || c.Devices > 100_000 || c.Million < 0 || c.Million > 10_000_000 {
		return fmt.Errorf("--devices %d --million %d: want 100 to 100000, and at most 10000000", c.Devices, c.Million)
	}
	if c.Keep != "" && !c.World {
		return errors.New("--keep is of what is played with --world")
	}
	if c.Days < 10 || c.Days > 3650 {
		return fmt.Errorf("--days %d: want 10 to 3650", c.Days)
	}
	return nil
}

// scheduleFigures are the last line.
type scheduleFigures struct {
	trial.Summary
	Calibration float64 `json:"calibration_error"` // of "presumed dead": probability claimed, less what was true
	trial.Speed
}

// scheduleResult is all that was measured.
type scheduleResult struct {
	Devices     int                 `json:"devices"`
	Seed        uint64              `json:"seed"`
	Rows        []trial.Row         `json:"rows"`
	Calibration []trial.Calibration `json:"calibration"`
	Figures     scheduleFigures     `json:"figures"`
}

// Run measures.
func (c *benchScheduleCmd) Run(e *env) error {
	if c.World {
		return c.year(e)
	}
	r := scheduleResult{Devices: c.Devices, Seed: c.Seed}
	var speed trial.Speed
	if c.Million > 0 { // first, while nothing else of ours runs
		var err error
		if speed, err = trial.Measure(c.Million, processTime); err != nil {
			return fmt.Errorf("measure the scheduler: %w", err)
		}
	}
	if err := c.compare(e, &r); err != nil {
		return err
	}
	sure := r.Calibration[len(r.Calibration)-1]
	r.Figures = scheduleFigures{Summary: trial.Summarise(r.Rows), Calibration: sure.Error(), Speed: speed}
	if c.Output == "json" {
		return json.NewEncoder(e.stdout).Encode(&r)
	}
	return r.print(e.stdout)
}

// compare runs all blocks, as many at a time as there are processors.
func (c *benchScheduleCmd) compare(e *env, r *scheduleResult) error {
	blocks := trial.Blocks(c.Devices, c.Seed)
	rows := make([][]trial.Row, len(blocks))
	work, ctx := errgroup.WithContext(e.ctx)
	work.SetLimit(runtime.GOMAXPROCS(0))
	work.Go(func() (err error) {
		r.Calibration, err = trial.Calibrate(ctx, c.Devices, c.Seed)
		return err
	})
	for i, b := range blocks {
		work.Go(func() (err error) {
			rows[i], err = c.block(ctx, e, b)
			return err
		})
	}
	if err := work.Wait(); err != nil {
		return err
	}
	for _, some := range rows {
		r.Rows = append(r.Rows, some...)
	}
	return nil
}

func (*benchScheduleCmd) block(ctx context.Context, e *env, b trial.Block) ([]trial.Row, error) {
	rows, err := b.Run(ctx)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", b.Name, err)
	}
	e.log.Info("played", slog.String("block", b.Name))
	return rows, nil
}

// print writes the table, and the figures as one line of JSON.
func (r *scheduleResult) print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fleet := ""
	for i := range r.Rows {
		row := &r.Rows[i]
		if row.Fleet != fleet {
			fleet = row.Fleet
			_, _ = fmt.Fprintf(t, "\n%s\tspent\tmean\tp95\tto\tcontacts\tchanges\tover\tequal to\tmoney\tmean\tp95\t\n", fleet)
			_, _ = fmt.Fprint(t, "policy\ta month\thours\thours\tbound\ta day\t%\tplan %\t\ttimes\ttimes\ttimes\t\n")
		}
		_, _ = fmt.Fprintf(t, "%s\t%.0f\t%.2f\t%.1f\t%.3f\t%.2f\t%.2f\t%s\t%s\t\n", row.Policy, row.Monthly, row.Mean, row.P95, row.Bound, row.Contacts, 100*row.Changes, over(row), against(row))
	}
	_, _ = fmt.Fprint(t, "\nheld dead from\tclaims\tclaimed\ttrue\tfalse, in 1000 months\tmedian h\t90 % h\t\n")
	for i := range r.Calibration {
		k := &r.Calibration[i]
		_, _ = fmt.Fprintf(t, "%.1f\t%d\t%.3f\t%.3f\t%.2f\t%.0f\t%.0f\t\n", k.Level, k.Claims, k.Claimed, k.True, k.False, k.Median, k.P90)
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("write the table: %w", err)
	}
	_, _ = fmt.Fprintf(w, "\n%d devices, seed %d. The bound knows weights at once and needs no downlinks. An interval that is the same for all is all but the best for p95 at its price.\n", r.Devices, r.Seed)
	return json.NewEncoder(w).Encode(&r.Figures)
}

// over is by how much the dearest month exceeded its plan, of policies that have one.
func over(r *trial.Row) string {
	if r.Budget == 0 {
		return ""
	}
	return fmt.Sprintf("%.2f", 100*r.Overspend)
}

// against is the columns of a comparison.
func against(r *trial.Row) string {
	if r.Against == "" {
		return "\t\t\t"
	}
	return fmt.Sprintf("%s of %s\t%.3f\t%.3f\t%.3f", r.Equal, r.Against, r.OfMonthly, r.OfMean, r.OfP95)
}

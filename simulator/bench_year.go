package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"text/tabwriter"
	"time"

	"github.com/godwit-gateway/godwit/simulator/year"
)

// yearResult is what came of a fleet in a world.
type yearResult struct {
	Devices int        `json:"devices"`
	Days    int        `json:"days"`
	Seed    uint64     `json:"seed"`
	CPU     float64    `json:"cpu_seconds"`
	Fixed   float64    `json:"cost_vs_fixed24"` // of prices, at an equal mean
	Class   float64    `json:"cost_vs_class"`
	Voltage float64    `json:"cost_vs_voltage"`
	Bound   float64    `json:"bound_ratio"` // of prices: the worst
	Rows    []year.Row `json:"rows,omitempty"`
}

// year plays the fleet in a world under each policy.
func (c *benchScheduleCmd) year(e *env) error {
	useMemory()
	r := yearResult{Devices: c.Devices, Days: c.Days, Seed: c.Seed}
	s := year.Setup{Devices: c.Devices, Length: time.Duration(c.Days) * day, Seed: c.Seed}
	kept, err := c.kept()
	if err != nil {
		return err
	}
	began := processTime()
	r.Rows, err = s.Compare(e.ctx, kept, func(row year.Row) error {
		e.log.Info("played", slog.String("policy", row.Policy), slog.Float64("budget", row.Budget), slog.Float64("monthly", row.Monthly),
			slog.Float64("mean", row.Mean), slog.Float64("p95", row.P95), slog.Float64("bound", row.Bound), slog.Int("frames", row.Frames))
		return c.keep(row)
	})
	if err != nil {
		return fmt.Errorf("schedules in a world: %w", err)
	}
	r.CPU = (processTime() - began).Seconds()
	for i := range r.Rows {
		row := &r.Rows[i]
		switch row.Against {
		case year.Fixed:
			r.Fixed = row.OfMonthly
		case year.Table:
			r.Class = row.OfMonthly
		case year.Voltage:
			r.Voltage = row.OfMonthly
		default:
			continue
		}
		r.Bound = max(r.Bound, row.Bound)
	}
	if c.Output == "json" {
		return json.NewEncoder(e.stdout).Encode(&r)
	}
	return r.print(e.stdout)
}

// keptRow is a line of the file of --keep.
type keptRow struct {
	Devices int    `json:"devices"`
	Days    int    `json:"days"`
	Seed    uint64 `json:"seed"`
	year.Row
}

// kept are the plays of this fleet that the file of --keep has.
func (c *benchScheduleCmd) kept() (rows []year.Row, err error) {
	if c.Keep == "" {
		return nil, nil
	}
	b, err := os.ReadFile(c.Keep)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read what was played: %w", err)
	}
	for n, line := range bytes.Split(bytes.TrimSuffix(b, []byte("\n")), []byte("\n")) {
		var k keptRow
		if len(line) == 0 {
			continue
		}
		if err := json.Unmarshal(line, &k); err != nil {
			return nil, fmt.Errorf("read what was played: %s, line %d: %w", c.Keep, n+1, err)
		}
		if k.Devices == c.Devices && k.Days == c.Days && k.Seed == c.Seed {
			rows = append(rows, k.Row)
		}
	}
	return rows, nil
}

// keep adds a play to the file of --keep.
func (c *benchScheduleCmd) keep(row year.Row) error {
	if c.Keep == "" {
		return nil
	}
	line, err := json.Marshal(keptRow{c.Devices, c.Days, c.Seed, row})
	if err != nil {
		return fmt.Errorf("keep what was played: %w", err)
	}
	f, err := os.OpenFile(c.Keep, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("keep what was played: %w", err)
	}
	if _, err := f.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("keep what was played: %w", errors.Join(err, f.Close()))
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("keep what was played: %w", err)
	}
	return nil
}

func (r *yearResult) print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprint(t, "\tspent\tof it down\tmean\tp95\tto\tframes\tat the mean of\tmoney\tp95\t\npolicy\ta month\t%\thours\thours\tbound\t\t\ttimes\ttimes\t\n")
	for i := range r.Rows {
		row := &r.Rows[i]
		_, _ = fmt.Fprintf(t, "%s\t%.2f\t%.1f\t%.2f\t%.1f\t%.3f\t%d\t", row.Policy, row.Monthly, 100*row.Downlinks, row.Mean, row.P95, row.Bound, row.Frames)
		if row.Against == "" {
			_, _ = fmt.Fprint(t, "\t\t\t\n")
			continue
		}
		_, _ = fmt.Fprintf(t, "%s\t%.3f\t%.3f\t\n", row.Against, row.OfMonthly, row.OfP95)
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("write the table: %w", err)
	}
	_, _ = fmt.Fprintf(w, "\n%d devices, %d days through the gateway's hub, of which the last four fifths count, seed %d, %.0f s of processor time.\n", r.Devices, r.Days, r.Seed, r.CPU)
	r.Rows = nil // they are above
	return json.NewEncoder(w).Encode(r)
}

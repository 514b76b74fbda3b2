package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/godwit-gateway/godwit/simulator/faults"
)

// faultsCmd runs the fault matrix.
type faultsCmd struct {
	Rows   []int  `arg:"" optional:"" name:"row" help:"Numbers of the rows to run; all if none is named."`
	List   bool   `help:"Show the rows and their tests, and run nothing."`
	Source string `help:"Folder within the source tree." type:"path" default:"." placeholder:"DIR"`
	Output string `short:"o" help:"Form of the output: json, a line for each row, or text." enum:"json,text" default:"text"`
}

// Help says what the words mean.
func (faultsCmd) Help() string {
	return `Each row is a fault and what has to come of it; its tests are run from the source tree. A row is
  passed      all its tests ran and passed
  failed      a test failed, or did not run
  waiting     what it would hit is not built yet
  impossible  this machine cannot show it, or not all of it; as root it can show more
The last line is JSON with the number of rows of each kind.

Example:
  godwit-sim faults
  godwit-sim faults 12 13
  godwit-sim faults --list`
}

// Validate implements kong's check.
func (c *faultsCmd) Validate() error {
	_, err := c.rows()
	return err
}

var errFaults = errors.New("faults")

// rows are the rows that are asked for, in the order of their numbers.
func (c *faultsCmd) rows() ([]faults.Row, error) {
	all := faults.Rows()
	for _, n := range c.Rows {
		if !slices.ContainsFunc(all, func(r faults.Row) bool { return r.Number == n }) {
			return nil, fmt.Errorf("no row %d: there are rows %d to %d", n, all[0].Number, all[len(all)-1].Number)
		}
	}
	if len(c.Rows) == 0 {
		return all, nil
	}
	return slices.DeleteFunc(all, func(r faults.Row) bool { return !slices.Contains(c.Rows, r.Number) }), nil
}

// Run runs the tests of the rows, or lists them.
func (c *faultsCmd) Run(e *env) error {
	rows, err := c.rows()
	if err != nil {
		return err
	}
	if c.List {
		return c.list(e.stdout, rows)
	}
	source, err := faults.FindSource(c.Source)
	if err != nil {
		return err
	}
	m := faults.Matrix{Source: source, Begin: func(what string) { _, _ = fmt.Fprintln(e.stderr, what) }}
	outcomes, err := m.Run(e.ctx, rows)
	if err != nil {
		return err
	}
	if err := c.print(e.stdout, outcomes); err != nil {
		return err
	}
	counts := faults.Count(outcomes)
	if err := json.NewEncoder(e.stdout).Encode(counts); err != nil {
		return err
	}
	if counts.Failed > 0 {
		return fmt.Errorf("%w: %d of %d rows failed", errFaults, counts.Failed, len(rows))
	}
	return nil
}

// lines writes each value as a line of JSON.
func lines[T any](w io.Writer, values []T) error {
	enc := json.NewEncoder(w)
	for _, v := range values {
		if err := enc.Encode(v); err != nil {
			return err
		}
	}
	return nil
}

func (c *faultsCmd) list(w io.Writer, rows []faults.Row) error {
	if c.Output == "json" {
		return lines(w, rows)
	}
	for _, r := range rows {
		_, _ = fmt.Fprintf(w, "%d. %s\n   → %s\n", r.Number, r.Fault, r.Expected)
		for _, t := range r.Tests {
			_, _ = fmt.Fprintf(w, "   %s, %s: %s\n", t.Package, t.Kind, strings.Join(t.Names, ", "))
		}
		if len(r.Tests) == 0 {
			_, _ = fmt.Fprintf(w, "   waiting: %s\n", r.Waiting)
		}
	}
	return nil
}

// print writes the matrix as a table, with what tests said that failed above it.
func (c *faultsCmd) print(w io.Writer, outcomes []faults.Outcome) error {
	if c.Output == "json" {
		return lines(w, outcomes)
	}
	for _, o := range outcomes {
		for _, text := range o.Output {
			_, _ = fmt.Fprintf(w, "row %d:\n%s\n\n", o.Number, text)
		}
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, o := range outcomes {
		_, _ = fmt.Fprintf(t, "%d\t%s\t%.1f s\t%s\n", o.Number, o.Verdict, o.Seconds, o.Fault)
		for _, why := range o.Why {
			_, _ = fmt.Fprintf(t, "\t\t\t  %s\n", why)
		}
	}
	return t.Flush()
}

package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/codec/train"
	"github.com/godwit-gateway/godwit/gateway/bench/size"
	"github.com/godwit-gateway/godwit/gateway/config"
)

type templateTrainCmd struct {
	Data    string `arg:"" help:"CSV file with a line of names: the time first, then columns named as the product's fields." type:"existingfile"`
	Product string `required:"" help:"Product file that is the draft." type:"existingfile"`
	Out     string `help:"File for the finished product; by default it is printed, and with --out equal to --product it is replaced." type:"path"`
	Train   string `help:"Part of the rows to train on; the rest is measured. 100% trains on all and measures the same." default:"40%" placeholder:"PERCENT"`
}

// Help shows an example.
func (templateTrainCmd) Help() string {
	return `The draft is a product file. In its fields scale, min and bits may be left out, as may the interval: they are
chosen from the data. For each field the predictor (unless it is "elapsed"), order, spread and model are chosen by
what the encoder would write. Comments and all other keys of the draft stay.

Times are Unix seconds, RFC 3339, or as in 2006-01-02 15:04:05, in UTC. An empty cell was not measured.

The table is bytes per status, single and in batches of 24, of what was not trained on. "entropy" is what an adaptive
model of the data, far too large for a device, would need: a bound in broken bits.

Example:
  godwit template train data.csv --product buoy.toml --out buoy-trained.toml
  godwit template train data.csv --product buoy.toml --train 70% -o json`
}

// trainResult is what training prints.
type trainResult struct {
	Product string       `json:"product"`
	Hash    string       `json:"hash"`
	Rows    int          `json:"rows"`
	Trained int          `json:"trained"`
	Clipped int          `json:"clipped"` // values beyond their field's range
	Missing []string     `json:"fields_without_column"`
	Skipped []string     `json:"columns_without_field"`
	Size    *size.Figure `json:"bytes_per_status"`

	unusable []train.Skipped // columns of fields
}

// Run trains.
func (c *templateTrainCmd) Run(e *env) error {
	percent, err := strconv.ParseFloat(strings.TrimSuffix(c.Train, "%"), 64)
	if err != nil || !(percent > 0 && percent <= 100) { // nor what is no number
		return fmt.Errorf("%w: --train %s: want a part such as 40%%", errUsage, c.Train)
	}
	text, err := os.ReadFile(c.Product)
	if err != nil {
		return fmt.Errorf("read the product: %w", err)
	}
	p, draft, problems := config.ParseDraft(c.Product, string(text))
	if len(problems) > 0 {
		return problems
	}
	r := trainResult{Product: p.Name}
	rows, err := c.rows(draft, &r)
	if err != nil {
		return err
	}
	cut := int(float64(len(rows)) * percent / 100)
	if cut < 2 {
		return fmt.Errorf("%s: %d rows to train on: want two at least", c.Data, cut)
	}
	r.Rows, r.Trained = len(rows), cut
	// What a sensor can say is taken from all rows, how it behaves from the first ones.
	if draft, err = train.Resolve(draft, rows); err != nil {
		return err
	}
	t, _, err := train.FromRows(draft, rows[:cut])
	if err != nil {
		return err
	}
	r.Hash = hashOf(t)
	if cut == len(rows) {
		cut = 1
	}
	statuses := train.Statuses(t, rows)
	for i := range statuses {
		for _, v := range statuses[i].Values {
			if v.State == codec.Saturated {
				r.Clipped++
			}
		}
	}
	if r.Size, err = size.Compare(t, statuses, cut); err != nil {
		return err
	}
	finished, err := config.Finish(c.Product, string(text), t)
	if err != nil {
		return err
	}
	return c.write(e, &r, finished)
}

// rows reads the data in the order of the draft's fields.
func (c *templateTrainCmd) rows(draft train.Draft, r *trainResult) ([]train.Row, error) {
	f, err := os.Open(c.Data)
	if err != nil {
		return nil, fmt.Errorf("read the data: %w", err)
	}
	table, err := train.ReadTable(f, "")
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("%s: %w", c.Data, err)
	}
	fields := make(map[string]bool)
	names := make([]string, len(draft.Fields))
	for i := range names {
		names[i] = draft.Fields[i].Name
		fields[names[i]] = true
	}
	r.Skipped, r.Missing = []string{}, []string{}
	for _, skipped := range table.Skipped {
		if fields[skipped.Name] {
			r.unusable = append(r.unusable, skipped)
		} else {
			r.Skipped = append(r.Skipped, skipped.Name)
		}
	}
	seen := make(map[string]bool)
	for _, name := range table.Names {
		if !fields[name] {
			r.Skipped = append(r.Skipped, name)
		} else if seen[name] {
			return nil, fmt.Errorf("%s: two columns are named %q", c.Data, name)
		}
		seen[name] = true
	}
	r.Missing = append(r.Missing, table.Match(names)...)
	if len(r.Missing) == len(names) {
		return nil, fmt.Errorf("%w: no column of %s is named as a field of %s: want %s", errUsage, c.Data, c.Product, strings.Join(names, ", "))
	}
	return table.Rows, nil
}

// write prints the result, and puts the product where it is wanted.
func (c *templateTrainCmd) write(e *env, r *trainResult, finished string) error {
	if c.Out != "" {
		if err := os.WriteFile(c.Out, []byte(finished), 0o644); err != nil { //nolint:gosec // a product is no secret
			return fmt.Errorf("write the product: %w", err)
		}
	} else if e.cli.Output != "json" {
		if _, err := fmt.Fprintln(e.stdout, finished); err != nil {
			return written(err)
		}
	}
	for _, skipped := range r.unusable {
		_, _ = fmt.Fprintln(e.stderr, skipped)
	}
	for _, name := range r.Missing {
		_, _ = fmt.Fprintf(e.stderr, "field %q has no column of numbers: it keeps the default model\n", name)
	}
	if r.Clipped > 0 {
		_, _ = fmt.Fprintf(e.stderr, "%d values are beyond their field's range\n", r.Clipped)
	}
	return e.print(r, "FORM SINGLE BATCH-OF-24 OF-JSON", func(row func(...any)) {
		of := func(name string, single, batch float64) {
			batched := "" // fewer than 24 were measured
			if r.Size.Batch24Mean > 0 {
				batched = fmt.Sprintf("%.2f", batch)
			}
			row(name, fmt.Sprintf("%.2f", single), batched, fmt.Sprintf("%.1f%%", 100*single/r.Size.Means["json"]))
		}
		for _, name := range []string{"json", "senml_cbor", "cbor", "packed_absolute"} {
			of(name, r.Size.Means[name], r.Size.Means24[name])
		}
		of("godwit", r.Size.PayloadMean, r.Size.Batch24Mean)
		of("entropy", r.Size.EntropyMean, r.Size.EntropyMean)
	})
}

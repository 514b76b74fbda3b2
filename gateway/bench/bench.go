package bench

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// Run measures. What it writes goes below Options.Dir and is removed, but for what an error leaves. progress is called with what comes next.
func Run(ctx context.Context, o Options, progress func(string)) (Figures, error) {
	o = o.withDefaults()
	var f Figures
	d := &f.Details
	for i := range o.Rounds {
		r, err := measureRound(ctx, filepath.Join(o.Dir, "round"), o, i == o.Rounds-1, func(what string) {
			progress(fmt.Sprintf("round %d of %d: %s", i+1, o.Rounds, what))
		}, d)
		if err != nil {
			return f, fmt.Errorf("round %d: %w", i+1, err)
		}
		d.Rounds = append(d.Rounds, r)
	}
	slices.SortFunc(d.Rounds, func(a, b Round) int { return cmp.Compare(a.Ratio(), b.Ratio()) })
	d.Round = d.Rounds[(len(d.Rounds)-1)/2]
	f.IngestPerSecond, f.IngestRatio = d.Round.PerSecond, d.Round.Ratio()
	dir := filepath.Join(o.Dir, "path")
	if err := within(dir, func() error { return measurePath(ctx, dir, o, progress, &f) }); err != nil {
		return f, fmt.Errorf("path: %w", err)
	}
	if err := measureFleet(ctx, filepath.Join(o.Dir, "fleet"), o, progress, &f); err != nil {
		return f, fmt.Errorf("fleet: %w", err)
	}
	return f, nil
}

// measureRound measures an ingest and then both ceilings; in the last round also each ceiling alone.
func measureRound(ctx context.Context, dir string, o Options, last bool, progress func(string), d *Details) (r Round, err error) {
	progress(fmt.Sprintf("ingest of %d frames of %d devices", o.Frames, o.Devices))
	var w *workload
	ingest := filepath.Join(dir, "ingest")
	err = within(ingest, func() (err error) {
		w, err = measureIngest(ctx, ingest, o, &r)
		return err
	})
	if err != nil {
		return r, fmt.Errorf("ingest: %w", err)
	}
	progress("both ceilings")
	if r.StorePerSecond, r.StreamPerSecond, err = w.ceilings(ctx, filepath.Join(dir, "both"), true, true); err != nil {
		return r, fmt.Errorf("ceilings: %w", err)
	}
	if !last {
		return r, nil
	}
	progress("each ceiling alone")
	if d.StoreAlonePerSecond, _, err = w.ceilings(ctx, filepath.Join(dir, "store"), true, false); err != nil {
		return r, fmt.Errorf("ceiling of Pebble: %w", err)
	}
	if _, d.StreamAlonePerSecond, err = w.ceilings(ctx, filepath.Join(dir, "stream"), false, true); err != nil {
		return r, fmt.Errorf("ceiling of JetStream: %w", err)
	}
	return r, nil
}

// within runs do in a folder that is removed if all went well.
func within(dir string, do func() error) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make a folder to measure in: %w", err)
	}
	if err := do(); err != nil {
		return err
	}
	return os.RemoveAll(dir)
}

package trial_test

import (
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/godwit-gateway/godwit/scheduler"
	"github.com/godwit-gateway/godwit/simulator/trial"
)

// TestPriced: in a small fleet the policy of package scheduler spends its budget and no more, pays little for changes, and comes near to what no policy
// could beat. The bound is one: no year lies below it.
func TestPriced(t *testing.T) {
	for _, episodes := range []bool{false, true} {
		f := trial.NewFleet(trial.Setup{Devices: 300, Spread: 0.8, Episodes: episodes, Seed: 11})
		const budget scheduler.Micros = 360e6
		p, err := trial.Priced(scheduler.Policy{Max: 60 * 24 * 3600})(f, budget)
		if err != nil {
			t.Fatal(err)
		}
		r := run(t, f, p)
		most := 1.12
		if episodes {
			most = 1.25
		}
		near(t, "spent", float64(r.Monthly()), float64(budget), 0.03)
		if b := f.Bound(r); b < 1 || b > most {
			t.Errorf("episodes %v: staleness is %.3f of the bound, want 1 to %g", episodes, b, most)
		}
		if c := float64(r.Changes) / float64(r.Spent); c > 0.05 || (r.Downlinks == 0) != (c == 0) {
			t.Errorf("episodes %v: %.3f of what was spent went into %d changes", episodes, c, r.Downlinks)
		}
		if o := r.Overspend(budget); o > 0.06 {
			t.Errorf("episodes %v: the dearest month exceeded its plan by %.3f", episodes, o)
		}
		for _, other := range []trial.Policy{trial.Fixed(f, trial.Day), trial.BackOff(f), trial.Table(f, trial.Hour, 6*trial.Hour, trial.Day, 12*trial.Hour)} {
			if b := f.Bound(run(t, f, other)); b < 1.2 {
				t.Errorf("episodes %v: a baseline is at %.3f of the bound", episodes, b)
			}
		}
	}
}

// TestOverspend counts months by their days.
func TestOverspend(t *testing.T) {
	r := trial.Result{Daily: make([]scheduler.Micros, 365)}
	for i := range r.Daily {
		r.Daily[i] = 12_000
	}
	near(t, "even spending", 1+r.Overspend(365_000), 1, 1e-9)
	r.Daily[31+27] += 12_000 * 28 / 10 // on the last day of February
	near(t, "a dear February", r.Overspend(365_000), 0.1, 1e-9)
}

// TestMatch finds the budget at which a figure is what is wanted, and says when there is none.
func TestMatch(t *testing.T) {
	f := trial.NewFleet(trial.Setup{Devices: 200, Seed: 2})
	tuned := trial.Priced(scheduler.Policy{})
	r, budget, err := trial.Match(t.Context(), f, tuned, trial.Mean, 12, 100e6)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "mean", r.Mean(), 12, 0.002)
	again, back, err := trial.Match(t.Context(), f, tuned, trial.Money, float64(r.Spent), budget*3)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "spent", float64(again.Spent), float64(r.Spent), 0.002)
	near(t, "budget", float64(back), float64(budget), 0.05)
	if _, _, err := trial.Match(t.Context(), f, tuned, trial.Mean, 1e6, 100e6); !errors.Is(err, trial.ErrMatch) {
		t.Errorf("a mean of 1e6 hours: %v, want ErrMatch", err)
	}
}

// TestBlocks runs a part of the comparison with a small fleet: each row has figures, and the summary has all of its own.
func TestBlocks(t *testing.T) {
	var rows []trial.Row
	wanted := []string{"stationary, price at 12000.00", "stationary, against fixed 24 h", "stationary, against class 4/12/48/24 h", "episodes, price at 3000.00"}
	for _, b := range trial.Blocks(100, 1) {
		if !slices.Contains(wanted, b.Name) {
			continue
		}
		got, err := b.Run(t.Context())
		if err != nil {
			t.Fatalf("%s: %v", b.Name, err)
		}
		rows = append(rows, got...)
	}
	if len(rows) < 2+4+3 || len(rows) > 2+4+4 {
		t.Errorf("%d rows of %q", len(rows), wanted)
	}
	for _, r := range rows {
		if !(r.Monthly > 0 && r.Mean > 0 && r.P95 > r.Mean && r.Bound >= 1 && r.Contacts > 0) || r.Against != "" && !(r.OfMonthly > 0 && r.OfMean > 0 && r.OfP95 > 0) {
			t.Errorf("%+v", r)
		}
		if r.Equal == trial.Mean.Name {
			near(t, "mean over that of "+r.Against, r.OfMean, 1, 0.04)
		}
	}
	s := trial.Summarise(rows)
	for _, figure := range []float64{s.Stationary, s.Fixed, s.Class, s.Changes} {
		if !(figure > 0) || math.IsInf(figure, 0) {
			t.Errorf("a figure is missing in %+v", s)
		}
	}
}

// TestCalibrate: presence knows the dead of a small fleet, and claims about as much as is true.
func TestCalibrate(t *testing.T) {
	all, err := trial.Calibrate(t.Context(), 1500, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		if c.Claims < 50 || c.Error() > 0.08 || c.Claimed < c.Level || !(c.Median > 0 && c.P90 > c.Median) {
			t.Errorf("at %g: %d claims of %.3f, true %.3f, median %.0f h, 90 %% within %.0f h", c.Level, c.Claims, c.Claimed, c.True, c.Median, c.P90)
		}
	}
}

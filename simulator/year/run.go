package year

import (
	"context"
	"fmt"
	"maps"
	"math"
	"runtime"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/godwit-gateway/godwit/scheduler"
	"github.com/godwit-gateway/godwit/simulator/world"
)

// A Row is what came of a policy.
type Row struct {
	Policy    string  `json:"policy"`
	Budget    float64 `json:"budget"` // a month; 0: it has none
	Monthly   float64 `json:"monthly"`
	Downlinks float64 `json:"downlinks"` // part of it that went down
	Mean      float64 `json:"mean_hours"`
	P95       float64 `json:"p95_hours"`
	Bound     float64 `json:"bound"` // staleness over the least for the same money
	Frames    int     `json:"frames"`
	Against   string  `json:"against,omitempty"`    // a baseline whose mean this was to reach
	OfMonthly float64 `json:"of_monthly,omitempty"` // money, over that of the baseline, at the baseline's mean
	OfP95     float64 `json:"of_p95,omitempty"`
}

// Play is the fleet under a policy.
func (s Setup) Play(ctx context.Context, p Policy) (Row, error) {
	setup, err := s.world(p)
	if err != nil {
		return Row{}, err
	}
	setup.Start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	w := newWatcher(&s, setup.Start)
	setup.Watch = w
	if _, err := world.Run(ctx, setup); err != nil {
		return Row{}, fmt.Errorf("%s: %w", p.Name, err)
	}
	w.finish(slices.Sorted(maps.Keys(w.devices)))
	months := w.to.Sub(w.from).Hours() / scheduler.MonthHours
	spent := w.up + w.down
	return Row{
		Policy: p.Name, Budget: float64(p.budget) / 1e6, Monthly: float64(spent) / 1e6 / months, Downlinks: float64(w.down) / max(1, float64(spent)),
		Mean: w.stale.Mean(), P95: w.stale.Quantile(0.95), Bound: w.stale.Area() / scheduler.Bound(w.segments(), spent), Frames: w.frames,
	}, nil
}

// Compare plays the baselines, and the fleet under prices at budgets at which the means are about the same. What is left of a difference is made up
// for by the power of the money that two plays show. As many worlds as there are processors are played at a time; progress is told of one after another, and
// those that were played before are taken from played.
func (s Setup) Compare(ctx context.Context, played []Row, progress func(Row) error) ([]Row, error) {
	base, err := s.playAll(ctx, baselines(), played, progress)
	if err != nil {
		return nil, err
	}
	var ours []Row
	for range tries {
		var next []Policy
		for i := range base {
			b := &base[i]
			budget := b.Monthly * 2 / 3
			if n := nearest(ours, b.Mean); n >= 0 {
				if math.Abs(math.Log(ours[n].Mean/b.Mean)) < near {
					continue
				}
				budget = ours[n].Budget * ours[n].Mean / b.Mean
			}
			next = append(next, priced(scheduler.Micros(budget*1e6)))
		}
		rows, err := s.playAll(ctx, next, played, progress)
		if err != nil {
			return nil, err
		}
		ours = append(ours, rows...)
	}
	var rows []Row
	for i := range base {
		b, n := &base[i], nearest(ours, base[i].Mean)
		r := ours[n]
		r.Against = b.Policy
		r.OfMonthly = r.Monthly * math.Pow(r.Mean/b.Mean, 1/power(ours, n)) / b.Monthly
		r.OfP95 = r.P95 * b.Mean / r.Mean / b.P95
		rows = append(rows, *b, r)
	}
	return rows, nil
}

// How often prices are played to reach the mean of a baseline, and by which part they may miss it.
const (
	tries = 2
	near  = 0.04
)

// playAll plays each policy in a world of its own. The rows are in the order of the policies.
func (s Setup) playAll(ctx context.Context, policies []Policy, played []Row, progress func(Row) error) ([]Row, error) {
	rows := make([]Row, len(policies))
	var telling sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, p := range policies {
		if n := slices.IndexFunc(played, func(r Row) bool { return r.Policy == p.Name && r.Budget == float64(p.budget)/1e6 }); n >= 0 {
			rows[i] = played[n]
			continue
		}
		group.Go(func() (err error) {
			if rows[i], err = s.Play(ctx, p); err != nil {
				return err
			}
			telling.Lock()
			defer telling.Unlock()
			return progress(rows[i])
		})
	}
	return rows, group.Wait()
}

// nearest is the play whose mean is nearest by ratio; -1: there is none.
func nearest(rows []Row, mean float64) int {
	best := -1
	for i := range rows {
		if best < 0 || math.Abs(math.Log(rows[i].Mean/mean)) < math.Abs(math.Log(rows[best].Mean/mean)) {
			best = i
		}
	}
	return best
}

// power is how the mean falls with the money about a play: 1 if it falls as much as that rises.
func power(rows []Row, i int) float64 {
	for k := range rows {
		if d := math.Log(rows[k].Monthly / rows[i].Monthly); k != i && math.Abs(d) > 0.02 {
			if p := -math.Log(rows[k].Mean/rows[i].Mean) / d; p > 0.2 && p < 5 {
				return p
			}
		}
	}
	return 1
}

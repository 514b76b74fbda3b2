package trial_test

import (
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/godwit-gateway/godwit/simulator/trial"
)

// near fails unless a figure is within a part of what is wanted.
func near(t *testing.T, what string, got, want, within float64) {
	t.Helper()
	if !(math.Abs(got-want) <= within*math.Abs(want)) {
		t.Errorf("%s is %g, want %g within %g of it", what, got, want, within)
	}
}

func run(t *testing.T, f *trial.Fleet, p trial.Policy) *trial.Result {
	t.Helper()
	r, err := trial.Run(t.Context(), f, p)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// alike is a fleet of devices that differ in their luck alone.
func alike(n int, arrives float64) *trial.Fleet {
	f := trial.NewFleet(trial.Setup{Devices: n, Seed: 3})
	for i := range f.All {
		d := &f.All[i]
		d.Arrives, d.Weight, d.Floor, d.Death, d.Up, d.Down = arrives, 1, trial.Minute, trial.Year, 7, 3
	}
	return f
}

// TestClosedForm holds the staleness of a fixed interval T to what theory says of it: with independent losses the mean is T(1/p - 1/2), and the age is
// in the k-th interval with probability p(1-p)^k, uniform within.
func TestClosedForm(t *testing.T) {
	const interval = 6 * trial.Hour
	for _, p := range []float64{1, 0.9, 0.6} {
		f := alike(400, p)
		r := run(t, f, trial.Fixed(f, interval))
		near(t, "mean", r.Mean(), 6*(1/p-0.5), 0.01)
		want, k := 0.95, 0.0
		for ; want > p*math.Pow(1-p, k); k++ {
			want -= p * math.Pow(1-p, k)
		}
		near(t, "95 %", r.Quantile(0.95), 6*(k+want/(p*math.Pow(1-p, k))), 0.015)
		near(t, "uplinks", float64(r.Uplinks), 400*365*4, 0.002)
		if int64(r.Spent) != 7*int64(r.Uplinks) || r.Downlinks != 0 || r.Changes != 0 {
			t.Errorf("%d uplinks at 7 and %d downlinks cost %d", r.Uplinks, r.Downlinks, r.Spent)
		}
	}
}

// diary is a policy that writes down when uplinks arrived, and orders intervals of its own.
type diary struct {
	trial.Policy
	heard [][]int64
}

func (d *diary) Contact(c trial.Contact) (int64, bool) {
	d.heard[c.Device] = append(d.heard[c.Device], c.At)
	return trial.Hour * (1 + c.At%7), c.At%3 == 0
}

// TestSampled compares the integrals with samples of each minute, in a fleet with episodes, deaths, losses and changing intervals.
func TestSampled(t *testing.T) {
	f := trial.NewFleet(trial.Setup{Devices: 6, Spread: 0.8, Episodes: true, Seed: 5})
	f.All[0].Death = 100*trial.Day + 12345
	d := &diary{Policy: trial.Fixed(f, 5*trial.Hour), heard: make([][]int64, len(f.All))}
	r := run(t, f, d)
	type sample struct{ age, weight float64 }
	var all []sample
	var area, total float64
	for i, device := range f.All {
		last, next := int64(0), 0
		for at := trial.Minute / 2; at < device.Death; at += trial.Minute {
			for next < len(d.heard[i]) && d.heard[i][next] <= at {
				last = d.heard[i][next]
				next++
			}
			w := device.Weight
			if slices.ContainsFunc(device.Episodes, func(start int64) bool { return at >= start && at < start+7*trial.Day }) {
				w *= 5
			}
			s := sample{age: float64(at-last) / float64(trial.Hour), weight: w}
			all, area, total = append(all, s), area+s.age*w, total+w
		}
	}
	near(t, "mean", r.Mean(), area/total, 1e-3)
	slices.SortFunc(all, func(a, b sample) int { return int(1e9 * (a.age - b.age)) })
	for _, part := range []float64{0.5, 0.95, 0.99} {
		below, i := 0.0, 0
		for ; below < part*total; i++ {
			below += all[i].weight
		}
		near(t, "quantile", r.Quantile(part), all[i-1].age, 5e-3)
	}
}

// TestFleet: a fleet is what it is said to be.
func TestFleet(t *testing.T) {
	s := trial.Setup{Devices: 10_000, Spread: 0.8, Episodes: true, Seed: 9}
	f := trial.NewFleet(s)
	if diff := cmp.Diff(f.All, trial.NewFleet(s).All, cmp.AllowUnexported(trial.Device{})); diff != "" {
		t.Error("the same seed gives another fleet")
	}
	var share, arrives [4]float64
	var spread, battery, alive, attention, lived float64
	for _, d := range f.All {
		share[d.Class]++
		arrives[d.Class] += d.Arrives
		spread += math.Pow(math.Log(d.Weight), 2)
		if d.Battery {
			battery++
		}
		if d.Death == trial.Year {
			alive++
		}
		lived += float64(d.Death)
		for _, e := range d.Episodes {
			attention += float64(min(e+7*trial.Day, d.Death) - max(e, 0))
		}
	}
	n := float64(len(f.All))
	for class, want := range []float64{0.45, 0.2, 0.25, 0.1} {
		near(t, "share", share[class]/n, want, 0.08)
		near(t, "loss", 1-arrives[class]/share[class], 1-trial.Class(class).Arrives(), 0.05)
	}
	near(t, "spread of weights", math.Sqrt(spread/n), 0.8, 0.03)
	near(t, "devices on battery", battery/n, 0.6, 0.03)
	near(t, "still alive", alive/n, math.Exp(-0.12), 0.02)
	near(t, "time in episodes", attention/lived, 7.0/60, 0.04)
}

// TestBaselines: tables, bands of voltage and back-off make as many uplinks as they must, and back-off hears of episodes.
func TestBaselines(t *testing.T) {
	f := alike(200, 1)
	const perHour = 200 * 365 * 24
	near(t, "uplinks by back-off", float64(run(t, f, trial.BackOff(f)).Uplinks), perHour/24+200*4, 0.01)
	for i := range f.All {
		f.All[i].Battery = true
	}
	near(t, "uplinks by voltage", float64(run(t, f, trial.Voltage(f, trial.Fixed(f, trial.Hour))).Uplinks), perHour*(0.6+0.3/2+0.1/4), 0.01)
	var want int
	for i := range f.All {
		f.All[i].Episodes = []int64{20 * trial.Day, 40 * trial.Day}
		f.All[i].Class = trial.Class(i % 4)
		want += 365 * 24 / []int{1, 6, 24, 12}[i%4]
	}
	r := run(t, f, trial.BackOff(f))
	if r.Downlinks != 2*200 || int64(r.Changes) != 3*2*200 {
		t.Errorf("%d downlinks cost %d, want two for each of 200 devices", r.Downlinks, r.Changes)
	}
	near(t, "uplinks by table", float64(run(t, f, trial.Table(f, trial.Hour, 6*trial.Hour, trial.Day, 12*trial.Hour)).Uplinks), float64(want), 0.01)
}

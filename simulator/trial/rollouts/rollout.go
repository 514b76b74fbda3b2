package rollouts

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/godwit-gateway/godwit/gateway/rollout/verdict"
	"github.com/godwit-gateway/godwit/scheduler/presence"
	"github.com/godwit-gateway/godwit/simulator/trial"
)

// The ramp: shares of the fleet up to which each wave goes, how long a wave lasts at least, and the share of it that must have reported.
var waves = []float64{0.04, 0.10, 0.30, 0.95}

const (
	warmUp   = 3 * trial.Day // for controls, before the first wave
	length   = 45 * trial.Day
	soak     = 24 * trial.Hour
	reported = 0.8
	patience = 10 * trial.Day // after which people give up a rollout whose next wave the verdict still holds
)

// A Run is one rollout.
type Run struct {
	Fleet    *Fleet
	Scenario Scenario
	Seed     uint64
	Hold     bool // waves wait for the verdict; else they only follow the ramp, and the rollout goes on when it should halt
}

// An Outcome is when a rule halted a rollout.
type Outcome struct {
	Hours   float64 // from the opening of the first wave; below 0: it did not
	Exposed int     // devices of product 1 that had got the update by then, or in the end
	Bricked int     // and of them, those that it had silenced
}

// A Result is how a rollout went.
type Result struct {
	Ours     Outcome
	GivenUp  bool                        // it was not halted, but people gave it up because its next wave was held for so long
	Rules    []Outcome                   // in the order of Rules
	Parts    []Outcome                   // if a component alone had halted it at 1/alpha
	Evidence [verdict.Components]float64 // in the end
	Peak     float64                     // highest average at an hour
	Complete float64                     // hours until 80 % of the last wave had reported; below 0: never
}

// rollout is a rollout under way.
type rollout struct {
	*world
	run     Run
	judge   *verdict.Judge
	wave    []int8 // of each device; len(waves): it is held out
	order   []uint32
	opened  int // waves
	since   int64
	got     []int // of each wave, devices that have reported
	size    []int
	rng     *rand.Rand
	exposed int
	fates   []int64 // when the update silences those of product 1 that it will, of those updated
	rules   []rule
	result  Result
}

// Play plays a rollout.
func (r Run) Play() (Result, error) {
	o := &rollout{run: r, world: newWorld(r.Fleet, r.Scenario, r.Seed, warmUp+length), rng: rand.New(rand.NewPCG(r.Seed, 1<<33))} //nolint:gosec // from a seed
	c := verdict.Config{Links: r.Fleet.links, Bursts: []presence.Burst{r.Fleet.burst}}
	for p := range products {
		c.Groups = append(c.Groups, verdict.Group{Product: uint16(p)})
	}
	var err error
	if o.judge, err = verdict.New(newYear, c, r.Fleet.model); err != nil {
		return Result{}, fmt.Errorf("rollout: %w", err)
	}
	o.draw()
	o.rules = newRules(o)
	o.result.Ours.Hours, o.result.Complete = -1, -1
	o.result.Parts = make([]Outcome, verdict.Components)
	for i := range o.result.Parts {
		o.result.Parts[i].Hours = -1
	}
	o.world.run(o.contact, o.look)
	o.finish()
	return o.result, nil
}

// draw puts devices into waves at random.
func (o *rollout) draw() {
	n := len(o.units)
	keys := make([]uint64, n)
	o.order, o.wave = make([]uint32, n), make([]int8, n)
	for i := range keys {
		keys[i], o.order[i] = o.rng.Uint64(), uint32(i)
	}
	slices.SortFunc(o.order, func(a, b uint32) int { return cmp.Compare(keys[a], keys[b]) })
	o.got, o.size = make([]int, len(waves)), make([]int, len(waves))
	for k, i := range o.order {
		w := 0
		for w < len(waves) && float64(k) >= math.Round(waves[w]*float64(n)) {
			w++
		}
		if o.wave[i] = int8(w); w < len(waves) {
			o.size[w]++
		}
	}
}

// contact tells the judge of a contact, and updates a device whose wave is open.
func (o *rollout) contact(p uint32, at int64) {
	u, d := &o.units[p], &o.fleet.devices[p]
	if u.updated != 0 && u.returned == 0 {
		u.returned = at
		o.got[o.wave[p]]++
	}
	o.judge.Contact(newYear+at, p, verdict.Stratum{Group: verdict.Group{Product: d.product}, Link: uint8(d.class)}, uint32(d.interval)) //nolint:gosec // bounded
	if u.updated != 0 || int(o.wave[p]) >= o.opened || o.rng.Float64() >= d.arrives {
		return
	}
	o.judge.Start(newYear+at, p, 0, 0)
	o.update(u, at)
	if d.product != bad {
		return
	}
	o.exposed++
	if o.rng.Float64() < o.run.Scenario.Bad {
		after := int64(0)
		if o.run.Scenario.Delay > 0 {
			after = int64(o.rng.ExpFloat64() * float64(o.run.Scenario.Delay))
		}
		if dies := at + 1 + after; dies < u.death {
			u.death = dies
			o.fates = append(o.fates, dies)
		}
	}
}

// outcome is one that is reached now.
func (o *rollout) outcome(hours float64) Outcome {
	bricked := 0
	for _, at := range o.fates {
		if at <= o.now {
			bricked++
		}
	}
	return Outcome{Hours: hours, Exposed: o.exposed, Bricked: bricked}
}

// look is what happens each grain: the judge looks, and each hour the rules do, and a wave may open. It returns false when the rollout is over.
func (o *rollout) look(now int64) bool {
	o.judge.Poll(newYear + now)
	hours := float64(now-warmUp) / float64(trial.Hour)
	v := &o.result
	if halted := o.judge.Halted(); halted != 0 && v.Ours.Hours < 0 {
		v.Ours = o.outcome(float64(halted-newYear-warmUp) / float64(trial.Hour))
		if o.run.Hold {
			return false
		}
	}
	if now < warmUp || now%trial.Hour != 0 {
		return true
	}
	o.lookRules(hours)
	switch {
	case v.Complete >= 0:
	case o.opened == 0:
		o.open(now)
	case now-o.since < soak || float64(o.got[o.opened-1]) < reported*float64(o.size[o.opened-1]):
	case o.opened == len(waves):
		v.Complete = hours
	case !o.run.Hold || !o.judge.Verdict().Hold:
		o.open(now)
	case now-o.since >= patience:
		v.Ours, v.GivenUp = o.outcome(hours), true
		return false
	}
	return true
}

// open opens the next wave.
func (o *rollout) open(now int64) {
	first := 0
	for w := range o.opened {
		first += o.size[w]
	}
	o.judge.Assign(newYear+now, o.order[first:first+o.size[o.opened]])
	o.opened, o.since = o.opened+1, now
}

// finish takes down what is so in the end.
func (o *rollout) finish() {
	v := o.judge.Verdict()
	o.result.Evidence = v.Evidence
	for _, x := range append([]*Outcome{&o.result.Ours}, o.unfinished()...) {
		if x.Hours < 0 {
			*x = o.outcome(-1)
		}
	}
}

package rollouts

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/godwit-gateway/godwit/gateway/rollout/verdict"
	"github.com/godwit-gateway/godwit/scheduler/presence"
	"github.com/godwit-gateway/godwit/simulator/trial"
)

// Detection is how soon the silence of a single device is held to be the update's.
type Detection struct {
	Updates int     `json:"updates"`
	Bricks  int     `json:"bricks"`
	Found   int     `json:"found"` // of them
	Median  float64 `json:"median_hours"`
	P90     float64 `json:"p90_hours"` // from the update on
	False   float64 `json:"false_per_1000"`
	wrong   int
	delays  []int64
}

const (
	priorShare = 0.01 // of devices that an update silences, by what is known before it
	sureShare  = 0.95 // probability from which a device is held to be silenced
	brickShare = 0.03 // of devices that are
	watching   = 10 * trial.Day
)

// Detect gives all devices of a fleet an update at their next contact that silences three in a hundred, and asks of each that is silent, every five
// minutes, how likely it is one of them, if one in a hundred is expected.
func Detect(f *Fleet, seed uint64) (*Detection, error) {
	c := verdict.Config{Links: f.links, Bursts: []presence.Burst{f.burst}, Groups: []verdict.Group{{}}}
	j, err := verdict.New(newYear, c, f.model)
	if err != nil {
		return nil, fmt.Errorf("detection: %w", err)
	}
	w := newWorld(f, Scenario{}, seed, warmUp+watching)
	rng := rand.New(rand.NewPCG(seed, 1<<33)) //nolint:gosec // drawn from a seed, to be drawn again
	d := &Detection{}
	var waiting []uint32 // for the first contact after the update
	bricked, claimed := make([]bool, len(f.devices)), make([]bool, len(f.devices))
	contact := func(p uint32, at int64) {
		m, u := &f.devices[p], &w.units[p]
		j.Contact(newYear+at, p, verdict.Stratum{Link: uint8(m.class)}, uint32(m.interval)) //nolint:gosec // bounded
		if u.updated != 0 && u.returned == 0 {
			u.returned = at
		}
		if at < warmUp || u.updated != 0 || rng.Float64() >= m.arrives {
			return
		}
		j.Start(newYear+at, p, 0, 0)
		w.update(u, at)
		d.Updates++
		waiting = append(waiting, p)
		if rng.Float64() < brickShare {
			bricked[p], u.death = true, at+1
			d.Bricks++
		}
	}
	look := func(now int64) bool {
		j.Poll(newYear + now)
		waiting = slices.DeleteFunc(waiting, func(p uint32) bool { return w.units[p].returned != 0 || claimed[p] })
		for _, p := range waiting {
			s, ok := j.Suspect(p)
			if !ok || verdict.Attribute(priorShare, s.Usual) < sureShare {
				continue
			}
			if claimed[p] = true; bricked[p] {
				d.delays = append(d.delays, now-w.units[p].updated)
			} else {
				d.wrong++
			}
		}
		return true
	}
	w.run(contact, look)
	return d, nil
}

// Add adds another fleet's.
func (d *Detection) Add(o *Detection) {
	d.Updates += o.Updates
	d.Bricks += o.Bricks
	d.wrong += o.wrong
	d.delays = append(d.delays, o.delays...)
	d.Found = len(d.delays)
	d.False = 1000 * float64(d.wrong) / float64(max(d.Updates-d.Bricks, 1))
	slices.Sort(d.delays)
	at := func(part float64) float64 { // of all bricks: those that were not found count as never
		if i := int(part * float64(d.Bricks)); i < len(d.delays) {
			return float64(d.delays[i]) / float64(trial.Hour)
		}
		return -1
	}
	d.Median, d.P90 = at(0.5), at(0.9)
}

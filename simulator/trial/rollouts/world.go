package rollouts

import (
	"math"
	"math/rand/v2"

	"github.com/godwit-gateway/godwit/simulator/trial"
)

// A Scenario is what happens besides and because of an update.
type Scenario struct {
	Name      string
	Attrition float64 // times the usual; 0: 1
	OneOnly   bool    // that is for product 1 alone
	Outages   float64 // times as often as in the past; 0: 1
	SMS       bool    // 36 hours in which 70 % of SMS devices are out of reach
	Bad       float64 // share of product 1's devices that the update silences
	Delay     int64   // mean time until it does; 0: at once
}

// Lengths of the great outage, and when it may begin after the rollout has.
const (
	outage      = 36 * trial.Hour
	outageShare = 0.7
	outageFrom  = 6 * trial.Hour
	outageUntil = 54 * trial.Hour
)

// grain is the time in seconds within which events are not ordered; no rule looks more often.
const grain = 300

// unit is a device in a trial.
type unit struct {
	luck     rand.PCG
	cover    trial.Coverage
	regular  int64 // next contact
	updated  int64 // when it got the update; 0: it has not
	heard    int64 // last contact that arrived
	returned int64 // first one after the update; 0: none yet
	death    int64
	next     int32 // in the list of a grain: device + 1
	burst    int8  // contacts of the programme that it has tried; -1: it follows none
	affected bool  // by the great outage
}

// A world is a fleet that lives.
type world struct {
	fleet *Fleet
	units []unit
	rng   []*rand.Rand
	wheel []int32 // lists of units, by grain
	now   int64   // start of the grain
	end   int64
	from  int64 // of the great outage
	to    int64
}

const never = math.MaxInt64

func newWorld(f *Fleet, s Scenario, seed uint64, end int64) *world {
	w := &world{fleet: f, units: make([]unit, len(f.devices)), rng: make([]*rand.Rand, len(f.devices)), wheel: make([]int32, end/grain+2), end: end}
	if s.SMS {
		r := rand.New(rand.NewPCG(seed, 1<<32)) //nolint:gosec // drawn from a seed, to be drawn again
		w.from = warmUp + outageFrom + r.Int64N(outageUntil-outageFrom)
		w.to = w.from + outage
	}
	for i := range w.units {
		u, d := &w.units[i], &f.devices[i]
		u.luck.Seed(seed, uint64(i))
		r := rand.New(&u.luck) //nolint:gosec // as above
		w.rng[i] = r
		u.cover = d.class.Cover(max(s.Outages, 1), r)
		u.regular = int64(r.Float64() * float64(d.interval))
		u.affected = d.class == trial.SMS && r.Float64() < outageShare
		u.burst = -1
		rate := deaths
		if s.Attrition > 0 && (!s.OneOnly || d.product == bad) {
			rate *= s.Attrition
		}
		u.death = int64(r.ExpFloat64() * float64(month) / rate)
		w.queue(i)
	}
	return w
}

// run lets the fleet live to the end: contact is told of each contact that arrives, look of each grain; it ends when look returns false.
func (w *world) run(contact func(p uint32, at int64), look func(now int64) bool) {
	for ; w.now < w.end; w.now += grain {
		if look != nil && !look(w.now) {
			return
		}
		slot := &w.wheel[w.now/grain]
		for *slot != 0 {
			i := int(*slot - 1)
			*slot = w.units[i].next
			if w.speak(i) {
				contact(uint32(i), w.units[i].heard) //nolint:gosec // a place in the fleet
			}
			w.queue(i)
		}
	}
}

// due is when the unit speaks next.
func (w *world) due(i int) int64 {
	u := &w.units[i]
	if b := int(u.burst); b >= 0 && b < w.fleet.devices[i].burst {
		return min(u.regular, u.updated+int64(programme[b]))
	}
	return u.regular
}

// queue puts a unit where it speaks next. The dead are put nowhere.
func (w *world) queue(i int) {
	u := &w.units[i]
	at := w.due(i)
	if at >= min(u.death, w.end) {
		return
	}
	slot := &w.wheel[max(at, w.now)/grain]
	u.next, *slot = *slot, int32(i+1) //nolint:gosec // a place in the fleet
}

// speak lets a unit speak, and reports whether it was heard.
func (w *world) speak(i int) bool {
	u, d := &w.units[i], &w.fleet.devices[i]
	at := w.due(i)
	if at == u.regular {
		slack := float64(2 * early * d.interval / 1000)
		u.regular = at + d.interval + int64((w.rng[i].Float64()-0.5)*slack)
	} else {
		u.burst++
	}
	reached := u.cover.Reached(at, w.rng[i])
	if u.affected && at >= w.from && at < w.to {
		reached = false
	}
	if !reached || w.rng[i].Float64() >= d.arrives {
		return false
	}
	u.heard, u.burst = at, -1
	return true
}

// update gives the unit the update at a contact.
func (w *world) update(u *unit, at int64) { u.updated, u.burst = at, 0 }

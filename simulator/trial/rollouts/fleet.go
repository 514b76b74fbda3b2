package rollouts

import (
	"fmt"
	"math/rand/v2"

	"github.com/godwit-gateway/godwit/scheduler"
	"github.com/godwit-gateway/godwit/scheduler/presence"
	"github.com/godwit-gateway/godwit/simulator/trial"
)

// What is the same in all trials.
const (
	newYear  = 1_767_225_600 // when they begin, in seconds since 1970
	grace    = 10 * trial.Minute
	early    = 50 // thousandths of its interval by which a device may be early or late
	products = 4
	bad      = 1 // product that a bad update harms
	history  = 6 * updates
	updates  = 30 * trial.Day  // from one good update to the next
	usual    = 10_000          // devices of a fleet for which the budget is
	month    = trial.Year / 12 // for rates
	deaths   = 0.01            // a month
	budget   = trial.Middle    // a month
	longest  = scheduler.Secs(60 * trial.Day)
)

// Programme is the burst after an update that a gateway gives where it is told no other, in minutes after the boot.
func Programme() (minutes []uint) {
	for _, m := range scheduler.DefaultBurst() {
		minutes = append(minutes, uint(m))
	}
	return minutes
}

// A Fleet is devices with their intervals, and what presence has learned of them. Rollouts on it do not change it.
type Fleet struct {
	devices []member
	links   []presence.Link
	burst   presence.Burst
	model   *presence.Model
}

// member is a device of a fleet.
type member struct {
	class    trial.Class
	arrives  float64
	interval int64
	product  uint16
	burst    int // contacts of the programme that come before its first regular one
}

// NewFleet draws a fleet whose devices follow a programme after an update, in minutes, and lets it live for half a year.
func NewFleet(devices int, seed uint64, programme []uint) (*Fleet, error) {
	f := &Fleet{devices: make([]member, devices)}
	for _, minutes := range programme {
		f.burst = append(f.burst, uint32(minutes)*uint32(trial.Minute)) //nolint:gosec // minutes of a day
	}
	drawn := trial.NewFleet(trial.Setup{Devices: devices, Spread: 0.8, Seed: seed})
	plan, err := trial.Priced(scheduler.Policy{Max: longest})(drawn, budget*scheduler.Micros(devices)/usual)
	if err != nil {
		return nil, fmt.Errorf("intervals of a fleet of %d: %w", devices, err)
	}
	for c := trial.Cell; c <= trial.IDP; c++ {
		f.links = append(f.links, presence.Link{Name: c.String(), Grace: uint32(grace), Jitter: early})
	}
	for i := range f.devices {
		d := &drawn.All[i]
		m := member{class: d.Class, arrives: d.Arrives, interval: max(plan.Join(i), d.Floor), product: uint16(i % products)}
		for m.burst < len(f.burst) && int64(f.burst[m.burst])+grace <= m.interval-m.interval*early/1000 {
			m.burst++
		}
		f.devices[i] = m
	}
	return f, f.learn(seed)
}

// learn lets presence watch the fleet, in which each device has a good update a month.
func (f *Fleet) learn(seed uint64) error {
	m, err := presence.New(presence.Config{Links: f.links, Bursts: []presence.Burst{f.burst}, Products: products})
	if err != nil {
		return fmt.Errorf("what is usual: %w", err)
	}
	w := newWorld(f, Scenario{}, seed+1, history)
	known := make([]presence.Device, len(f.devices))
	rng := rand.New(rand.NewPCG(seed, 2)) //nolint:gosec // drawn from a seed, to be drawn again
	next := make([]int64, len(f.devices))
	for i := range known {
		d := &f.devices[i]
		known[i] = presence.NewDevice(newYear, presence.Policy{Interval: uint32(d.interval), Link: uint8(d.class)}, d.product, 0) //nolint:gosec // bounded
		next[i] = rng.Int64N(updates)
	}
	w.run(func(p uint32, at int64) {
		m.Contact(&known[p], newYear+at)
		if at >= next[p] {
			next[p] += updates
			known[p].Burst(0, 0)
			w.update(&w.units[p], at)
		}
	}, nil)
	f.model = m
	return nil
}

package trial

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/godwit-gateway/godwit/scheduler"
)

// Policy is what decides when devices speak: the gateway's part, and the rule that a device follows by itself.
type Policy interface {
	// Join is the interval with which a device begins, in seconds. It comes with what a device is given anyway, and costs nothing.
	Join(device int) int64
	// Plan is called at the start of each day, before anything of that day.
	Plan(m Morning) error
	// Contact is called after an uplink has arrived. The interval is sent to the device if send is true.
	Contact(c Contact) (interval int64, send bool)
	// Wait is the device's own rule: how long it waits after a transmission, arrived or not, if it was last given an interval.
	Wait(device int, at, interval int64) int64
}

// Morning is what the gateway knows at the start of a day.
type Morning struct {
	At        int64            // seconds since the start of the year
	Spent     scheduler.Micros // so far
	Changes   scheduler.Micros // that part of it that downlinks took
	Attention []int64          // of each device, as in Contact
}

// Contact is an uplink that has arrived.
type Contact struct {
	Device    int
	At        int64 // seconds since the start of the year
	Missed    int   // uplinks lost since the one before, by their counters
	Interval  int64 // that the device was last given and has
	Attention int64 // until when it weighs five times as much; 0: it does not
}

// Result is what a year was like.
type Result struct {
	Staleness
	Spent     scheduler.Micros
	Changes   scheduler.Micros // of Spent: what downlinks with new intervals cost
	Daily     []scheduler.Micros
	Uplinks   int // sent
	Downlinks int
}

// Monthly is what a month of 365/12 days cost, in the mean.
func (r *Result) Monthly() scheduler.Micros { return r.Spent / 12 }

// state is a device in a run.
type state struct {
	device   *Device
	luck     rand.PCG
	weights  weights // at the last time that staleness was counted to
	counted  int64
	heard    int64 // last uplink that arrived
	due      int64
	interval int64
	missed   int
}

// Run lets a policy have a fleet for a year.
func Run(ctx context.Context, f *Fleet, p Policy) (*Result, error) {
	r := &Result{Daily: make([]scheduler.Micros, 0, Year/Day)}
	states := make([]state, len(f.All))
	for i := range states {
		s := &states[i]
		s.device, s.weights, s.interval = &f.All[i], f.All[i].weights(), p.Join(i)
		s.luck.Seed(f.Seed, f.All[i].fate)
		s.due = int64(s.uniform() * float64(max(p.Wait(i, 0, s.interval), s.device.Floor)))
	}
	morning := Morning{Attention: make([]int64, len(states))}
	for ; morning.At < Year; morning.At += Day {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("a year of %d devices: %w", len(states), err)
		}
		for i := range states {
			look := states[i].weights
			look.to(morning.At)
			morning.Attention[i] = look.attention()
		}
		morning.Spent, morning.Changes = r.Spent, r.Changes
		if err := p.Plan(morning); err != nil {
			return nil, fmt.Errorf("plan of day %d: %w", morning.At/Day, err)
		}
		before := r.Spent
		for i := range states {
			states[i].day(r, p, i, min(morning.At+Day, states[i].device.Death))
		}
		r.Daily = append(r.Daily, r.Spent-before)
	}
	for i := range states {
		states[i].count(r, states[i].device.Death)
	}
	return r, nil
}

// uniform is the device's luck, from [0, 1).
func (s *state) uniform() float64 {
	const bits = 53 // of a float64's fraction
	return float64(s.luck.Uint64()>>(64-bits)) / (1 << bits)
}

// day lets a device live until a time.
func (s *state) day(r *Result, p Policy, number int, until int64) {
	for s.due < until {
		at := s.due
		r.Uplinks++
		r.Spent += s.device.Up
		if s.uniform() < s.device.Arrives {
			s.count(r, at)
			s.weights.to(at)
			s.arrived(r, p, Contact{Device: number, At: at, Missed: s.missed, Interval: s.interval, Attention: s.weights.attention()})
		} else {
			s.missed++
		}
		s.due = at + max(p.Wait(number, at, s.interval), s.device.Floor)
	}
}

// arrived gives a policy its chance.
func (s *state) arrived(r *Result, p Policy, c Contact) {
	s.heard, s.missed = c.At, 0
	interval, send := p.Contact(c)
	if !send {
		return
	}
	r.Downlinks++
	r.Spent += s.device.Down
	r.Changes += s.device.Down
	if s.uniform() < s.device.Arrives {
		s.interval = interval
	}
}

// count adds the time up to another one to what is known of staleness.
func (s *state) count(r *Result, to int64) {
	for s.counted < to {
		w := s.weights.to(s.counted)
		next := min(to, s.weights.until)
		r.Add(w, s.counted-s.heard, next-s.heard)
		s.counted = next
	}
}

package trial

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/godwit-gateway/godwit/scheduler/presence"
)

const (
	early    = 50 // thousandths of its interval by which a device may be early or late
	underWay = 10 * Minute
	learning = 30 * Day // from the start: what is claimed then does not count, since a model begins with no more than a guess
)

// Calibration is how well package presence knows the dead: what it claims of devices when it first holds them to be dead with at least a probability,
// and what was true.
type Calibration struct {
	Level   float64 `json:"level"`
	Claims  int     `json:"claims"`
	Claimed float64 `json:"claimed"` // mean probability at the time of the claim
	True    float64 `json:"true"`    // part of them that was dead
	False   float64 `json:"false"`   // claims about the living, in 1000 device months
	Median  float64 `json:"median_hours"`
	P90     float64 `json:"p90_hours"` // from death to claim
	delays  []int64
}

// Error is by how much what was claimed differs from what was true.
func (c *Calibration) Error() float64 {
	if c.Claimed > c.True {
		return c.Claimed - c.True
	}
	return c.True - c.Claimed
}

// watched is a device that presence looks after.
type watched struct {
	device   *Device
	known    presence.Device
	rng      *rand.Rand
	interval int64
	due      int64
	check    int64
	cover    Coverage
	claimed  int // levels that have been claimed in this silence
}

// Calibrate lets devices speak for a year, at the intervals of the second class table, lose contacts one by one and in outages, and die, one in a
// hundred each month. It says what presence made of that, at each preset of its probability, after a month in which it learned.
func Calibrate(ctx context.Context, devices int, seed uint64) ([]Calibration, error) {
	config := presence.Config{Products: 1}
	for c := range classes {
		config.Links = append(config.Links, presence.Link{Name: c.String(), Grace: uint32(underWay), Jitter: early})
	}
	m, err := presence.New(config)
	if err != nil {
		return nil, fmt.Errorf("calibration: %w", err)
	}
	f := NewFleet(Setup{Devices: devices, Spread: 0.8, Seed: seed})
	all := make([]watched, devices)
	for i := range all {
		all[i] = watch(f, m, i)
	}
	out := []Calibration{{Level: presence.Likely}, {Level: presence.Sure}}
	for now := int64(0); now < Year; now += Hour {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("calibration: %w", err)
		}
		m.Pass(newYear + now)
		for i := range all {
			all[i].hour(m, out, now+Hour)
		}
	}
	for i := range out {
		out[i].sum(f)
	}
	return out, nil
}

// watch makes a device known that was heard when the year began.
func watch(f *Fleet, m *presence.Model, i int) watched {
	d := &f.All[i]
	w := watched{device: d, rng: rand.New(rand.NewPCG(f.Seed+1, d.fate))} //nolint:gosec // drawn from a seed, to be drawn again
	w.interval = max([classes]int64{Cell: 4 * Hour, SMS: 12 * Hour, SBD: 48 * Hour, IDP: 24 * Hour}[d.Class], d.Floor)
	w.due = int64(w.rng.Float64() * float64(w.interval))
	w.cover = d.Class.Cover(1, w.rng)
	w.known = presence.NewDevice(newYear, presence.Policy{Interval: uint32(w.interval), Link: uint8(d.Class)}, 0, 0) //nolint:gosec // bounded by the fleet
	w.check = m.Next(&w.known, newYear) - newYear
	return w
}

// hour lets a device, and who looks after it, live until a time.
func (w *watched) hour(m *presence.Model, out []Calibration, until int64) {
	for w.due < min(until, w.device.Death) {
		at := w.due
		if w.cover.Reached(at, w.rng) && w.rng.Float64() < w.device.Arrives {
			m.Contact(&w.known, newYear+at)
			w.claimed = 0
			w.check = m.Next(&w.known, newYear+at) - newYear
		}
		w.due += w.interval + int64((w.rng.Float64()-0.5)*float64(2*early*w.interval/1000))
	}
	for w.check < until {
		at := w.check
		s := m.Check(&w.known, newYear+at)
		for w.claimed < len(out) && s.Dead >= out[w.claimed].Level {
			if at >= learning {
				out[w.claimed].claim(s.Dead, at, w.device.Death)
			}
			w.claimed++
		}
		if w.check = m.Next(&w.known, newYear+at) - newYear; w.check <= at {
			w.check = never
		}
	}
}

func (c *Calibration) claim(probability float64, at, death int64) {
	c.Claims++
	c.Claimed += probability
	if at >= death {
		c.True++
		c.delays = append(c.delays, at-death)
	}
}

// sum makes means of sums.
func (c *Calibration) sum(f *Fleet) {
	lived := 0.0
	for i := range f.All {
		lived += float64(max(f.All[i].Death-learning, 0)) / float64(month)
	}
	c.False = 1000 * (float64(c.Claims) - c.True) / lived
	if c.Claims > 0 {
		c.Claimed /= float64(c.Claims)
		c.True /= float64(c.Claims)
	}
	if slices.Sort(c.delays); len(c.delays) > 0 {
		c.Median, c.P90 = float64(c.delays[len(c.delays)/2])/float64(Hour), float64(c.delays[len(c.delays)*9/10])/float64(Hour)
	}
}

package rollout

import (
	"fmt"
	"slices"
	"time"
)

// pointsMax bounds the points of an adoption curve: where there would be more they are further apart.
const pointsMax = 2000

// Adoption is how devices stood at times from the start on, one step apart, as far as was known at asOf; zero: as is known now. A curve of more than
// 2,000 points is refused.
func (m *Machine) Adoption(now time.Time, id ID, asOf time.Time, every time.Duration) ([]AdoptionPoint, error) {
	return whole(m.LookAdoption(now, id, asOf, every))
}

// LookAdoption is Adoption in steps.
func (m *Machine) LookAdoption(now time.Time, id ID, asOf time.Time, every time.Duration) (*Look[[]AdoptionPoint], error) {
	r, err := m.get(id)
	if err != nil {
		return nil, err
	}
	if asOf.IsZero() || asOf.After(now) {
		asOf = now
	}
	if every <= 0 {
		return nil, fmt.Errorf("adoption of rollout %d every %s: %w", id, every, ErrInvalid)
	}
	c := curve{asOf: stamp(asOf)}
	if !r.Started.IsZero() && !asOf.Before(r.Started) {
		every = max(every, asOf.Sub(r.Started)/(pointsMax-2))
		for t := r.Started; t.Before(asOf); t = t.Add(every) {
			c.times = append(c.times, t)
		}
		c.times = append(c.times, asOf)
	}
	for _, t := range c.times {
		c.stamps = append(c.stamps, stamp(t))
	}
	for b := range c.turned {
		c.turned[b] = make([]int, len(c.times)+1)
	}
	return &Look[[]AdoptionPoint]{m: m, r: r, visit: c.add, end: c.points}, nil
}

// curve counts devices over time by what is known of them: how many more there are at a point than at the one before it.
type curve struct {
	asOf    uint32
	times   []time.Time
	stamps  []uint32
	turned  [bands][]int
	heldOut int
	turns   []uint32 // scratch
}

// add adds a device. Between two moments at which it may change its band is the same.
func (c *curve) add(d *device, f *Facts) {
	if d.wave == held {
		c.heldOut++
	}
	if d.offered == 0 || len(c.times) == 0 {
		return
	}
	last, interval := stamp(f.Last), seconds(f.Interval)
	c.turns = d.turns(c.turns[:0], last, interval)
	now, since, seen := d.band(c.stamps[0], c.asOf, last, interval), 0, 0
	for _, t := range c.turns {
		n, _ := slices.BinarySearch(c.stamps, t)
		if n <= seen {
			continue
		}
		if n == len(c.stamps) {
			break
		}
		seen = n
		if b := d.band(c.stamps[n], c.asOf, last, interval); b != now {
			c.turned[now][since]++
			c.turned[now][n]--
			now, since = b, n
		}
	}
	c.turned[now][since]++
	c.turned[now][len(c.stamps)]--
}

// points are the sums.
func (c *curve) points() []AdoptionPoint {
	list := make([]AdoptionPoint, len(c.times))
	var n [bands]int
	for i := range list {
		for b := range n {
			n[b] += c.turned[b][i]
		}
		list[i] = AdoptionPoint{
			Time: c.times[i], Confirmed: n[bandConfirmed], Progress: n[bandProgress], Ended: n[bandEnded], Unknown: n[bandUnknown], HeldOut: c.heldOut,
			Attempted: n[bandConfirmed] + n[bandProgress] + n[bandEnded] + n[bandUnknown],
		}
	}
	return list
}

// turns are the moments at which what is known of a device may change, ascending.
func (d *device) turns(list []uint32, last, interval uint32) []uint32 {
	list = append(list, d.offered, d.ran.at, d.back.at, max(last, d.offered)+patience(interval)+1)
	for i := range d.steps {
		list = append(list, d.steps[i].at)
	}
	for _, g := range d.gaps {
		list = append(list, g.from+1)
	}
	slices.Sort(list)
	return list
}

// band is what is known of a device at a time.
type band uint8

const (
	bandNone band = iota // it was not sent an offer
	bandConfirmed
	bandProgress
	bandEnded
	bandUnknown

	bands = iota
)

// band finds how a device stood at a time, by what was known at another one that is not before it. Whoever was overdue at the time, and had not called
// again by then, is unknown, whatever it was before.
func (d *device) band(at, asOf, last, interval uint32) band {
	switch {
	case d.offered > at:
		return bandNone
	case d.quiet(at, asOf, last, interval):
		return bandUnknown
	case d.ran.known > 0 && d.ran.at <= at && d.ran.known <= asOf:
		if d.back.known > 0 && d.back.known <= asOf && d.back.at <= at {
			return bandEnded
		}
		if s, x := d.story(); (s == RolledBack || s == Failed) && d.standing == s && x.known <= asOf && x.at <= at {
			return bandEnded
		}
		return bandConfirmed
	}
	// by its story, as of then: steps of a try that came later began anew
	newest := step{}
	for round := uint8(1); round <= d.round; round++ {
		if x := latest(d.steps, round, at, asOf); x.known > 0 {
			newest = x
		}
	}
	switch standingOf[newest.step] {
	case Declined, RolledBack, Failed:
		return bandEnded
	default:
		return bandProgress
	}
}

// quiet reports whether a device was overdue at a time and had not called again by asOf.
func (d *device) quiet(at, asOf, last, interval uint32) bool {
	for _, g := range d.gaps {
		if g.from < at && g.to > asOf {
			return true
		}
	}
	if last > asOf { // it called since: what was a gap is among those that are remembered
		return false
	}
	return late(at, max(last, d.offered), interval)
}

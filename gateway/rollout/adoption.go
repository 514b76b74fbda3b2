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
	list := []AdoptionPoint{}
	if r.Started.IsZero() || asOf.Before(r.Started) {
		return list, nil
	}
	every = max(every, asOf.Sub(r.Started)/(pointsMax-2))
	for t := r.Started; ; t = t.Add(every) {
		if !t.Before(asOf) {
			list = append(list, AdoptionPoint{Time: asOf})
			break
		}
		list = append(list, AdoptionPoint{Time: t})
	}
	heldOut := 0
	var f Facts
	for i := range r.devices {
		d := &r.devices[i]
		if d.wave == held {
			heldOut++
		}
		if d.offered == 0 {
			continue
		}
		m.config.Fleet.Facts(d.place, &f)
		d.trace(list, stamp(asOf), stamp(f.Last), seconds(f.Interval))
	}
	for n := range list {
		list[n].HeldOut = heldOut
	}
	return list, nil
}

// trace adds a device to all points. Between two moments at which it may change its band is the same.
func (d *device) trace(list []AdoptionPoint, asOf, last, interval uint32) {
	turns := d.turns(last, interval)
	now, from := bandNone, uint32(0)
	for n := range list {
		at := stamp(list[n].Time)
		if k, _ := slices.BinarySearch(turns, from+1); n == 0 || k < len(turns) && turns[k] <= at {
			now = d.band(at, asOf, last, interval)
		}
		list[n].add(now)
		from = at
	}
}

// turns are the moments at which what is known of a device may change, ascending.
func (d *device) turns(last, interval uint32) []uint32 {
	list := []uint32{d.offered, d.ran.at, d.back.at, max(last, d.offered) + patience(interval) + 1}
	for _, s := range d.steps {
		list = append(list, s.at)
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
)

func (p *AdoptionPoint) add(b band) {
	if b != bandNone {
		p.Attempted++
	}
	switch b {
	case bandConfirmed:
		p.Confirmed++
	case bandProgress:
		p.Progress++
	case bandEnded:
		p.Ended++
	case bandUnknown:
		p.Unknown++
	case bandNone:
	}
}

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
		if x := d.storyAt(round, at, asOf); x.known > 0 {
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

// storyAt is the last step of a try up to a time, by what was known at another one.
func (d *device) storyAt(round uint8, at, asOf uint32) step {
	var known []step
	for _, s := range d.steps {
		if s.at <= at && s.known <= asOf {
			known = append(known, s)
		}
	}
	return latest(known, round)
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

package ledger

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/godwit-gateway/godwit/scheduler"
	"github.com/godwit-gateway/godwit/scheduler/tariff"
)

// What a difference between our records and a provider's is.
const (
	MissingHere  = "missing here"  // the provider bills what we do not know
	MissingThere = "missing there" // the provider does not bill what we paid for in our own accounts
	OtherBytes   = "other bytes"
	OtherPrice   = "other price"
)

// A Difference is one between our records and a provider's.
type Difference struct {
	What   string  `json:"what"`
	Ours   *Record `json:"ours,omitempty"`
	Theirs *Record `json:"theirs,omitempty"`
}

// A Reconciliation is what a comparison came to.
type Reconciliation struct {
	Matched     int              `json:"matched"` // pairs without a difference
	Ours        scheduler.Micros `json:"ours"`    // sum of our records
	Theirs      scheduler.Micros `json:"theirs"`
	Differences []Difference     `json:"differences"` // in the order of devices, then of times
}

// Reconcile pairs our records with a provider's: those of one device and direction whose times are at most tolerance apart, those with the same
// bytes first, then those with others, and tells what is left over or differs. Prices are compared if the provider tells any.
func Reconcile(ours, theirs []Record, tolerance time.Duration) Reconciliation {
	r := Reconciliation{}
	type key struct {
		id        string
		direction tariff.Direction
	}
	told, priced := false, false // whether the provider tells directions, and prices
	for i := range theirs {
		told = told || theirs[i].Direction != tariff.Both
		priced = priced || theirs[i].Micros != 0
	}
	byKey := make(map[key]*[2][]*Record)
	for side, list := range [2][]Record{ours, theirs} {
		for i := range list {
			one := &list[i]
			k := key{id: one.ID}
			if told {
				k.direction = one.Direction
			}
			if byKey[k] == nil {
				byKey[k] = &[2][]*Record{}
			}
			byKey[k][side] = append(byKey[k][side], one)
			sum := [...]*scheduler.Micros{&r.Ours, &r.Theirs}[side]
			*sum = scheduler.Micros(add(int64(*sum), int64(one.Micros)))
		}
	}
	for _, both := range byKey {
		r.compare(both[0], both[1], tolerance, priced)
	}
	slices.SortStableFunc(r.Differences, func(a, b Difference) int { return order(a.record(), b.record()) })
	return r
}

// record is what places a difference.
func (d *Difference) record() *Record {
	if d.Theirs != nil {
		return d.Theirs
	}
	return d.Ours
}

func order(a, b *Record) int {
	return cmp.Or(strings.Compare(a.ID, b.ID), a.Time.Compare(b.Time), cmp.Compare(a.Direction, b.Direction), cmp.Compare(a.Billed, b.Billed),
		cmp.Compare(a.Micros, b.Micros), cmp.Compare(a.Line, b.Line))
}

// compare pairs the records of one device.
func (r *Reconciliation) compare(ours, theirs []*Record, tolerance time.Duration, priced bool) {
	slices.SortFunc(ours, order)
	slices.SortFunc(theirs, order)
	sizes := make(map[int64][2][]*Record)
	for side, list := range [2][]*Record{ours, theirs} {
		for _, one := range list {
			both := sizes[one.Billed]
			both[side] = append(both[side], one)
			sizes[one.Billed] = both
		}
	}
	paired := make(map[*Record]bool)
	for _, both := range sizes {
		pair(both[0], both[1], tolerance, func(o, t *Record) {
			paired[o], paired[t] = true, true
			if priced && o.Micros != t.Micros {
				r.Differences = append(r.Differences, Difference{OtherPrice, o, t})
				return
			}
			r.Matched++
		})
	}
	left := func(list []*Record) []*Record {
		return slices.DeleteFunc(slices.Clone(list), func(one *Record) bool { return paired[one] })
	}
	ours, theirs = left(ours), left(theirs)
	pair(ours, theirs, tolerance, func(o, t *Record) {
		paired[o], paired[t] = true, true
		r.Differences = append(r.Differences, Difference{OtherBytes, o, t})
	})
	for _, o := range left(ours) {
		r.Differences = append(r.Differences, Difference{MissingThere, o, nil})
	}
	for _, t := range left(theirs) {
		r.Differences = append(r.Differences, Difference{MissingHere, nil, t})
	}
}

// pair pairs as many records of two lists in the order of time as can be, in that order.
func pair(ours, theirs []*Record, tolerance time.Duration, found func(o, t *Record)) {
	for len(ours) > 0 && len(theirs) > 0 {
		switch apart := theirs[0].Time.Sub(ours[0].Time); {
		case apart > tolerance:
			ours = ours[1:]
		case apart < -tolerance:
			theirs = theirs[1:]
		default:
			found(ours[0], theirs[0])
			ours, theirs = ours[1:], theirs[1:]
		}
	}
}

// Daily adds the records up to one for each device, direction and day in a zone, for providers whose files have no more than that. Times become
// the day's noon.
func Daily(records []Record, zone *time.Location) []Record {
	sorted := slices.Clone(records)
	slices.SortStableFunc(sorted, func(a, b Record) int {
		return cmp.Or(strings.Compare(a.ID, b.ID), cmp.Compare(a.Direction, b.Direction), a.Time.Compare(b.Time))
	})
	var days []Record
	for _, one := range sorted {
		y, m, d := one.Time.In(zone).Date()
		one.Time = time.Date(y, m, d, 12, 0, 0, 0, zone)
		if n := len(days) - 1; n >= 0 && days[n].ID == one.ID && days[n].Direction == one.Direction && days[n].Time.Equal(one.Time) {
			days[n].Billed = add(days[n].Billed, one.Billed)
			days[n].Micros = scheduler.Micros(add(int64(days[n].Micros), int64(one.Micros)))
			continue
		}
		days = append(days, one)
	}
	return days
}

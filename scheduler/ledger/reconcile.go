package ledger

import (
	"cmp"
	"maps"
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
	Matched      int          `json:"matched"` // pairs without a difference
	Ours         Side         `json:"ours"`
	Theirs       Side         `json:"theirs"`
	MissingHere  int          `json:"missing_here"` // differences by what they are
	MissingThere int          `json:"missing_there"`
	OtherBytes   int          `json:"other_bytes"`
	OtherPrice   int          `json:"other_price"`
	Outside      int          `json:"outside"`     // records of the provider that are of another time
	Differences  []Difference `json:"differences"` // in the order of devices, then of times
}

// A Side is the sum of one side's records.
type Side struct {
	Records int              `json:"records"`
	Billed  int64            `json:"billed_bytes"`
	Micros  scheduler.Micros `json:"price"`
}

func (s *Side) add(r *Record) {
	s.Records++
	s.Billed, s.Micros = add(s.Billed, r.Billed), scheduler.Micros(add(int64(s.Micros), int64(r.Micros)))
}

// A Comparison says how records are compared.
type Comparison struct {
	Tolerance time.Duration  // by which the times of one transmission may be apart
	Daily     *time.Location // the provider tells no more than sums of days in this zone: so are ours compared; nil: one by one
	From, To  time.Time      // records of a time before, or from To on, are no differences; zero: no bounds
	Most      int            // differences that are listed; 0: all
}

// A Reconciler compares device by device: of ours it holds the records of one, so that they can be read as they are compared.
type Reconciler struct {
	o      Comparison
	theirs map[string][]Record
	told   bool // whether the provider tells directions,
	sized  bool // bytes,
	priced bool // and prices
	r      Reconciliation
}

// NewReconciler begins a comparison with a provider's records.
func NewReconciler(theirs []Record, o Comparison) *Reconciler {
	r := &Reconciler{o: o, theirs: make(map[string][]Record)}
	for i := range theirs {
		one := &theirs[i]
		if !r.near(one.Time) {
			r.r.Outside++
			continue
		}
		r.theirs[one.ID] = append(r.theirs[one.ID], *one)
		r.told = r.told || one.Direction != tariff.Both
		r.sized, r.priced = r.sized || one.Billed != 0, r.priced || one.Micros != 0
	}
	return r
}

// near reports whether a time is within the bounds, or so near that its pair may be.
func (r *Reconciler) near(t time.Time) bool {
	return (r.o.From.IsZero() || !t.Before(r.o.From.Add(-r.o.Tolerance))) && (r.o.To.IsZero() || t.Before(r.o.To.Add(r.o.Tolerance)))
}

func (r *Reconciler) within(t time.Time) bool {
	return (r.o.From.IsZero() || !t.Before(r.o.From)) && (r.o.To.IsZero() || t.Before(r.o.To))
}

// Has reports whether the provider has records under a name that were not compared yet.
func (r *Reconciler) Has(name string) bool { return len(r.theirs[name]) > 0 }

// Device compares our records of one device, which it may change, with those that the provider has under any of some names of it. A name counts for the first device that
// has it: several that have one are to be compared as one, or the first is given all records of the others.
func (r *Reconciler) Device(ours []Record, names ...string) {
	var theirs []Record
	for _, name := range names {
		theirs = append(theirs, r.theirs[name]...)
		delete(r.theirs, name)
	}
	ours = slices.DeleteFunc(ours, func(o Record) bool { return !r.near(o.Time) })
	if !r.told {
		for i := range ours {
			ours[i].Direction = tariff.Both
		}
	}
	if r.o.Daily != nil && len(names) > 0 { // a day is one sum, whatever names its records have
		for _, list := range [2][]Record{ours, theirs} {
			for i := range list {
				list[i].ID = names[0]
			}
		}
		ours, theirs = Daily(ours, r.o.Daily), Daily(theirs, r.o.Daily)
	}
	var sides [2][tariff.MT + 1][]*Record
	for side, list := range [2][]Record{ours, theirs} {
		for i := range list {
			one, way := &list[i], min(list[i].Direction, tariff.MT)
			sides[side][way] = append(sides[side][way], one)
		}
	}
	for way := range sides[0] {
		r.compare(sides[0][way], sides[1][way])
	}
}

// Result is what the comparison comes to, once all devices were compared: what is left of the provider's records nobody here knows.
func (r *Reconciler) Result() Reconciliation {
	for _, name := range slices.Sorted(maps.Keys(r.theirs)) {
		r.Device(nil, name)
	}
	slices.SortStableFunc(r.r.Differences, func(a, b Difference) int { return order(a.record(), b.record()) })
	return r.r
}

// differ notes a difference, or that there is none. Nil stands for a record that is missing; what is outside of the bounds on both sides is neither.
func (r *Reconciler) differ(what string, o, t *Record) {
	if (o == nil || !r.within(o.Time)) && (t == nil || !r.within(t.Time)) {
		if t != nil {
			r.r.Outside++
		}
		return
	}
	if o != nil {
		r.r.Ours.add(o)
	}
	if t != nil {
		r.r.Theirs.add(t)
	}
	n, ok := map[string]*int{
		MissingHere: &r.r.MissingHere, MissingThere: &r.r.MissingThere, OtherBytes: &r.r.OtherBytes, OtherPrice: &r.r.OtherPrice,
	}[what]
	if !ok {
		r.r.Matched++
		return
	}
	*n++
	if r.o.Most == 0 || len(r.r.Differences) < r.o.Most {
		r.r.Differences = append(r.r.Differences, Difference{what, o, t})
	}
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

// compare pairs the records of one device and direction whose times are at most the tolerance apart: those with the same bytes first, then those with others.
func (r *Reconciler) compare(ours, theirs []*Record) {
	slices.SortFunc(ours, order)
	slices.SortFunc(theirs, order)
	sizes := make(map[int64][2][]*Record)
	for side, list := range [2][]*Record{ours, theirs} {
		for _, one := range list {
			size := one.Billed
			if !r.sized {
				size = 0
			}
			both := sizes[size]
			both[side] = append(both[side], one)
			sizes[size] = both
		}
	}
	paired := make(map[*Record]bool)
	for _, size := range slices.Sorted(maps.Keys(sizes)) {
		pair(sizes[size][0], sizes[size][1], r.o.Tolerance, func(o, t *Record) {
			paired[o], paired[t] = true, true
			what := ""
			if r.priced && o.Micros != t.Micros {
				what = OtherPrice
			}
			r.differ(what, o, t)
		})
	}
	left := func(list []*Record) []*Record {
		return slices.DeleteFunc(slices.Clone(list), func(one *Record) bool { return paired[one] })
	}
	ours, theirs = left(ours), left(theirs)
	pair(ours, theirs, r.o.Tolerance, func(o, t *Record) {
		paired[o], paired[t] = true, true
		r.differ(OtherBytes, o, t)
	})
	for _, o := range left(ours) {
		r.differ(MissingThere, o, nil)
	}
	for _, t := range left(theirs) {
		r.differ(MissingHere, nil, t)
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

package presence

import (
	"fmt"
	"sort"
	"strings"
	"time"
)

// A Class is what silence is taken for.
type Class uint8

// Classes, from nothing to worry about on.
const (
	Due      Class = iota // not due yet, or in its window
	Late                  // missed a contact, which living devices do
	Silent                // missed Config.Silent contacts: a fact, no judgement
	Out                   // what it missed falls into an outage of its link or cell
	Presumed              // dead with at least the probability Config.Presumed
	Retired               // taken out
)

// String is the class as people read it.
func (c Class) String() string {
	return [...]string{"due", "late", "silent", "link or region outage", "presumed dead", "retired"}[min(c, Retired)]
}

// A Standing is what is thought of a device at one time, and why.
type Standing struct {
	Class    Class
	Missed   int     // contacts missed since it was last heard
	Covered  int     // of them, in an outage of its link or cell
	Dead     float64 // probability that it is dead
	Outage   float64 // probability that it misses contacts because its link or cell is out
	Tail     float64 // C(k): how many living devices miss as many in a row
	Hazard   float64 // deaths per device and month
	Last     int64   // when it was last heard
	Expected int64   // when the next contact is expected, Closes when it is missed; Never: none is
	Closes   int64
	Interval uint32
	Link     string
	Pending  bool   // another policy is on its way
	Burst    bool   // it is in the burst after an update
	Hush     string // its quiet hours, in which nothing is expected
}

// Standing is what is thought of the device now. It changes nothing and allocates nothing.
func (m *Model) Standing(d *Device, now int64) Standing {
	s := m.schedule(d)
	st := Standing{
		Last: d.Last(), Interval: d.every, Link: m.link(d.link).Name, Pending: d.pendingEvery != 0, Burst: len(s.burst) != 0,
		Hazard: m.product(d).hazard() * month, Expected: Never, Closes: Never, Tail: 1,
	}
	if s.hush != nil {
		st.Hush = s.hush.text
	}
	if d.Retired() {
		st.Class = Retired
		return st
	}
	if s.period == 0 {
		return st
	}
	k := s.missed(now)
	st.Missed, st.Expected, st.Closes = int(k), s.at(k+1), s.closes(k+1)
	var covered int64
	covered, st.Outage = m.covered(d, &s, k)
	st.Covered = int(covered)
	st.Dead, st.Tail = m.posterior(d, &s, now, k, covered)
	switch {
	case k == 0:
	case st.Dead >= m.config.Presumed:
		st.Class = Presumed
	case covered == k:
		st.Class = Out
	case int(k) >= m.config.Silent:
		st.Class = Silent
	default:
		st.Class = Late
	}
	return st
}

// covered is how many of the k misses fall into the last outage of the device's cell or link, and how likely such a miss is due to it.
func (m *Model) covered(d *Device, s *schedule, k int64) (n int64, p float64) {
	a := m.control(d)
	if a.since == 0 {
		return 0, 0
	}
	// Later contacts are expected and missed later. Those in the outage are the ones from the first that was missed in it to the last that was due in it.
	before := int64(sort.Search(int(k), func(i int) bool { return s.closes(int64(i)+1) >= a.since }))
	due := k
	if a.until != 0 {
		due = int64(sort.Search(int(k), func(i int) bool { return s.at(int64(i)+1) > a.until }))
	}
	n = max(due-before, 0)
	switch {
	case !a.on():
	case n != 0:
		p = a.excessOf(s.closes(before + 1))
	case k == 0:
		p = a.excess()
	}
	return n, p
}

// posterior is the probability of death after k misses, of which so many were covered by an outage, and C(k).
func (m *Model) posterior(d *Device, s *schedule, now, k, covered int64) (dead, tail float64) {
	c := m.curve(int(d.link), s.rowOf(d))
	lam := m.product(d).hazard()
	bursts := int64(len(s.burst))
	var odds float64
	began := d.Last()
	for j := range min(k, bursts) { // gaps of a burst differ
		at, _, _ := c.tail(max(j-covered, 0))
		odds += float64(dies(float64(lam*float64(s.at(j+1)-began))) * at)
		began = s.at(j + 1)
	}
	at, next, sum := c.tail(k - covered)
	if k > bursts {
		if bursts != 0 {
			_, _, before := c.tail(min(bursts, k-covered))
			sum -= before
		}
		// Covered misses are as if C stood still: each adds a gap at C(0) = 1.
		odds += float64(dies(float64(lam*float64(s.period))) * (sum + float64(covered)))
		began = s.at(k)
	}
	x := max(now-began, 0)
	odds += float64(dies(float64(lam*float64(x))) * at)
	opens, closes := s.opens(k+1), s.closes(k+1)
	g := min(max(float64(now-opens)/float64(max(closes-opens, 1)), 0), 1)
	odds /= at - float64((at-next)*g)
	return odds / (1 + odds), at
}

// dies is 1 - e^-x for x >= 0 by the Padé approximant, within 2e-5 up to 0.5 and by squaring beyond: math.Exp differs between processors.
func dies(x float64) float64 {
	if x > 64 {
		return 1
	}
	n := 0
	for ; x > 0.5; n++ {
		x /= 2
	}
	square := float64(x * x)
	q := 12 * x / (12 + float64(6*x) + square)
	for ; n > 0; n-- {
		q = float64(q * (2 - q))
	}
	return q
}

// Lines is the evidence, a line each.
func (s *Standing) Lines() []string {
	at := func(t int64) string { return time.Unix(t, 0).UTC().Format("2006-01-02 15:04 MST") }
	lines := []string{fmt.Sprintf("last heard %s over %s, every %s", at(s.Last), s.Link, time.Duration(s.Interval)*time.Second)}
	if s.Interval == 0 {
		lines[0] = fmt.Sprintf("last heard %s; how often it speaks is not known yet", at(s.Last))
	}
	if s.Pending {
		lines = append(lines, "another interval was sent and not acknowledged: a contact counts as missed once both schedules had it")
	}
	if s.Burst {
		lines = append(lines, "in the burst after an update, whose contacts count too")
	}
	if s.Hush != "" {
		lines = append(lines, fmt.Sprintf("told to say nothing from %s UTC: none of these hours is held against it", s.Hush))
	}
	if s.Missed != 0 {
		lines = append(lines, fmt.Sprintf("%d contacts missed; %.3g %% of living devices miss as many in a row; %.2g %% die in a month", s.Missed, 100*s.Tail, 100*s.Hazard))
	}
	if s.Covered != 0 {
		lines = append(lines, fmt.Sprintf("%d of them in an outage of its link or region, which are no evidence", s.Covered))
	}
	if s.Outage != 0 {
		lines = append(lines, fmt.Sprintf("its link or region is out now: %.0f %% of the misses are due to that", 100*s.Outage))
	}
	if s.Expected != Never {
		lines = append(lines, fmt.Sprintf("next contact expected %s, missed after %s", at(s.Expected), at(s.Closes)))
	}
	return lines
}

// String is the class, the probability and the evidence in one line.
func (s *Standing) String() string {
	return fmt.Sprintf("%s (%.1f %% dead): %s", s.Class, 100*s.Dead, strings.Join(s.Lines(), "; "))
}

package rollout

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/godwit-gateway/godwit/gateway/rollout/silence"
)

// daysMax bounds the days of a report.
const daysMax = 400

// silences counts who was there on each day, and who is silent and why, of the devices that were sent an offer.
type silences struct {
	now    uint32
	days   []Day
	silent int
	causes [silence.Classes]int
}

func newSilences(now time.Time, r *rollout) *silences {
	s := &silences{now: stamp(now), days: []Day{}}
	for k := range r.days(now) {
		s.days = append(s.days, Day{Day: k + 1, From: r.Started.Add(time.Duration(k) * day)})
	}
	return s
}

const day = 24 * time.Hour

// days is how many days have begun since the start.
func (r *rollout) days(now time.Time) int {
	if r.Started.IsZero() {
		return 0
	}
	return min(int(now.Sub(r.Started)/day)+1, daysMax)
}

func (s *silences) add(d *device, f *Facts, late bool, cause silence.Class) {
	if late {
		s.silent++
		s.causes[cause]++
	}
	last, interval := stampOf(f.Last), seconds(f.Interval)
	for k := range s.days {
		x := &s.days[k]
		to := min(stamp(x.From.Add(day)), s.now)
		if d.offered > to {
			continue
		}
		x.Of++
		if d.there(max(stamp(x.From), d.offered), to, last, interval) {
			x.Heard++
		}
	}
}

// there reports whether a device was heard between two times, or was not overdue at the second.
func (d *device) there(from, to, last, interval uint32) bool {
	if last < from {
		return !late(to, max(last, d.offered), interval)
	}
	return !slices.ContainsFunc(d.gaps, func(g gap) bool { return g.from <= from && g.to > to })
}

// byName are the causes that occur.
func (s *silences) byName() map[string]int {
	out := make(map[string]int)
	for c, n := range s.causes {
		if n > 0 {
			out[silence.Class(c).Label()] = n
		}
	}
	return out
}

// line says in one line how many reported day by day, who is silent and why, and what of that would be so anyway.
func (s *silences) line(r *rollout) string {
	if len(s.days) == 0 {
		return "the rollout has not begun"
	}
	line := s.days[0].String()
	if k := len(s.days); k > 1 {
		line += ", " + s.days[k-1].String()
	}
	line += fmt.Sprintf("; %d of %d that were sent an offer are silent", s.silent, r.tried)
	order := make([]silence.Class, 0, silence.Classes)
	for c, n := range s.causes {
		if n > 0 {
			order = append(order, silence.Class(c))
		}
	}
	slices.SortStableFunc(order, func(a, b silence.Class) int { return cmp.Compare(s.causes[b], s.causes[a]) })
	for i, c := range order {
		sep := ", "
		if i == 0 {
			sep = ": "
		}
		line += fmt.Sprintf("%s%d %s", sep, s.causes[c], c)
	}
	if r.judge != nil {
		v := r.judge.Verdict()
		events, usual, low, high := longSilences(&v)
		line += fmt.Sprintf("; %d silences since the update, %.1f are usual (95 %%: %.1f to %.1f)", events, usual, low, high)
	}
	return line
}

// lookLine is the line of a report in steps.
func (m *Machine) lookLine(now time.Time, r *rollout) *Look[string] {
	s := newSilences(now, r)
	if n := len(s.days); n > 2 { // it tells of the first and the last alone
		s.days = append(s.days[:1], s.days[n-1])
	}
	return &Look[string]{
		m: m, r: r, end: func() string { return s.line(r) },
		visit: func(d *device, f *Facts) {
			if d.offered == 0 {
				return
			}
			cause, late := silence.NotDue, overdue(now, f)
			if late {
				cause = silence.Glance(m.quiet(now, d.place, d.number, r, d, (*rollout).following)).Class
			}
			s.add(d, f, late, cause)
		},
	}
}

// calls are the devices whose owners should be called before they notice: the update did harm to them, or may have.
type calls struct{ list []Call }

// callsMax bounds the devices that a report says should be called about.
const callsMax = 200

func (c *calls) add(d *device, v *DeviceView, late bool) {
	blamed := v.Cause.Shares[silence.Update]
	var why string
	switch {
	case d.standing == RolledBack:
		why = "it went back to " + v.From + ": " + v.Reason
	case d.standing == Failed:
		why = "the update failed: " + v.Reason
	case late && blamed >= suspectLeast:
		why = fmt.Sprintf("silent for %d contacts since it told of %s: the update is the reason with a probability of %.0f %%", v.Missed, stepName(v.Step), 100*blamed)
	case late && d.standing.underway():
		why = fmt.Sprintf("silent for %d contacts since it told of %s: %s with a probability of %.0f %%, the update with %.0f %%", v.Missed, stepName(v.Step),
			v.Cause.Class, 100*v.Cause.Probability, 100*blamed)
	default:
		return
	}
	c.list = append(c.list, Call{Device: *v, Why: why})
	if len(c.list) >= 2*callsMax {
		c.sort()
	}
}

// sort keeps the weightiest.
func (c *calls) sort() {
	slices.SortStableFunc(c.list, func(a, b Call) int {
		return cmp.Or(cmp.Compare(b.Device.Cause.Shares[silence.Update], a.Device.Cause.Shares[silence.Update]), cmp.Compare(a.Device.Customer, b.Device.Customer))
	})
	c.list = c.list[:min(len(c.list), callsMax)]
}

func (c *calls) result(m *Machine, now time.Time, r *rollout) []Call {
	c.sort()
	list := append([]Call{}, c.list...)
	for i := range list {
		if d := m.device(r, list[i].Device.Number); d != nil {
			m.detail(now, r, d, &list[i].Device)
		}
	}
	return list
}

// suspectLeast is from which probability on somebody should be called about a silent device.
const suspectLeast = 0.2

// stepName is a step, or that there was none.
func stepName(step string) string {
	if step == "" {
		return "no step"
	}
	return step
}

package silence

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/godwit-gateway/godwit/scheduler/presence"
)

// evidence is what was found, with how much it weighs; nil: nobody asks for it.
type evidence []found

type found struct {
	weight float64
	text   string
}

func (e *evidence) add(weight float64, format string, args ...any) {
	if e == nil {
		return
	}
	*e = append(*e, found{weight, fmt.Sprintf(format, args...)})
}

// finding is the weights divided by their sum, the largest, and the sentences, the weightiest first.
func (w *weights) finding(why evidence) (f Finding) {
	sum := w.sum()
	best := 0.0
	for c := range w {
		f.Shares[c] = w[c] / sum
		if w[c] > best {
			best, f.Class = w[c], Class(c)
		}
	}
	f.Probability = f.Shares[f.Class]
	slices.SortStableFunc(why, func(a, b found) int { return cmp.Compare(b.weight, a.weight) })
	for _, x := range why {
		f.Evidence = append(f.Evidence, x.text)
	}
	return f
}

// day is a moment in a sentence. It is written when the sentence is.
type day int64

// String implements fmt.Stringer.
func (d day) String() string { return time.Unix(int64(d), 0).UTC().Format("2006-01-02 15:04 MST") }

// heard says what presence counted.
func (e *evidence) heard(st *presence.Standing) {
	if st.Missed == 0 {
		e.add(1, "last heard %s, the next contact is expected %s", day(st.Last), day(st.Expected))
		return
	}
	contacts := "contacts"
	if st.Missed == 1 {
		contacts = "contact"
	}
	e.add(0.5, "%d %s missed since %s; %.2g %% of living devices miss as many", st.Missed, contacts, day(st.Last), 100*st.Tail)
}

func (e *evidence) refused(c *Card) {
	code := c.Code
	if code != "" {
		code = " (" + code + ")"
	}
	e.add(2, "the network refused %d of its downlinks for good%s", c.Refused, code)
}

func (e *evidence) peers(c *Card, p float64) {
	name := c.Operator
	if name == "" {
		name = "its operator"
	}
	e.add(1+p, "%d of %d other devices of %s are silent too, of the others on the link %d of %d", c.Silent, c.Peers, name, c.Quiet, c.Others)
}

func (e *evidence) battery(p *Power, t *trend, out float64) {
	last := p.Levels[len(p.Levels)-1]
	switch {
	case out >= 0.02 && t.slope < 0:
		e.add(1+out, "its battery fell by %.3g %s a day to %.3g %s on %s; empty by now with %.0f %%", -t.slope, p.Unit, last.Value, p.Unit, day(last.At), 100*out)
	default:
		e.add(0.1, "its battery was at %.3g %s on %s and does not explain it", last.Value, p.Unit, day(last.At))
	}
}

func (e *evidence) update(q *Quiet, w *weights) {
	u := &q.Update
	version := ""
	if u.Version != "" {
		version = " to " + u.Version
	}
	p := w[Update] / (w[Late] + w[Unknown] + w[Update])
	step := u.Step
	if step == "" {
		step = "offered"
	}
	e.add(1+p, "rollout %s%s: last at %q on %s; the update is the reason with %.0f %%, were it that or chance", u.Rollout, version, step, day(u.Since), 100*p)
}

func (e *evidence) outage(q *Quiet, i int) {
	if i < 0 {
		e.add(1.5, "%d of the contacts fall into an outage of its link or region", q.Standing.Covered)
		return
	}
	o := &q.Outages[i]
	if o.Until == 0 {
		e.add(2, "%s is out since %s", o.Where, day(o.Since))
		return
	}
	e.add(1.5, "%s was out from %s to %s", o.Where, day(o.Since), day(o.Until))
}

func (e *evidence) delivered(at int64) {
	e.add(1.8, "the network delivered a downlink to it on %s: it is on, and its card is good", day(at))
}

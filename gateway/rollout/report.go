package rollout

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/godwit-gateway/godwit/gateway/rollout/verdict"
)

// Behind is who is behind, by customer.
func (m *Machine) Behind(now time.Time, id ID) ([]Behind, error) {
	r, err := m.get(id)
	if err != nil {
		return nil, err
	}
	return m.behind(now, r), nil
}

func (m *Machine) behind(now time.Time, r *rollout) []Behind {
	list := []Behind{}
	at := make(map[string]int)
	var f Facts
	for i := range r.devices {
		d := &r.devices[i]
		m.config.Fleet.Facts(d.place, &f)
		k, ok := at[f.Customer]
		if !ok {
			k = len(list)
			at[f.Customer] = k
			list = append(list, Behind{Customer: f.Customer})
		}
		b := &list[k]
		b.Devices++
		if overdue(now, &f) || f.Last.IsZero() {
			b.Silent++
		}
		switch d.standing {
		case Confirmed, Outside:
			b.Confirmed++
			continue
		case Refused:
			b.Refused++
		case Declined:
			b.Declined++
		case Failed, RolledBack:
			b.Failed++
		default:
		}
		b.Behind++
	}
	slices.SortFunc(list, func(a, b Behind) int {
		return cmp.Or(cmp.Compare(b.Behind, a.Behind), cmp.Compare(a.Customer, b.Customer))
	})
	return list
}

// callsMax bounds the devices that a report says should be called about.
const callsMax = 200

// daysMax bounds the days of a report.
const daysMax = 400

// Report is what is to be said of a rollout.
func (m *Machine) Report(now time.Time, id ID) (Report, error) {
	r, err := m.get(id)
	if err != nil {
		return Report{}, err
	}
	x := Report{
		Summary: r.summary(), Verdict: r.Final, Days: m.days(now, r), Silent: m.silentNow(now, r), Behind: m.behind(now, r), Calls: m.calls(now, r),
		Line: m.silenceLine(now, r), Events: r.Silent, Usual: r.Usual, Low: r.Low, High: r.High, Groups: []GroupReport{},
	}
	if r.judge == nil {
		return x, nil
	}
	v := r.judge.Verdict()
	x.Verdict = strings.Join(append([]string{v.Action.String()}, r.reasons(&v)...), "; ")
	x.Events, x.Usual, x.Low, x.High = silence(&v)
	for c, e := range v.Evidence {
		x.Evidence = append(x.Evidence, Evidence{Of: verdict.Component(c).String(), Value: e, Peak: v.Peak[c]})
	}
	for i := range v.Groups {
		g := &v.Groups[i]
		x.Groups = append(x.Groups, GroupReport{
			From: r.versionOf(uint8(g.From)), Started: g.Started, Resolved: g.Resolved, Silent: g.Silent, Failed: g.Failed, Events: g.Events, Usual: g.Expected, //nolint:gosec // as it was given
			Low: g.Low, High: g.High, Harm: g.Harm, Evidence: g.Evidence, Halted: g.Halted != 0, Safe: g.Safe && g.Soaked,
		})
	}
	return x, nil
}

// versionOf names a version as the verdict numbers them.
func (r *rollout) versionOf(n uint8) string {
	if int(n) < len(r.Versions) {
		return r.Versions[n]
	}
	return "others"
}

// reasons are those of a verdict, with the versions by their names.
func (r *rollout) reasons(v *verdict.Verdict) []string {
	list := slices.Clone(v.Reasons)
	for i := range v.Groups {
		g := &v.Groups[i]
		name := fmt.Sprintf("product %d from version %d:", g.Product, g.From)
		for n := range list {
			list[n] = strings.ReplaceAll(list[n], name, fmt.Sprintf("from %s:", r.versionOf(uint8(g.From)))) //nolint:gosec // as it was given
		}
	}
	return list
}

// silentNow is how many devices that were sent an offer are overdue.
func (m *Machine) silentNow(now time.Time, r *rollout) (n int) {
	var f Facts
	for i := range r.devices {
		if d := &r.devices[i]; d.offered > 0 {
			if m.config.Fleet.Facts(d.place, &f); overdue(now, &f) {
				n++
			}
		}
	}
	return n
}

// days is how many devices were there on each day since the start, of those that were sent an offer by its end.
func (m *Machine) days(now time.Time, r *rollout) []Day {
	list := []Day{}
	if r.Started.IsZero() {
		return list
	}
	const day = 24 * time.Hour
	for k := range min(int(now.Sub(r.Started)/day)+1, daysMax) {
		list = append(list, Day{Day: k + 1, From: r.Started.Add(time.Duration(k) * day)})
	}
	var f Facts
	for i := range r.devices {
		d := &r.devices[i]
		if d.offered == 0 {
			continue
		}
		m.config.Fleet.Facts(d.place, &f)
		for k := range list {
			x := &list[k]
			to := min(stamp(x.From.Add(day)), stamp(now))
			if d.offered > to {
				continue
			}
			x.Of++
			if d.there(max(stamp(x.From), d.offered), to, stampOf(f.Last), seconds(f.Interval)) {
				x.Heard++
			}
		}
	}
	return list
}

// there reports whether a device was heard between two times, or was not overdue at the second.
func (d *device) there(from, to, last, interval uint32) bool {
	if last < from {
		return !late(to, max(last, d.offered), interval)
	}
	return !slices.ContainsFunc(d.gaps, func(g gap) bool { return g.from <= from && g.to > to })
}

// silenceLine says in one line how many reported day by day, who is silent, and what of that would be so anyway.
func (m *Machine) silenceLine(now time.Time, r *rollout) string {
	days := m.days(now, r)
	if len(days) == 0 {
		return "the rollout has not begun"
	}
	silent := m.silentNow(now, r)
	line := days[0].String()
	if k := len(days); k > 1 {
		line += ", " + days[k-1].String()
	}
	line += fmt.Sprintf("; %d of %d that were sent an offer are silent", silent, r.tried)
	if r.judge != nil {
		v := r.judge.Verdict()
		events, usual, low, high := silence(&v)
		line += fmt.Sprintf("; %d silences since the update, %.1f are usual (95 %%: %.1f to %.1f)", events, usual, low, high)
	}
	return line
}

// calls are the devices whose owners should be called before they notice: the update did harm to them, or may have.
func (m *Machine) calls(now time.Time, r *rollout) []Call {
	list := []Call{}
	var f Facts
	for i := range r.devices {
		d := &r.devices[i]
		if d.offered == 0 {
			continue
		}
		v := m.view(now, r, d, &f)
		late := overdue(now, &f)
		var why string
		switch {
		case d.standing == RolledBack:
			why = "it went back to " + v.From + ": " + v.Reason
		case d.standing == Failed:
			why = "the update failed: " + v.Reason
		case late && v.Suspect >= suspectLeast:
			why = fmt.Sprintf("silent for %d contacts since it told of %s: the update is the reason with a probability of %.0f %%", v.Missed, stepName(v.Step), 100*v.Suspect)
		case late && d.standing.underway():
			why = fmt.Sprintf("silent for %d contacts since it told of %s", v.Missed, stepName(v.Step))
		default:
			continue
		}
		v.History = history(d)
		list = append(list, Call{Device: v, Why: why})
	}
	slices.SortStableFunc(list, func(a, b Call) int {
		return cmp.Or(cmp.Compare(b.Device.Suspect, a.Device.Suspect), cmp.Compare(a.Device.Customer, b.Device.Customer))
	})
	return list[:min(len(list), callsMax)]
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

// Silent is a device of a running rollout that is overdue, and how likely its update is the reason.
type Silent struct {
	Rollout ID
	Place   Place
	Number  uint32
	Step    string  // the last that it told
	Suspect float64 // probability that the update silenced it
	Harm    float64 // share of devices like it that the update silences
	Usual   float64 // probability that one that the update spares is silent as long
	Since   time.Time
}

// Suspected is what the newest rollout that has begun on a device says of its silence; ok is false if no update may be the reason.
func (m *Machine) Suspected(at Place) (s Silent, ok bool) {
	var f Facts
	m.config.Fleet.Facts(at, &f)
	for _, r := range slices.Backward(m.live) {
		d := r.find(f.Number)
		if d == nil || r.judge == nil || !d.judged() {
			continue
		}
		if x, found := r.judge.Suspect(uint32(at)); found {
			s = Silent{Rollout: r.ID, Place: at, Number: d.number, Suspect: x.Update, Harm: x.Harm, Usual: x.Usual, Since: time.Unix(x.Last, 0).UTC()}
			if step, told := d.stepOf(); told {
				s.Step = step.String()
			}
			return s, true
		}
	}
	return s, false
}

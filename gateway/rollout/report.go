package rollout

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/godwit-gateway/godwit/gateway/rollout/silence"
	"github.com/godwit-gateway/godwit/gateway/rollout/verdict"
)

// Behind is who is behind, by customer.
func (m *Machine) Behind(now time.Time, id ID) ([]Behind, error) { return whole(m.LookBehind(now, id)) }

// LookBehind is Behind in steps.
func (m *Machine) LookBehind(now time.Time, id ID) (*Look[[]Behind], error) {
	r, err := m.get(id)
	if err != nil {
		return nil, err
	}
	b := behind{at: make(map[string]int)}
	return &Look[[]Behind]{m: m, r: r, visit: func(d *device, f *Facts) { b.add(now, d, f) }, end: b.result}, nil
}

// behind counts who is behind.
type behind struct {
	list []Behind
	at   map[string]int // place in list, by customer
}

func (x *behind) add(now time.Time, d *device, f *Facts) {
	k, ok := x.at[f.Customer]
	if !ok {
		k = len(x.list)
		x.at[f.Customer] = k
		x.list = append(x.list, Behind{Customer: f.Customer})
	}
	b := &x.list[k]
	b.Devices++
	if overdue(now, f) || f.Last.IsZero() {
		b.Silent++
	}
	switch d.standing {
	case Confirmed, Outside:
		b.Confirmed++
		return
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

func (x *behind) result() []Behind {
	list := append([]Behind{}, x.list...)
	slices.SortFunc(list, func(a, b Behind) int {
		return cmp.Or(cmp.Compare(b.Behind, a.Behind), cmp.Compare(a.Customer, b.Customer))
	})
	return list
}

// Report is what is to be said of a rollout.
func (m *Machine) Report(now time.Time, id ID) (Report, error) { return whole(m.LookReport(now, id)) }

// LookReport is Report in steps.
func (m *Machine) LookReport(now time.Time, id ID) (*Look[Report], error) {
	r, err := m.get(id)
	if err != nil {
		return nil, err
	}
	b, c, s := behind{at: make(map[string]int)}, calls{}, newSilences(now, r)
	return &Look[Report]{
		m: m, r: r,
		visit: func(d *device, f *Facts) {
			b.add(now, d, f)
			if d.offered > 0 {
				late := overdue(now, f)
				var v DeviceView
				if late || d.standing == RolledBack || d.standing == Failed {
					v = m.view(now, r, d, f)
					m.explain(now, r, d, &v, silence.Glance)
					c.add(d, &v, late)
				}
				s.add(d, f, late, v.Cause.Class)
			}
		},
		end: func() Report { return r.report(s, b.result(), c.result(m, now, r)) },
	}, nil
}

// report puts a report together.
func (r *rollout) report(s *silences, b []Behind, c []Call) Report {
	x := Report{
		Summary: r.summary(), Verdict: r.Final, Days: s.days, Silent: s.silent, Causes: s.byName(), Behind: b, Calls: c,
		Line: s.line(r), Events: r.Silent, Usual: r.Usual, Low: r.Low, High: r.High, Survival: append([]SurvivalPoint{}, r.Survival...), Groups: []GroupReport{},
	}
	if r.judge == nil {
		return x
	}
	v := r.judge.Verdict()
	x.Verdict = strings.Join(append([]string{v.Action.String()}, r.reasons(&v)...), "; ")
	x.Events, x.Usual, x.Low, x.High = longSilences(&v)
	x.Survival = r.survival()
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
	return x
}

// survival is for how long after the update devices were heard.
func (r *rollout) survival() []SurvivalPoint {
	list := []SurvivalPoint{}
	for _, s := range r.judge.Survival() {
		list = append(list, SurvivalPoint(s))
	}
	return list
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

package verdict

// thetas is how many times as many silent windows an update may cause.
const thetas = 7

var thetaGrid = [thetas]float64{2, 3, 5, 8, 15, 40, 120}

// patterns are who is affected: those updated not long ago, or all that were.
const patterns = 2

// tolerance is how many times as often the devices of a link may be silent as others on it, and as all were before the rollout, without harm.
const tolerance = 2

// windows is evidence from windows: logarithms for each theta and pattern.
type windows [patterns][thetas]fixed

// An evidence is that of one group.
type evidence struct {
	burst, cycle              stake
	reports, failures         int64 // since the last override
	paired, across, historic  windows
	started, resolved, silent int64
	soaked                    int64
	failed                    int64  // as failures, in all
	halted                    uint32 // when this group by itself came to the threshold
	aside                     bool   // it is offered nothing more, and speaks for itself alone
}

// past is how the controls of a link or a group fare.
type past struct {
	events, expected float64      // fading
	week             [weeks]tally // by batch
}

const (
	weeks = int(7 * day / batch)
	fade  = 0.9753099120283326 // of a batch: 1/e in 10 days
)

// ratio is how many times as often as usual controls are silent, fading in ten days.
func (p *past) ratio() float64 { return (p.events + 1) / (p.expected + 1) }

// weekly is the same over the last seven days.
func (p *past) weekly() float64 {
	var t tally
	for _, w := range p.week {
		t.add(w)
	}
	return (float64(t.events) + 1) / (t.risk.float() + 1)
}

// kappa is the ratio for a stratum: of its link or its group, whichever is worse, and not below 1.
func (j *Judge) kappa(s *stratum) float64 {
	return max(1, j.linkPast[s.Link].ratio(), j.groupPast[s.group].ratio())
}

// fold turns the windows that closed in this batch into evidence.
func (j *Judge) fold() {
	j.record()
	all := make([]sides, len(j.links))
	for g := range j.evidence {
		own := j.strata[g*len(j.links) : (g+1)*len(j.links)]
		for i := range own {
			for p, s := range own[i].shown(j.evidence[g].aside) {
				all[i][p].add(s)
			}
		}
	}
	for i := range j.links { // an effect that all groups share: the updated against controls, whatever their product
		j.common.across.across(&all[i])
	}
	for g := range j.evidence {
		e := &j.evidence[g]
		own := j.strata[g*len(j.links) : (g+1)*len(j.links)]
		for i := range own {
			s := &own[i]
			mine, shown := s.sides(), s.shown(e.aside)
			e.historic.historic(&mine, float64(tolerance*max(1, j.linkPast[i].weekly(), j.groupPast[g].weekly())))
			if g < len(j.config.Groups) { // others have no product in common
				e.paired.paired(&mine)
			}
			against := mine
			for p := range against {
				against[p].control = all[i][p].control
				against[p].control.add(all[i][p].treated)
				against[p].control.risk -= shown[p].treated.risk
				against[p].control.events -= shown[p].treated.events
			}
			e.across.across(&against)
		}
	}
	for i := range j.strata {
		s := &j.strata[i]
		for a := range s.now {
			s.all[a].add(s.now[a])
		}
		s.now = [arms]tally{}
	}
	j.decision.due = true
}

// record adds the batch's controls to the past.
func (j *Judge) record() {
	slot := int(j.tick*tick/batch) % weeks
	for _, all := range [2][]past{j.linkPast, j.groupPast} {
		for i := range all {
			all[i].week[slot] = tally{}
		}
	}
	for i := range j.strata {
		s := &j.strata[i]
		j.linkPast[s.Link].week[slot].add(s.now[control])
		j.groupPast[s.group].week[slot].add(s.now[control])
	}
	for _, all := range [2][]past{j.linkPast, j.groupPast} {
		for i := range all {
			p := &all[i]
			p.events = float64(p.events*fade) + float64(p.week[slot].events)
			p.expected = float64(p.expected*fade) + p.week[slot].risk.float()
		}
	}
}

// sides is who is compared with whom, for each pattern.
type sides [patterns]side

type side struct{ treated, control tally }

func (s *side) add(o side) {
	s.treated.add(o.treated)
	s.control.add(o.control)
}

func (s *stratum) sides() (p sides) {
	p[0] = side{treated: s.now[soon], control: s.now[control]}
	p[0].control.add(s.now[later])
	p[1] = side{treated: s.now[soon], control: s.now[control]}
	p[1].treated.add(s.now[later])
	return p
}

// shown is what others are compared with: of a group that is set aside the controls alone, which are as good as any.
func (s *stratum) shown(aside bool) sides {
	if aside {
		alone := side{control: s.now[control]}
		return sides{alone, alone}
	}
	return s.sides()
}

// paired adds a comparison that holds whatever the common hazard does: of the silent windows, treated ones are the part that their risk is.
func (w *windows) paired(p *sides) { w.against(p, 1) }

// across adds one with others, who may be better by the tolerance.
func (w *windows) across(p *sides) { w.against(p, tolerance) }

func (w *windows) against(p *sides, rho float64) {
	for i := range p {
		s := &p[i]
		r1, r0 := s.treated.risk.float(), s.control.risk.float()
		if r1 <= 0 || r0 <= 0 || s.treated.events+s.control.events == 0 {
			continue
		}
		for t, theta := range thetaGrid {
			total := ln((float64(rho*r1) + r0) / (float64(theta*r1) + r0))
			log := float64(float64(s.treated.events)*(total+ln(theta/rho))) + float64(float64(s.control.events)*total)
			w[i][t] += fix(log)
		}
	}
}

// historic adds a comparison with the usual hazard, times rho.
func (w *windows) historic(p *sides, rho float64) {
	for i := range p {
		s := &p[i]
		for t, theta := range thetaGrid {
			w[i][t] += fix(float64(float64(s.treated.events)*ln(theta)) - float64(float64((theta-1)*rho)*s.treated.risk.float()))
		}
	}
}

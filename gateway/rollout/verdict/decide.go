package verdict

// commonEvidence is that for an effect which all groups share, where it is not the sum of theirs.
type commonEvidence struct{ across windows }

// Weights of what families of evidence are made of. Those of the first family are told of each contact and may be averaged; the others, which know
// closed windows only, have a part of alpha each.
const (
	weightBurst   = 0.4
	weightCycle   = 0.25
	weightFailure = 0.05
	weightWindows = 0.1
)

// warning is the average evidence that holds the next wave back.
const warning = 5

// most evidence that is told apart, so that JSON and people can bear it.
const evidenceMax = 1e300

// A decision is what has been decided so far.
type decision struct {
	due       bool // something has changed
	overrides int
	halted    uint32
	by        Component
	peak      [Components]float64
}

// threshold is the evidence that halts: Ville's inequality bounds the probability that it is ever reached without harm by its inverse.
func (j *Judge) threshold() float64 {
	t := 1 / j.config.Alpha
	for range min(j.decision.overrides, 900) {
		t *= 2
	}
	return t
}

// decide looks at the evidence after a tick that has changed it.
func (j *Judge) decide(now uint32) {
	if !j.decision.due {
		return
	}
	j.decision.due = false
	groups := float64(len(j.config.Groups)) // share alpha
	for g := range j.config.Groups {
		own := j.weighGroup(&j.evidence[g])
		if _, halt := reached(&own, float64(j.threshold()*groups)); halt && j.evidence[g].halted == 0 {
			j.evidence[g].halted = now
		}
	}
	e := j.weigh()
	for c := range e {
		j.decision.peak[c] = max(j.decision.peak[c], e[c])
	}
	if j.decision.halted == 0 {
		if by, halt := reached(&e, j.threshold()); halt {
			j.decision.halted, j.decision.by = now, by
		}
	}
}

// reached reports whether a family has come to the threshold, and the component that did most.
func reached(e *[Components]float64, threshold float64) (by Component, halt bool) {
	shares := [Components]float64{
		Burst: weightBurst * e[Burst], Cycle: weightCycle * e[Cycle], Failure: weightFailure * e[Failure],
		Paired: weightWindows * e[Paired], Across: weightWindows * e[Across], Historic: weightWindows * e[Historic],
	}
	for c := range shares {
		if shares[c] > shares[by] {
			by = Component(c)
		}
	}
	contacts := shares[Burst] + shares[Cycle] + shares[Failure]
	return by, max(contacts, shares[Paired], shares[Across], shares[Historic]) >= threshold
}

// average is the mean of the components, for people.
func average(e *[Components]float64) float64 {
	return min(float64(weightBurst*e[Burst])+float64(weightCycle*e[Cycle])+float64(weightFailure*e[Failure])+
		float64(weightWindows*(e[Paired]+e[Across]+e[Historic])), evidenceMax)
}

// weigh is the evidence of each component: half on an effect that all groups share, half on one of theirs, evenly. Groups that are set aside have no part
// in it.
func (j *Judge) weigh() (e [Components]float64) {
	groups := 0.0
	for g := range j.config.Groups {
		if !j.evidence[g].aside {
			groups++
		}
	}
	var all evidence
	for g := range j.evidence {
		own := &j.evidence[g]
		if own.aside {
			continue
		}
		all.add(own)
		if g == len(j.config.Groups) {
			break
		}
		for c, x := range j.weighGroup(own) {
			e[c] += x / groups
		}
	}
	all.across = j.common.across
	for c, x := range j.weighGroup(&all) {
		e[c] = min(float64(0.5*e[c])+float64(0.5*x), evidenceMax)
	}
	return e
}

func (e *evidence) add(o *evidence) {
	none := wager{}
	e.burst.replace(&none, &o.burst.wager)
	e.cycle.replace(&none, &o.cycle.wager)
	e.reports += o.reports
	e.failures += o.failures
	for p := range patterns {
		for t := range thetas {
			e.paired[p][t] += o.paired[p][t]
			e.historic[p][t] += o.historic[p][t]
		}
	}
}

// weighGroup is the evidence of each component in a group.
func (j *Judge) weighGroup(e *evidence) [Components]float64 {
	return [Components]float64{
		Burst: e.burst.mix(), Cycle: e.cycle.mix(), Failure: e.failure(j.config.Failures),
		Paired: e.paired.mix(), Across: e.across.mix(), Historic: e.historic.mix(),
	}
}

func (s *stake) mix() float64 {
	sum := 0.0
	for _, x := range s.odds {
		sum += x.exp()
	}
	return sum / shares
}

func (w *windows) mix() float64 {
	sum := 0.0
	for p := range w {
		for _, x := range w[p] {
			sum += x.exp()
		}
	}
	return sum / (patterns * thetas)
}

// failure is the evidence of what devices reported, if a share of updates may fail without harm.
func (e *evidence) failure(tolerated float64) float64 {
	sum := 0.0
	for _, q := range shareGrid {
		failed := ln((tolerated + float64(q*(1-tolerated))) / tolerated)
		sum += exp(float64(float64(e.failures)*failed) + float64(float64(e.reports-e.failures)*ln(1-q)))
	}
	return sum / shares
}

// Override says that an operator goes on in spite of the evidence. It is put aside and gathered anew, against a threshold twice as high as before.
func (j *Judge) Override(now int64) {
	j.advance(now)
	for g := range j.evidence {
		e := &j.evidence[g]
		e.burst.odds, e.cycle.odds = [shares]fixed{}, [shares]fixed{}
		e.paired, e.across, e.historic = windows{}, windows{}, windows{}
		e.reports, e.failures, e.halted, e.aside = 0, 0, 0, false
	}
	j.common = commonEvidence{}
	j.decision = decision{overrides: j.decision.overrides + 1, due: true}
}

// SetAside says that the devices of a group are offered nothing more, as is to be once it is halted by itself. What it says of the update decides for
// itself alone from here on: for the others their own evidence counts, and that of an effect which all share is gathered anew where it cannot be told
// apart. Should nothing be wrong with the update, all this takes a group that was halted, which has an alpha of its own.
func (j *Judge) SetAside(now int64, group Group) {
	j.advance(now)
	g, ok := j.groups[group]
	if !ok || j.evidence[g].aside {
		return
	}
	j.evidence[g].aside = true
	j.common = commonEvidence{}
	j.decision.due = true
}

// Halted is when the evidence came to what halts the rollout; 0: it has not. It is Verdict.Halted, and costs nothing.
func (j *Judge) Halted() int64 { return j.unix(j.decision.halted) }

// Evidence is that of each component now, and the average: Verdict.Evidence and Verdict.Average.
func (j *Judge) Evidence() (e [Components]float64, mean float64) {
	e = j.weigh()
	return e, average(&e)
}

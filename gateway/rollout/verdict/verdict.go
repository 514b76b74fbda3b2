package verdict

import "fmt"

// Action is what is to be done with a rollout.
type Action uint8

// Actions. Promote says that what is out speaks for opening the next wave; Warn holds it back; Halt stays until it is overridden.
const (
	Continue Action = iota
	Promote
	Warn
	Halt
)

// String is the action as people read it.
func (a Action) String() string {
	return [...]string{Continue: "continue", Promote: "promote", Warn: "warn", Halt: "halt"}[min(a, Halt)]
}

// Component is one way of gathering evidence.
type Component uint8

// The components.
const (
	Burst    Component = iota // B: silent in the burst after the update
	Cycle                     // B2: silent in a regular contact of the week after it
	Failure                   // what devices report themselves
	Paired                    // A1: against controls of the same stratum at the same time, whatever else happens
	Across                    // A2: against all others on the same link, who may be twice as good
	Historic                  // C: against what was usual before, and is in the controls of the last week

	Components
)

// String is the component as people read it.
func (c Component) String() string {
	return [...]string{
		Burst: "silence right after the update", Cycle: "silence in the week after the update", Failure: "failures that devices report",
		Paired: "silence against devices of the same kind without the update", Across: "silence against other devices on the same links",
		Historic: "silence against what is usual",
	}[min(c, Components-1)]
}

// A Verdict is what the evidence says at one moment. Evidence is a factor: how much more likely what was seen is if the update does harm; 1 is none.
type Verdict struct {
	Action    Action
	Hold      bool                // the next wave is not to be opened yet
	Reasons   []string            // why, a line each, for people
	Evidence  [Components]float64 // now
	Peak      [Components]float64 // highest since the rollout began or was overridden
	Average   float64             // of the components, for display; 5 and more is a warning
	Threshold float64             // at which a family of evidence, times its weight, halts: 1/alpha, twice that after an override
	Halted    int64               // when it was reached; 0: it was not
	By        Component           // and which did most
	Overrides int
	Groups    []Standing // in the order of Config.Groups
}

// A Standing is how a group does.
type Standing struct {
	Group
	Started  int     // devices that have got the update
	Resolved int     // of them, heard since
	Silent   int     // of them, silent now for longer than hardly any living device
	Failed   int     // of them, failed by their own word
	Events   int     // windows in which one of them was silent, those that came back included
	Expected float64 // events that the controls let expect
	Low      float64 // 95 % of what may be expected lies from here ...
	High     float64 // ... to here
	Harm     float64 // share of devices that the update silences at once: mean of what is likely now
	Late     float64 // and in the days after
	Evidence float64 // average of the components, in this group alone
	Halted   int64   // when this group by itself came to what halts it; 0: it has not
	Safe     bool    // less than Config.Excess are silenced, at once or in the days after, but for Config.Beta
	Aside    bool    // see SetAside
	Soaked   bool    // 80 % of those that have got the update were heard two days after it and later
}

// enough is how many devices of a group must have got the update before evidence that it does no harm can be waited for: half as many again as are
// needed if none of them is silent.
func (j *Judge) enough() int64 {
	return int64(1.5*ln(j.config.Beta)/ln(1-j.config.Excess)) + 1
}

// Verdict is what is to be done with the rollout, by what was told so far. It changes nothing.
func (j *Judge) Verdict() Verdict {
	d := &j.decision
	v := Verdict{
		Evidence: j.weigh(), Peak: d.peak, Threshold: j.threshold(), By: d.by, Overrides: d.overrides, Halted: j.unix(d.halted),
		Groups: make([]Standing, len(j.config.Groups)),
	}
	v.Average = average(&v.Evidence)
	asked, safe := 0, 0
	for g := range v.Groups {
		v.Groups[g] = j.standing(g)
		if s := &v.Groups[g]; !s.Aside && int64(s.Started) >= j.enough() {
			asked++
			if s.Safe {
				safe++
			}
			v.Hold = v.Hold || !s.Soaked || s.Evidence >= 1
		}
	}
	switch {
	case v.Halted != 0:
		v.Action = Halt
	case v.Average >= warning:
		v.Action = Warn
	case asked != 0 && safe == asked && !v.Hold:
		v.Action = Promote
	}
	v.Hold = v.Hold || v.Action >= Warn
	j.explain(&v)
	return v
}

func (j *Judge) unix(at uint32) int64 {
	if at == 0 {
		return 0
	}
	return j.base + int64(at)
}

// standing is how a group does now.
func (j *Judge) standing(g int) Standing {
	e := &j.evidence[g]
	s := Standing{
		Group: j.config.Groups[g], Started: int(e.started), Resolved: int(e.resolved), Silent: int(e.silent), Failed: int(e.failed), Halted: j.unix(e.halted), Aside: e.aside,
		Harm: e.burst.harm(), Late: e.cycle.harm(),
		Safe:   max(e.burst.safe, e.cycle.safe).float() <= ln(j.config.Beta),
		Soaked: float64(e.soaked) >= float64(soakShare*float64(e.started)),
	}
	own := j.weighGroup(e)
	s.Evidence = average(&own)
	var treated, controls tally
	for i := range j.links {
		k := &j.strata[g*len(j.links)+i]
		treated.add(k.all[soon])
		treated.add(k.all[later])
		controls.add(k.all[control])
		treated.add(k.now[soon])
		treated.add(k.now[later])
		controls.add(k.now[control])
	}
	s.Events = int(treated.events)
	s.Expected, s.Low, s.High = j.usual95.expect(controls.events, controls.risk.float(), treated.risk.float())
	return s
}

// harm is the mean share of silenced devices: half on none before anything is known, the rest on the grid, each as likely as the evidence makes it.
func (s *stake) harm() float64 {
	all, mean := 1.0, 0.0
	for i, q := range shareGrid {
		w := exp(s.odds[i].float()) / shares
		all += w
		mean += float64(w * q)
	}
	return mean / all
}

// A Suspicion is about one silent device.
type Suspicion struct {
	Update  float64 // probability that the update silenced it
	Harm    float64 // share of devices of its group that the update silences in such a time, mean of what is likely now
	Usual   float64 // probability that a device which the update spares is silent as long
	Missed  int     // contacts missed since the update or the last contact after it
	Late    bool    // it came back from the update and was silent later
	Started int64
	Last    int64 // contact
}

// Suspect is how likely the update is behind the silence of a device that got it and has missed a contact since; ok is false for any other.
func (j *Judge) Suspect(p Place) (s Suspicion, ok bool) {
	d := j.find(p)
	if d == nil || !d.treated() || d.checks == 0 || d.flags&(burning|cycling) == 0 {
		return Suspicion{}, false
	}
	s = Suspicion{
		Harm: float64(j.run(d).harm() * j.part(d)), Usual: min(float64(d.usual)+float64(d.dead), 1), Missed: steps[d.checks], Late: !d.is(burning),
		Started: j.unix(d.started), Last: j.unix(d.last()),
	}
	s.Update = Attribute(s.Harm, s.Usual)
	return s, true
}

// Attribute is the probability that a silent device is one of the share that an update silences, if the others are silent with a probability.
func Attribute(share, usual float64) float64 { return share / (share + float64((1-share)*usual)) }

// explain writes the reasons.
func (j *Judge) explain(v *Verdict) {
	say := func(format string, args ...any) { v.Reasons = append(v.Reasons, fmt.Sprintf(format, args...)) }
	switch v.Action {
	case Halt:
		say("the evidence of harm came to what halts a rollout, %.3g; most of it is %s", v.Threshold, v.By)
	case Warn:
		say("the evidence of harm is %.3g, %.0f is a warning", v.Average, float64(warning))
	case Continue, Promote:
	}
	for i := range v.Groups {
		s := &v.Groups[i]
		name := fmt.Sprintf("product %d from version %d", s.Product, s.From)
		if s.Events != 0 {
			say("%s: %d silent, %.2g expected from control (95 %% %.2g–%.2g)", name, s.Events, s.Expected, s.Low, s.High)
		}
		if s.Failed != 0 {
			say("%s: %d of %d report a failure", name, s.Failed, s.Started)
		}
		switch {
		case s.Aside:
			say("%s: set aside, it counts no more for the others", name)
			continue
		case s.Halted != 0:
			say("%s: is to be halted by itself", name)
		}
		if int64(s.Started) >= j.enough() && v.Action < Warn {
			switch {
			case !s.Soaked:
				say("%s: holds the next wave until %.0f %% of the updated were heard two days after", name, 100*soakShare)
			case !s.Safe:
				say("%s: that %.2g %% are silenced is not excluded yet", name, 100*j.config.Excess)
			}
		}
	}
}

package rollouts

import (
	"slices"

	"github.com/godwit-gateway/godwit/gateway/rollout/verdict"
)

// A Judgement is one of those that a Result has outcomes of.
type Judgement struct {
	Name string
	of   func(*Result) *Outcome
}

// Ours is the verdict.
var Ours = Judgement{Name: "verdict", of: func(r *Result) *Outcome { return &r.Ours }}

// Judgements are the verdict, components of it alone, and rules of others.
func Judgements() []Judgement {
	all := []Judgement{Ours}
	for c := range verdict.Components {
		all = append(all, Judgement{Name: "alone: " + c.String(), of: func(r *Result) *Outcome { return &r.Parts[c] }})
	}
	for i, name := range RuleNames() {
		all = append(all, Judgement{Name: name, of: func(r *Result) *Outcome { return &r.Rules[i] }})
	}
	return all
}

// A Summary is how a judgement fared in many rollouts.
type Summary struct {
	Runs     int     `json:"runs"`
	Halted   int     `json:"halted"`
	GivenUp  int     `json:"given_up"`     // of them, by people, because the next wave was held
	Hours    float64 `json:"hours_median"` // of those that were halted; -1: none was
	Hours90  float64 `json:"hours_p90"`
	Exposed  int     `json:"exposed_median"`
	Bricked  int     `json:"bricked_median"`
	Complete float64 `json:"complete_hours_median"` // median hours until the last wave had reported, of those that came to it; -1: none did
}

// Summarise counts.
func Summarise(all []Result, j Judgement) Summary {
	var hours, complete []float64
	var exposed, bricked []int
	given := 0
	for i := range all {
		o := j.of(&all[i])
		if o == &all[i].Ours && all[i].GivenUp {
			given++
		}
		if o.Hours >= 0 {
			hours = append(hours, o.Hours)
		}
		if all[i].Complete >= 0 {
			complete = append(complete, all[i].Complete)
		}
		exposed, bricked = append(exposed, o.Exposed), append(bricked, o.Bricked)
	}
	return Summary{
		Runs: len(all), Halted: len(hours), GivenUp: given, Hours: quantile(hours, 0.5, -1), Hours90: quantile(hours, 0.9, -1),
		Exposed: quantile(exposed, 0.5, 0), Bricked: quantile(bricked, 0.5, 0), Complete: quantile(complete, 0.5, -1),
	}
}

func quantile[T float64 | int](all []T, part float64, none T) T {
	if len(all) == 0 {
		return none
	}
	slices.Sort(all)
	return all[int(part*float64(len(all)-1)+0.5)]
}

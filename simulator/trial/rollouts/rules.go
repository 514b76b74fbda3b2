package rollouts

import (
	"math"

	"github.com/godwit-gateway/godwit/gateway/rollout/verdict"
	"github.com/godwit-gateway/godwit/simulator/trial"
)

// counts is what rules of others look at, of the updated devices of a product, or of a wave of it.
type counts struct {
	size     int // of the wave
	updated  int
	returned int
	late     int // not heard for a day after the update
	settled  int // updated for a day
	quiet    int // not heard for a day now, of those updated for a day
	absent   int // not heard for two days now, whatever their interval
	errors   int // failures that they report: a silenced device reports none
}

// sight is all of a look.
type sight struct {
	waves    [products][]counts
	all      [products]counts
	controls [products]counts
}

// A rule is one by which others halt rollouts.
type rule struct {
	name  string
	halts func(s *sight) bool
	Outcome
}

// waveOver is a rule about a share of a product's part of a wave.
func waveOver(share float64, of func(c *counts) int) func(*sight) bool {
	return func(s *sight) bool {
		for p := range s.waves {
			for w := range s.waves[p] {
				if c := &s.waves[p][w]; float64(of(c)) > share*float64(c.size) {
					return true
				}
			}
		}
		return false
	}
}

// executed is how many must have ended before AWS-style abort criteria are looked at.
const executed = 50

// aws is the rule of AWS IoT jobs: of those that have ended, by success or timeout, so many have failed, from a least number on.
func aws(s *sight) bool {
	for p := range s.all {
		c := &s.all[p]
		if n := c.returned + c.late; n >= executed && float64(c.late) >= 0.02*float64(n) {
			return true
		}
	}
	return false
}

// peek is a one-sided z-test at 1 % each hour, of the updated against controls, by product.
func peek(s *sight) bool {
	const z = 2.326
	for p := range s.all {
		t, c := &s.all[p], &s.controls[p]
		n1, n0 := float64(t.settled), float64(c.settled)
		if n1 == 0 || n0 == 0 {
			continue
		}
		p1, p0, both := float64(t.quiet)/n1, float64(c.quiet)/n0, float64(t.quiet+c.quiet)/(n1+n0)
		if p1 > p0 && (p1-p0)/math.Sqrt(both*(1-both)*(1/n1+1/n0)) > z {
			return true
		}
	}
	return false
}

func late(c *counts) int { return c.late }

// newRules are the rules.
func newRules(*rollout) []rule {
	all := []rule{
		{name: "1 % of a product's wave silent for 24 h", halts: waveOver(0.01, late)},
		{name: "2 %", halts: waveOver(0.02, late)},
		{name: "5 %", halts: waveOver(0.05, late)},
		{name: "AWS-style, 2 % timed out of at least 50", halts: aws},
		{name: "hawkBit, more than 1 % report errors", halts: waveOver(0.01, func(c *counts) int { return c.errors })},
		{name: "z-test at 1 %, each hour", halts: peek},
		{name: "2 % not heard for 48 h", halts: waveOver(0.02, func(c *counts) int { return c.absent })},
	}
	for i := range all {
		all[i].Hours = -1
	}
	return all
}

// RuleNames are the names of Result.Rules.
func RuleNames() []string {
	var names []string
	for _, r := range newRules(nil) {
		names = append(names, r.name)
	}
	return names
}

// lookRules lets the rules look, and the components of the verdict as if each were alone.
func (o *rollout) lookRules(hours float64) {
	s := o.sight()
	for i := range o.rules {
		if r := &o.rules[i]; r.Hours < 0 && r.halts(s) {
			r.Outcome = o.outcome(hours)
		}
	}
	evidence, average := o.judge.Evidence()
	o.result.Peak = max(o.result.Peak, average)
	for c := range verdict.Components {
		if part := &o.result.Parts[c]; part.Hours < 0 && evidence[c] >= 100 {
			*part = o.outcome(hours)
		}
	}
}

// sight counts.
func (o *rollout) sight() *sight {
	s := &sight{}
	for p := range s.waves {
		s.waves[p] = make([]counts, len(waves))
	}
	for i := range o.units {
		u, product, wave := &o.units[i], o.fleet.devices[i].product, int(o.wave[i])
		var c *counts
		switch {
		case wave >= o.opened:
			c = &s.controls[product]
			c.settled++
			if o.now-u.heard > trial.Day {
				c.quiet++
			}
			continue
		default:
			c = &s.waves[product][wave]
		}
		c.size++
		if u.updated == 0 {
			continue
		}
		c.updated++
		if u.returned != 0 {
			c.returned++
		}
		if o.now-u.updated >= trial.Day {
			c.settled++
			if u.returned == 0 {
				c.late++
			}
			if o.now-u.heard > trial.Day {
				c.quiet++
			}
		}
		if o.now-u.heard > 2*trial.Day {
			c.absent++
		}
	}
	for p := range s.waves {
		for w := range s.waves[p] {
			c, all := &s.waves[p][w], &s.all[p]
			all.returned += c.returned
			all.late += c.late
			all.settled += c.settled
			all.quiet += c.quiet
		}
	}
	return s
}

// unfinished are the outcomes that the end of the rollout decides.
func (o *rollout) unfinished() []*Outcome {
	var all []*Outcome
	for i := range o.rules {
		o.result.Rules = append(o.result.Rules, o.rules[i].Outcome)
	}
	for i := range o.result.Rules {
		all = append(all, &o.result.Rules[i])
	}
	for i := range o.result.Parts {
		all = append(all, &o.result.Parts[i])
	}
	return all
}

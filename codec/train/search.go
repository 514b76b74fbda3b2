package train

import (
	"fmt"
	"math"

	"github.com/godwit-gateway/godwit/codec"
)

// choice is how a field, or the time, is coded, and what was counted with it.
type choice struct {
	predictor     codec.Predictor
	order, spread uint8
	counts        counts
	bits          float64
}

// coding is the choice with the model that fits it, or with none if nothing was counted.
func (c *choice) coding() codec.Coding {
	coding := codec.Coding{Order: c.order, Spread: c.spread}
	if c.bits > 0 {
		m := c.counts.fit()
		coding.Model = m[:]
	}
	return coding
}

// search tries codings. Fields do not depend on each other, so one run of the encoder tries one coding of every field.
type search struct {
	draft   Draft
	devices [][]codec.Status
	count   int     // statuses that are counted
	fixed   float64 // bits of what no choice changes
}

// Bounds of the search. A field whose noise is beyond the largest order has it in plain bits all the same.
const (
	ordersMax  = 12
	spreadsMax = 16
	rounds     = 2
)

// clearly is how much better a predictor must be than those before it in the list, which are simpler: what is better by less in a sample is often not in what
// comes after it.
const clearly = 0.02

var predictors = []codec.Predictor{codec.PredictLast, codec.PredictTrend, codec.PredictZero, codec.PredictAlong}

// run descends by order and by spread in turns, with each predictor, and takes what is cheapest.
func (s *search) run() ([]choice, error) {
	for _, d := range s.devices {
		s.count += max(len(d)-1, 0)
	}
	if s.count == 0 {
		return nil, fmt.Errorf("%w: a device needs two statuses", ErrRows)
	}
	n := len(s.draft.Fields) + 1
	best := make([]choice, n)
	for i := range best {
		best[i].bits = math.Inf(1)
	}
	for k, p := range predictors {
		at, turns := make([]choice, n), rounds
		if k > 0 {
			turns = 1 // from what suits the one before
		}
		for i := range at {
			at[i] = choice{bits: math.Inf(1), predictor: p, order: best[i].order, spread: best[i].spread}
			switch {
			case i < n-1 && s.draft.Fields[i].Predictor == codec.PredictElapsed:
				at[i].predictor = codec.PredictElapsed
			case p == codec.PredictAlong && (i == 0 || best[i].predictor == codec.PredictZero): // whose move is what the next one goes along with
				at[i].predictor = best[i].predictor
			}
		}
		if err := s.descend(at, turns); err != nil {
			return nil, err
		}
		for i := range at {
			if at[i].bits < best[i].bits*(1-clearly) {
				best[i] = at[i]
			}
		}
	}
	return best, nil
}

func (s *search) descend(at []choice, turns int) error {
	for range turns {
		for v := range uint8(spreadsMax + 1) {
			if err := s.try(at, func(c *choice) { c.spread = v }); err != nil {
				return err
			}
		}
		for v := range uint8(ordersMax + 1) {
			if err := s.try(at, func(c *choice) { c.order = v }); err != nil {
				return err
			}
		}
	}
	return nil
}

// try changes all choices, counts, and keeps what got cheaper.
func (s *search) try(at []choice, change func(*choice)) error {
	changed := make([]choice, len(at))
	for i := range at {
		changed[i] = choice{predictor: at[i].predictor, order: at[i].order, spread: at[i].spread}
		change(&changed[i])
	}
	t, err := s.draft.template(changed)
	if err != nil {
		return err
	}
	s.fixed = 0
	for _, d := range s.devices {
		c, err := count(t, d)
		if err != nil {
			return fmt.Errorf("count: %w", err)
		}
		s.fixed += c.fixed
		for i := range changed {
			changed[i].counts.add(&c.fields[i])
		}
	}
	for i := range changed {
		c := &changed[i]
		m := c.counts.fit()
		// Equal but for chance is not better: the first, which is the simplest, stays.
		if c.bits = c.counts.bits(&m); c.bits < at[i].bits*(1-1e-4) {
			at[i] = *c
		}
	}
	return nil
}

func (c *counts) add(o *counts) {
	for i := range c.seen {
		c.seen[i][0] += o.seen[i][0]
		c.seen[i][1] += o.seen[i][1]
	}
	c.plain += o.plain
}

func (s *search) report(chosen []choice) Report {
	n := float64(s.count)
	r := Report{Statuses: s.count, Fixed: s.fixed / n}
	last := len(chosen) - 1
	for i := range chosen[:last] {
		r.Fields = append(r.Fields, chosen[i].bits/n)
	}
	r.Time = chosen[last].bits / n
	return r
}

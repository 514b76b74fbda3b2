package train

import "github.com/godwit-gateway/godwit/codec"

// counts is what a field decided: how often each decision of its model was 0 and 1, and the bits that no model can change.
type counts struct {
	seen  [codec.ModelLen][2]float64
	plain float64
}

// tally counts the decisions of statuses by field; the time is the last.
type tally struct {
	fields []counts
	fixed  float64
}

func (t *tally) of(field int) *counts {
	if field == codec.VisitTime {
		field = len(t.fields) - 1
	}
	return &t.fields[field]
}

// Decide implements codec.Visitor.
func (t *tally) Decide(field, decision int, one bool) {
	c := t.of(field)
	if one {
		c.seen[decision][1]++
		return
	}
	c.seen[decision][0]++
}

// Plain implements codec.Visitor.
func (t *tally) Plain(field int, bits float64) {
	if field == codec.VisitFixed {
		t.fixed += bits
		return
	}
	t.of(field).plain += bits
}

// count runs the encoder over a device's statuses, each against the one before. The first makes the state and is not counted.
func count(t *codec.Template, statuses []codec.Status) (*tally, error) {
	out := &tally{fields: make([]counts, len(t.Fields())+1)}
	var s codec.State
	for i := range statuses {
		if i == 0 {
			s.SetKeyframe(t, &statuses[0])
			continue
		}
		if err := t.Visit(out, 1, &s, &statuses[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

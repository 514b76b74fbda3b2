package codec

import "math"

// ModelLen is the number of probabilities in a model, one for each decision in each context.
const ModelLen = modelLen

// Where the parts of a model begin (SPEC §3.2), and how many contexts a part has.
const (
	ModelTurned = modelTurned
	ModelMoved  = modelMoved
	ModelMinus  = modelMinus
	ModelMore   = modelMore
	ModelHalf   = modelHalf

	Activities  = activities
	MoreClasses = moreClasses
	HalfClasses = halfClasses
)

// Numbers of what is not a field, for a Visitor.
const (
	VisitTime  = timeField
	VisitFixed = fixedField // what no template changes
)

// ModelIndexes is how many probabilities a model can choose from.
const ModelIndexes = len(probabilities)

// ModelZero is the probability of a zero that an index of a model stands for.
func ModelZero(index uint8) float64 { return float64(probabilities[index]) / (1 << probBits) }

// DefaultModel is what an empty model stands for.
func DefaultModel() [ModelLen]uint8 { return defaultModel }

// A Visitor is told what statuses decide, instead of a range coder. Training counts it.
type Visitor interface {
	// Decide is told a decision of the model of a field, or of VisitTime.
	Decide(field, decision int, one bool)
	// Plain is told bits that do not depend on a model, of a field, VisitTime or VisitFixed.
	Plain(field int, bits float64)
}

// Visit tells v the decisions that a status has in a delta, or in a batch at distance 1, against the state s of distance counters before.
// s becomes the state after it. A state that knows nothing is made to know the interval only, as at the start of a batch without a base.
func (t *Template) Visit(v Visitor, distance uint8, s *State, status *Status) error {
	if !s.Known(t) {
		s.reset(t)
	}
	e := statusEncoder{sink: &visitSink{v: v, field: VisitFixed}, t: t, s: s}
	return e.status(status, int64(distance))
}

// visitSink is the range coder's place. Plain bits follow the decision of their field.
type visitSink struct {
	v     Visitor
	field int
}

func (s *visitSink) decide(field, decision int, p uint32, one bool) {
	s.field = field
	if field != fixedField {
		s.v.Decide(field, decision, one)
		return
	}
	likely := float64(p) / (1 << probBits)
	if one {
		likely = 1 - likely
	}
	s.v.Plain(field, -math.Log2(likely))
}

func (s *visitSink) raw(_ uint64, bits uint8) { s.v.Plain(s.field, float64(bits)) }

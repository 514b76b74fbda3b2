package entropy

import (
	"math"

	"github.com/godwit-gateway/godwit/codec"
)

// A Price adds up what the decisions of statuses cost under the models of their template: what an ideal arithmetic coder would write with these.
type Price struct {
	Template *codec.Template
	Bits     float64
}

// Decide implements codec.Visitor.
func (p *Price) Decide(field, decision int, one bool) {
	coding := p.Template.Timing().Coding
	if field != codec.VisitTime {
		coding = p.Template.Fields()[field].Coding
	}
	model := codec.DefaultModel()
	if len(coding.Model) > 0 {
		model = [codec.ModelLen]uint8(coding.Model)
	}
	likely := codec.ModelZero(model[decision])
	if one {
		likely = 1 - likely
	}
	p.Bits -= math.Log2(likely)
}

// Plain implements codec.Visitor.
func (p *Price) Plain(_ int, bits float64) { p.Bits += bits }

package size

import (
	"math"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/codec/entropy"
)

// bounds is what the statuses from the cut on would cost, in bytes per status.
type bounds struct {
	bits  float64 // under the entropy bound, in broken bits
	whole float64 // the same, with each status in whole bytes of its own
	floor float64 // with a byte for each status that was not guessed
	model float64 // under the template, in broken bits
}

func (p *prepared) bounds() (bounds, error) {
	b, own := entropy.NewBound(p.t), entropy.Price{Template: p.t}
	var out bounds
	var s codec.State
	for i := range p.statuses {
		bits := b.Next(&p.statuses[i])
		if i < p.cut {
			continue
		}
		out.bits += bits / 8
		out.whole += wholeBytes(bits)
		if !b.Guessed() {
			out.floor++
		}
		if i == p.cut {
			s.SetKeyframe(p.t, &p.statuses[i-1])
		}
		if err := p.t.Visit(&own, 1, &s, &p.statuses[i]); err != nil {
			return bounds{}, err //nolint:wrapcheck // the caller says of which trace
		}
	}
	n := float64(len(p.statuses) - p.cut)
	return bounds{bits: out.bits / n, whole: out.whole / n, floor: out.floor / n, model: own.Bits / 8 / n}, nil
}

// wholeBytes is how many bytes a payload takes on average that says so many bits, written as the packed encoding writes them but without any loss: an
// interval of width 2^-bits, anywhere, is named by the shortest number in it. One of n bytes is in it with probability 2^(8n-bits).
func wholeBytes(bits float64) float64 {
	sum := 0.0
	for n := 0.0; 8*n < bits; n++ {
		sum += 1 - math.Exp2(8*n-bits)
	}
	return sum
}

package ledger

import (
	"math"

	"github.com/godwit-gateway/godwit/scheduler"
)

// Sums are what an account holds.
type Sums struct {
	Micros  scheduler.Micros `json:"price"`
	Count   int64            `json:"count"`         // transmissions
	Payload int64            `json:"payload_bytes"` // given to the links
	Billed  int64            `json:"billed_bytes"`
}

// add adds, and stops at the ends of the type.
func add(a, b int64) int64 {
	switch s := a + b; {
	case a > 0 && b > 0 && s < 0:
		return math.MaxInt64
	case a < 0 && b < 0 && s >= 0:
		return math.MinInt64
	default:
		return s
	}
}

// Add adds other sums.
func (s *Sums) Add(o Sums) {
	s.Micros = scheduler.Micros(add(int64(s.Micros), int64(o.Micros)))
	s.Count, s.Payload, s.Billed = add(s.Count, o.Count), add(s.Payload, o.Payload), add(s.Billed, o.Billed)
}

func (e *Entry) sums() Sums { return Sums{e.Micros, e.Count, e.Payload, e.Billed} }

package entropy_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/codec/entropy"
)

// The bound comes near the entropy of sources whose entropy is known, and is not below it.
func TestBoundOfKnownSources(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 5))
	for _, tc := range []struct {
		name string
		bits float64 // of a status
		next func(last int64, i int) int64
	}{
		{"constant", 0, func(int64, int) int64 { return 40 }},
		{"ramp", 0, func(last int64, _ int) int64 { return last + 3 }},
		{"alternating", 0, func(_ int64, i int) int64 { return int64(i % 2) }},
		{"a coin's walk", 1, func(last int64, _ int) int64 { return last + int64(rng.IntN(2)) }},
		{"one step of eight", 3, func(last int64, _ int) int64 { return last + int64(rng.IntN(8)) - 4 }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tm, err := codec.NewTemplate(codec.Timing{}, []codec.Field{{Name: "x", Scale: codec.Decimal{Coef: 1}, Offset: -1 << 30, Width: 32}})
			if err != nil {
				t.Fatal(err)
			}
			b := entropy.NewBound(tm)
			n, last, sum, counted := 6000, int64(0), 0.0, 0
			for i := range n {
				last = tc.next(last, i)
				s := codec.Status{
					Time: time.Unix(int64(i)*3600, 0), ClockValid: true, Values: []codec.Value{{Raw: last, State: codec.Measured}},
				}
				if bits := b.Next(&s); i > n/2 {
					sum, counted = sum+bits, counted+1
				}
			}
			if mean := sum / float64(counted); mean < tc.bits*0.97 || mean > tc.bits*1.1+0.1 || math.IsNaN(mean) {
				t.Errorf("%.3f bits, want about %g", mean, tc.bits)
			}
		})
	}
}

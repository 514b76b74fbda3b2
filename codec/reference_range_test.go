package codec_test

import (
	"fmt"
	"math"
	"math/big"
	"strings"
)

// refRange is the range code of SPEC §3.2 over whole numbers of any size: its interval is [low, low+width) / 2^(32 + 8 × out). Nothing of it
// goes out before the end, so there is no carry.
type refRange struct {
	low   *big.Int
	width uint64
	out   uint
}

func newRefRange() *refRange { return &refRange{low: new(big.Int), width: 1<<32 - 1} }

// narrow leaves of the interval what begins at from and is so wide.
func (r *refRange) narrow(from, width uint64) {
	r.low.Add(r.low, new(big.Int).SetUint64(from))
	for r.width = width; r.width < 1<<24; r.width *= 256 {
		r.low.Lsh(r.low, 8)
		r.out++
	}
}

// refProbability is the probability of 0 of an index, in 1/4096, by the formula.
func refProbability(i int) uint64 {
	return uint64(min(max(math.Round(4096/(1+math.Exp(0.26*(31.5-float64(i))))), 1), 4095))
}

func (r *refRange) decide(i int, one bool) {
	zero := refProbability(i)
	likely := max(zero, 4096-zero)
	bound := r.width / 4096 * likely
	if one == (zero < 2048) {
		r.narrow(0, bound)
	} else {
		r.narrow(bound, r.width-bound)
	}
}

func (r *refRange) plain(bits int, v uint64) {
	for bits > 0 {
		n := min(bits, 8)
		bits -= n
		piece := v >> bits & (1<<n - 1)
		r.narrow(piece*(r.width>>n), r.width>>n)
	}
}

// number is the k-th byte string of a length whose fraction lies in the interval, counted from 0; false if there is none.
func (r *refRange) number(length uint, k int64) ([]byte, bool) {
	finest := max(length, 4+r.out)
	low := new(big.Int).Lsh(r.low, 8*(finest-4-r.out))
	high := new(big.Int).SetUint64(r.width)
	high.Lsh(high.Add(high, r.low), 8*(finest-4-r.out))
	unit := new(big.Int).Lsh(big.NewInt(1), 8*(finest-length))
	n := new(big.Int).Add(low, unit)
	n.Div(n.Sub(n, big.NewInt(1)), unit)
	n.Add(n, big.NewInt(k))
	if new(big.Int).Mul(n, unit).Cmp(high) >= 0 {
		return nil, false
	}
	return n.FillBytes(make([]byte, length)), true
}

// bytes is the encoding: the shortest string, and of these the smallest.
func (r *refRange) bytes() []byte {
	for length := uint(0); ; length++ {
		if b, ok := r.number(length, 0); ok {
			return b
		}
	}
}

// refPacked takes decisions that are written out: "55/0" is a decision of index 55 that is 0, "12:7" a plain number 7 of 12 bits; what is
// between bars belongs together.
func refPacked(lists ...string) *refRange {
	r := newRefRange()
	for _, word := range strings.Fields(strings.ReplaceAll(strings.Join(lists, " "), "|", " ")) {
		var a int
		var b uint64
		if n, _ := fmt.Sscanf(word, "%d/%d", &a, &b); n == 2 {
			r.decide(a, b == 1)
		} else if n, _ := fmt.Sscanf(word, "%d:%d", &a, &b); n == 2 {
			r.plain(a, b)
		} else {
			panic("decision " + word)
		}
	}
	return r
}

package train

import (
	"math"

	"github.com/godwit-gateway/godwit/codec"
)

// Weights of what is known beforehand, in decisions seen. They are a choice, not tuned: less follows chance, more blurs what the
// sample shows.
const (
	leanDefault = 6 // of the default model, against all contexts of a kind together
	leanKind    = 8 // of all contexts of a kind, against one of them
)

// prices of a zero and of a one in bits, by index.
var prices = func() (p [codec.ModelIndexes][2]float64) {
	for i := range p {
		zero := codec.ModelZero(uint8(i))
		p[i] = [2]float64{-math.Log2(zero), -math.Log2(1 - zero)}
	}
	return p
}()

// best is the index that writes so many zeros and ones in the fewest bits.
func best(zeros, ones float64) uint8 {
	index, low := 0, math.Inf(1)
	for i, p := range prices {
		if bits := zeros*p[0] + ones*p[1]; bits < low {
			index, low = i, bits
		}
	}
	return uint8(index)
}

// lean adds weight decisions to those seen, in the proportion of p zeros to 1-p ones.
func lean(seen [2]float64, zero, weight float64) [2]float64 {
	return [2]float64{seen[0] + weight*zero, seen[1] + weight*(1-zero)}
}

func share(seen [2]float64) float64 { return seen[0] / (seen[0] + seen[1]) }

// fit chooses the model for what was counted.
func (c *counts) fit() [codec.ModelLen]uint8 {
	m := codec.DefaultModel()
	for _, kind := range kinds {
		var all [2]float64
		for _, i := range kind {
			all[0], all[1] = all[0]+c.seen[i][0], all[1]+c.seen[i][1]
		}
		for _, i := range kind {
			prior := codec.ModelZero(m[i])
			if len(kind) > 1 {
				prior = share(lean(all, prior, leanDefault))
			}
			both := lean(c.seen[i], prior, leanKind)
			m[i] = best(both[0], both[1])
		}
	}
	return m
}

// kinds are the contexts of a model that are like each other: of one decision, after moves of any size.
var kinds = func() (k [][]int) {
	run := func(from, n, step int) []int {
		list := make([]int, n)
		for i := range list {
			list[i] = from + i*step
		}
		return list
	}
	k = append(k, run(codec.ModelTurned, 1, 1), run(codec.ModelTurned+1, 1, 1), run(codec.ModelMoved, codec.Activities, 1),
		run(codec.ModelMinus, codec.ModelMore-codec.ModelMinus, 1))
	for j := range codec.MoreClasses {
		k = append(k, run(codec.ModelMore+j, codec.Activities, codec.MoreClasses))
	}
	return append(k, run(codec.ModelHalf, codec.HalfClasses, 1))
}()

// bits is what was counted costs under a model.
func (c *counts) bits(m *[codec.ModelLen]uint8) float64 {
	bits := c.plain
	for i, seen := range c.seen {
		p := &prices[m[i]]
		bits += seen[0]*p[0] + seen[1]*p[1]
	}
	return bits
}

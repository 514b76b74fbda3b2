package presence

import "math/bits"

const (
	exact  = 16         // runs up to here are told apart
	maxRun = 2020       // the last edge
	bins   = 39         // number of edges
	decay  = 0.99232805 // of a day: one half in 90 days
)

// edges are the lengths of runs that are told apart: 0 to 16, then steps of a quarter.
var edges = func() (e [bins]int64) {
	for i := range e {
		if e[i] = int64(i); i > exact {
			e[i] = e[i-1] * 5 / 4
		}
	}
	return e
}()

// bin is the index of the last edge that is not above k.
func bin(k int64) int {
	if k <= exact {
		return int(k)
	}
	b := exact
	for b+1 < bins && edges[b+1] <= k {
		b++
	}
	return b
}

const (
	octaves  = 12 // of the interval: around 15 min, 30 min, 1 h, ... and around 21 days and more
	burstRow = octaves
	linkRow  = octaves + 1 // all of a link
	rows     = octaves + 2
)

// Octaves is how many classes of intervals are told apart.
const Octaves = octaves

// Octave is the class of an interval, from 0: intervals of one class share what is learned of their runs.
func Octave(interval uint32) int { return octave(interval) }

func octave(interval uint32) int {
	// Boundaries lie half an octave below 30 min, 1 h, 2 h, ..., so that the neighbours of a common interval share its row.
	return min(bits.Len32(interval/1273), octaves-1)
}

// A row is how far runs of missed contacts went: of those that missed edges[b] in a row, tested also came to the next edge or were heard at a due
// contact before it, and missed came to it. Both fade with time.
type row struct {
	tested, missed [bins]float64
}

// add counts a run that ended after k misses; due tells whether the contact that ended it was one that was due.
func (r *row) add(k int64, due bool) {
	b := bin(k)
	for i := range b {
		r.tested[i]++
		r.missed[i]++
	}
	if due {
		r.tested[b]++
	}
}

func (r *row) fade() {
	for i := range r.tested {
		r.tested[i] *= decay
		r.missed[i] *= decay
	}
}

// Weights of what a row leans on, in opportunities.
const (
	leanOnLink  = 4
	leanOnPrior = 1
)

// prior is P(edges[b+1] missed | edges[b] missed) before anything is known.
var prior = func() (h [bins]float64) {
	h[0] = 0.1
	for b := 1; b+1 < bins; b++ {
		h[b] = 1
		for range edges[b+1] - edges[b] {
			h[b] *= 0.75
		}
	}
	return h
}()

// A curve is C of one link and row, read edge by edge.
type curve struct{ own, link *row }

// hazard is P(edges[b+1] missed | edges[b] missed).
func (c curve) hazard(b int) float64 {
	h := (c.link.missed[b] + 0.5 + float64(leanOnPrior*prior[b])) / (c.link.tested[b] + 1 + leanOnPrior)
	return (c.own.missed[b] + float64(leanOnLink*h)) / (c.own.tested[b] + leanOnLink)
}

// tail walks the curve to k: C(k), C(k+1), and the sum of C(j) for j < k. Between edges C is linear.
func (c curve) tail(k int64) (at, next, sum float64) {
	at = 1.0
	b := 0
	for ; b+1 < bins && edges[b+1] <= k; b++ {
		low := at * c.hazard(b)
		w := edges[b+1] - edges[b]
		sum += float64(float64(w)*at) - float64(float64(w-1)*(at-low)*0.5)
		at = low
	}
	if b+1 == bins {
		return at, at, sum
	}
	low := at * c.hazard(b)
	step := (at - low) / float64(edges[b+1]-edges[b])
	n := float64(k - edges[b])
	sum += float64(n*at) - float64(n*(n-1)*0.5*step)
	at -= float64(n * step)
	return at, at - step, sum
}

// TailProbability is C(k): how likely a living device of a link and interval that was just heard misses k contacts in a row.
func (m *Model) TailProbability(p Policy, k int) float64 {
	at, _, _ := m.curve(int(p.Link), octave(p.Interval)).tail(min(int64(k), maxRun))
	return at
}

// BurstProbability is C(k) of the burst after an update: how likely a living device of a link that was just updated misses the first k contacts that
// it owes, those of the burst and then the regular ones. While no burst has ended yet it is what is known of the link.
func (m *Model) BurstProbability(link uint8, k int) float64 {
	at, _, _ := m.curve(int(link), burstRow).tail(min(int64(k), maxRun))
	return at
}

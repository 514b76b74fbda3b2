package demo

import (
	"math/rand/v2"
	"sync"
)

// luck is what happens by chance in a network, the same for the same seed. Safe for concurrent use.
type luck struct {
	mu   sync.Mutex
	rand *rand.Rand // guarded by mu
}

// newLuck makes luck of a seed; each network has a stream of its own.
func newLuck(seed, stream uint64) *luck {
	return &luck{rand: rand.New(rand.NewPCG(seed, stream))} //nolint:gosec // repeatable
}

// draw returns a number from 0 to below 1.
func (l *luck) draw() float64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.rand.Float64()
}

// loses reports whether the answer to a message is one of those that are lost.
func (l *luck) loses() bool { return l.draw() < confirmationsLost }

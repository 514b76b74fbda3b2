package verdict

import "github.com/godwit-gateway/godwit/scheduler/presence"

// most is how many missed contacts of a run are looked at: each at first, then fewer and fewer, since misses come in outages and say little of each
// other. Long runs are looked at because outages end and deaths do not.
const most = 8

var steps = [most + 1]int{0, 1, 2, 3, 4, 6, 8, 12, 16}

// A run of more than manySteps[steps] contacts is looked at only within that time: how often the living are silent for longer has hardly been seen.
const (
	manySteps = 8
	longRun   = 72 * hour
)

// chances are P(contact steps[i+1] missed | alive, contact steps[i] missed).
type chances [most]float64

// A usual is what the living miss as usual, over a link and at intervals of one octave.
type usual struct {
	missed chances
	window uint16  // contacts that a window spans: so many in a row are hardly ever missed
	tail   float64 // how often they are
}

// A link is what is held against devices that speak over it.
type link struct {
	grace, jitter int64
	burst         chances
	octaves       [presence.Octaves]usual
}

// longestWindow is the most contacts that a window spans.
const longestWindow = 2000

// rare is how rarely a living device may be silent through a window: less where windows are short, since then there are many of them.
func rare(octave int) float64 {
	switch {
	case octave <= presence.Octave(6*hour):
		return 0.0004
	case octave <= presence.Octave(24*hour):
		return 0.001
	default:
		return 0.003
	}
}

// newLink reads a link's tables from what presence has learned.
func newLink(l presence.Link, number uint8, m *presence.Model) link {
	k := link{grace: int64(l.Grace), jitter: int64(l.Jitter)}
	k.burst = conditional(func(n int) float64 { return m.BurstProbability(number, n) })
	for o := range k.octaves {
		tail := func(n int) float64 { return m.TailProbability(presence.Policy{Interval: sample(o), Link: number}, n) }
		u := &k.octaves[o]
		u.missed = conditional(tail)
		n := 1
		for ; n < longestWindow && tail(n) > rare(o); n++ {
		}
		u.window, u.tail = uint16(n), tail(n) //nolint:gosec // at most longestWindow
	}
	return k
}

// sample is an interval of an octave.
func sample(octave int) uint32 {
	at := uint32(tick)
	for presence.Octave(at) < octave {
		at += at / 4
	}
	return at
}

// conditional makes chances of the probability of n misses in a row.
func conditional(tail func(n int) float64) (c chances) {
	before := 1.0
	for i := range c {
		at := tail(steps[i+1])
		c[i] = min(at/before, 1)
		before = at
	}
	return c
}

package device

import "time"

// burstMax is how many reports a burst programme has at most.
const burstMax = 16

// A Burst is what permanent memory holds of a burst programme: when a device reports besides its interval once a new software has started
// (F-068, F-080).
type Burst struct {
	Minutes [burstMax]uint16 // after the start; what is over is taken out
	Left    uint8
	Started int64 // Unix milliseconds; 0: the new software has not started yet
}

func newBurst(minutes []uint16) (b Burst) {
	b.Left = uint8(copy(b.Minutes[:], minutes)) //nolint:gosec // up to 16
	return b
}

// start begins the programme.
func (b *Burst) start(now time.Time) { b.Started = now.UnixMilli() }

// next is when the next report is due; zero if there is none.
func (b *Burst) next() time.Time {
	if b.Left == 0 || b.Started == 0 {
		return time.Time{}
	}
	return time.UnixMilli(b.Started).Add(time.Duration(b.Minutes[0]) * time.Minute)
}

// due reports whether a report is due. Of several that are, as after a time without power, one is made.
func (b *Burst) due(now time.Time) (due bool) {
	for at := b.next(); !at.IsZero() && !now.Before(at); at = b.next() {
		due = true
		b.Left--
		copy(b.Minutes[:], b.Minutes[1:])
		b.Minutes[b.Left] = 0
	}
	return due
}

// answered ends the programme if what was acknowledged was made after the start: the gateway knows that the software came up.
func (b *Burst) answered(made time.Time) {
	if b.Started != 0 && made.UnixMilli() >= b.Started {
		b.end()
	}
}

func (b *Burst) end() { *b = Burst{} }

package session

import (
	"math/bits"

	"github.com/godwit-gateway/godwit/codec"
)

// A Class says what a verified counter is to a gateway.
type Class uint8

// Classes of a counter.
const (
	New       Class = iota // above all before
	Duplicate              // seen, and within the window
	Missing                // within the window and not seen: late
	Unknown                // older than the window: whether it was seen stands in the stored rows
	TooOld                 // below the floor: the rows that could tell are gone
)

// WindowLen is the number of counters below the highest that a window knows.
const WindowLen = 64

// Counters is the replay state of one epoch. It is durable with the device's row; the stored frames are the truth that it speeds up.
type Counters struct {
	Highest uint64 // the highest counter verified
	Window  uint64 // bit i: Highest-1-i was verified
	Floor   uint64 // counters below it are refused
	Seen    bool   // any counter was verified
}

// Classify says what a verified counter is.
func (c *Counters) Classify(counter uint64) Class {
	switch {
	case counter < c.Floor:
		return TooOld
	case !c.Seen || counter > c.Highest:
		return New
	case counter == c.Highest:
		return Duplicate
	case c.Highest-1-counter < WindowLen:
		if c.Window>>(c.Highest-1-counter)&1 == 1 {
			return Duplicate
		}
		return Missing
	default:
		return Unknown
	}
}

// Accept notes a verified counter.
func (c *Counters) Accept(counter uint64) {
	switch {
	case !c.Seen:
		c.Highest, c.Window, c.Seen = counter, 0, true
	case counter > c.Highest:
		d := counter - c.Highest
		if d > WindowLen {
			c.Window = 0
		} else {
			c.Window = c.Window<<d | 1<<(d-1) // a shift by 64 gives 0, as it should
		}
		c.Highest = counter
	case counter < c.Highest && c.Highest-1-counter < WindowLen:
		c.Window |= 1 << (c.Highest - 1 - counter)
	}
}

// Known is the number of counters that the window knows to be verified, the highest included.
func (c *Counters) Known() int {
	if !c.Seen {
		return 0
	}
	return 1 + bits.OnesCount64(c.Window)
}

// Ack is the acknowledgement of the highest counter and of those of the 32 before it that were verified. False if there was none yet. What
// is acknowledged must be on disk: a gateway calls it after the sync, or lets what it sends wait for one.
func (c *Counters) Ack() (codec.Ack, bool) {
	return codec.Ack{Counter: c.Highest, Bitmap: uint32(c.Window)}, c.Seen //nolint:gosec // the lowest 32 bits are meant
}

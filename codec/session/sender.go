package session

import (
	"errors"
	"fmt"

	"github.com/godwit-gateway/godwit/codec"
)

// Reserve is how many counters a device takes at a time: it writes to its memory once for so many frames (RFC 8613 appendix B.1.1). A device
// with an 8-bit counter on air takes fewer, so that two restarts that nobody heard of stay within what can be completed.
const (
	Reserve16 = 64
	Reserve8  = 16
)

// ErrNotPersisted is returned when the next counter is beyond what the device's memory says is taken.
var ErrNotPersisted = errors.New("counter is not reserved")

// A Sender gives out the counters of a device. Before a counter is used, a number above it must be in the device's permanent memory, so that
// after any restart it continues above all that it used.
type Sender struct {
	next     uint64
	reserved uint64 // counters below it may be used: what permanent memory holds
	step     uint64
}

// NewSender starts a sender from what permanent memory holds: 0 on a new device, else the number that the last Reserve asked to be written.
func NewSender(persisted uint64, ctrBits uint8) Sender {
	step := uint64(Reserve16)
	if ctrBits == 8 {
		step = Reserve8
	}
	return Sender{next: persisted, reserved: persisted, step: step}
}

// Reserve returns the number that must be in permanent memory before Next succeeds, and whether it is not there yet.
func (s *Sender) Reserve() (uint64, bool) {
	if s.next < s.reserved {
		return s.reserved, false
	}
	return s.next + s.step, true
}

// Persisted says that permanent memory now holds what Reserve returned.
func (s *Sender) Persisted(reserved uint64) { s.reserved = max(s.reserved, reserved) }

// Next takes the next counter.
func (s *Sender) Next() (uint64, error) {
	if s.next >= s.reserved {
		return 0, ErrNotPersisted
	}
	if s.next > codec.CounterMax {
		return 0, fmt.Errorf("counter %d: %w", s.next, codec.ErrExhausted)
	}
	s.next++
	return s.next - 1, nil
}

// Last is the last counter that may have been taken, also before a restart; false if there is none. It is what an acknowledgement is completed with.
func (s *Sender) Last() (uint64, bool) {
	if s.next == 0 {
		return 0, false
	}
	return s.next - 1, true
}

package core

import (
	"strings"
	"time"
)

// A Witness is what is known of a device besides its contacts, for who asks why it is not heard.
type Witness struct {
	Levels []Level // of its battery: the last that differ, oldest first

	// What networks said since it was heard.
	Refused   int       // downlinks that they will never take
	Why       string    // what they said last
	Delivered time.Time // a downlink reached it; zero: none did
}

// A Level is how full a battery was.
type Level struct {
	At      time.Time // to the hour
	Percent float64
}

// Witness is what is known of a device besides its contacts. levels is used for the answer's.
func (k *Core) Witness(at Place, levels []Level) (w Witness) {
	w.Levels = levels[:0]
	if d := k.find(at); d != nil {
		w.Levels = d.power.levels(d.heard, w.Levels)
	}
	if s := k.said[at]; s != nil {
		w.Refused, w.Why, w.Delivered = int(s.refused), s.why, unstamp(s.delivered)
	}
	return w
}

// power is the course of a battery in 12 bytes. A reading takes the place of the one before it until the battery has come as far as a step from the
// reading before that: so a battery that lasts for years and one that an update empties in a day both leave a course that can be seen.
type power struct {
	percent [readings]uint8  // the newest first; 0: none
	hour    [readings]uint16 // since 1970, the lowest bits: within seven years before the device was heard last
}

const (
	readings  = 4
	powerStep = 2 // per cent
	hoursTold = 1<<16 - 48
)

// note takes a reading, from 1 per cent on.
func (p *power) note(now time.Time, percent uint8) {
	hour := uint16(stamp(now) / secondsPerHour) //nolint:gosec // its lowest bits are meant
	if settled := p.percent[1] == 0 || apart(p.percent[0], p.percent[1]) >= powerStep; p.percent[0] != 0 && settled && p.hour[0] != hour {
		copy(p.percent[1:], p.percent[:])
		copy(p.hour[1:], p.hour[:])
	}
	p.percent[0], p.hour[0] = percent, hour
}

const secondsPerHour = 3600

func apart(a, b uint8) uint8 { return max(a, b) - min(a, b) }

// levels appends the readings, oldest first, of a device that was heard last at a time.
func (p *power) levels(heard uint32, to []Level) []Level {
	last := heard / secondsPerHour
	for i := readings - 1; i >= 0; i-- {
		if p.percent[i] == 0 {
			continue
		}
		ago := uint32(uint16(last) - p.hour[i]) //nolint:gosec // modulo 2^16 hours
		if ago > hoursTold {
			ago = 0 // it is of after that: frames of two links do not come in the order in which they were received
		}
		to = append(to, Level{At: unstamp((last - min(ago, last)) * secondsPerHour), Percent: float64(p.percent[i])})
	}
	return to
}

// said is what networks said of a device since it was heard. Few devices have that.
type said struct {
	refused   uint8
	delivered uint32
	why       string
}

// whyMost bounds what is kept of a network's word, in bytes.
const whyMost = 80

// word is what networks said of a device, to be added to.
func (k *Core) word(at Place) *said {
	k.touch(at)
	if s := k.said[at]; s != nil {
		return s
	}
	return k.hold(at, new(said))
}

func (k *Core) hold(at Place, s *said) *said {
	if k.said == nil {
		k.said = make(map[Place]*said)
	}
	k.said[at] = s
	return s
}

// Refused says that a network will never take a downlink to a device, and why, in its own words.
func (k *Core) Refused(at Place, why string) {
	if k.find(at) == nil {
		return
	}
	s := k.word(at)
	s.refused, s.why = min(s.refused, 254)+1, strings.ToValidUTF8(why[:min(len(why), whyMost)], "")
}

// Delivered says that a downlink reached a device.
func (k *Core) Delivered(now time.Time, at Place) {
	if k.find(at) != nil {
		k.word(at).delivered = stamp(now)
	}
}

func unstamp(s uint32) time.Time {
	if s == 0 {
		return time.Time{}
	}
	return time.Unix(int64(s), 0).UTC()
}

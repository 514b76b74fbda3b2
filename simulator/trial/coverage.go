package trial

import "math/rand/v2"

// reach is how a class of link loses its devices for a while, after Gilbert (1960) and Elliott (1963). One outage in twenty is eight times as long.
type reach struct {
	good, bad int64 // means of how long a device is in reach, and of how long it is not, in seconds
}

var reaches = [classes]reach{
	Cell: {good: 20 * Day, bad: 4 * Hour},
	SMS:  {good: 15 * Day, bad: 8 * Hour},
	SBD:  {good: 12 * Day, bad: 20 * Hour},
	IDP:  {good: 12 * Day, bad: 12 * Hour},
}

const (
	longOutage = 8  // times as long as others
	oneInLong  = 20 // of the outages
)

// Coverage is when a device is in reach.
type Coverage struct {
	reach
	out  int64 // out of reach from then on
	back int64 // in reach again from then on, if that is after out
}

// Cover is the coverage of a device that is in reach at time 0 and loses it so many times as often as usual.
func (c Class) Cover(often float64, luck *rand.Rand) Coverage {
	v := Coverage{reach: reaches[c]}
	v.good = int64(float64(v.good) / often)
	v.out = mean(v.good, luck)
	return v
}

// mean draws a time around a mean.
func mean(of int64, luck *rand.Rand) int64 { return int64(luck.ExpFloat64() * float64(of)) }

// Reached reports whether the device is in reach at a time, which is not before that of an earlier call.
func (v *Coverage) Reached(at int64, luck *rand.Rand) bool {
	for at >= v.out {
		if v.back <= v.out {
			length := v.bad
			if luck.IntN(oneInLong) == 0 {
				length *= longOutage
			}
			v.back = v.out + 1 + mean(length, luck)
		}
		if at < v.back {
			return false
		}
		v.out = v.back + 1 + mean(v.good, luck)
	}
	return true
}

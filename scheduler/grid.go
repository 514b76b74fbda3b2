package scheduler

import "math"

// A Code is an interval on the wire: code k is 15 minutes times 2^(k/4). CodeExact stands for a number of seconds that is no level, such as a
// limit.
type Code uint8

// Codes is the number of levels, which end at 1.6 years.
const (
	Codes          = 64
	CodeExact Code = 255
)

// Quarter octaves, and the borders between their neighbours, of which the bits of the fraction count: 2^(i/4) and 2^(i/4+1/8).
var (
	quarters = [4]float64{1, 1.189207115002721, 1.4142135623730951, 1.681792830507429}
	borders  = func() (b [4]uint64) {
		for i, border := range [4]float64{1.0905077326652577, 1.2968395546510096, 1.5422108254079407, 1.8340080864093424} {
			b[i] = math.Float64bits(border) & fraction
		}
		return b
	}()
	grid = func() (g [Codes]Secs) {
		for k := range g {
			g[k] = Secs(math.Floor(math.Ldexp(900*quarters[k%4], k/4) + 0.5))
		}
		return g
	}()
	gridHours = func() (g [Codes]float64) {
		for k := range g {
			g[k] = grid[k].Hours()
		}
		return g
	}()
)

// The parts of a float64.
const (
	fractionBits = 52
	fraction     = 1<<fractionBits - 1
	bias         = 1023
)

// shortHours is the border below the first level.
const shortHours = 0.25 / 1.0905077326652577

// Secs is the interval of a level; 0 of a code that is none.
func (c Code) Secs() Secs {
	if c >= Codes {
		return 0
	}
	return grid[c]
}

// Nearest is the level that is nearest to a length by ratio.
func Nearest(every Secs) Code { return nearest(every.Hours()) }

func nearest(hours float64) Code {
	if !(hours > 0.25) {
		return 0
	}
	bits := math.Float64bits(4 * hours) // of 15 minutes; this is math.Frexp without its branches, as is what follows
	k := 4 * (int(bits>>fractionBits) - bias)
	for _, border := range borders {
		k += int((border - 1 - bits&fraction) >> 63) // 1 from the border on
	}
	return Code(min(k, Codes-1)) //nolint:gosec // from 0 to 63
}

// alike reports whether two intervals are not worth being told apart: they have the same nearest level, or differ by less than half a level below the
// first one.
func alike(a, b Secs) bool {
	if a < grid[0] && b < grid[0] {
		return max(a, b)*11 < min(a, b)*12
	}
	return nearest(a.Hours()) == nearest(b.Hours())
}

// quantise is the interval that a device is told for one in hours: the nearest level, or a limit where that lies beyond it. Below the first level,
// which a policy has to allow, it is told in whole seconds.
func quantise(hours, lo, hi float64) (Code, Secs) {
	if hours < shortHours && lo < gridHours[0] {
		return exact(Secs(math.Floor(3600*max(min(max(hours, lo), hi), 1.0/3600) + 0.5)))
	}
	code := nearest(hours)
	switch every := gridHours[code]; {
	case every < lo:
		return exact(Secs(math.Ceil(3600 * lo)))
	case every > hi:
		return exact(Secs(math.Floor(max(3600*hi, 3600*lo))))
	}
	return code, grid[code]
}

// exact is a length with its code.
func exact(every Secs) (Code, Secs) {
	if code := Nearest(every); grid[code] == every {
		return code, every
	}
	return CodeExact, every
}

package scheduler

import "math"

// A Hazard is the fear of an update: with a probability it breaks the device, sooner rather than later.
type Hazard struct {
	Chance float64 // that the update breaks the device, in [0, 1]
	Tau    Secs    // mean time until it breaks, if it does
	Loss   float64 // what an hour of a failure that nobody knows of costs, in the unit of Device.Weight
}

const ln2 = 0.6931471805599453

// Weight is what the hazard adds to a device's weight so long after the boot: Loss times the density of a failure. It makes the checks of
// Keller's optimum part of the square-root law.
func (h *Hazard) Weight(since Secs) float64 {
	if since < 0 || h.Tau <= 0 {
		return 0
	}
	return float64(h.Loss*h.Chance) / h.Tau.Hours() * halving(float64(since)/float64(ln2*float64(h.Tau)))
}

// halving is 2^-x for x >= 0, within 0.4 %: straight between quarters, the same on all processors.
func halving(x float64) float64 {
	if x >= 1000 {
		return 0
	}
	n := math.Ceil(4 * x)
	above := math.Ldexp(quarters[(4-int(n)%4)%4], -(int(n)+3)/4)
	rest := n - float64(4*x) // in [0, 1): how far back from n quarters
	return above + float64(above*rest*(quarters[1]-1))
}

// DefaultBurst is the programme for updates of which no more is known, in minutes after the boot. It ends with the first contact that is acknowledged, so that
// further ones cost next to nothing, and within the hour they tell a dead device from a link that loses much. The first comes soon: a device that has just got
// an update is in reach, and each minute until it reports is one in which that may end.
func DefaultBurst() []uint16 { return []uint16{5, 10, 20, 30, 45, 60, 240, 720} }

package scheduler

import "math"

// maxBurst is how many contacts a programme may have.
const maxBurst = 16

// Burst is the programme of contacts after an update, in minutes after the boot: what Keller's optimum makes of a hazard, where a check costs so much
// money and succeeds with a probability of p, and a unit of money buys price weighted stale-hours. Its first entry is the question whether
// the device came back at all, five minutes after the boot, if that is worth its price. It ends where checks would come no closer than the
// interval, since a burst only adds contacts. Without a hazard it is DefaultBurst; it is empty if no check is worth its price.
func Burst(h *Hazard, check Micros, p, price float64, every Secs) []uint16 {
	if h == nil || h.Tau <= 0 || h.Chance <= 0 || h.Loss <= 0 {
		return DefaultBurst()
	}
	cost := max(float64(price*float64(check))*perUnit, 1e-9)
	g := gain(p)
	var minutes []uint16
	if float64(h.Chance*h.Loss*g)*every.Hours() > cost {
		minutes = append(minutes, DefaultBurst()[0])
	}
	// The density of checks is sqrt(L g h(t) / cost), h(t) an exponential: its integral is n (1 - e^(-t/2tau)), and check k is where that is k.
	tau := h.Tau.Hours()
	n := float64(2 * math.Sqrt(float64(tau*h.Loss*h.Chance*g)/cost))
	before := 0.0
	for k := 1; float64(k) < n && len(minutes) < maxBurst; k++ {
		at := float64(2 * tau * ln2 * log2(n/(n-float64(k))))
		if at-before >= every.Hours() || at*60 >= math.MaxUint16 {
			break
		}
		before = at
		if m := uint16(math.Floor(float64(at*60) + 0.5)); len(minutes) == 0 || m > minutes[len(minutes)-1] {
			minutes = append(minutes, max(m, 1))
		}
	}
	return minutes
}

// log2 is the binary logarithm of x >= 1 to 40 bits, by squaring: the same on all processors.
func log2(x float64) float64 {
	fraction, exponent := math.Frexp(x)
	x, y, bit := 2*fraction, float64(exponent-1), 0.5
	for range 40 {
		if x *= x; x >= 2 {
			x /= 2
			y += bit
		}
		bit /= 2
	}
	return y
}

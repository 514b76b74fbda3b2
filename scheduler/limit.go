package scheduler

// capShare is how much of a device's monthly cap is planned for: decisions let an interval be off by rather less than the rest.
const capShare = 0.95

// longestHours is what a device can be told at most: 136 years, for one whose cap what piles up exceeds by itself.
const longestHours = (1<<32 - 1) / 3600.0

// limits finds the interval's: of policy and link, of battery and monthly cap, of the service level. Where they exclude each other, the lower one
// holds: no promise empties a battery.
func (y *way) limits(pol *Policy, l *Link, d *Device) {
	longest := pol.longest()
	if l.MaxGap > 0 {
		longest = min(longest, l.MaxGap)
	}
	y.lo, y.hi = max(pol.shortest(), l.MinGap).Hours(), longest.Hours()
	if pol.Stale > 0 {
		y.hi = min(y.hi, y.service(pol))
	}
	if d.Power > 0 {
		y.lo = max(y.lo, y.battery(d))
	}
	if d.Cap > 0 {
		y.lo = y.capped(d, y.lo)
	}
	y.hi = max(y.hi, y.lo)
}

func (pol *Policy) shortest() Secs {
	if pol.Min == 0 {
		return DefaultMin
	}
	return pol.Min
}

func (pol *Policy) longest() Secs {
	if pol.Max == 0 {
		return max(DefaultMax, pol.Min)
	}
	return pol.Max
}

func (pol *Policy) horizon() Secs {
	if pol.Horizon == 0 {
		return DefaultHorizon
	}
	return pol.Horizon
}

// service is the longest interval, in hours, that keeps the service level.
func (y *way) service(pol *Policy) float64 { return pol.Stale.Hours() / float64(losses(y.p, pol.Miss)) }

// battery is the shortest interval, in hours, that the battery lasts with.
func (y *way) battery(d *Device) float64 { return y.energy / float64(d.Power) / 3600 }

// capped is the shortest interval, in hours and from lo on, that keeps the device's monthly cap in the longest month. What piles up makes contacts
// dearer as they become rarer.
func (y *way) capped(d *Device, lo float64) float64 {
	limit := float64(d.Cap) * perUnit * capShare
	for range 16 {
		need := y.full(size(d, lo)) * capHours / limit
		if need <= lo {
			break
		}
		lo = min(need, longestHours)
	}
	return lo
}

// losses is how many contacts in a row it takes so that all of them are lost with a probability of miss at most.
func losses(p, miss float64) int {
	if miss <= 0 {
		miss = DefaultMiss
	}
	n := 1
	for lost := 1 - p; lost > miss && n < 1000; n++ {
		lost *= 1 - p
	}
	return n
}

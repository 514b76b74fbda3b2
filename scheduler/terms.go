package scheduler

// terms are what one of a device's links is good for whatever the prices are. Where bytes pile up, what a contact takes is that of the shortest
// interval.
type terms struct {
	weight       float64 // of the device, times the way's gain
	money, bytes float64 // that a contact takes
	lo, hi       float64 // limits of the interval, in hours
	pool         int16   // place in Plan.Pools; -1: none
	tail         uint8
	fixed        bool // no price moves the interval
	grows        bool // the best interval depends on what is billed in steps
	far          bool // out of reach
}

// ways finds the terms of each of the device's links, and says how many there are.
func (f *Fleet) ways(to *[MaxVias]terms, d *Device, weight float64, links []int16) (n int) {
	for n < MaxVias && d.Links[n].Link > 0 {
		var y way
		f.way(&y, d, links, n)
		f.terms(&to[n], &y, d, weight, n)
		n++
	}
	return n
}

// terms are those of a way, by the policy's law.
func (f *Fleet) terms(t *terms, y *way, d *Device, weight float64, via int) {
	pol := &f.Policies[d.Policy]
	*t = terms{weight: weight * y.g, lo: y.lo, hi: y.hi, pool: y.pool, tail: uint8(pol.tail()), far: f.deliver(d.Links[via]) < NoCover} //nolint:gosec // at most MaxTail
	if pol.Law == LawPrice {
		t.grows = d.Growth > 0
	} else {
		t.lo = max(pol.every(d, int(d.Links[via].Link)-1).Hours(), y.lo)
		t.hi, t.fixed = t.lo, true
	}
	t.money, t.bytes = y.cost(size(d, t.lo))
}

package scheduler

// An entry is what one of a device's links is good for whatever the prices are. Where bytes pile up, what a contact takes is that of the shortest
// interval, until a choice has been made.
type entry struct {
	weight       float64 // of the device, times the way's gain
	money, bytes float64 // that a contact takes
	lo, hi       float64 // limits of the interval, in hours; 0: there is no link
	q            float64 // contacts an hour at a price of one, without limits; of mixed entries it is computed anew. Only a Solver wants it
	pool         int16   // place in Plan.Pools; -1: none
	tail         uint8
	via          int8  // of the device's links; -1: none
	fixed        bool  // no price moves the interval
	grows        bool  // the best interval depends on what is billed in steps
	far          bool  // out of reach
	mixed        bool  // money and bytes both have a price
	links        uint8 // that the device has
	ways         int32 // where the entries of each of them begin, of a device with a choice
}

// ways makes the entries of each of the device's links, and says how many there are.
func (f *Fleet) ways(to *[MaxVias]entry, d *Device, weight float64, links []int16) (n int) {
	var y way
	for n < MaxVias && d.Links[n].Link > 0 {
		f.way(&y, d, links, n)
		f.enter(&to[n], &y, d, weight, n)
		n++
	}
	return n
}

// enter makes the entry of a way, by the policy's law.
func (f *Fleet) enter(e *entry, y *way, d *Device, weight float64, via int) {
	pol := &f.Policies[d.Policy]
	e.weight, e.lo, e.hi, e.q = weight*y.g, y.lo, y.hi, 0
	e.pool, e.tail, e.via = y.pool, uint8(pol.tail()), int8(via) //nolint:gosec // at most MaxTail and MaxVias
	e.fixed, e.grows, e.far = pol.Law != LawPrice, d.Growth > 0 && pol.Law == LawPrice, y.far
	if e.fixed {
		e.lo = max(pol.every(d, int(d.Links[via].Link)-1).Hours(), y.lo)
		e.hi = e.lo
	}
	e.money, e.bytes = y.cost(size(d, e.lo))
}

// several reports whether what the device does depends on prices by more than its interval.
func (e *entry) several() bool { return e.links > 1 || e.grows }

// tune finds q for what a contact takes.
func (e *entry) tune() {
	if e.bytes == 0 {
		e.pool = -1
	}
	e.mixed = false
	switch {
	case e.pool >= 0 && e.money > 0:
		e.mixed = true
	case e.pool >= 0:
		e.q = rhythm(e.weight, e.bytes, int(e.tail))
	default:
		e.q = rhythm(e.weight, e.money, int(e.tail))
	}
}

// take makes an entry that of a choice. Where what piles up is billed in steps, the cost is that of the step chosen.
func (e *entry) take(c *choice, ways []entry) {
	links, at := e.links, e.ways
	*e = ways[c.via]
	e.links, e.ways, e.money, e.bytes = links, at, c.money, c.bytes
	e.tune()
}

// scales are what multiplies the rates at given prices: for money, and for each pool, by tail.
type scales struct {
	at    *prices
	money [MaxTail + 1]float64
	pools [][MaxTail + 1]float64
}

func newScales(at *prices) scales {
	sc := scales{at: at, pools: make([][MaxTail + 1]float64, len(at.pools))}
	scale(&sc.money, at.money)
	for i := range at.pools {
		scale(&sc.pools[i], at.pools[i].Price)
	}
	return sc
}

// scale is the rate at a price over the rate at a price of one.
func scale(to *[MaxTail + 1]float64, price float64) {
	for tail := 1; tail <= MaxTail; tail++ {
		to[tail] = root(1/price, tail+1)
	}
}

// rate is the entry's contacts an hour, and whether no limit holds.
func (e *entry) rate(sc *scales) (r float64, free bool) {
	switch {
	case e.mixed:
		r = rhythm(e.weight, e.price(sc.at), int(e.tail))
	case e.pool >= 0:
		r = e.q * sc.pools[e.pool][e.tail]
	default:
		r = e.q * sc.money[e.tail]
	}
	if least := 1 / e.hi; !(r > least) { // as well where nothing is wanted at no price
		return least, false
	}
	if most := 1 / e.lo; r >= most {
		return most, false
	}
	return r, true
}

// price is that of a contact.
func (e *entry) price(at *prices) float64 { return at.of(e.pool, e.money, e.bytes) }

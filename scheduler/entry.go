package scheduler

// An entry is what the search for prices keeps of a device: its rate of contacts is q times a scale that only the price knows, between limits.
type entry struct {
	q            float64 // the rate at a price of one; of mixed entries it is computed anew
	weight       float64
	money, bytes float64
	lo, hi       float64 // limits of the rate in contacts an hour; 0: the device has no link
	pool         int16
	tail         uint8
	via          int8  // of the device's links; -1: none
	mixed        bool  // money and bytes both have a price
	grows        bool  // of a device with one link: as terms.grows
	links        uint8 // that the device has
	ways         int32 // where their terms begin
}

// several reports whether the device's choice depends on prices.
func (e *entry) several() bool { return e.links > 1 || e.grows }

// take makes an entry of a choice. Where what piles up is billed in steps, the cost is that of the step chosen.
func (e *entry) take(c *choice, ways []terms) {
	if c.via >= 0 {
		e.follow(&ways[c.via], c.via, c.money, c.bytes)
	}
}

// follow makes an entry of one of the device's links. Its limits are those of the interval at any price.
func (e *entry) follow(t *terms, via int, money, bytes float64) {
	e.weight, e.money, e.bytes, e.lo, e.hi = t.weight, money, bytes, 1/t.hi, 1/t.lo
	e.pool, e.via, e.tail, e.mixed = t.pool, int8(via), t.tail, false //nolint:gosec // below MaxVias
	if bytes == 0 {
		e.pool = -1
	}
	switch {
	case e.pool >= 0 && money > 0:
		e.q, e.mixed = 0, true
	case e.pool >= 0:
		e.q = rhythm(t.weight, bytes, int(t.tail))
	default:
		e.q = rhythm(t.weight, money, int(t.tail))
	}
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

// rate is the entry's contacts an hour.
func (e *entry) rate(sc *scales) float64 {
	var r float64
	switch {
	case e.mixed:
		r = rhythm(e.weight, e.price(sc.at), int(e.tail))
	case e.pool >= 0:
		r = e.q * sc.pools[e.pool][e.tail]
	default:
		r = e.q * sc.money[e.tail]
	}
	if !(r > e.lo) { // as well where nothing is wanted at no price
		return e.lo
	}
	return min(r, e.hi)
}

// price is that of a contact.
func (e *entry) price(at *prices) float64 { return at.of(e.pool, e.money, e.bytes) }

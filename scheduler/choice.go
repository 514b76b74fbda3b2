package scheduler

// prices are what a device decides by.
type prices struct {
	money float64     // of a unit of money in weighted stale-hours
	pools []PoolPrice // of a byte
	links []int16     // for each link: its pool, or -1
}

// A choice is the best that one device can do at given prices.
type choice struct {
	via          int // -1: there is no link
	way          way
	tail         int
	fixed        bool    // no price moves it
	filled       bool    // the interval is just what a billed step is good for
	weight       float64 // of the device, times the way's gain
	hours        float64 // the interval, between the way's limits
	hi           float64 // the upper limit of the interval at this cost
	money, bytes float64 // that a contact takes
	price        float64 // of a contact, in weighted stale-hours
	burden       float64 // weighted stale-hours an hour: by age and by price together, which is what is made small
}

// choose compares the device's links by what each costs at its own best interval.
func (f *Fleet) choose(best *choice, d *Device, weight float64, at *prices) {
	if d.Links[0].Link == 0 {
		best.via = -1
		return
	}
	f.consider(best, d, weight, at, 0)
	if d.Links[1].Link == 0 {
		return
	}
	covered := f.deliver(d.Links[0]) >= NoCover
	for i := 1; i < MaxVias && d.Links[i].Link > 0; i++ {
		within := f.deliver(d.Links[i]) >= NoCover
		if covered && !within {
			continue
		}
		var c choice
		f.consider(&c, d, weight, at, i)
		if within && !covered || c.burden < best.burden {
			*best = c
		}
		covered = covered || within
	}
}

// consider finds what one of the device's links is good for.
func (f *Fleet) consider(c *choice, d *Device, weight float64, at *prices, via int) {
	c.via, c.tail = via, f.Policies[d.Policy].tail()
	f.way(&c.way, d, at.links, via)
	c.weight = weight * c.way.g
	f.evaluate(c, d, at)
}

// evaluate finds the interval of one way by the policy's law.
func (f *Fleet) evaluate(c *choice, d *Device, at *prices) {
	pol := &f.Policies[d.Policy]
	lo, hi := c.way.lo, c.way.hi
	if pol.Law != LawPrice {
		lo = max(pol.every(d, int(d.Links[c.via].Link)-1).Hours(), lo)
		hi, c.fixed = lo, true
	}
	if d.Growth > 0 && pol.Law == LawPrice {
		c.fill(d, at)
		return
	}
	c.settle(at, size(d, lo), lo, hi)
}

// settle finds the best interval between limits for contacts of one size.
func (c *choice) settle(at *prices, size int, lo, hi float64) {
	c.money, c.bytes = c.way.cost(size)
	c.price = at.of(c.way.pool, c.money, c.bytes)
	c.hi = hi
	c.hours = min(max(spacing(c.weight, c.price, c.tail), lo), hi)
	c.burden = c.at(c.hours)
}

// at is the burden of an interval at the choice's cost of a contact.
func (c *choice) at(hours float64) float64 {
	return float64(c.weight*penalty(hours, c.tail)) + c.price/hours
}

// of is the price of money and bytes together.
func (at *prices) of(pool int16, money, bytes float64) float64 {
	price := float64(at.money * money)
	if pool >= 0 {
		price += float64(at.pools[pool].Price * bytes)
	}
	return price
}

// every is the interval of a law that asks no price.
func (pol *Policy) every(d *Device, link int) Secs {
	switch {
	case pol.Law == LawClass && link < len(pol.Class) && pol.Class[link] > 0:
		return pol.Class[link]
	case pol.Law == LawBands && d.Battery > 0:
		for _, band := range pol.Bands {
			if d.Battery < band.Below {
				return band.Every
			}
		}
	}
	return pol.Every
}

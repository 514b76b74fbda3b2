package scheduler

// prices are what a device decides by.
type prices struct {
	money float64     // of a unit of money in weighted stale-hours
	pools []PoolPrice // of a byte
	links []int16     // for each link: its pool, or -1
}

// A choice is the best that one device can do at given prices.
type choice struct {
	via          int     // -1: there is no link
	filled       bool    // the interval is just what a billed step is good for
	hours        float64 // the interval, between the limits of its entry
	hi           float64 // the upper limit of the interval at this cost
	money, bytes float64 // that a contact takes
	price        float64 // of a contact, in weighted stale-hours
	burden       float64 // weighted stale-hours an hour: by age and by price together, which is what is made small
}

// choose compares the device's links by what each costs at its own best interval. One that is out of reach is no choice beside one that is not.
func (f *Fleet) choose(best *choice, d *Device, ways []entry, at *prices) {
	if len(ways) == 0 {
		best.via = -1
		return
	}
	f.consider(best, d, &ways[0], at, 0)
	for i := 1; i < len(ways); i++ {
		if ways[i].far && !ways[best.via].far {
			continue
		}
		var c choice
		f.consider(&c, d, &ways[i], at, i)
		if ways[best.via].far && !ways[i].far || c.burden < best.burden {
			*best = c
		}
	}
}

// consider finds what one of the device's links is good for.
func (f *Fleet) consider(c *choice, d *Device, e *entry, at *prices, via int) {
	c.via = via
	if e.grows {
		var y way
		f.way(&y, d, at.links, via)
		c.fill(e, &y, d, at)
		return
	}
	c.money, c.bytes = e.money, e.bytes
	c.settle(e, at, e.lo, e.hi)
}

// settle finds the best interval between limits at what a contact takes.
func (c *choice) settle(e *entry, at *prices, lo, hi float64) {
	c.price = at.of(e.pool, c.money, c.bytes)
	c.hi = hi
	c.hours = min(max(spacing(e.weight, c.price, int(e.tail)), lo), hi)
	c.burden = c.at(e, c.hours)
}

// at is the burden of an interval at the choice's cost of a contact.
func (c *choice) at(e *entry, hours float64) float64 {
	return float64(e.weight*penalty(hours, int(e.tail))) + c.price/hours
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

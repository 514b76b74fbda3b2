package scheduler

import "math"

// fill finds the best interval where what piles up makes contacts dearer by steps: it pays to fill what is billed. Within a step the burden is
// convex. At the ends of steps it is that of bytes billed exactly, which is convex over all, so that only steps about its optimum matter, and the
// first, which a minimum makes wide.
func (c *choice) fill(e *entry, y *way, d *Device, at *prices) {
	rate := y.legs[0].rate
	best := *c
	best.burden = math.Inf(1)
	consider := func(end int) {
		from := float64(prior(rate, end)-int(d.Status)) / float64(d.Growth)
		to := float64(end-int(d.Status)) / float64(d.Growth)
		lo, hi := max(e.lo, from), min(e.hi, to)
		if lo > hi {
			return
		}
		c.money, c.bytes = y.cost(end)
		c.settle(e, at, lo, hi)
		c.filled = c.hours >= to
		if c.burden < best.burden {
			best = *c
		}
	}
	first := size(d, e.lo)
	last := size(d, e.hi)
	consider(first + rate.Room(first))
	consider(last + rate.Room(last))
	end := size(d, min(max(spacing(e.weight, y.smooth(at, int(d.Status)), int(e.tail)), e.lo), e.hi))
	end += rate.Room(end)
	for range 2 {
		end = max(prior(rate, end), first)
	}
	for range 6 {
		end += rate.Room(end)
		consider(end)
		end++
	}
	*c = best
}

// smooth is the price of a contact of a size if its bytes were billed exactly.
func (y *way) smooth(at *prices, size int) float64 {
	l := &y.legs[0]
	money, bytes := float64(l.rate.Fixed), float64(l.rate.Header+size)
	if !l.pooled {
		money += bytes * float64(l.rate.Price) / float64(max(l.rate.Inc, 1))
		bytes = 0
	}
	return at.of(y.pool, float64(l.times*money)*perUnit, l.times*bytes)
}

// prior is the largest size that is billed less than one which fills what it is billed; -1<<20 if there is none.
func prior(rate *Rate, end int) int {
	step := max(rate.Inc, 1)
	if before := end - step; before+rate.Header >= 0 && rate.Billed(before) < rate.Billed(end) {
		return before
	}
	return -1 << 20
}

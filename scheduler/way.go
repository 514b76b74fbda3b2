package scheduler

import "math"

// perUnit brings Micros to the unit of the currency, in which prices are computed.
const perUnit = 1.0 / microsPerUnit

// capHours is the longest month: caps hold in each.
const capHours = 31 * 24

// A leg is one link of a way with the attempts that are expected to be billed in a contact.
type leg struct {
	rate   *Rate
	times  float64
	pooled bool // its bytes come from the way's pool, and are no money
}

// A way is one of a device's choices of link, with its fallback, for one contact.
type way struct {
	legs   [2]leg
	pool   int16   // place in Plan.Pools; -1: none
	p      float64 // probability that the contact succeeds
	g      float64 // mean age over interval: 1/p - 1/2
	energy float64 // millijoules expected
	lo, hi float64 // limits of the interval, in hours
	far    bool    // its first link is out of reach
}

// gain is the mean age of knowledge per hour of interval, if each contact succeeds with probability p.
func gain(p float64) float64 { return 1/p - 0.5 }

// deliver is the probability that one attempt of a Via arrives.
func (f *Fleet) deliver(v Via) float64 {
	if v.Deliver > 0 {
		return float64(v.Deliver) * (1.0 / 65535)
	}
	return f.Links[v.Link-1].Deliver
}

// reach adds the attempts of one link: tries of them, unless one arrives earlier. It returns the probability that none does.
func (y *way) reach(l *Link, p float64, tries int, share float64, n int) float64 {
	lost, attempts := 1-p, 1.0
	if tries > 1 {
		for range tries - 1 {
			lost *= 1 - p
		}
		attempts = (1 - lost) / p
	}
	y.energy += float64(share * attempts * l.Energy)
	if !l.Up.Failed {
		attempts = 1 - lost
	}
	y.legs[n] = leg{rate: &l.Up, times: share * attempts}
	return lost
}

// way is the device's i-th choice.
func (f *Fleet) way(y *way, d *Device, pools []int16, i int) {
	v := d.Links[i]
	l := &f.Links[v.Link-1]
	*y = way{pool: pools[v.Link-1]}
	tries := int(l.Retries) + 1
	if v.Tries > 0 {
		tries = int(v.Tries)
	}
	p := f.deliver(v)
	y.far = p < NoCover
	lost := y.reach(l, p, tries, 1, 0)
	y.legs[0].pooled = y.pool >= 0
	if v.Tries > 0 && i+1 < MaxVias && d.Links[i+1].Link > 0 {
		second := d.Links[i+1]
		next := &f.Links[second.Link-1]
		lost *= y.reach(next, f.deliver(second), int(next.Retries)+1, lost, 1)
		y.legs[1].pooled = y.pool >= 0 && pools[second.Link-1] == y.pool
	}
	y.p = 1 - lost
	y.g = gain(y.p)
	if d.Quiet > 0 {
		y.thin(1 - d.quiet())
	}
	y.limits(&f.Policies[d.Policy], l, d)
}

// quiet is the share of its contacts that quiet hours take from the device.
func (d *Device) quiet() float64 { return float64(d.Quiet) * (1.0 / 65535) }

// thin has each contact take that share of what it takes: the others are not made.
func (y *way) thin(share float64) {
	y.energy *= share
	for i := range y.legs {
		y.legs[i].times *= share
	}
}

// size is how many bytes a device sends after so many hours.
func size(d *Device, hours float64) int {
	return int(d.Status) + int(math.Ceil(float64(d.Growth)*hours))
}

// cost is what a contact of a size is expected to take: money, and bytes of the way's pool.
func (y *way) cost(size int) (money, bytes float64) {
	for i := range y.legs {
		switch l := &y.legs[i]; {
		case l.rate == nil:
		case l.pooled:
			money += float64(l.times * float64(l.rate.Fixed) * perUnit)
			bytes += float64(l.times * float64(l.rate.Billed(size)))
		default:
			money += float64(l.times * float64(l.rate.Cost(size)) * perUnit)
		}
	}
	return money, bytes
}

// full is the money of a contact whose bytes no allowance pays.
func (y *way) full(size int) (money float64) {
	for i := range y.legs {
		if l := &y.legs[i]; l.rate != nil {
			money += float64(l.times * float64(l.rate.Cost(size)) * perUnit)
		}
	}
	return money
}

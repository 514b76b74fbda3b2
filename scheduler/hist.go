package scheduler

import "math"

// A Key is what a device is to a Hist.
type Key struct {
	Q      float64 // contacts an hour at a price of one
	Lo, Hi float64 // limits of its contacts an hour; Hi 0: it has none
	Cost   float64 // money of a contact, or bytes of the pool
}

// A Hist is a fleet as the search for one price needs it: devices whose leading digits are alike, to a sixteenth, are one. It follows each change of
// a device at once, and finds the price without a look at the fleet. Its sums are integers, so that it does not depend on the order of changes. All
// its devices have one tail. The zero Hist is empty.
type Hist struct {
	Tail    uint8 // as Policy.Tail
	buckets map[bucketID]int
	sums    []bucket
}

// A bucketID is exponents and leading four bits of Q, Lo and Hi.
type bucketID [3]uint16

// A bucket sums over its devices, in units of histUnit.
type bucket struct{ want, least, most, count int64 }

// histUnit makes integers of money or bytes an hour; a device adds at most histMost, so that a million of them can be summed.
const (
	histUnit = 1 << 12 * microsPerUnit
	histMost = 1e12
)

// Key is the device's at a plan's prices. It takes part in the price of money, or of its pool if its link has one.
func (p *Plan) Key(f *Fleet, d *Device, now Secs) (key Key, pool int) {
	at := prices{money: p.Price(), pools: p.Pools, links: p.LinkPools}
	var ways [MaxVias]entry
	n := f.ways(&ways, d, f.Weigh(d, now), at.links)
	if n == 0 {
		return Key{}, -1
	}
	var c choice
	f.choose(&c, d, ways[:n], &at)
	var e entry
	e.take(&c, ways[:n])
	key = Key{Q: e.q, Lo: 1 / e.hi, Hi: 1 / e.lo, Cost: e.money}
	if e.pool >= 0 && !e.mixed {
		key.Cost = e.bytes
	}
	return key, int(e.pool)
}

// Replace takes a device out and puts it in as it is now. The zero Key is no device.
func (h *Hist) Replace(before, after Key) {
	h.add(before, -1)
	h.add(after, 1)
}

func (h *Hist) add(k Key, sign int64) {
	if k.Hi <= 0 || k.Cost <= 0 {
		return
	}
	if h.buckets == nil {
		h.buckets = make(map[bucketID]int)
	}
	id := bucketID{leading(k.Q), leading(k.Lo), leading(k.Hi)}
	at, found := h.buckets[id]
	if !found {
		at = len(h.sums)
		h.buckets[id] = at
		h.sums = append(h.sums, bucket{})
	}
	b := &h.sums[at]
	b.count += sign
	b.want += sign * whole(float64(k.Cost*min(k.Q, maxScale)))
	b.least += sign * whole(float64(k.Cost*k.Lo))
	b.most += sign * whole(float64(k.Cost*k.Hi))
}

func leading(x float64) uint16 { return uint16(math.Float64bits(x) >> 48) }

func whole(x float64) int64 { return int64(math.Floor(min(float64(x*histUnit), histMost) + 0.5)) }

// Devices is how many devices it holds.
func (h *Hist) Devices() (n int64) {
	for i := range h.sums {
		n += h.sums[i].count
	}
	return n
}

// Price is the S of a plan that spends so much in an hour: money, or bytes of the pool.
func (h *Hist) Price(rate float64) float64 {
	var s Solver
	tail := min(max(int(h.Tail), 1), MaxTail)
	scale := s.find(rate*histUnit, h.start(rate*histUnit), h.spend)
	power := scale // the price is scale^-(1+b), and S its square root
	for range tail {
		power *= scale
	}
	return rounded(min(1/math.Sqrt(power), maxScale))
}

// start is the scale that would be right without limits.
func (h *Hist) start(target float64) float64 {
	var want float64
	for i := range h.sums {
		want += float64(h.sums[i].want)
	}
	return target / want
}

// spend is what is spent in an hour at a scale of the rates, and its slope over the logarithm of the scale.
func (h *Hist) spend(scale float64) (sum, slope float64) {
	var bounded, free int64
	for i := range h.sums {
		b := &h.sums[i]
		switch want := float64(scale * float64(b.want)); {
		case !(want > float64(b.least)):
			bounded += b.least
		case want >= float64(b.most):
			bounded += b.most
		default:
			free += b.want
		}
	}
	if free > 0 {
		slope = float64(scale * float64(free))
	}
	return float64(bounded) + slope, slope
}

package scheduler

import "math"

// A Segment is a stretch of a device's life in which its weight does not change.
type Segment struct {
	Hours  float64 // its length; positive
	Weight float64 // not negative
	Cost   float64 // money for a success: of an attempt over its probability of delivery for a bound on those who cannot foresee losses; positive
	Lo     float64 // hours that successes must be apart; 0: no limit
}

// Bound is what no schedule can beat that spends so much over these segments: the least sum of weight times the integral of age, in weighted
// hours squared. The age is taken to be nothing at the start of each segment, weights to be known at once and downlinks to be free, so that it lies
// below what can be reached. It is the Lagrangian dual, so that it holds at whatever price the search ends.
func Bound(segments []Segment, spend Micros) float64 {
	money := float64(spend) * perUnit
	free, _ := dual(segments, 0)
	lo, hi := 0.0, 1.0
	best := free
	consider := func(price float64) (over bool) {
		value, spent := dual(segments, price)
		best = max(best, value-float64(price*money))
		return spent > money
	}
	if !consider(0) {
		return best
	}
	for consider(hi) && hi < 1e30 {
		lo, hi = hi, hi*8
	}
	for range 120 {
		middle := float64(lo/2) + float64(hi/2)
		if lo > 0 && hi/lo > 4 {
			middle = math.Sqrt(lo) * math.Sqrt(hi)
		}
		if middle <= lo || middle >= hi {
			break
		}
		if consider(middle) {
			lo = middle
		} else {
			hi = middle
		}
	}
	return best
}

// BoundAt is the bound at one price, in weighted hours squared for a unit of money: lower than Bound or equal, at any price.
func BoundAt(segments []Segment, spend Micros, price float64) float64 {
	value, _ := dual(segments, price)
	return value - float64(price*float64(spend)*perUnit)
}

// dual is the least of ages and priced money together, and the money that it takes.
func dual(segments []Segment, price float64) (value, money float64) {
	for i := range segments {
		s := &segments[i]
		area := s.Weight * s.Hours * s.Hours / 2
		k := s.successes(area, price)
		value += area/(k+1) + float64(price*s.Cost*k)
		money += float64(s.Cost * k)
	}
	return value, money
}

// successes is how many are worth their price: one more as long as it saves more age than it costs.
func (s *Segment) successes(area, price float64) float64 {
	most := math.Inf(1)
	if s.Lo > 0 {
		most = math.Floor(s.Hours/s.Lo) + 1
	}
	worth := area / float64(price*s.Cost) // (k+1)(k+2) below this: another one
	if math.IsNaN(worth) || worth <= 2 {
		return 0
	}
	if worth > 1e24 { // as good as free
		return min(most, 1e12)
	}
	k := math.Floor((math.Sqrt(1+float64(4*worth)) - 1) / 2)
	for (k+1)*(k+2) < worth {
		k++
	}
	for k > 0 && k*(k+1) >= worth {
		k--
	}
	return min(k, most)
}

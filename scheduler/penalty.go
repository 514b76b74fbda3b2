package scheduler

import "math"

// refHours is the age at which all tails weigh alike.
const refHours = 24

// tail is the exponent of a policy's penalty.
func (pol *Policy) tail() int { return min(max(int(pol.Tail), 1), MaxTail) }

// penalty is what an interval's mean age costs: ref/b (T/ref)^b.
func penalty(hours float64, tail int) float64 {
	if tail == 1 {
		return hours
	}
	x, y := hours/refHours, 1.0
	for range tail {
		y *= x
	}
	return refHours * y / float64(tail)
}

// rhythm is the rate in contacts an hour at which another one costs what it is worth: where weight, in weighted hours, times the slope of the
// penalty is the price of a contact times the rate squared.
func rhythm(weight, price float64, tail int) float64 {
	if weight <= 0 {
		return 0
	}
	if price <= 0 {
		return math.Inf(1)
	}
	if tail == 1 {
		return math.Sqrt(weight / price)
	}
	x := weight / price
	for range tail - 1 {
		x /= refHours
	}
	return root(x, tail+1)
}

// spacing is the interval in hours of that rate.
func spacing(weight, price float64, tail int) float64 {
	if tail == 1 && weight > 0 {
		return math.Sqrt(price / weight)
	}
	return 1 / rhythm(weight, price, tail)
}

// root is the n-th root of x, in arithmetic that gives the same bits everywhere, which math.Pow and math.Cbrt do not promise.
func root(x float64, n int) float64 {
	if n == 2 {
		return math.Sqrt(x)
	}
	if x <= 0 || math.IsInf(x, 1) {
		return x
	}
	_, exponent := math.Frexp(x)
	y := math.Ldexp(1, int(math.Ceil(float64(exponent)/float64(n)))) // not below the root: Newton's steps fall from here
	for {
		power := y
		for range n - 2 {
			power *= y
		}
		next := (float64(float64(n-1)*y) + x/power) / float64(n)
		if next >= y {
			return y
		}
		y = next
	}
}

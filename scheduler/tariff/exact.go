package tariff

import (
	"math"
	"math/bits"

	"github.com/godwit-gateway/godwit/scheduler"
)

// most is where amounts stop to grow, so that sums of hostile numbers stay numbers.
const most = math.MaxInt64 / 4

// sum is a+b of numbers from 0 on, at most most.
func sum(a, b int64) int64 {
	if a > most-b {
		return most
	}
	return a + b
}

// product is a*b of numbers from 0 on, at most most.
func product(a, b int64) int64 {
	hi, lo := bits.Mul64(uint64(a), uint64(b)) //nolint:gosec // not negative
	if hi > 0 || lo > most {
		return most
	}
	return int64(lo)
}

// portion is n*price/per, rounded up, of numbers from 0 on and per above 0; at most most.
func portion(n int64, price scheduler.Micros, per int64) scheduler.Micros {
	hi, lo := bits.Mul64(uint64(n), uint64(price)) //nolint:gosec // not negative
	lo, carry := bits.Add64(lo, uint64(per-1), 0)  //nolint:gosec // above 0
	if hi += carry; hi >= uint64(per) {            //nolint:gosec // above 0
		return most
	}
	if q, _ := bits.Div64(hi, lo, uint64(per)); q < most { //nolint:gosec // above 0
		return scheduler.Micros(q)
	}
	return most
}

// roundUp is the least multiple of step that is not below n.
func roundUp(n, step int64) int64 {
	if step <= 1 {
		return n
	}
	return product(n/step+min(n%step, 1), step)
}

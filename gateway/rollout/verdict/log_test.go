package verdict_test

import (
	"math"
	"testing"

	"github.com/godwit-gateway/godwit/gateway/rollout/verdict"
)

func TestLogarithms(t *testing.T) {
	for x := 1e-9; x < 1e9; x *= 1.37 {
		if got, want := verdict.Ln(x), math.Log(x); math.Abs(got-want) > 1e-14*max(1, math.Abs(want)) {
			t.Errorf("ln %g = %.17g, want %.17g", x, got, want)
		}
	}
	for x := -699.0; x < 699; x += 0.731 {
		if got, want := verdict.Exp(x), math.Exp(x); math.Abs(got-want) > 1e-13*want {
			t.Errorf("exp %g = %.17g, want %.17g", x, got, want)
		}
	}
	if verdict.Exp(-1e6) != 0 || math.IsInf(verdict.Exp(1e6), 0) {
		t.Error("exp is not bounded")
	}
}

// TestExpect holds intervals to quantiles of the chi-squared distribution, which is a gamma distribution of half-integer shape.
func TestExpect(t *testing.T) {
	for _, c := range []struct {
		events    int64
		low, high float64 // quantiles of chi-squared with 2 events + 1 degrees of freedom
	}{{0, 0.00098207, 5.0238862}, {1, 0.2157953, 9.3484036}, {10, 10.2828978, 35.4788759}, {300, 535.0268, 670.8748}} {
		mean, low, high := verdict.Expect(c.events, 9.5, 10)
		if want := float64(c.events) + 0.5; math.Abs(mean-want) > 1e-12 || math.Abs(low-c.low/2) > 3e-4*low+1e-6 || math.Abs(high-c.high/2) > 3e-4*high {
			t.Errorf("%d events: %g, from %g to %g; want %g, from %g to %g", c.events, mean, low, high, want, c.low/2, c.high/2)
		}
	}
}

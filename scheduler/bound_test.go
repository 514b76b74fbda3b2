package scheduler_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/godwit-gateway/godwit/scheduler"
)

func drawSegments(t *rapid.T, n int) []scheduler.Segment {
	segments := make([]scheduler.Segment, n)
	for i := range segments {
		segments[i] = scheduler.Segment{Hours: rapid.Float64Range(1, 2000).Draw(t, "hours"), Weight: rapid.Float64Range(.01, 5).Draw(t, "weight"), Cost: rapid.Float64Range(.001, .2).Draw(t, "cost")}
		if rapid.Bool().Draw(t, "limited") {
			segments[i].Lo = rapid.Float64Range(.5, 50).Draw(t, "lo")
		}
	}
	return segments
}

// No numbers of successes that the money buys have less age than the bound, which no price exceeds.
func TestBoundHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		segments := drawSegments(t, rapid.IntRange(1, 30).Draw(t, "segments"))
		var spend, age float64
		for i := range segments {
			s := &segments[i]
			k := rapid.IntRange(0, 200).Draw(t, "successes")
			if s.Lo > 0 {
				k = min(k, int(s.Hours/s.Lo)+1)
			}
			spend += s.Cost * float64(k)
			age += s.Weight * s.Hours * s.Hours / 2 / float64(k+1)
		}
		money := scheduler.Micros(math.Ceil(spend * 1e6))
		bound := scheduler.Bound(segments, money)
		if bound > age*(1+1e-9)+1e-9 {
			t.Fatalf("bound %v, but %v buys ages of %v", bound, money, age)
		}
		price := math.Exp(rapid.Float64Range(-10, 20).Draw(t, "price"))
		if at := scheduler.BoundAt(segments, money, price); at > bound+1e-9*math.Abs(bound)+1e-6 {
			t.Fatalf("%v at price %v, the bound is %v", at, price, bound)
		}
	})
}

// Where successes have one price, the best numbers are known, and the bound is their age.
func TestBoundIsReached(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		segments := drawSegments(t, rapid.IntRange(1, 8).Draw(t, "segments"))
		for i := range segments {
			segments[i].Cost, segments[i].Lo, segments[i].Hours = .12, 0, 720
		}
		units := rapid.Int64Range(0, 200).Draw(t, "units")
		counts := make([]float64, len(segments))
		for range units { // each to the device whose age it lowers most, which is exactly best (Fox 1966)
			best := 0
			for i, k := range counts {
				if segments[i].Weight/((k+1)*(k+2)) > segments[best].Weight/((counts[best]+1)*(counts[best]+2)) {
					best = i
				}
			}
			counts[best]++
		}
		var age float64
		for i, k := range counts {
			age += segments[i].Weight * 720 * 720 / 2 / (k + 1)
		}
		if bound := scheduler.Bound(segments, scheduler.Micros(units*120_000)); math.Abs(bound-age) > 1e-8*age {
			t.Fatalf("bound %v, best %v", bound, age)
		}
	})
}

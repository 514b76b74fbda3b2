package report_test

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/godwit-gateway/godwit/simulator/report"
)

// A quantile errs by up to one part in a hundred of the figure that a sorted list gives.
func TestQuantiles(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		figures := rapid.SliceOfN(rapid.OneOf(rapid.Float64Range(1e-5, 1e12), rapid.Just(0.0), rapid.Float64Range(1, 2)), 1, 200).Draw(t, "figures")
		var h report.Histogram
		for _, v := range figures {
			h.Add(v)
		}
		slices.Sort(figures)
		for _, share := range []float64{0, 0.01, 0.5, 0.95, 1} {
			want := figures[max(0, int(math.Ceil(share*float64(len(figures))))-1)]
			if got := h.Quantile(share); math.Abs(got-want) > 0.0101*want {
				t.Fatalf("quantile %v is %v, want %v", share, got, want)
			}
		}
	})
	if !math.IsNaN(new(report.Histogram).Quantile(0.5)) {
		t.Error("a quantile of nothing")
	}
}

package verdict_test

import (
	"math"
	"testing"

	"github.com/godwit-gateway/godwit/gateway/rollout/verdict"
)

var shareGrid = []float64{0.005, 0.01, 0.03, 0.1, 0.3}

// evidence is that of x silent devices among n.
func evidence(n, x int, null float64) float64 {
	sum := 0.0
	for _, q := range shareGrid {
		sum += math.Pow((q+(1-q)*null)/null, float64(x)) * math.Pow(1-q, float64(n-x))
	}
	return sum / float64(len(shareGrid))
}

// inTheEnd is how likely n devices, taken together in the end, come to the threshold: an exact binomial.
func inTheEnd(n int, null, share, threshold float64) float64 {
	p, below := share+(1-share)*null, 0.0
	for x := 0; x <= n && evidence(n, x, null) < threshold; x++ {
		a, _ := math.Lgamma(float64(n + 1))
		b, _ := math.Lgamma(float64(x + 1))
		c, _ := math.Lgamma(float64(n - x + 1))
		below += math.Exp(a - b - c + float64(x)*math.Log(p) + float64(n-x)*math.Log1p(-p))
	}
	return 1 - below
}

// TestSizes are canaries that were sized before by exact binomials in steps of two in a hundred, at an alpha of 0.01. The verdict does not wait for the
// end: looking after each device, it needs no more of them.
func TestSizes(t *testing.T) {
	for _, c := range []struct {
		null, share    float64
		p80, p95       int // alone
		p80Ten, p95Ten int // one of ten
	}{
		{0.0002, 0.03, 101, 158, 142, 208},
		{0.001, 0.03, 138, 251, 177, 294},
		{0.005, 0.03, 265, 413, 362, 521},
		{0.0002, 0.1, 29, 46, 29, 46},
		{0.0002, 0.01, 424, 624, 549, 765},
	} {
		for _, w := range []struct {
			power, weight float64
			want          int
		}{{0.8, 1, c.p80}, {0.95, 1, c.p95}, {0.8, 0.1, c.p80Ten}, {0.95, 0.1, c.p95Ten}} {
			n := 1
			for inTheEnd(n, c.null, c.share, 100/w.weight) < w.power {
				n++
			}
			if n > w.want || float64(n) < 0.97*float64(w.want) {
				t.Errorf("null %g, share %g, power %g, weight %g: %d devices, want %d", c.null, c.share, w.power, w.weight, n, w.want)
			}
			looking := verdict.Size(w.power, c.null, c.share, w.weight, 0.01, 2000)
			if looking > n || float64(looking) < 0.8*float64(n) {
				t.Errorf("null %g, share %g, power %g, weight %g: %d devices by looking after each, %d in the end", c.null, c.share, w.power, w.weight, looking, n)
			}
			if at, before := verdict.Power(looking, c.null, c.share, w.weight, 0.01), verdict.Power(looking-1, c.null, c.share, w.weight, 0.01); at < w.power || before >= w.power {
				t.Errorf("%d devices have a power of %g, one less %g; want %g between them", looking, at, before, w.power)
			}
		}
	}
	if got := verdict.Size(0.8, 0.0002, 0.03, 1, 0.01, 50); got != 0 {
		t.Errorf("%d devices, want 0 for none within 50", got)
	}
	if got := verdict.Power(5000, 0.001, 0, 1, 0.01); got > 0.01 {
		t.Errorf("a harmless update is halted with a probability of %g, more than alpha", got)
	}
}

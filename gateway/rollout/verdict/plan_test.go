package verdict_test

import (
	"testing"

	"github.com/godwit-gateway/godwit/gateway/rollout/verdict"
)

// TestSizes are canaries that were sized once by exact binomials, at an alpha of 0.01.
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
			if got := verdict.Size(w.power, c.null, c.share, w.weight, 0.01, 2000); got != w.want {
				t.Errorf("null %g, share %g, power %g, weight %g: %d devices, want %d", c.null, c.share, w.power, w.weight, got, w.want)
			}
		}
	}
}

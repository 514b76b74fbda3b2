package report

import "math"

// histogram counts figures at or above zero by their magnitude, so that a quantile errs by up to one part in a hundred, whatever the figures are.
type histogram struct {
	zeros   uint64
	first   int // magnitude of buckets[0]
	buckets []uint64
	count   uint64
	sum     float64
	most    float64
}

// growth is from one bucket to the next: the middle of a bucket is within a hundredth of all that is in it.
const growth = 1.02

var logGrowth = math.Log(growth)

// Figures outside of these are counted as the nearest: half a day and a century in a picosecond's bucket and back help nobody.
const (
	leastFigure = 1e-6
	mostFigure  = 1e18
)

func (h *histogram) add(v float64) {
	h.count++
	h.sum += v
	h.most = math.Max(h.most, v)
	if v < leastFigure {
		h.zeros++
		return
	}
	i := int(math.Floor(math.Log(math.Min(v, mostFigure)) / logGrowth))
	switch {
	case len(h.buckets) == 0:
		h.first, h.buckets = i, make([]uint64, 1, 64)
	case i < h.first:
		wider := make([]uint64, len(h.buckets)+h.first-i)
		copy(wider[h.first-i:], h.buckets)
		h.first, h.buckets = i, wider
	}
	for i-h.first >= len(h.buckets) {
		h.buckets = append(h.buckets, 0)
	}
	h.buckets[i-h.first]++
}

// quantile is the figure below which a share of all lie; NaN if there are none.
func (h *histogram) quantile(share float64) float64 {
	if h.count == 0 {
		return math.NaN()
	}
	rank := max(1, uint64(math.Ceil(share*float64(h.count))))
	if rank >= h.count {
		return h.most
	}
	if rank <= h.zeros {
		return 0
	}
	n := h.zeros
	for i, c := range h.buckets {
		if n += c; n >= rank {
			return math.Min(h.most, math.Exp((float64(h.first+i)+0.5)*logGrowth))
		}
	}
	return h.most
}

func (h *histogram) mean() float64 {
	if h.count == 0 {
		return math.NaN()
	}
	return h.sum / float64(h.count)
}

// reset forgets everything but keeps its memory.
func (h *histogram) reset() {
	clear(h.buckets)
	h.zeros, h.count, h.sum, h.most = 0, 0, 0, 0
}

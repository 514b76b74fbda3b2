package report

// Histogram is the one of this package, for tests.
type Histogram = histogram

// Add adds a figure.
func (h *histogram) Add(v float64) { h.add(v) }

// Quantile is a quantile.
func (h *histogram) Quantile(share float64) float64 { return h.quantile(share) }

package trial

// The staleness of a time is how long ago the last uplink was made that had arrived by then.
const (
	bin  = 5 * Minute
	bins = 100 * Day / bin // what is older is in the last one; sums stay exact
)

// Staleness is how old what is known was, over all devices and all time, by weight. The mean is exact; quantiles are exact at multiples of five
// minutes and interpolated between them. The zero value is empty.
type Staleness struct {
	area, total float64 // integrals of weight times age, and of weight, over seconds
	from, to    []edge  // the ages at which times begin and end, by bin
}

// edge sums up the ages of a bin.
type edge struct{ weight, moment float64 }

// Add says that a time passed in which what is known grew from one age to another, in seconds, at a constant weight.
func (s *Staleness) Add(weight float64, from, to int64) {
	if s.from == nil {
		s.from, s.to = make([]edge, bins), make([]edge, bins)
	}
	length, middle := float64(to-from), float64(to+from)/2
	s.area += weight * length * middle
	s.total += weight * length
	s.from[min(from/bin, bins-1)].add(weight, from)
	s.to[min(to/bin, bins-1)].add(weight, to)
}

func (e *edge) add(weight float64, at int64) {
	e.weight += weight
	e.moment += weight * float64(at)
}

// Mean is the mean age in hours.
func (s *Staleness) Mean() float64 { return s.area / s.total / float64(Hour) }

// Area is the integral of weight times age, in hours².
func (s *Staleness) Area() float64 { return s.area / float64(Hour*Hour) }

// Quantile is the age in hours that is not exceeded for a part of all time.
func (s *Staleness) Quantile(part float64) float64 {
	want, above, older, width := (1-part)*s.total, 0.0, edge{}, float64(bin)
	for i := bins - 1; i >= 0; i-- { // above: weight times length of what is older than the upper edge of the bin
		older.weight += s.to[i].weight - s.from[i].weight
		older.moment += s.to[i].moment - s.from[i].moment
		edge := float64(i * bin)
		now := older.moment - edge*older.weight
		if now >= want {
			return (edge + width*(now-want)/(now-above)) / float64(Hour)
		}
		above = now
	}
	return 0
}

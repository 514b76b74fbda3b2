package trial

import "github.com/godwit-gateway/godwit/scheduler"

// segments are the stretches of the year in which each device's weight did not change, until it fell silent.
func (f *Fleet) segments() []scheduler.Segment {
	var all []scheduler.Segment
	for i := range f.All {
		d := &f.All[i]
		w := d.weights()
		for at := int64(0); at < d.Death; at = w.until {
			weight := w.to(at)
			all = append(all, scheduler.Segment{
				Hours: float64(min(w.until, d.Death)-at) / float64(Hour), Weight: weight,
				Cost: float64(d.Up) / 1e6 / d.Arrives, Lo: float64(d.Floor) / float64(Hour),
			})
		}
	}
	return all
}

// Bound is by how much a year's staleness exceeds what no policy could beat for the money that was spent, if it can hear of losses only by silence: 1.1
// is a tenth above it.
func (f *Fleet) Bound(r *Result) float64 { return r.Area() / scheduler.Bound(f.segments(), r.Spent) }

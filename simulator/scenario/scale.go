package scenario

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// ErrScale is wrapped by the errors for a size that cannot be.
var ErrScale = errors.New("scenario cannot be made so")

// Scale makes each group larger or smaller, but not empty.
func (s *Scenario) Scale(factor float64) error {
	if !(factor > 0) {
		return fmt.Errorf("%w: %v times as many devices", ErrScale, factor)
	}
	next := uint64(0)
	for i := range s.Setup.Groups {
		g := &s.Setup.Groups[i]
		n := math.Max(1, math.Round(float64(g.Count)*factor))
		if n > countMax {
			return fmt.Errorf("%w: group %s would have %.0f devices, and %d are the most", ErrScale, g.Name, n, countMax)
		}
		g.Count = int(n)
		if factor > 1 && uint64(g.First) < next {
			g.First = uint32(next)
		}
		next = uint64(g.First) + uint64(g.Count) //nolint:gosec // above zero
	}
	return nil
}

// Last makes the scenario longer or shorter. What is planned moves along, so that the story stays whole; how long an incident lasts does not change.
func (s *Scenario) Last(length time.Duration) error {
	if length < time.Hour || length > lengthMax {
		return fmt.Errorf("%w: a length of %s is not within an hour and ten years", ErrScale, length)
	}
	factor := float64(length) / float64(s.Setup.Length)
	for i := range s.Setup.Incidents {
		in := &s.Setup.Incidents[i]
		in.At = min(length, time.Duration(factor*float64(in.At)))
	}
	for i := range s.Setup.Releases {
		r := &s.Setup.Releases[i]
		r.At = min(length, time.Duration(factor*float64(r.At)))
	}
	for i := range s.Setup.Rollouts {
		r := &s.Setup.Rollouts[i]
		r.At = min(length, time.Duration(factor*float64(r.At)))
	}
	for i := range s.Setup.Groups {
		if c := &s.Setup.Groups[i].Device; !c.Retires.IsZero() {
			c.Retires = s.Setup.Start.Add(time.Duration(factor * float64(c.Retires.Sub(s.Setup.Start))))
		}
	}
	if s.Setup.Sample > 0 {
		s.Setup.Sample = max(time.Second, time.Duration(factor*float64(s.Setup.Sample)))
	}
	s.Setup.Length = length
	return nil
}

// Pace is the time between two looks at the world: as the file says, or so that a report has enough of them.
func (s *Scenario) Pace() time.Duration {
	if s.Setup.Sample > 0 {
		return s.Setup.Sample
	}
	return max(time.Minute, (s.Setup.Length / samplesUsual).Round(time.Second))
}

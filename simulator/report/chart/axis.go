package chart

import (
	"math"
	"time"
)

// An Axis is what a direction of a picture stands for.
type Axis struct {
	Label    string
	Quantity Quantity
	Log      bool
	From, To float64 // both 0: as the figures need it
}

// tick is a place on an axis with its label.
type tick struct {
	at    float64
	label string
}

// scale maps figures to pixels.
type scale struct {
	from, to float64 // figures
	a, b     float64 // pixels
	log      bool
	ticks    []tick
}

func (s *scale) at(v float64) float64 {
	if s.log {
		v = math.Max(v, s.from)
		low := math.Log(s.from) // of the quotients themselves some are beyond all numbers
		return s.a + (s.b-s.a)*(math.Log(v)-low)/(math.Log(s.to)-low)
	}
	return s.a + (s.b-s.a)*(v-s.from)/(s.to-s.from)
}

// scaleOf finds the range of an axis, and places of about so many labels.
func (a *Axis) scaleOf(from, to float64, labels int) scale {
	if a.From != a.To {
		from, to = a.From, a.To
	}
	if math.IsInf(from, 0) || math.IsInf(to, 0) || math.IsNaN(from) || math.IsNaN(to) {
		from, to = 0, 1
	}
	s := scale{from: from, to: to, log: a.Log}
	switch {
	case a.Quantity == Moment:
		if !(s.to > s.from) {
			s.to = s.from + 3600
		}
		s.ticks = moments(s.from, s.to, labels)
	case a.Log:
		s.logarithmic(a, labels)
	default:
		s.linear(a, labels)
	}
	return s
}

// linear widens the range to round figures.
func (s *scale) linear(a *Axis, labels int) {
	if !(s.to > s.from) {
		s.to = s.from + 1
	}
	step := stepOf(a.Quantity, (s.to-s.from)/float64(max(labels, 2)))
	if a.From == a.To {
		s.from, s.to = math.Floor(s.from/step)*step, math.Ceil(s.to/step-1e-9)*step
	}
	for i := int(math.Ceil(s.from/step - 1e-9)); float64(i)*step <= s.to+step*1e-6; i++ {
		s.ticks = append(s.ticks, tick{float64(i) * step, a.Quantity.Format(float64(i) * step)})
	}
}

// stepOf is the round figure that is not below a distance.
func stepOf(q Quantity, distance float64) float64 {
	if q == Duration {
		for _, s := range []float64{
			1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 3 * 3600, 6 * 3600, 12 * 3600,
			86400, 2 * 86400, 5 * 86400, 10 * 86400, 20 * 86400, 50 * 86400, 100 * 86400, 365 * 86400,
		} {
			if s >= distance && distance > 0.5 {
				return s
			}
		}
	}
	power := math.Pow(10, math.Floor(math.Log10(distance)))
	for _, m := range []float64{1, 2, 5} {
		if m*power >= distance*(1-1e-9) {
			return m * power
		}
	}
	return 10 * power
}

// places of a logarithmic axis of time, in seconds.
var places = []float64{1e-3, 1e-2, 0.1, 1, 10, 60, 600, 3600, 6 * 3600, 86400, 7 * 86400, 30 * 86400, 365 * 86400, 3650 * 86400}

// logarithmic widens the range to such places, or to powers of ten.
func (s *scale) logarithmic(a *Axis, labels int) {
	if s.to <= 0 {
		s.to = 1
	}
	if s.from <= 0 || s.from >= s.to {
		s.from = s.to / 1000
	}
	round := places
	if a.Quantity != Duration || s.from < places[0] || s.to > places[len(places)-1] {
		round = nil
		for p := math.Floor(math.Log10(s.from)); p <= math.Ceil(math.Log10(s.to)); p++ {
			round = append(round, math.Pow(10, p))
		}
	}
	first, last := 0, len(round)-1
	for first < last-1 && round[first+1] <= s.from {
		first++
	}
	for last > first+1 && round[last-1] >= s.to {
		last--
	}
	s.from, s.to = round[first], round[last]
	skip := (last-first)/max(labels, 2) + 1
	for i := first; i <= last; i += skip {
		s.ticks = append(s.ticks, tick{round[i], a.Quantity.Format(round[i])})
	}
}

// moments are round times from a time to another one.
func moments(from, to float64, labels int) []tick {
	begin, end := time.Unix(int64(from), 0).UTC(), time.Unix(int64(to), 0).UTC()
	distance := (to - from) / float64(max(labels, 1))
	for _, s := range []float64{300, 900, 1800, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 86400, 2 * 86400, 5 * 86400, 10 * 86400} {
		if s < distance {
			continue
		}
		step := time.Duration(s) * time.Second
		var ticks []tick
		// Days are counted from the beginning of the first, so that a step of five of them begins with the picture.
		t := time.Date(begin.Year(), begin.Month(), begin.Day(), 0, 0, 0, 0, time.UTC)
		for ; !t.After(end); t = t.Add(step) {
			if t.Before(begin) {
				continue
			}
			form := "15:04"
			if t.Hour() == 0 && t.Minute() == 0 {
				form = "2 Jan"
			}
			ticks = append(ticks, tick{float64(t.Unix()), t.Format(form)})
		}
		return ticks
	}
	return months(begin, end, distance)
}

// months are beginnings of months, every so many.
func months(begin, end time.Time, distance float64) []tick {
	step := 12 * (1 + int(distance/(365*86400)))
	for _, n := range []int{1, 2, 3, 6, 12} {
		if float64(n)*30*86400 >= distance {
			step = n
			break
		}
	}
	var ticks []tick
	for t := time.Date(begin.Year(), time.January, 1, 0, 0, 0, 0, time.UTC); !t.After(end); t = t.AddDate(0, step, 0) {
		if t.Before(begin) {
			continue
		}
		form := "Jan"
		if t.Month() == time.January {
			form = "Jan 2006"
		}
		ticks = append(ticks, tick{float64(t.Unix()), t.Format(form)})
	}
	return ticks
}

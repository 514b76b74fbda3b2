package verdict

import "math"

// spans is in how many spans the time after an update is cut: hours of the first day, quarters of a day of the first week, then days.
const spans = 24 + 24 + 38

// span is the one that a time after an update falls into, and spanEnds when it ends, in hours.
func span(after uint32) int {
	switch {
	case after < day:
		return int(after / hour)
	case after < 7*day:
		return 24 + int((after-day)/(6*hour))
	default:
		return min(48+int((after-7*day)/day), spans-1)
	}
}

func spanEnds(i int) int {
	switch {
	case i < 24:
		return i + 1
	case i < 48:
		return 24 + 6*(i-23)
	default:
		return 24 * (7 + i - 47)
	}
}

// A Survival is the share of devices that kept on being heard for so long after the update, by the product-limit estimate (Kaplan and Meier, 1958): a
// device is seen until its last window that has closed, and silent from the beginning of the first one in which nothing was heard of it, whether it came
// back or not.
type Survival struct {
	Hours  int     // since the update
	Share  float64 // still heard
	Low    float64 // 95 % of what may be lies from here ...
	High   float64 // ... to here, on the scale of log(-log)
	AtRisk int     // devices that were seen for as long, or fell silent then
	Silent int     // of them, those that did
}

// Survival is how devices with the update have fared, from the first hour to the longest time for which one was seen.
func (j *Judge) Survival() []Survival {
	var seen [spans]int64
	for _, g := range j.pages {
		for i := range pageSize {
			if g == nil {
				break
			}
			if d := &g.devices[i]; d.is(started) && !d.is(fell) && d.began > d.started {
				seen[span(d.began-d.started)]++
			}
		}
	}
	last, risk := -1, int64(0)
	for i := range spans {
		if risk += seen[i] + j.falls[i]; seen[i]+j.falls[i] > 0 {
			last = i
		}
	}
	list := make([]Survival, 0, last+1)
	share, variance := 1.0, 0.0
	for i, fallen := range j.falls[:last+1] {
		n, d := float64(risk), float64(fallen)
		if d > 0 {
			share *= 1 - d/n
			variance += d / float64(n*max(n-d, 0.5)) // Greenwood's formula; the last one of all falls silent at half its rate
		}
		s := Survival{Hours: spanEnds(i), Share: share, Low: share, High: share, AtRisk: int(risk), Silent: int(fallen)}
		if share > 0 && share < 1 {
			l := ln(share)
			wide := exp(float64(1.959963984540054*math.Sqrt(variance)) / -l)
			s.Low, s.High = exp(float64(l*wide)), exp(l/wide)
		}
		list = append(list, s)
		risk -= seen[i] + fallen
	}
	return list
}

package presence

import (
	"fmt"
	"slices"
	"strings"
)

// Hours are the times of the UTC day in which a device was told to say nothing: from, to, from, to … in minutes. A span may pass midnight.
type Hours []uint16

const minutesOfDay = day / 60

// minutes marks the minutes that are in a span.
func (h Hours) minutes() (in [minutesOfDay]bool) {
	for i := 0; i+1 < len(h); i += 2 {
		for m, end := h[i]%minutesOfDay, h[i+1]%minutesOfDay; ; {
			in[m] = true
			if m = (m + 1) % minutesOfDay; m == end {
				break
			}
		}
	}
	return in
}

// Or is the hours in which one or the other wants silence, in spans that are apart and do not pass midnight.
func (h Hours) Or(other Hours) Hours {
	in := slices.Concat(h, other).minutes()
	var all Hours
	for _, s := range spans(&in) {
		all = append(all, uint16(s[0]/60), uint16(s[1]/60%minutesOfDay)) //nolint:gosec // minutes of a day
	}
	if len(all) == 2 && all[0] == all[1] {
		return Hours{0, minutesOfDay / 2, minutesOfDay / 2, 0} // the whole day: a span is not empty
	}
	return all
}

// String is the spans as people read them.
func (h Hours) String() string {
	var list []string
	for i := 0; i+1 < len(h); i += 2 {
		list = append(list, fmt.Sprintf("%02d:%02d to %02d:%02d", h[i]/60, h[i]%60, h[i+1]/60, h[i+1]%60))
	}
	return strings.Join(list, ", ")
}

// spans are the times of the day, in seconds, in which minutes are marked, ascending and apart. None passes midnight.
func spans(in *[minutesOfDay]bool) (list [][2]int64) {
	for m := range in {
		at := int64(m) * 60
		switch n := len(list); {
		case !in[m]:
		case n > 0 && list[n-1][1] == at:
			list[n-1][1] += 60
		default:
			list = append(list, [2]int64{at, at + 60})
		}
	}
	return list
}

// A hush is the quiet hours of devices as their schedules need them. A nil one is of devices that have none: their clocks never stand still.
type hush struct {
	text    string
	spans   [][2]int64
	awake   int64   // seconds of a day that are not quiet
	lengths []int64 // seconds of each span, also over midnight
	longest int64   // of these
	users   int     // devices that have them
}

func newHush(said Hours) *hush {
	in := said.minutes()
	h := &hush{text: said.String(), spans: spans(&in), awake: day}
	for _, s := range h.spans {
		h.awake -= s[1] - s[0]
		h.lengths = append(h.lengths, s[1]-s[0])
	}
	if n := len(h.spans); n > 1 && h.spans[0][0] == 0 && h.spans[n-1][1] == day {
		h.lengths[0] += h.lengths[n-1]
		h.lengths = h.lengths[:n-1]
	}
	h.longest = slices.Max(h.lengths)
	return h
}

// quiet reports whether a time is in the hours, if there are any.
func (h *hush) quiet(t int64) bool { return h != nil && h.own(t) == h.own(t+1) }

// covers reports whether there are hours that are quiet for as long as an interval.
func (h *hush) covers(interval int64) bool { return h != nil && interval <= h.longest }

// own is what a clock says at a time that stands still in quiet hours.
func (h *hush) own(t int64) int64 {
	if h == nil {
		return t
	}
	at := t % day
	own := t/day*h.awake + at
	for _, s := range h.spans {
		own -= min(max(at-s[0], 0), s[1]-s[0])
	}
	return own
}

// real is the time at which that clock goes on from what it says.
func (h *hush) real(own int64) int64 {
	if h == nil {
		return own
	}
	at := own % h.awake
	for _, s := range h.spans {
		if at >= s[0] {
			at += s[1] - s[0]
		}
	}
	return own/h.awake*day + at
}

// slows is what the hours do to a device that speaks at an interval, on an average of days: the share that is left of its contacts, and how many seconds the mean
// age of what is known of it rises. In hours that are as long as the interval one contact waits, which falls due in the first interval of them, for their end; in
// shorter ones a contact waits where one falls due.
func (h *hush) slows(interval int64) (share, age float64) {
	if h.awake == 0 {
		return 0, day / 2
	}
	every, lost, more := float64(interval), 0.0, 0.0
	for _, length := range h.lengths {
		long := float64(length)
		if interval <= length {
			lost += long - every/2
			age += long * long / (2 * day)
			continue
		}
		more += long * long / (2 * day)
		age += long*long/(4*day) + long*long*long/(6*day*every)
	}
	return (1 - lost/day) * every / (every + more), age
}

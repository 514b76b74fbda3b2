package fleet

import (
	"fmt"
	"slices"

	"github.com/godwit-gateway/godwit/scheduler/tariff"
)

// SuspensionsMax is how many a device can have. Those of months that are closed are dropped first.
const SuspensionsMax = 16

// A Suspension is for which days an operator has the network suspend a device's line on a link: its SIM, or its terminal. What the line costs is all that it
// changes.
type Suspension struct {
	Link string // its name
	tariff.Days
}

// Suspensions are those of a device, the oldest first.
func (f *Fleet) Suspensions(i Index) []Suspension { return slices.Clone(f.suspended[i]) }

// Suspend notes that a line is suspended from a day on, until it is resumed. From the day on which it was to be resumed it just stays suspended. open is the
// first day that is not closed: what ended before is dropped.
func (f *Fleet) Suspend(i Index, link string, from, open tariff.Date) error {
	list := slices.DeleteFunc(f.Suspensions(i), func(s Suspension) bool { return s.Until != 0 && s.Until <= open })
	for _, s := range list {
		if s.Link == link && s.Until == 0 {
			return fmt.Errorf("suspend a line that is suspended from %s on: %w", s.From, ErrState)
		}
		if s.Link == link && from < s.Until {
			return fmt.Errorf("suspend a line from %s on that is suspended from %s until %s: %w", from, s.From, s.Until, ErrState)
		}
	}
	if k := slices.IndexFunc(list, func(s Suspension) bool { return s.Link == link && s.Until == from }); k >= 0 {
		list[k].Until = 0
		f.setSuspensions(i, list)
		return nil
	}
	if len(list) >= SuspensionsMax {
		return fmt.Errorf("suspend a line of a device that has %d suspensions in months that are open: %w", len(list), ErrState)
	}
	f.setSuspensions(i, append(list, Suspension{Link: link, Days: tariff.Days{From: from}}))
	return nil
}

// Resume notes that a line is not suspended any more from a day on, on which it would be: also if it was to be resumed later. One that is resumed from the
// day on which it was to be suspended never was.
func (f *Fleet) Resume(i Index, link string, from tariff.Date) error {
	list := f.Suspensions(i)
	k := slices.IndexFunc(list, func(s Suspension) bool { return s.Link == link && s.Has(from) })
	switch {
	case k < 0:
		return fmt.Errorf("resume a line from %s on that is not suspended on that day: %w", from, ErrState)
	case from == list[k].From:
		list = slices.Delete(list, k, k+1)
	default:
		list[k].Until = from
	}
	f.setSuspensions(i, list)
	return nil
}

// RestoreSuspensions brings back those of a device as they were said to be.
func (f *Fleet) RestoreSuspensions(i Index, list []Suspension) error {
	if len(list) > SuspensionsMax {
		return fmt.Errorf("%d suspensions of a device, %d are the most: %w", len(list), SuspensionsMax, ErrState)
	}
	for _, s := range list {
		if s.Link == "" || !s.sound() {
			return fmt.Errorf("a line on %q that is suspended from %q until %q: %w", s.Link, s.From, s.Until, ErrState)
		}
	}
	f.setSuspensions(i, slices.Clone(list))
	return nil
}

// sound reports whether the days are some.
func (s *Suspension) sound() bool { return s.From > 0 && (s.Until == 0 || s.Until > s.From) }

func (f *Fleet) setSuspensions(i Index, list []Suspension) {
	if len(list) == 0 {
		delete(f.suspended, i)
		return
	}
	f.suspended[i] = list
}

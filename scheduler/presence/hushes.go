package presence

import "math"

// hushes are the quiet hours that devices have, each set once, by the number that a device has for it, less 1. A set that no device has any more makes room for
// another one.
type hushes struct {
	list    []*hush // nil: free
	free    []uint16
	numbers map[string]uint16 // by text
}

// take is the number of quiet hours that one more device has; 0: there are none, or there are too many that differ.
func (s *hushes) take(said Hours) uint16 {
	if len(said) == 0 {
		return 0
	}
	n, ok := s.numbers[said.String()]
	if !ok {
		if n = s.room(); n == 0 {
			return 0
		}
		h := newHush(said)
		if s.numbers == nil {
			s.numbers = make(map[string]uint16)
		}
		s.list[n-1], s.numbers[h.text] = h, n
	}
	s.list[n-1].users++
	return n
}

// room is a number that is free, 0 if there is none.
func (s *hushes) room() uint16 {
	if k := len(s.free) - 1; k >= 0 {
		n := s.free[k]
		s.free = s.free[:k]
		return n
	}
	if len(s.list) == math.MaxUint16 {
		return 0
	}
	s.list = append(s.list, nil)
	return uint16(len(s.list)) //nolint:gosec // checked
}

// drop says that a device does not have the quiet hours of a number any more.
func (s *hushes) drop(n uint16) {
	h := s.at(n)
	if h == nil {
		return
	}
	if h.users--; h.users == 0 {
		delete(s.numbers, h.text)
		s.list[n-1], s.free = nil, append(s.free, n)
	}
}

// at is the quiet hours of a number; nil if there are none.
func (s *hushes) at(n uint16) *hush {
	if n == 0 || int(n) > len(s.list) {
		return nil
	}
	return s.list[n-1]
}

// Hush says in which hours a device may say nothing; none: it may always speak, as one does that comes when there are 65,535 sets of them that differ.
func (m *Model) Hush(d *Device, said Hours) {
	was := d.hush
	d.hush = m.hushes.take(said)
	m.hushes.drop(was)
}

// Said is a device's quiet hours as people read them; "": it has none.
func (m *Model) Said(d *Device) string {
	if h := m.hush(d); h != nil {
		return h.text
	}
	return ""
}

// Longest is the longest time of a device's quiet hours, in seconds.
func (m *Model) Longest(d *Device) int64 {
	if h := m.hush(d); h != nil {
		return h.longest
	}
	return 0
}

// Slows is what a device's quiet hours do to it at an interval, on an average of days: the share that is left of its contacts, and how many seconds the mean age of
// what is known of it rises. 1 and 0: it has none.
func (m *Model) Slows(d *Device, interval int64) (share, age float64) {
	if h := m.hush(d); h != nil && interval > 0 {
		return h.slows(interval)
	}
	return 1, 0
}

// Speaks is when what is due at a time is said: then, or at the end of the quiet hours that it falls into.
func (m *Model) Speaks(d *Device, due int64) int64 {
	h := m.hush(d)
	if h == nil || h.awake == 0 {
		return due
	}
	return h.real(h.own(due))
}

// hush is the quiet hours of a device; nil if there are none.
func (m *Model) hush(d *Device) *hush { return m.hushes.at(d.hush) }

package world

import "time"

// appointment is something to do at a time: what was planned, or else a look at a device. It is small, since a fleet has many and they are moved about.
type appointment struct {
	nanos int64  // Unix time
	seq   uint64 // what is due at once is done in the order in which it was planned
	do    func()
	m     *mobile
}

func (a *appointment) before(b *appointment) bool {
	return a.nanos < b.nanos || a.nanos == b.nanos && a.seq < b.seq
}

// at is when it is due.
func (a *appointment) at() time.Time { return time.Unix(0, a.nanos).UTC() }

// schedule is a heap of appointments, the earliest first. Each has four below it: what is planned for a fleet is many, and a flat heap touches less
// of it.
type schedule struct {
	queue []appointment
	seq   uint64
}

// below is how many appointments are below each.
const below = 4

// plan adds something to do at a time.
func (s *schedule) plan(at time.Time, do func()) { s.add(appointment{nanos: at.UnixNano(), do: do}) }

// visit adds a look at a device.
func (s *schedule) visit(at time.Time, m *mobile) { s.add(appointment{nanos: at.UnixNano(), m: m}) }

func (s *schedule) add(a appointment) {
	a.seq = s.seq
	s.seq++
	s.queue = append(s.queue, a)
	i := len(s.queue) - 1
	for ; i > 0 && a.before(&s.queue[(i-1)/below]); i = (i - 1) / below {
		s.queue[i] = s.queue[(i-1)/below]
	}
	s.queue[i] = a
}

// next takes the earliest appointment out, if it is not later than limit.
func (s *schedule) next(limit time.Time) (appointment, bool) {
	if len(s.queue) == 0 || s.queue[0].nanos > limit.UnixNano() {
		return appointment{}, false
	}
	first, end := s.queue[0], len(s.queue)-1
	last := s.queue[end]
	s.queue[end] = appointment{}
	s.queue = s.queue[:end]
	if end > 0 {
		s.sink(last)
	}
	return first, true
}

// sink puts an appointment into the place at the top, which is free, or where it belongs below it.
func (s *schedule) sink(a appointment) {
	i := 0
	for {
		least := i*below + 1
		if least >= len(s.queue) {
			break
		}
		for k := least + 1; k < min(i*below+1+below, len(s.queue)); k++ {
			if s.queue[k].before(&s.queue[least]) {
				least = k
			}
		}
		if !s.queue[least].before(&a) {
			break
		}
		s.queue[i] = s.queue[least]
		i = least
	}
	s.queue[i] = a
}

package world

import (
	"container/heap"
	"time"
)

// appointment is something to do at a time.
type appointment struct {
	at  time.Time
	seq uint64 // what is due at once is done in the order in which it was planned
	do  func()
}

// schedule is a heap of appointments, the earliest first.
type schedule struct {
	queue []appointment
	seq   uint64
}

func (s *schedule) Len() int { return len(s.queue) }

// Less implements heap.Interface.
func (s *schedule) Less(i, j int) bool {
	a, b := &s.queue[i], &s.queue[j]
	if a.at.Equal(b.at) {
		return a.seq < b.seq
	}
	return a.at.Before(b.at)
}

// Swap implements heap.Interface.
func (s *schedule) Swap(i, j int) { s.queue[i], s.queue[j] = s.queue[j], s.queue[i] }

// Push implements heap.Interface.
func (s *schedule) Push(x any) {
	a, ok := x.(appointment)
	if !ok {
		panic("world: not an appointment")
	}
	s.queue = append(s.queue, a)
}

// Pop implements heap.Interface.
func (s *schedule) Pop() any {
	last := len(s.queue) - 1
	a := s.queue[last]
	s.queue[last] = appointment{}
	s.queue = s.queue[:last]
	return a
}

// plan adds an appointment.
func (s *schedule) plan(at time.Time, do func()) {
	heap.Push(s, appointment{at: at, seq: s.seq, do: do})
	s.seq++
}

// next takes the earliest appointment out, if it is not later than limit.
func (s *schedule) next(limit time.Time) (appointment, bool) {
	if len(s.queue) == 0 || s.queue[0].at.After(limit) {
		return appointment{}, false
	}
	a, ok := heap.Pop(s).(appointment)
	return a, ok
}

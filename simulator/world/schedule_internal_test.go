package world

import (
	"math/rand/v2"
	"testing"
	"time"
)

// Whatever is planned in between, appointments come by their time, those of one time in the order in which they were planned.
func TestSchedule(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var s schedule
	now, planned, came := birth, 0, 0
	for range 5000 {
		if rng.IntN(2) == 0 {
			s.plan(now.Add(time.Duration(rng.IntN(50))*time.Second), nil)
			planned++
			continue
		}
		limit := now.Add(time.Duration(rng.IntN(20)) * time.Second)
		a, ok := s.next(limit)
		if !ok {
			now = limit
		}
		for i := range s.queue {
			b := &s.queue[i]
			if !ok && !b.at().After(limit) || ok && (b.at().Before(a.at()) || b.at().Equal(a.at()) && b.seq < a.seq) {
				t.Fatalf("%v until %s, but %v was planned", a, limit, b)
			}
		}
		if ok {
			came++
			now = a.at()
		}
	}
	if len(s.queue) != planned-came || came < 1000 {
		t.Errorf("%d planned, %d came, %d are left", planned, came, len(s.queue))
	}
}

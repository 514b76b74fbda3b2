package rollout_test

import (
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/gateway/rollout"
)

// An offer that never left costs none of the eight, and its device does not count as one that was sent it; unless it turns out that it was.
func TestLostOffers(t *testing.T) {
	w := newWorld(t, 4)
	s := w.spec()
	s.Deadline = 1000
	id := w.start(s)
	var numbers [4]uint32
	for range 12 {
		w.now = w.now.Add(time.Minute)
		for i := range numbers {
			w.heard(i)
			if numbers[i] = w.offer(i); numbers[i] == 0 {
				t.Fatal("it is offered no more")
			}
			w.now = w.now.Add(time.Minute)
			w.m.Offered(w.now, rollout.Place(i), numbers[i]) // once more: nobody knew of the first that it did not leave
			w.m.Undelivered(w.now, rollout.Place(i), numbers[i])
			w.m.Undelivered(w.now, rollout.Place(i), numbers[i])
		}
		w.commit()
		w.restart()
	}
	sum, _ := w.m.Get(id)
	if v := w.standing(id, 0); sum.Attempted != 0 || v.Tries != 0 || !v.Offered.IsZero() || v.Standing != rollout.Eligible {
		t.Fatalf("%d were sent an offer, %+v", sum.Attempted, v)
	}
	// The network was wrong of three of them.
	w.m.Delivered(w.now, 0, numbers[0])
	w.want(id, 0, rollout.Offered)
	w.says(1, numbers[1], did(codec.StepAccepted, 1, time.Minute))
	w.want(id, 1, rollout.Accepted)
	w.updates(2, "2.0")
	w.want(id, 2, rollout.Soaking)
	if sum, _ = w.m.Get(id); sum.Attempted != 3 {
		t.Errorf("%d were sent an offer", sum.Attempted)
	}
	// What is sent after that has all its offers.
	sent := 0
	for range 24 * 14 {
		w.pass(time.Hour)
		if w.heard(3); w.offer(3) != 0 {
			sent++
		}
	}
	if sent != 8 {
		t.Errorf("sent %d times", sent)
	}
}

package rollout_test

import (
	"strings"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/gateway/rollout"
)

// canary starts a rollout whose first wave has the device that goes first and half of the others, and gives those of the first wave.
func (w *world) canary(s rollout.Spec) (id rollout.ID, first []int) {
	w.t.Helper()
	s.Waves = []rollout.Wave{{Share: 0.5, Least: time.Hour}, {Share: 1}}
	id = w.start(s)
	for i := range w.f {
		if w.standing(id, i).Wave == 1 {
			first = append(first, i)
		}
	}
	return id, first
}

// confirms has a device take the update, and call until it is confirmed.
func (w *world) confirms(i int) {
	w.t.Helper()
	w.heard(i)
	if w.offer(i) == 0 {
		w.t.Fatalf("device %d is offered nothing", i)
	}
	for range 4 {
		w.now = w.now.Add(2 * time.Minute)
		w.updates(i, "2.0")
	}
	w.m.Poll(w.now)
}

// A wave of which most devices declined, failed or were given up does not speak for the next one, unless somebody says so.
func TestNoEvidence(t *testing.T) {
	for name, c := range map[string]struct {
		rest func(w *world, i int)
		good int // devices that confirm
		open bool
	}{
		"most declined":      {func(w *world, i int) { w.heard(i); w.says(i, w.offer(i), did(codec.StepDeclined, 1, 0)) }, 2, false},
		"all declined":       {func(w *world, i int) { w.heard(i); w.says(i, w.offer(i), did(codec.StepDeclined, 1, 0)) }, 0, false},
		"half declined":      {func(w *world, i int) { w.heard(i); w.says(i, w.offer(i), did(codec.StepDeclined, 1, 0)) }, 10, true},
		"most given up":      {func(*world, int) {}, 1, false},
		"half given up":      {func(*world, int) {}, 10, true},
		"none ran it":        {func(w *world, i int) { w.heard(i); w.says(i, w.offer(i), did(codec.StepFailed, 8, 0)) }, 0, false},
		"all confirmed":      {nil, 1000, true},
		"nobody to be asked": {func(w *world, i int) { w.f[i].FreeMemory = 10; w.heard(i) }, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 40)
			s := w.spec()
			s.Deadline = 5
			id, first := w.canary(s)
			for k, i := range first {
				if k < c.good {
					w.confirms(i)
				} else {
					c.rest(w, i)
				}
			}
			for range 8 {
				w.pass(time.Hour)
				for k, i := range first {
					if k < c.good {
						w.heard(i)
					}
				}
			}
			sum, _ := w.m.Get(id)
			views, err := w.m.Waves(w.now, id)
			if err != nil {
				t.Fatal(err)
			}
			if c.open != (sum.Wave == 2) {
				t.Fatalf("wave %d is open, %s: %s", sum.Wave, sum.State, views[1].Reason)
			}
			if c.open || sum.State != rollout.Running {
				return
			}
			if !strings.HasPrefix(views[1].Reason, "closed: reported") {
				t.Error(views[1].Reason)
			}
			w.act(approver, id, rollout.Advance)
			if sum, _ = w.m.Get(id); sum.Wave != 2 {
				t.Error("nobody can open it")
			}
		})
	}
}

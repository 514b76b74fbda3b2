package rollout_test

import (
	"strings"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/gateway/rollout"
	"github.com/godwit-gateway/godwit/gateway/rollout/silence"
)

// A device that vanishes while it fetches the image, or at any other step, is shown there with a probability that it is the update: the larger the more
// the step touches it. One that never answered the offer has none.
func TestVanished(t *testing.T) {
	w := newWorld(t, 5)
	id := w.start(w.spec())
	steps := []codec.UpdateStep{codec.StepOffered, codec.StepAccepted, codec.StepDownloading, codec.StepInstalling}
	for i, s := range steps {
		w.heard(i)
		if n := w.offer(i); s != codec.StepOffered {
			w.says(i, n, did(s, 0, 0))
		}
	}
	for range 9 { // one lives
		w.heard(4)
		w.pass(time.Hour)
	}
	w.commit()
	w.restart()
	before := 0.0
	for i, s := range steps {
		v := w.standing(id, i)
		if s != codec.StepOffered && (v.Suspect <= before || v.Suspect > 0.99) || s == codec.StepOffered && v.Suspect != 0 {
			t.Errorf("silent at %s: %.4f, before %.4f", s, v.Suspect, before)
		}
		if before = v.Suspect; v.Missed == 0 || v.Cause.Probability <= 0 || len(v.Cause.Evidence) == 0 {
			t.Errorf("%s: %+v", s, v)
		}
		if why := w.m.Why(w.now, rollout.Place(i)); why.Class != v.Cause.Class {
			t.Errorf("%s: put down to %s, and to %s in the rollout", s, why.Class, v.Cause.Class)
		}
	}
	if v := w.standing(id, 4); v.Missed != 0 || v.Suspect != 0 || v.Cause.Class != silence.NotDue || v.Cause.Evidence != nil {
		t.Errorf("one that lives: %+v", v)
	}
	r, err := w.m.Report(w.now, id)
	if err != nil || r.Silent != 4 || len(r.Calls) != 3 || r.Calls[0].Device.Step != "installing" {
		t.Fatalf("%+v %v", r, err)
	}
	sum := 0
	for _, n := range r.Causes {
		sum += n
	}
	if sum != 4 || r.Causes["update"] == 0 {
		t.Errorf("%v", r.Causes)
	}
}

// What a device was at counts for its silence when there is a newer rollout that never reached it, and when the one that offered it has left memory.
func TestVanishedAndTakenOver(t *testing.T) {
	for _, stop := range []bool{false, true} {
		w := newWorld(t, 3)
		first := w.start(w.spec())
		w.heard(0)
		w.says(0, w.offer(0), did(codec.StepInstalling, 0, 0))
		if stop {
			w.act(author, first, rollout.Stop)
		}
		s := w.spec()
		s.Version = "3.0"
		w.start(s)
		for day := range 60 {
			w.pass(24 * time.Hour)
			w.heard(2)
			w.commit()
			if why := w.m.Why(w.now, 0); !strings.Contains(strings.Join(why.Evidence, "\n"), "rollout 1 to 2.0") {
				t.Fatalf("day %d, %s: %+v", day, w.standing(first, 0).Standing, why)
			}
		}
	}
}

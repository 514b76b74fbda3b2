package rollout_test

import (
	"strings"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/gateway/rollout"
)

// mixed has every third device come from another version.
func mixed(w *world) {
	for i := range w.f {
		if i%3 == 0 {
			w.f[i].Version = "0.9"
		}
	}
}

// Nobody waits for devices of a version that is held, but for those that have begun: neither the next wave nor the end of the rollout.
func TestHeldAreLeft(t *testing.T) {
	w := newWorld(t, 60)
	mixed(w)
	id, first := w.canary(w.spec())
	busy := -1
	for _, i := range first {
		switch {
		case i%3 != 0:
			w.confirms(i)
		case busy < 0:
			busy = i
			w.heard(i)
			w.says(i, w.offer(i), did(codec.StepDownloading, 0, 0))
		}
	}
	w.m.Hold(id, "0.9")
	w.commit()
	w.restart()
	w.pass(2 * time.Hour)
	sum, _ := w.m.Get(id)
	if sum.Wave != 2 {
		views, _ := w.m.Waves(w.now, id)
		t.Fatalf("wave %d is open: %s", sum.Wave, views[1].Reason)
	}
	for i := range w.f {
		if w.standing(id, i).Wave == 2 && i%3 != 0 {
			w.confirms(i)
		}
	}
	w.pass(time.Hour)
	w.pass(time.Hour)
	if sum, _ = w.m.Get(id); sum.State != rollout.Running || !sum.Until.IsZero() {
		t.Errorf("it does not wait for the one that has begun: %+v", sum)
	}
	w.says(busy, uint32(id), did(codec.StepFailed, 8, 0))
	w.pass(time.Hour)
	w.pass(time.Hour)
	if sum, _ = w.m.Get(id); sum.State != rollout.Completed {
		t.Errorf("%+v", sum)
	}
}

// A version whose devices fail is held alone; who overrides that has them be offered the release again, and they are not held at once.
func TestOverrideOfHeld(t *testing.T) {
	w := newWorld(t, 400)
	mixed(w)
	s := w.spec()
	s.Watch = 0
	id := w.start(s)
	good := func(what func(i int)) {
		for i := range w.f {
			if i%3 != 0 {
				what(i)
			}
		}
		w.pass(2 * time.Minute)
	}
	good(func(i int) { w.heard(i); w.offer(i) })
	for range 4 {
		good(func(i int) { w.updates(i, "2.0") })
	}
	sum, _ := w.m.Get(id)
	for i := 0; i < len(w.f) && len(sum.Held) == 0 && sum.State == rollout.Running; i += 3 {
		w.heard(i)
		if i%12 == 0 {
			w.says(i, w.offer(i), did(codec.StepFailed, 8, 0))
		} else {
			w.confirms(i)
		}
		w.pass(time.Minute)
		sum, _ = w.m.Get(id)
	}
	if len(sum.Held) != 1 || sum.State != rollout.Running {
		t.Fatalf("%+v", sum)
	}
	last := len(w.f) - 1
	if last%3 != 0 {
		t.Fatal("the last device is of another version")
	}
	if w.heard(last); w.offer(last) != 0 {
		t.Fatal("a version that is held is offered something")
	}
	w.act(author, id, rollout.Halt)
	w.act(approver, id, rollout.Override)
	for range 5 {
		w.pass(time.Minute)
	}
	if sum, _ = w.m.Get(id); len(sum.Held) != 0 || sum.State != rollout.Running {
		t.Errorf("%+v", sum)
	}
	if w.heard(last); w.offer(last) == 0 {
		t.Error("it is offered nothing")
	}
	if r, err := w.m.Report(w.now, id); err != nil || strings.Contains(r.Verdict, "halted by itself") {
		t.Errorf("%s %v", r.Verdict, err)
	}
}

// A version that was held before that set its devices aside has them set aside when the verdict looks at it next.
func TestHeldBefore(t *testing.T) {
	w := newWorld(t, 400)
	mixed(w)
	s := w.spec()
	s.Watch = 24 * time.Hour
	id := w.start(s)
	var old []int
	numbers := make([]uint32, len(w.f))
	for i := range w.f {
		w.heard(i)
		numbers[i] = w.offer(i)
		if i%3 == 0 {
			old = append(old, i)
		}
	}
	for range 4 {
		w.now = w.now.Add(2 * time.Minute)
		for i := range w.f {
			if i%3 != 0 {
				w.updates(i, "2.0")
			}
		}
	}
	w.m.HeldBefore(id, "0.9")
	aside := func() bool {
		r, err := w.m.Report(w.now, id)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Contains(r.Verdict, "set aside")
	}
	for n, i := range old {
		if n%4 == 0 {
			w.says(i, numbers[i], did(codec.StepFailed, 8, 0))
		} else {
			for range 4 {
				w.now = w.now.Add(2 * time.Minute)
				w.updates(i, "2.0")
			}
		}
		w.pass(time.Minute)
		if aside() {
			break
		}
	}
	if sum, _ := w.m.Get(id); !aside() || len(sum.Held) != 1 || sum.State != rollout.Running || sum.Warned {
		t.Errorf("%+v", sum)
	}
}

// Once a version is held, what became of its devices holds nobody else back: the verdict warns no more, and the next wave opens by itself, also after a
// restart.
func TestWavesGoOnWithoutTheHeld(t *testing.T) {
	w := newWorld(t, 1200)
	mixed(w)
	id, first := w.canary(w.spec())
	var old []int
	for _, i := range first {
		if i%3 == 0 {
			old = append(old, i)
			continue
		}
		w.heard(i)
		w.offer(i)
	}
	for range 4 {
		w.now = w.now.Add(2 * time.Minute)
		for _, i := range first {
			if i%3 != 0 {
				w.updates(i, "2.0")
			}
		}
	}
	w.pass(time.Minute)
	sum, _ := w.m.Get(id)
	for _, i := range old {
		if w.heard(i); sum.Warned {
			break
		}
		if i%12 == 0 {
			w.says(i, w.offer(i), did(codec.StepFailed, 8, 0))
		} else {
			w.confirms(i)
		}
		w.pass(time.Minute)
		sum, _ = w.m.Get(id)
	}
	if !sum.Warned || sum.State != rollout.Running {
		t.Fatalf("%+v", sum)
	}
	w.m.Hold(id, "0.9")
	w.commit()
	w.restart()
	for n := 0; n < 60 && sum.Wave < 2; n++ { // two days are what a group soaks
		for i := range w.f {
			w.heard(i)
		}
		w.pass(time.Hour)
		sum, _ = w.m.Get(id)
	}
	r, err := w.m.Report(w.now, id)
	if err != nil || sum.Wave != 2 || sum.Warned || sum.State != rollout.Running || !strings.Contains(r.Verdict, "set aside") {
		views, _ := w.m.Waves(w.now, id)
		t.Errorf("wave %d, warned %t, %s: %s; %s", sum.Wave, sum.Warned, sum.State, r.Verdict, views[1].Reason)
	}
}

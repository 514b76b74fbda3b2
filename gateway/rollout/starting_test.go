package rollout_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/godwit-gateway/godwit/gateway/rollout"
)

// many is more than a wave opens for at once.
const many = 1500

// approved is a rollout that may be started, whose first wave is most of the fleet.
func (w *world) approved() rollout.ID {
	w.t.Helper()
	s := w.spec()
	s.Waves, s.HoldOut = []rollout.Wave{{Share: 0.7, Least: time.Hour}, {Share: 1}}, 0.05
	id := w.create(s)
	w.act(author, id, rollout.Submit)
	w.act(approver, id, rollout.Approve)
	w.commit()
	return id
}

// starts goes through a start in steps of so many devices. After each step but the last, which are numbered, goes is asked whether to go on.
func (w *world) starts(id rollout.ID, size int, goes func(step int) bool) (begun bool) {
	w.t.Helper()
	s, err := w.m.Starting(w.now, author, id, "as planned")
	if err != nil {
		w.t.Fatal(err)
	}
	step := 0
	next := func() bool {
		w.commit()
		step++
		return goes == nil || goes(step)
	}
	for more := true; more; {
		if more = s.Some(size); !next() {
			return false
		}
	}
	s.Sort()
	for more := true; more; {
		if more = s.Write(w.store, size); !next() {
			return false
		}
	}
	if _, err := s.Begin(w.now); err != nil {
		w.t.Fatal(err)
	}
	s.Cancel() // as callers do in any case
	w.commit()
	return true
}

// settles polls until nothing is left to be done at once.
func (w *world) settles() {
	for more := true; more; {
		more = w.m.Poll(w.now)
		w.commit()
	}
}

// rowsOf are how many rows of devices a rollout has in the store.
func (w *world) rowsOf(id rollout.ID) (n int) {
	for k := range w.store {
		if strings.HasPrefix(k, string([]byte{'c', 0, 0, 0, byte(id)})) {
			n++
		}
	}
	return n
}

// A start in steps, however large, leads to what a start at once does, byte by byte.
func TestStartInSteps(t *testing.T) {
	whole := newWorld(t, many)
	whole.act(author, whole.approved(), rollout.Start)
	whole.commit()
	if n := whole.standings(1)[rollout.Eligible]; n != 512 {
		t.Errorf("the wave opened for %d devices at once", n)
	}
	whole.settles()
	if n := whole.standings(1); n[rollout.Eligible] < 900 || n[rollout.Eligible]+n[rollout.Waiting]+n[rollout.HeldOut] != many {
		t.Errorf("%v", n)
	}
	for _, size := range []int{100, many - 1, many, 10_000} {
		w := newWorld(t, many)
		if id := w.approved(); !w.starts(id, size, nil) {
			t.Fatal("it did not begin")
		}
		w.settles()
		if !maps.EqualFunc(w.store, whole.store, slices.Equal) {
			t.Errorf("in steps of %d there are %d rows, at once %d, or others", size, len(w.store), len(whole.store))
		}
		if d := cmp.Diff(whole.told, w.told); d != "" {
			t.Errorf("in steps of %d: %s", size, d)
		}
	}
}

func (w *world) standings(id rollout.ID) map[rollout.Standing]int {
	w.t.Helper()
	s, err := w.m.Get(id)
	if err != nil {
		w.t.Fatal(err)
	}
	return s.Standings
}

// Wherever the process ends during a start, nothing of it is left, and it can be made anew; wherever it ends while a wave opens, that goes on.
func TestCrashDuringStart(t *testing.T) {
	whole := newWorld(t, many)
	whole.starts(whole.approved(), 500, nil)
	whole.settles()
	for at := 1; ; at++ {
		w := newWorld(t, many)
		id := w.approved()
		begun := w.starts(id, 500, func(step int) bool { return step != at })
		if begun {
			if at < 7 {
				t.Errorf("it began after %d steps", at)
			}
			break
		}
		w.restart()
		if s, err := w.m.Get(id); err != nil || (s.State == rollout.Approved) != (s.Devices == 0) {
			t.Fatalf("after step %d: %+v, %v", at, s, err)
		} else if s.State == rollout.Approved {
			if w.commit(); w.rowsOf(id) != 0 {
				t.Fatalf("after step %d: %d rows are left", at, w.rowsOf(id))
			}
			w.starts(id, 700, nil)
		}
		w.settles()
		if !maps.EqualFunc(w.store, whole.store, slices.Equal) {
			t.Errorf("after step %d: %d rows, want %d, or others", at, len(w.store), len(whole.store))
		}
	}
	for at := range 4 {
		w := newWorld(t, many)
		id := w.approved()
		w.starts(id, 500, nil)
		for range at {
			w.m.Poll(w.now)
			w.commit()
		}
		w.m.Poll(w.now) // of this nothing is written
		w.restart()
		w.settles()
		if d := cmp.Diff(whole.standings(id), w.standings(id)); d != "" || w.count(rollout.ActWave) != 1 {
			t.Errorf("after %d polls, %d waves: %s", at, w.count(rollout.ActWave), d)
		}
		for k, row := range whole.store {
			if k[0] == 'c' && !slices.Equal(row, w.store[k]) {
				t.Fatalf("after %d polls: row %x is %x, want %x", at, k, w.store[k], row)
			}
		}
	}
}

// What devices say between the steps counts: who runs the release is not in the rollout, who runs another version than before comes from that one, who
// came is in it. Nobody is offered anything before.
func TestFramesDuringStart(t *testing.T) {
	w := newWorld(t, many)
	for i := range w.f {
		w.f[i].Active = i%100 != 99
	}
	id := w.approved()
	n := 0
	w.starts(id, 200, func(step int) bool {
		for _, i := range []int{step, 1200 + step} { // one that was looked at, and one that may not have been
			w.updates(i, "2.0")
			w.runs(300+i%300, "1.5", nil)
			if w.offer(i+1) != 0 || w.offer(700+i%400) != 0 {
				t.Errorf("after step %d a device is offered what has not begun", step)
			}
		}
		if at := 100*step - 1; at < many && step%2 == 0 {
			w.f[at].Active = true
			w.m.Know(w.now, rollout.Place(at))
		}
		n = step
		return true
	})
	w.settles()
	came := 0
	for i := range w.f {
		list := w.m.Device(w.now, rollout.Place(i))
		outside := i >= 1 && i <= n || i >= 1201 && i <= 1200+n
		joined := w.f[i].Active
		if joined && i%100 == 99 {
			came++
		}
		switch {
		case outside || !joined:
			if len(list) != 0 {
				t.Errorf("device %d, that runs %s: %+v", i, w.f[i].Version, list)
			}
		case len(list) != 1 || list[0].From != w.f[i].Version:
			t.Errorf("device %d, that runs %s: %+v", i, w.f[i].Version, list)
		}
	}
	if came < 5 || n < 16 {
		t.Errorf("%d came, %d steps", came, n)
	}
	before := fmt.Sprint(w.standings(id))
	w.restart()
	if after := fmt.Sprint(w.standings(id)); before != after {
		t.Errorf("written is %s, known was %s", after, before)
	}
}

// One start of a rollout is made at a time. One that is stopped meanwhile does not begin, and leaves no rows.
func TestStartThatIsNoMore(t *testing.T) {
	w := newWorld(t, 50)
	id := w.approved()
	s, err := w.m.Starting(w.now, author, id, "")
	if err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"another start": second(w.m.Starting(w.now, author, id, "")),
		"at once":       second(w.m.Act(w.now, author, id, rollout.Start, "")),
	} {
		if !errors.Is(err, rollout.ErrState) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for s.Some(20) {
	}
	s.Sort()
	for s.Write(w.store, 20) {
	}
	w.act(author, id, rollout.Stop)
	if _, err := s.Begin(w.now); !errors.Is(err, rollout.ErrState) {
		t.Error(err)
	}
	if w.rowsOf(id) != 50 {
		t.Errorf("%d rows", w.rowsOf(id))
	}
	s.Cancel()
	if w.commit(); w.rowsOf(id) != 0 {
		t.Errorf("%d rows are left", w.rowsOf(id))
	}
	other := w.approved()
	s, err = w.m.Starting(w.now, author, other, "")
	if err != nil {
		t.Fatal(err)
	}
	s.Cancel()
	w.act(author, other, rollout.Start)
	if sum, _ := w.m.Get(other); sum.State != rollout.Running || sum.Devices != 50 {
		t.Errorf("%+v", sum)
	}
	if _, err := w.m.Starting(w.now, rollout.Actor{Name: "viewer"}, other, ""); !errors.Is(err, rollout.ErrForbidden) {
		t.Error(err)
	}
	if _, err := w.m.Starting(w.now, author, 77, ""); !errors.Is(err, rollout.ErrUnknown) {
		t.Error(err)
	}
}

func second[T any](_ T, err error) error { return err }

// A forecast in steps is that at once.
func TestPlanInSteps(t *testing.T) {
	w := newWorld(t, 300)
	cost := func(at rollout.Place) (int64, string) { return int64(at), "EUR" }
	whole, err := w.m.Plan(w.now, w.waves(), cost)
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{1, 7, 299, 300, 301} {
		p, err := w.m.Planning(w.now, w.waves(), cost)
		if err != nil {
			t.Fatal(err)
		}
		for p.Some(size) {
			w.now = w.now.Add(time.Second)
			w.heard(5)
		}
		if d := cmp.Diff(whole, p.Forecast()); d != "" {
			t.Errorf("in steps of %d: %s", size, d)
		}
	}
}

// Rows that were not written ahead are written when the rollout begins, although others have left it by then.
func TestStartThatIsWrittenInPart(t *testing.T) {
	for ahead := 5; ahead <= 50; ahead += 5 {
		w := newWorld(t, 50)
		id := w.approved()
		s, err := w.m.Starting(w.now, author, id, "")
		if err != nil {
			t.Fatal(err)
		}
		s.Some(50)
		s.Sort()
		s.Write(w.store, ahead)
		w.updates(3, "2.0")
		if _, err := s.Begin(w.now); err != nil {
			t.Fatal(err)
		}
		if w.commit(); w.rowsOf(id) != 49 {
			t.Errorf("%d were written ahead: %d rows of 49 devices", ahead, w.rowsOf(id))
		}
	}
}

// What is read back at a restart is not written once more.
func TestRestartWritesNothingAnew(t *testing.T) {
	w := newWorld(t, many)
	w.start(w.waves())
	w.settles()
	for i := range w.f {
		w.heard(i)
	}
	w.commit()
	w.restart()
	w.heard(7)
	written := rows{}
	w.m.Drain(written)
	judged := 0
	for key := range written {
		if key[0] == 'e' {
			judged++
		}
	}
	if judged != 1 {
		t.Errorf("after a restart the verdict's rows of %d devices are written, one was heard", judged)
	}
}

// A store of a version that did not write for the verdict that a wave had opened for a device which it had not heard yet leads to the same.
func TestOpenWaveOfAnOlderStore(t *testing.T) {
	outcome := func(older bool) rows {
		w := newWorld(t, 100)
		w.start(w.waves())
		for i := range w.f {
			if i%2 == 0 {
				w.heard(i)
			}
		}
		w.commit()
		for key, row := range w.store {
			unheard := key[0] == 'e' && !slices.ContainsFunc(row[1:len(row)-2], func(b byte) bool { return b != 0 })
			switch {
			case older && unheard:
				delete(w.store, key)
			case older && key[0] == 'e':
				row[len(row)-1] &^= 2 // as the first contact left it
			}
		}
		w.restart()
		w.pass(time.Hour)
		for i := range w.f {
			w.heard(i)
		}
		w.commit()
		return w.store
	}
	same(t, outcome(false), outcome(true))
}

package rollout_test

import (
	"bytes"
	"errors"
	"maps"
	"runtime"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/gateway/rollout"
)

// late is a store that shows what the last Drain wrote with the next one only.
type late struct {
	rows
	batch rows
}

func (s *late) PutRollout(key, row []byte) { s.batch[string(key)] = bytes.Clone(row) }

func (s *late) shown() {
	maps.Copy(s.rows, s.batch)
	clear(s.batch)
}

// said is all that can be asked of a rollout.
func (w *world) said(id rollout.ID) (all []any) {
	w.t.Helper()
	r, err1 := w.m.Report(w.now, id)
	f, err2 := w.m.Funnel(w.now, id)
	a, err3 := w.m.Adoption(w.now, id, time.Time{}, time.Hour)
	d, err4 := w.m.Devices(w.now, id, nil)
	v, err5 := w.m.Waves(w.now, id)
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		w.t.Fatal(err)
	}
	var pages []rollout.DeviceView
	for last, more := uint32(0), true; more; {
		var some []rollout.DeviceView
		var err error
		if some, last, more, err = w.m.Page(w.now, id, last, 3, 7, nil); err != nil {
			w.t.Fatal(err)
		}
		pages = append(pages, some...)
	}
	if diff := cmp.Diff(d, pages); diff != "" {
		w.t.Errorf("page by page: %s", diff)
	}
	return []any{r, f, a, d, v}
}

// A rollout that has ended says the same whether its devices are in memory or are read back, also after a restart, and goes on to notice what becomes of
// them: one that goes back to its old version is told of and written, a step log that comes late is taken.
func TestFreed(t *testing.T) {
	const n = 60
	run := func(freed bool) (w *world, id rollout.ID, told []rollout.Action) {
		w = newWorld(t, n)
		store := &late{rows: w.store, batch: rows{}}
		if w.config.Store = nil; freed {
			w.config.Store = store
		}
		w.m = rollout.New(w.config)
		if err := w.m.Load(w.now, w.store); err != nil {
			t.Fatal(err)
		}
		for i, v := range []string{"1.0", "2.0", "3.0"} {
			if _, err := w.m.Register(w.now, author, release(v, uint32(i+1))); err != nil {
				t.Fatal(err)
			}
		}
		commit := func() {
			told = append(told, w.m.Actions()...)
			store.shown()
			w.m.Drain(store)
		}
		id = w.start(w.spec())
		w.m.Drain(store)
		numbers := make([]uint32, n)
		for i := range n {
			w.heard(i)
			numbers[i] = w.offer(i)
			switch i % 10 {
			case 7: // sleeps from now on
			case 8:
				w.says(i, numbers[i], did(codec.StepDeclined, 1, 0))
			case 9:
				w.says(i, numbers[i], did(codec.StepInstalling, 0, 0))
			default:
				w.now = w.now.Add(2 * time.Minute)
				for range 4 {
					w.now = w.now.Add(2 * time.Minute)
					w.updates(i, "2.0")
				}
				w.says(i, numbers[i], did(codec.StepConfirmed, 1, 0))
			}
			commit()
		}
		w.act(author, id, rollout.Stop)
		for range 5 {
			w.pass(time.Minute)
			commit()
		}
		before := w.m.Pending()
		w.runs(3, "1.0", nil) // it goes back
		w.runs(3, "1.0", nil) // the same batch reads what it has changed
		w.runs(13, "3.0", nil)
		w.says(8, numbers[8], did(codec.StepAccepted, 1, 0)) // late
		w.updates(9, "2.0")                                  // one that was still busy
		commit()
		w.standing(id, 3) // asked before the store shows it
		for range 4 {
			w.pass(time.Minute)
			commit()
		}
		w.pass(72 * time.Hour) // all are silent
		commit()
		if w.m.Failed() != nil {
			t.Fatal(w.m.Failed())
		}
		if freed && before >= n/2 {
			t.Errorf("%d devices are in memory", before)
		}
		store.shown()
		return w, id, told
	}
	a, id, toldA := run(false)
	b, _, toldB := run(true)
	if d := cmp.Diff(toldA, toldB); d != "" {
		t.Errorf("told: %s", d)
	}
	want := a.said(id)
	if d := cmp.Diff(want, b.said(id)); d != "" {
		t.Errorf("read back: %s", d)
	}
	b.restart()
	if d := cmp.Diff(want, b.said(id)); d != "" {
		t.Errorf("after a restart: %s", d)
	}
	a.config.Store = nil
	a.restart()
	if d := cmp.Diff(want, a.said(id)); d != "" {
		t.Errorf("after a restart, all in memory: %s", d)
	}
	if a.standing(id, 3).Standing != rollout.RolledBack || b.standing(id, 9).Standing != rollout.Soaking {
		t.Errorf("%+v", b.standing(id, 3))
	}
}

// A device whose late step log says that it is busy with a rollout that has left memory is busy at once, not two batches later: no other rollout has it.
// That somebody looked at a device changes nothing.
func TestFreedAndBusy(t *testing.T) {
	for _, looked := range []bool{false, true} {
		w := newWorld(t, 4)
		old := w.start(w.spec())
		numbers := make([]uint32, len(w.f))
		for i := range w.f {
			w.heard(i)
			numbers[i] = w.offer(i)
			if w.says(i, numbers[i], did(codec.StepDeclined, 10, 0)); i == 0 {
				w.says(i, numbers[i], did(codec.StepInstalling, 0, 0)) // by which the rollout is followed
			}
		}
		w.act(author, old, rollout.Stop)
		for range 4 {
			w.pass(time.Minute)
			w.commit()
		}
		if n := w.m.Pending(); n != 1 {
			t.Fatalf("%d devices are in memory", n)
		}
		s := w.spec()
		s.Version = "3.0"
		w.start(s)
		if looked {
			for i := range w.f {
				w.standing(old, i)
			}
		}
		w.says(1, numbers[1], did(codec.StepInstalling, 0, 0))
		if w.heard(1); w.offer(1) != 0 {
			t.Error("one that installs an update is offered another")
		}
		if w.heard(2); w.offer(2) == 0 {
			t.Error("one that does nothing is offered nothing")
		}
		if v := w.standing(old, 2); v.Standing != rollout.Declined || v.Reason != "cancelled" {
			t.Errorf("looked at %v: %s", looked, v.Standing)
		}
	}
}

// broken is a store that cannot be read.
type broken struct{ rows }

func (broken) RolloutRow([]byte) ([]byte, bool, error) { return nil, false, errors.New("disk") }

func (broken) RolloutRows(_, _ []byte, _ func(key, row []byte) error) error {
	return errors.New("disk")
}

// What cannot be read back is an error, not a rollout without devices.
func TestFreedAndLost(t *testing.T) {
	w := newWorld(t, 20)
	id := w.start(w.spec())
	w.act(author, id, rollout.Stop)
	w.commit()
	w.config.Store = broken{w.store}
	w.restart()
	if _, err := w.m.Report(w.now, id); err == nil {
		t.Error("a report of nothing")
	}
	if _, err := w.m.Devices(w.now, id, nil); err == nil {
		t.Error("a list of nothing")
	}
	if _, _, _, err := w.m.Page(w.now, id, 0, 10, 10, nil); err == nil {
		t.Error("a page of nothing")
	}
	w.m.Device(w.now, 3)
	if w.m.Failed() == nil {
		t.Error("no failure of reading a device")
	}
}

// BenchmarkEnded tells how much memory a device of a rollout that has ended takes.
func BenchmarkEnded(b *testing.B) {
	const n = 100_000
	heap := func() uint64 {
		var s runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&s)
		return s.HeapAlloc
	}
	for range b.N {
		w := large(b, n)
		w.m.Drain(nothing{})
		during := heap()
		w.act(author, 1, rollout.Stop)
		w.m.Drain(nothing{})
		judged := heap()
		w.m.Poll(w.now.Add(100 * 24 * time.Hour)) // nobody follows those that are left half way any more
		for range 5 {
			w.m.Drain(nothing{})
		}
		b.ReportMetric(float64(int64(during)-int64(judged))/n, "B/verdict")
		b.ReportMetric(float64(int64(judged)-int64(heap()))/n, "B/device")
		runtime.KeepAlive(w)
	}
}

package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/godwit-gateway/godwit/gateway/store"
)

const day = 24 * time.Hour

func TestRetain(t *testing.T) {
	s := open(t, store.Options{})
	b := s.NewBatch()
	for n := uint32(1); n <= 3; n++ {
		for c := range uint64(10) {
			b.PutFrame(store.FrameKey{Number: n, Epoch: uint32(c / 5), Counter: c}, frame(c, t0.Add(time.Duration(c)*day)))
		}
		for d := range 10 {
			b.PutCharge(&store.Charge{Number: n, At: t0.Add(time.Duration(d) * day), Ref: 7, Attempt: uint32(d), Link: "sms", Kind: "ack", Billed: 140, Micros: -5})
		}
		b.PutDevice(n, nil)
	}
	b.PutFrame(store.FrameKey{Number: 4, Epoch: 1, Counter: 500}, frame(0, t0.Add(20*day)))
	b.PutFrame(store.FrameKey{Number: 4, Epoch: 1, Counter: 20}, frame(0, t0)) // older than its counter says
	for i := range 5 {
		b.PutQuarantine(&store.Quarantine{ReceivedAt: t0.Add(time.Duration(i) * day)})
	}
	commit(t, s, b)
	keep := store.Retention{Frames: 100 * day, Quarantine: 30 * day}
	floors, err := s.Retain(b, t0.Add(30*day), keep)
	if err != nil || len(floors) != 0 || b.Len() != 0 {
		t.Fatalf("nothing is old: %v, %d changes, %v", floors, b.Len(), err)
	}
	floors, err = s.Retain(b, t0.Add(106*day), keep) // frames up to day 5, the whole quarantine
	if err != nil {
		t.Fatal(err)
	}
	commit(t, s, b)
	var want []store.Floor
	for n := uint32(1); n <= 3; n++ {
		want = append(want, store.Floor{Number: n, Epoch: 0, Counter: 5}, store.Floor{Number: n, Epoch: 1, Counter: 6})
	}
	want = append(want, store.Floor{Number: 4, Epoch: 1, Counter: 21})
	if diff := cmp.Diff(want, floors); diff != "" {
		t.Errorf("floors (-want +got):\n%s", diff)
	}
	counts, err := s.KeyCounts()
	if err != nil || counts["frames"] != 3*4+1 || counts["times"] != 13 || counts["quarantine"] != 0 || counts["charges"] != 3*4 {
		t.Errorf("left: %v, %v", counts, err)
	}
	var refs []uint32
	if err := s.EachCharge(2, t0, t0.Add(9*day), func(c *store.Charge) error {
		refs = append(refs, c.Attempt)
		if want := (store.Charge{Number: 2, At: t0.Add(time.Duration(c.Attempt) * day), Ref: 7, Attempt: c.Attempt, Link: "sms", Kind: "ack", Billed: 140, Micros: -5}); *c != want {
			t.Errorf("%+v, want %+v", c, want)
		}
		return nil
	}); err != nil || len(refs) != 3 || refs[0] != 6 {
		t.Errorf("charges of attempts %v, %v", refs, err)
	}
	frames := 0
	if err := s.EachFrame(2, t0.Add(7*day), t0.Add(9*day), func(k store.FrameKey, f *store.Frame) error {
		frames += int(k.Counter)
		return nil
	}); err != nil || frames != 7+8 {
		t.Errorf("frames %d, %v", frames, err)
	}
	if rows, _ := s.QuarantineCount(); rows != 0 {
		t.Errorf("quarantine counts %d", rows)
	}
	checked(t, s)
}

// A pass over all devices begins no sooner than is asked for, and goes on at once until it is over.
func TestRetainPasses(t *testing.T) {
	s := open(t, store.Options{})
	b := s.NewBatch()
	const frames = 5000 // two steps
	for c := range uint64(frames) {
		b.PutFrame(store.FrameKey{Number: 1, Counter: c}, frame(c, t0))
	}
	commit(t, s, b)
	left := func(after time.Duration) uint64 {
		t.Helper()
		if _, err := s.Retain(b, t0.Add(after), store.Retention{Frames: 8 * time.Hour, Every: time.Hour}); err != nil {
			t.Fatal(err)
		}
		commit(t, s, b)
		counts, err := s.KeyCounts()
		if err != nil {
			t.Fatal(err)
		}
		return counts["frames"]
	}
	if a, b := left(9*time.Hour), left(9*time.Hour); a == 0 || a >= frames || b != 0 {
		t.Errorf("after two steps %d and %d frames are left", a, b)
	}
	b.PutFrame(store.FrameKey{Number: 1, Counter: frames}, frame(0, t0))
	commit(t, s, b)
	for _, c := range []struct {
		after time.Duration
		left  uint64
	}{{9*time.Hour + 59*time.Minute, 1}, {10 * time.Hour, 0}} {
		if got := left(c.after); got != c.left {
			t.Errorf("%s: %d frames are left, want %d", c.after, got, c.left)
		}
	}
}

// One step deletes a bounded number of rows, and steps go round the whole fleet.
func TestRetainIsBounded(t *testing.T) {
	s := open(t, store.Options{})
	b := s.NewBatch()
	const frames = 5000
	for _, n := range []uint32{1, 2, 1<<32 - 1} {
		for c := range uint64(frames) {
			b.PutFrame(store.FrameKey{Number: n, Counter: c}, frame(c, t0))
		}
	}
	commit(t, s, b)
	steps, deleted := 0, 0
	for ; steps < 10; steps++ {
		if _, err := s.Retain(b, t0.Add(day), store.Retention{Frames: time.Hour}); err != nil {
			t.Fatal(err)
		}
		if b.Len() == 0 && steps > 0 && deleted == 3*frames {
			break
		}
		if b.Len() > 2*4096 {
			t.Errorf("step %d changes %d rows", steps, b.Len())
		}
		deleted += b.Len() / 2
		commit(t, s, b)
	}
	if deleted != 3*frames || steps > 6 {
		t.Errorf("%d frames deleted in %d steps", deleted, steps)
	}
	if counts, err := s.KeyCounts(); err != nil || counts["frames"] != 0 || counts["times"] != 0 {
		t.Errorf("left: %v, %v", counts, err)
	}
}

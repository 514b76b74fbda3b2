package rollout_test

import (
	"bytes"
	"errors"
	"maps"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/gateway/rollout"
)

// busy is a world with rows of each kind.
func busy(t testing.TB) *world {
	t.Helper()
	w := newWorld(t, 20)
	s := w.waves()
	s.Windows, s.Filter.Devices = []rollout.Window{{Days: 127, From: 0, To: 24}}, nil
	id := w.start(s)
	for i := range w.f {
		w.heard(i)
		n := w.offer(i)
		w.pass(time.Minute)
		if n == 0 {
			continue
		}
		w.says(i, n, did(codec.StepAccepted, 1, 0), did(codec.StepDownloaded, 1, 0))
		if i%2 == 0 {
			w.updates(i, "2.0")
		}
		if i%4 == 0 {
			w.runs(i, "1.0", nil)
		}
	}
	w.pass(5 * time.Hour)
	for i := range w.f {
		w.heard(i)
	}
	w.act(author, id, rollout.Pause)
	w.commit()
	return w
}

// What was written brings back a machine that answers the same, writes the same, and goes on the same.
func TestComesBack(t *testing.T) {
	w := busy(t)
	first, _ := w.m.Report(w.now, 1)
	before, _ := w.m.Devices(w.now, 1, nil)
	m := w.m
	w.restart()
	second, err := w.m.Report(w.now, 1)
	if err != nil {
		t.Fatal(err)
	}
	same(t, first, second)
	after, _ := w.m.Devices(w.now, 1, nil)
	same(t, before, after)
	if w.m.Must() {
		t.Error("there is something to write after a start")
	}
	a, b := rows{}, rows{}
	for _, x := range []struct {
		m  *rollout.Machine
		to rows
	}{{m, a}, {w.m, b}} {
		if _, err := x.m.Act(w.now, author, 1, rollout.Resume, ""); err != nil {
			t.Fatal(err)
		}
		for i := range w.f {
			o := rollout.Order{Counter: 1000}
			x.m.Heard(w.now.Add(time.Hour), rollout.Place(i), rollout.Contact{Order: o, Newest: true})
			x.m.Steps(w.now.Add(time.Hour), w.now.Add(time.Hour), rollout.Place(i), &codec.StepLog{Rollout: 1, Steps: []codec.StepEntry{did(codec.StepFailed, 200, 0)}})
		}
		x.m.Poll(w.now.Add(2 * time.Hour))
		if !x.m.Must() {
			t.Error("there is nothing to write")
		}
		x.m.Drain(x.to)
		if x.m.Must() {
			t.Error("there is something left to write")
		}
	}
	if len(a) == 0 || len(a) != len(b) {
		t.Fatalf("%d rows and %d", len(a), len(b))
	}
	for k := range a {
		if !bytes.Equal(a[k], b[k]) {
			t.Errorf("row %x: %x and %x", k, a[k], b[k])
		}
	}
}

// Rows of the verdict go when a rollout ends, those of its devices stay.
func TestEndedRows(t *testing.T) {
	w := busy(t)
	kinds := func() (n [256]int) {
		for k := range w.store {
			n[k[0]]++
		}
		return n
	}
	if n := kinds(); n['a'] != 3 || n['b'] != 1 || n['c'] != 20 || n['d'] != 2 || n['e'] != 20 {
		t.Fatal(n)
	}
	w.act(author, 1, rollout.Stop)
	w.commit()
	if n := kinds(); n['a'] != 3 || n['b'] != 1 || n['c'] != 20 || n['d'] != 0 || n['e'] != 0 {
		t.Fatal(n)
	}
	w.restart()
	r, err := w.m.Report(w.now, 1)
	if err != nil || r.Summary.State != rollout.Stopped || r.Verdict == "" {
		t.Errorf("%+v %v", r, err)
	}
	for i := range w.f {
		w.heard(i)
	}
	if w.commit(); kinds()['e'] != 0 {
		t.Error("evidence is gathered for a rollout that has ended")
	}
}

// Each row that is damaged or missing is an error, and not another state.
func TestDamagedRows(t *testing.T) {
	w := busy(t)
	load := func(store rows) error { return rollout.New(w.config).Load(w.now, store) }
	for k, row := range w.store {
		for name, damaged := range map[string][]byte{"cut": row[:len(row)-1], "empty": {}, "of another version": append([]byte{99}, row[1:]...)} {
			store := maps.Clone(w.store)
			store[k] = damaged
			if err := load(store); !errors.Is(err, rollout.ErrRow) {
				t.Errorf("key %x, %s: %v", k, name, err)
			}
		}
		if k[0] == 'a' && k != "abuoy\x002.0" || k[0] == 'c' || k[0] == 'e' {
			continue
		}
		store := maps.Clone(w.store)
		delete(store, k)
		if err := load(store); !errors.Is(err, rollout.ErrRow) {
			t.Errorf("key %x is missing: %v", k, err)
		}
	}
}

func FuzzRow(f *testing.F) {
	w := busy(f)
	for k, row := range w.store {
		f.Add([]byte(k), row)
	}
	f.Fuzz(func(t *testing.T, key, row []byte) {
		w := newWorld(t, 20)
		w.commit()
		check := rollout.CheckRow(key, row)
		w.store[string(key)] = row
		m := rollout.New(w.config)
		if err := m.Load(w.now, w.store); err != nil {
			return
		} else if check != nil {
			t.Fatalf("loaded %x %x, which is refused: %v", key, row, check)
		}
		m.Heard(w.now, 3, rollout.Contact{Newest: true, Order: rollout.Order{Counter: 5}})
		m.Reported(w.now, 3, rollout.Software{Version: "2.0", Order: rollout.Order{Counter: 6}})
		m.Offer(w.now, 3, 0)
		m.Poll(w.now)
		for _, s := range m.List() {
			_, _ = m.Report(w.now, s.ID)
			_, _ = m.Waves(w.now, s.ID)
			_, _ = m.Funnel(w.now, s.ID)
			_, _ = m.Adoption(w.now, s.ID, w.now, 24*time.Hour)
		}
		m.Drain(rows{})
	})
}

// FuzzDevice reads rows of devices of a rollout that runs.
func FuzzDevice(f *testing.F) {
	w := busy(f)
	for k, row := range w.store {
		if k[0] == 'c' {
			f.Add(row)
		}
	}
	const key = "c\x00\x00\x00\x01\x00\x00\x00\x67" // device 103
	f.Fuzz(func(t *testing.T, row []byte) {
		store := maps.Clone(w.store)
		if _, ok := store[key]; !ok {
			t.Fatal("there is no such row")
		}
		store[key] = row
		err := rollout.CheckRow([]byte(key), row)
		m := rollout.New(w.config)
		switch loaded := m.Load(w.now, store); {
		case loaded == nil && err != nil:
			t.Fatalf("it was loaded, and is refused: %v", err)
		case loaded != nil: // it may be of a try that the rollout does not have
			return
		}
		m.Heard(w.now, 3, rollout.Contact{Newest: true, Order: rollout.Order{Counter: 5}})
		m.Steps(w.now, w.now, 3, &codec.StepLog{Rollout: 1, Steps: []codec.StepEntry{did(codec.StepFailed, 2, 0)}})
		m.Reported(w.now, 3, rollout.Software{Version: "2.0", Order: rollout.Order{Counter: 6}})
		m.Offer(w.now, 3, 0)
		m.Poll(w.now.Add(time.Hour))
		_, _ = m.Report(w.now, 1)
		_, _ = m.Funnel(w.now, 1)
		_, _ = m.Adoption(w.now, 1, w.now, time.Hour)
		m.Drain(rows{})
	})
}

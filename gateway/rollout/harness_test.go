package rollout_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"maps"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/codec/manifest"
	"github.com/godwit-gateway/godwit/gateway/rollout"
	"github.com/godwit-gateway/godwit/gateway/rollout/silence"
	"github.com/godwit-gateway/godwit/scheduler/presence"
)

var t0 = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC) // a Monday

var (
	author   = rollout.Actor{Name: "author", Role: rollout.Operator}
	approver = rollout.Actor{Name: "approver", Role: rollout.Approver}
)

// devices is a fleet in memory: place n has the number 100+n.
type devices []rollout.Facts

func (f devices) Len() int                                  { return len(f) }
func (f devices) Facts(at rollout.Place, to *rollout.Facts) { *to = f[at] }
func (f devices) Find(number uint32) (at rollout.Place, ok bool) {
	return rollout.Place(number - 100), number >= 100 && int(number) < 100+len(f)
}

// Quiet takes presence for one that knows the tail of missed contacts alone.
func (f devices) Quiet(now time.Time, at rollout.Place, q *silence.Quiet) {
	x := &f[at]
	*q = silence.Quiet{Now: now.Unix(), Heard: !x.Last.IsZero(), Retired: !x.Active}
	every := max(x.Interval, time.Hour)
	n := int(max(0, now.Sub(x.Last)-10*time.Minute) / every)
	tail := math.Pow(0.05, float64(n))
	q.Standing = presence.Standing{Missed: n, Tail: max(tail, 1e-6), Dead: 1e-4 / (1e-4 + tail), Last: x.Last.Unix(), Interval: uint32(every / time.Second), Link: "udp0"}
}

// fleet makes devices that run 1.0 and call every hour.
func fleet(n int) devices {
	f := make(devices, n)
	for i := range f {
		f[i] = rollout.Facts{
			Number: uint32(100 + i), Name: fmt.Sprintf("dev-%d", 100+i), Product: "buoy", Customer: fmt.Sprintf("customer-%d", i%3), Version: "1.0",
			FreeMemory: 4096, Interval: time.Hour, Last: t0.Add(-time.Hour), Active: true,
		}
	}
	return f
}

// rows is a store.
type rows map[string][]byte

func (r rows) PutRollout(key, row []byte) { r[string(key)] = bytes.Clone(row) }

func (r rows) DeleteRollouts(from, to []byte) {
	for k := range r {
		if k >= string(from) && k < string(to) {
			delete(r, k)
		}
	}
}

func (r rows) EachRollout(f func(key, row []byte) error) error {
	for _, k := range slices.Sorted(maps.Keys(r)) {
		if err := f([]byte(k), r[k]); err != nil {
			return err
		}
	}
	return nil
}

func (r rows) RolloutRow(key []byte) (row []byte, ok bool, err error) {
	row, ok = r[string(key)]
	return row, ok, nil
}

func (r rows) RolloutRows(from, to []byte, f func(key, row []byte) error) error {
	return r.EachRollout(func(key, row []byte) error {
		if string(key) < string(from) || string(key) >= string(to) {
			return nil
		}
		return f(key, row)
	})
}

func config(t testing.TB, f rollout.Fleet) rollout.Config {
	t.Helper()
	p := presence.Config{
		Links: []presence.Link{{Name: "udp0", Grace: 600, Jitter: 50}, {Name: "sms0", Grace: 600, Jitter: 50}}, Bursts: []presence.Burst{{720, 3600, 4 * 3600, 12 * 3600}}, Products: 1,
	}
	model, err := presence.New(p)
	if err != nil {
		t.Fatal(err)
	}
	return rollout.Config{
		Links: []string{"udp0", "sms0"}, Fleet: f, Presence: p, Model: model, Programme: func(rollout.Place) int { return 0 },
		Burst: func(rollout.Place) []uint16 { return []uint16{12, 60, 240, 720} },
	}
}

func release(version string, sequence uint32) rollout.Release {
	sum := sha256.Sum256([]byte(version))
	return rollout.Release{
		Manifest:  manifest.Manifest{Product: "buoy", Version: version, Build: sum[:8], Sequence: sequence, Size: 1024, SHA256: sum, URL: "https://images.example/" + version},
		Reference: "https://images.example/" + version + ".cose", Hash: sum[:], Signer: "build",
	}
}

// world is a machine, its store and its devices.
type world struct {
	t       testing.TB
	m       *rollout.Machine
	f       devices
	config  rollout.Config
	store   rows
	now     time.Time
	counter []uint64
	told    []rollout.Action

	rule  int   // by which devices are scheduled
	stage []int // of each device in its update, as run goes on with it
	boot  []time.Time
}

func newWorld(t testing.TB, n int) *world {
	t.Helper()
	w := &world{t: t, f: fleet(n), store: rows{}, now: t0, counter: make([]uint64, n)}
	w.config = config(t, w.f)
	w.config.Store = w.store
	w.m = rollout.New(w.config)
	for i, v := range []string{"1.0", "2.0", "3.0"} {
		if _, err := w.m.Register(w.now, author, release(v, uint32(i+1))); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// commit ends what a batch of the caller would.
func (w *world) commit() {
	w.told = append(w.told, w.m.Actions()...)
	w.m.Drain(w.store)
}

// restart brings the machine back from what was written.
func (w *world) restart() {
	w.t.Helper()
	w.m = rollout.New(w.config)
	if err := w.m.Load(w.now, w.store); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) spec() rollout.Spec {
	return rollout.Spec{Name: "spring", Product: "buoy", Version: "2.0", Waves: []rollout.Wave{{Share: 1}}, Soak: 2, Watch: time.Minute}
}

func (w *world) create(s rollout.Spec) rollout.ID {
	w.t.Helper()
	id, _, err := w.m.Create(w.now, author, s)
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

func (w *world) act(by rollout.Actor, id rollout.ID, moves ...rollout.Move) {
	w.t.Helper()
	for _, m := range moves {
		if _, err := w.m.Act(w.now, by, id, m, "as planned"); err != nil {
			w.t.Fatal(err)
		}
	}
}

// start brings a rollout to run.
func (w *world) start(s rollout.Spec) rollout.ID {
	w.t.Helper()
	id := w.create(s)
	w.act(author, id, rollout.Submit)
	w.act(approver, id, rollout.Approve)
	w.act(author, id, rollout.Start)
	w.commit()
	return id
}

// heard has a device send a frame, and gives its place in the order.
func (w *world) heard(i int) rollout.Order {
	w.counter[i]++
	o := rollout.Order{Counter: w.counter[i]}
	w.f[i].Last = w.now
	w.m.Heard(w.now, rollout.Place(i), rollout.Contact{Link: 0, Order: o, Newest: true})
	return o
}

// runs has a device say what it runs.
func (w *world) runs(i int, version string, build []byte) {
	o := w.heard(i)
	w.m.Reported(w.now, rollout.Place(i), rollout.Software{Version: version, Build: fmt.Sprintf("%x", build), Was: w.f[i].Version, Order: o, Newest: true})
	w.f[i].Version = version
}

// updates has a device say that it runs the right build of a version.
func (w *world) updates(i int, version string) {
	sum := sha256.Sum256([]byte(version))
	w.runs(i, version, sum[:8])
}

// says has a device send a step log.
func (w *world) says(i int, number uint32, steps ...codec.StepEntry) {
	w.heard(i)
	w.m.Steps(w.now, w.now, rollout.Place(i), &codec.StepLog{Rollout: number, Steps: steps})
}

func did(s codec.UpdateStep, code uint8, age time.Duration) codec.StepEntry {
	return codec.StepEntry{Step: s, Code: code, Age: age}
}

// offer has a device be offered what it is to be offered; 0: nothing.
func (w *world) offer(i int) uint32 {
	o, ok := w.m.Offer(w.now, rollout.Place(i), 0)
	if !ok {
		return 0
	}
	w.m.Offered(w.now, rollout.Place(i), o.Rollout)
	return o.Rollout
}

func (w *world) pass(d time.Duration) {
	w.now = w.now.Add(d)
	w.m.Poll(w.now)
}

func (w *world) standing(id rollout.ID, i int) rollout.DeviceView {
	w.t.Helper()
	for _, v := range w.m.Device(w.now, rollout.Place(i)) {
		if v.Rollout == id {
			return v
		}
	}
	w.t.Fatalf("device %d is not in rollout %d", i, id)
	return rollout.DeviceView{}
}

func (w *world) want(id rollout.ID, i int, s rollout.Standing) {
	w.t.Helper()
	if v := w.standing(id, i); v.Standing != s {
		w.t.Fatalf("device %d is %s, want %s: %+v", i, v.Standing, s, v)
	}
}

func (w *world) count(kind rollout.ActionKind) (n int) {
	for _, a := range w.told {
		if a.Kind == kind {
			n++
		}
	}
	return n
}

// same reports what differs between two answers.
func same(t *testing.T, a, b any) {
	t.Helper()
	if d := cmp.Diff(a, b); d != "" {
		t.Error(d)
	}
}

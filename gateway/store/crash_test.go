package store_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/godwit-gateway/godwit/gateway/store"
)

// crasher runs a workload on a file system that can crash, and takes copies of it as a power failure would leave it: at every sync, and at
// other operations now and then. With each copy goes what the store had promised by then.
type crasher struct {
	t    *testing.T
	disk *vfs.MemFS
	work *rand.Rand // of the workload

	mu      sync.Mutex
	rng     *rand.Rand // of the copies
	every   int        // a copy at each so-many-th operation that is no sync
	ops     int
	promise promise
	copies  []crash
}

// promise is the three-valued oracle. A group that is neither committed nor under way must not be seen; one that is under way may be, but
// only as a whole; one that is committed must be.
type promise struct {
	committed uint64 // groups 1 to committed
	underway  bool   // group committed+1 too may be there
	trimmed   uint64 // groups whose events may be gone
	opened    bool   // Open has returned: the store is there
}

type crash struct {
	fs      *vfs.MemFS
	promise promise
	op      string
}

func (c *crasher) String() string { return "crasher" }

// MaybeError is called before each operation of the file system. Its copies hold what was there just before.
func (c *crasher) MaybeError(op errorfs.Op) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch op.Kind {
	case errorfs.OpFileSync, errorfs.OpFileSyncData, errorfs.OpFileSyncTo:
	default:
		if op.Kind.ReadOrWrite() == errorfs.OpIsRead {
			return nil
		}
		if c.ops++; c.ops%c.every != 0 {
			return nil
		}
	}
	for _, percent := range []int{0, 50, 100} {
		c.copies = append(c.copies, crash{
			fs: c.disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: percent, RNG: c.rng}), promise: c.promise,
			op: fmt.Sprintf("%v of %s, %d %% of what was not synced", op.Kind, op.Path, percent),
		})
	}
	return nil
}

func (c *crasher) promised(f func(p *promise)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f(&c.promise)
}

// groupSize is the number of frames in group g.
func groupSize(g uint64) uint64 { return 1 + g*7%5 }

// eventsTo is the number of events in groups 1 to g.
func eventsTo(g uint64) (n uint64) {
	for i := uint64(1); i <= g; i++ {
		n += groupSize(i)
	}
	return n
}

func crashOptions(fs vfs.FS) store.Options {
	return store.Options{Dir: "state/db", FS: fs, Tune: func(p *pebble.Options) { p.MemTableSize = 64 << 10 }}
}

// run is the workload: groups of frames with their events and rows, flushes, trims, and clean restarts.
func (c *crasher) run(groups uint64) {
	fs := errorfs.Wrap(c.disk, c)
	s, err := tryOpen(c.t, crashOptions(fs))
	if err != nil {
		c.t.Fatal(err)
	}
	c.promised(func(p *promise) { p.opened = true })
	b := s.NewBatch()
	for g := uint64(1); g <= groups; g++ {
		for i := range groupSize(g) {
			k := store.FrameKey{Number: uint32(g % 5), Epoch: 1, Counter: g<<8 | i}
			f := frame(k.Counter, t0.Add(time.Duration(g)*time.Second))
			f.Raw = make([]byte, 1500) // fills the small memory table now and then
			b.PutFrame(k, f)
			b.PutDevice(k.Number, fmt.Append(nil, g))
			b.AddEvent(fmt.Appendf(nil, "%d.%d", g, i), []byte("s"), nil, make([]byte, 200))
		}
		b.PutQuarantine(&store.Quarantine{Number: uint32(g)})
		c.promised(func(p *promise) { p.underway = true })
		if err := s.Commit(b); err != nil {
			c.t.Fatal(err)
		}
		c.promised(func(p *promise) { p.committed, p.underway = g, false })
		switch c.work.IntN(12) {
		case 0:
			err = s.Flush()
		case 1:
			c.promised(func(p *promise) { p.trimmed = g / 2 })
			err = s.TrimOutbox(eventsTo(g / 2))
		case 2:
			if err := s.Close(); err != nil {
				c.t.Fatal(err)
			}
			if s, err = tryOpen(c.t, crashOptions(fs)); err == nil {
				b = s.NewBatch()
			}
		}
		if err != nil {
			c.t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		c.t.Fatal(err)
	}
}

// verify opens a copy and holds it against the promise.
func (c *crasher) verify(x crash) error {
	s, err := tryOpen(c.t, crashOptions(x.fs))
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	defer func() { _ = s.Close() }()
	if x.promise.opened && s.Created() {
		return fmt.Errorf("the store was made anew")
	}
	last := x.promise.committed
	if x.promise.underway {
		if _, ok, err := s.Frame(store.FrameKey{Number: uint32((last + 1) % 5), Epoch: 1, Counter: (last + 1) << 8}); err != nil {
			return err
		} else if ok {
			last++ // it made it, and is held to it from here on
		}
	}
	want := map[string]uint64{"frames": eventsTo(last), "times": eventsTo(last), "quarantine": last, "devices": min(last, 5)}
	counts, err := s.KeyCounts()
	if err != nil {
		return err
	}
	got := maps.Clone(counts)
	maps.DeleteFunc(got, func(k string, _ uint64) bool { return want[k] == 0 })
	if last > 0 && !maps.Equal(got, want) {
		return fmt.Errorf("rows %v, want %v", counts, want)
	}
	first, end := s.OutboxBounds()
	if end != eventsTo(last) || first > eventsTo(x.promise.trimmed)+1 {
		return fmt.Errorf("outbox %d to %d, want up to %d, no more than %d trimmed", first, end, eventsTo(last), eventsTo(x.promise.trimmed))
	}
	r, err := s.Check(c.t.Context(), store.CheckOptions{})
	if err != nil || r.Found != 0 {
		return fmt.Errorf("check: %w: %v", err, r.Problems)
	}
	b := s.NewBatch()
	put(b, store.FrameKey{Number: 9, Counter: 1}, t0)
	return s.Commit(b) // it goes on
}

func TestCrash(t *testing.T) {
	seeds, groups := uint64(3), uint64(30)
	if testing.Short() {
		seeds = 1
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			c := &crasher{t: t, disk: vfs.NewCrashableMem(), work: rand.New(rand.NewPCG(seed, 1)), rng: rand.New(rand.NewPCG(seed, 2)), every: 17}
			c.run(groups)
			for i, x := range c.copies {
				if err := c.verify(x); err != nil {
					t.Fatalf("seed %d, copy %d of %d, before %s, %+v: %v", seed, i, len(c.copies), x.op, x.promise, err)
				}
			}
			t.Logf("%d crashes", len(c.copies))
		})
	}
}

package store_test

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/godwit-gateway/godwit/gateway/store"
)

// gate holds syncs of the log back while it is shut.
type gate struct {
	mu      sync.Mutex
	closed  chan struct{} // nil: open
	blocked chan struct{}
}

func newGate() *gate { return &gate{blocked: make(chan struct{}, 100)} }

func (g *gate) String() string { return "gate" }

func (g *gate) MaybeError(op errorfs.Op) error {
	if op.Kind != errorfs.OpFileSync && op.Kind != errorfs.OpFileSyncData && op.Kind != errorfs.OpFileSyncTo || !strings.HasSuffix(op.Path, ".log") {
		return nil
	}
	g.mu.Lock()
	closed := g.closed
	g.mu.Unlock()
	if closed != nil {
		g.blocked <- struct{}{}
		<-closed
	}
	return nil
}

func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = make(chan struct{})
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	close(g.closed)
	g.closed = nil
}

func (g *gate) awaitBlocked(t *testing.T) {
	t.Helper()
	select {
	case <-g.blocked:
	case <-time.After(30 * time.Second):
		t.Fatal("no sync was held back")
	}
}

// A commit that does not return makes the store unhealthy until it does. It is never given up on.
func TestStalledCommit(t *testing.T) {
	gate, log := newGate(), newMessages()
	s := open(t, store.Options{Dir: "db", FS: errorfs.Wrap(vfs.NewMem(), gate), Log: slog.New(log), CommitTimeout: 20 * time.Millisecond})
	if err := s.Healthy(); err != nil {
		t.Fatalf("fresh store: %v", err)
	}
	gate.shut()
	done := make(chan error)
	go func() {
		b := s.NewBatch()
		put(b, store.FrameKey{Number: 1, Counter: 1}, t0)
		done <- s.Commit(b)
	}()
	log.await(t, "commit has not returned: nothing is accepted until it does")
	if err := s.Healthy(); !errors.Is(err, store.ErrStalled) || store.Hint(err) == "" {
		t.Errorf("while the commit hangs: %v, want ErrStalled with a hint", err)
	}
	gate.open()
	if err := <-done; err != nil {
		t.Errorf("the commit that returned late: %v", err)
	}
	if err := s.Healthy(); err != nil {
		t.Errorf("after it returned: %v", err)
	}
}

// One write error of the log ends the process, and nothing is confirmed on the way: neither that batch nor any after it.
func TestFailedWriteIsFatal(t *testing.T) {
	for _, kind := range []errorfs.OpKind{errorfs.OpFileWrite, errorfs.OpFileSync} {
		t.Run(fmt.Sprint(kind), func(t *testing.T) {
			var armed atomic.Bool
			disk := vfs.NewCrashableMem()
			fs := errorfs.Wrap(disk, errorfs.InjectorFunc(func(op errorfs.Op) error {
				sync := op.Kind == errorfs.OpFileSyncData || op.Kind == errorfs.OpFileSyncTo || op.Kind == errorfs.OpFileSync
				hit := op.Kind == kind || kind == errorfs.OpFileSync && sync
				if hit && strings.HasSuffix(op.Path, ".log") && armed.CompareAndSwap(true, false) {
					return syscall.EIO
				}
				return nil
			}))
			fatal := make(chan string, 10)
			o := store.Options{Dir: "db", FS: fs, Fatal: func(msg string) { fatal <- msg }}
			s, err := tryOpen(t, o)
			if err != nil {
				t.Fatal(err)
			}
			fill(t, s, 3)
			armed.Store(true)
			b := s.NewBatch()
			put(b, store.FrameKey{Number: 9, Counter: 9}, t0)
			if err := s.Commit(b); !errors.Is(err, store.ErrFailed) {
				t.Errorf("commit: %v, want ErrFailed", err)
			}
			if msg := <-fatal; !strings.Contains(msg, "input/output error") {
				t.Errorf("fatal: %s", msg)
			}
			if s.DurableEvents() != 3 {
				t.Errorf("durable: %d, want 3", s.DurableEvents())
			}
			if err := s.Healthy(); !errors.Is(err, store.ErrFailed) || store.Hint(err) == "" {
				t.Errorf("health: %v, want ErrFailed with a hint", err)
			}
			for what, err := range map[string]error{
				"commit": s.Commit(b), "trim": s.TrimOutbox(1), "adopt": s.AdoptOutbox(10, store.Chain{}), "meta": s.PutPublisherMeta(nil, true),
			} {
				if !errors.Is(err, store.ErrFailed) {
					t.Errorf("%s after the failure: %v, want ErrFailed", what, err)
				}
			}
			// The next start finds what was confirmed. The process that failed is left as it is: it would have ended.
			again := open(t, store.Options{Dir: "db", FS: disk.CrashClone(vfs.CrashCloneCfg{})})
			if got := outbox(t, again, 1); len(got) < 3 {
				t.Errorf("%d events after the restart, want 3", len(got))
			}
			checked(t, again)
		})
	}
}

// usageFS is a disk of which the test says how full it is.
type usageFS struct {
	vfs.FS
	free atomic.Uint64
}

const gib = 1 << 30

func (f *usageFS) GetDiskUsage(string) (vfs.DiskUsage, error) {
	free := f.free.Load()
	return vfs.DiskUsage{AvailBytes: free, TotalBytes: 1000 * gib, UsedBytes: 1000*gib - free}, nil
}

func TestLowSpace(t *testing.T) {
	fs := &usageFS{FS: vfs.NewMem()}
	fs.free.Store(90 * gib)
	c := &clock{t: t0}
	s := open(t, store.Options{Dir: "db", FS: fs, Now: c.Now})
	for i, v := range []struct {
		free uint64
		low  bool
	}{{90 * gib, false}, {2 * gib, false}, {2*gib - 1, true}, {2*gib + 1, true}, {3*gib - 1, true}, {3 * gib, false}, {2 * gib, false}} {
		fs.free.Store(v.free)
		c.add(2 * time.Second)
		err := s.Healthy()
		if errors.Is(err, store.ErrLowSpace) != v.low {
			t.Errorf("step %d, %d MiB free: %v, want low: %v", i, v.free>>20, err, v.low)
		}
		if v.low {
			fill(t, s, 1) // what is under way, and retention above all, is still written
		}
	}
	fs.free.Store(0)
	if err := s.Healthy(); err != nil {
		t.Errorf("within a second of the last look: %v", err)
	}
	c.add(-5 * 365 * 24 * time.Hour)
	if err := s.Healthy(); !errors.Is(err, store.ErrLowSpace) {
		t.Errorf("after the clock was set back: %v, want ErrLowSpace", err)
	}
}

func TestLowSpaceRule(t *testing.T) {
	const mib = 1 << 20
	for _, v := range []struct {
		was         bool
		free, total uint64
		want        bool
	}{
		{false, 90 * gib, 1000 * gib, false}, // a well-filled laptop
		{false, 2 * gib, 1000 * gib, false},  // the ceiling
		{false, 2*gib - 1, 1000 * gib, true}, //
		{false, gib, 10 * gib, false},        // a tenth
		{false, gib - 1, 10 * gib, true},     //
		{false, 512 * mib, gib, false},       // the floor
		{false, 512*mib - 1, gib, true},      //
		{true, 512 * mib, gib, true},         // released at half as much again
		{true, 768 * mib, gib, false},        //
		{true, 3*gib - 1, 1000 * gib, true},  //
		{true, 3 * gib, 1000 * gib, false},   //
		{false, 400 * mib, 400 * mib, true},  // a disk that can never hold enough
	} {
		if got := store.LowSpace(v.was, v.free, v.total); got != v.want {
			t.Errorf("was low %v, %d of %d MiB free: %v", v.was, v.free/mib, v.total/mib, got)
		}
	}
}

// A full disk stops flushes; Pebble tries again for ever and in the end holds commits back without an error. The watchdog tells, and when
// space is there again everything goes on and nothing is lost.
func TestFullDisk(t *testing.T) {
	var full atomic.Bool
	fs := errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(op errorfs.Op) error {
		if full.Load() && strings.HasSuffix(op.Path, ".sst") && (op.Kind == errorfs.OpFileWrite || op.Kind == errorfs.OpCreate) {
			return syscall.ENOSPC
		}
		return nil
	}))
	log := newMessages()
	s := open(t, store.Options{
		Dir: "db", FS: fs, Log: slog.New(log), CommitTimeout: 50 * time.Millisecond,
		Tune: func(p *pebble.Options) { p.MemTableSize, p.MemTableStopWritesThreshold = 64<<10, 2 },
	})
	full.Store(true)
	stop, done := make(chan struct{}), make(chan error)
	committed := uint64(0)
	go func() {
		b := s.NewBatch()
		for {
			select {
			case <-stop:
				done <- nil
				return
			default:
			}
			for range 50 {
				put(b, store.FrameKey{Number: 1, Counter: b.NextEvent()}, t0)
			}
			if err := s.Commit(b); err != nil {
				done <- err
				return
			}
			committed += 50
		}
	}()
	log.await(t, "store holds writes back")
	log.await(t, "commit has not returned: nothing is accepted until it does")
	if err := s.Healthy(); !errors.Is(err, store.ErrStalled) {
		t.Errorf("on a full disk: %v, want ErrStalled", err)
	}
	full.Store(false)
	log.await(t, "store takes writes again")
	close(stop)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if err := s.Healthy(); err != nil {
		t.Errorf("with space again: %v", err)
	}
	if got := s.DurableEvents(); got != committed {
		t.Errorf("%d events, want %d", got, committed)
	}
	if s.Stats().Stalls == 0 {
		t.Error("the stall was not counted")
	}
	checked(t, s)
}

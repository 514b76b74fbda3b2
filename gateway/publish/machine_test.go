package publish_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"pgregory.net/rapid"

	"github.com/godwit-gateway/godwit/gateway/publish"
	"github.com/godwit-gateway/godwit/gateway/publish/streammodel"
	"github.com/godwit-gateway/godwit/gateway/store"
)

// clock is a time that a test moves.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// fataler is a test of either kind.
type fataler interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// machine is a publisher between the real store and the model of a stream, and what is known of both.
type machine struct {
	fs      *vfs.MemFS
	clock   *clock
	store   *store.Store
	stream  *streammodel.Stream
	p       *publish.Publisher
	added   int
	adopted map[string]bool      // ids handed to Adopt
	gaps    bool                 // with something missing before them or among them
	safe    map[store.Chain]bool // what any publisher has read back
}

func newMachine(t fataler) *machine {
	c := &clock{t: t0}
	m := &machine{fs: vfs.NewCrashableMem(), clock: c, stream: streammodel.New(c.Now), adopted: make(map[string]bool), safe: make(map[store.Chain]bool)}
	m.open(t)
	return m
}

func (m *machine) open(t fataler) {
	t.Helper()
	s, err := store.Open(store.Options{Dir: "db", FS: m.fs, Now: m.clock.Now, Fatal: func(msg string) { t.Fatalf("fatal: %s", msg) }})
	if err != nil {
		t.Fatal(err)
	}
	m.store = s
	m.start(t)
}

// start makes a publisher as a new process would.
func (m *machine) start(t fataler) {
	t.Helper()
	p, err := publish.New(publish.Options{Store: m.store, Stream: m.stream, Log: quiet, Now: m.clock.Now, Adopt: m.adopt})
	if err != nil {
		t.Fatal(err)
	}
	m.p = p
}

func (m *machine) adopt(_ context.Context, events []publish.Message, whole bool) error {
	m.gaps = m.gaps || !whole
	for _, e := range events {
		m.adopted[e.Frame] = true
	}
	return nil
}

// crash cuts the power of the gateway's disk, or puts an older copy of it in place.
func (m *machine) crash(t fataler, to *vfs.MemFS) {
	t.Helper()
	if err := m.store.Close(); err != nil {
		t.Fatal(err)
	}
	m.fs = to
	m.open(t)
}

func (m *machine) snapshot() *vfs.MemFS { return m.fs.CrashClone(vfs.CrashCloneCfg{}) }

// add commits events in one batch.
func (m *machine) add(t fataler, n int) {
	t.Helper()
	b := m.store.NewBatch()
	for range n {
		m.added++
		frame := fmt.Sprintf("7.0.%d.0011223344556677", m.added)
		b.AddEvent(fmt.Appendf(nil, "dev.0.%d.0", m.added), []byte(subject(uint64(m.added))), []byte(frame), fmt.Appendf(nil, `{"n":%d}`, m.added))
	}
	if err := m.store.Commit(b); err != nil {
		t.Fatal(err)
	}
}

// step does one of the publisher's works. What it returns is for it to deal with; only a fence needs somebody.
func (m *machine) step(t fataler, work int) {
	t.Helper()
	var err error
	switch work {
	case 0:
		_, err = m.p.PublishOnce(context.Background())
	case 1:
		_, err = m.p.VerifyOnce(context.Background())
	case 2:
		_, err = m.p.Reconcile(context.Background())
	default:
		m.trim(t)
	}
	m.fenced(t, err)
}

// fenced does what an operator does about a stream that another branch of this gateway's history wrote: starts it again.
func (m *machine) fenced(t fataler, err error) {
	t.Helper()
	switch {
	case errors.Is(err, publish.ErrFenced):
		m.start(t)
	case err == nil, errors.Is(err, publish.ErrDoubt), errors.Is(err, streammodel.ErrTold):
	default:
		t.Fatalf("unexpected: %v", err)
	}
}

// trim checks that only what was read from the stream is forgotten.
func (m *machine) trim(t fataler) {
	t.Helper()
	before := m.outbox(t)
	if err := m.p.TrimOnce(); err != nil {
		t.Fatal(err)
	}
	first, _ := m.store.OutboxBounds()
	for _, e := range before {
		if e.Seq < first {
			if !m.stream.Read[e.Chain] {
				t.Fatalf("event %d was trimmed and never read back", e.Seq)
			}
		}
	}
}

func (m *machine) outbox(t fataler) []store.Event {
	t.Helper()
	first, _ := m.store.OutboxBounds()
	events, err := m.store.Outbox(nil, first, 1_000_000, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	return events
}

// heal ends all trouble and gives the publisher time.
func (m *machine) heal(t fataler) {
	t.Helper()
	m.stream.Arrive()
	m.stream.Next, m.stream.Down = streammodel.FaultNone, false
	calm := 0
	for round := 0; calm < 5; round++ {
		if round > 60 {
			t.Fatalf("no rest after %d rounds: %+v, %v", round, m.p.Stats(), m.p.Ready())
		}
		m.clock.add(11 * time.Second)
		last, verified := m.stream.Last, publish.Verified(m.p)
		err := m.work()
		m.fenced(t, err)
		if calm++; err != nil || m.stream.Last != last || publish.Verified(m.p) != verified {
			calm = 0
		}
	}
}

func (m *machine) work() error {
	for _, once := range []func(context.Context) (int, error){m.p.PublishOnce, m.p.VerifyOnce} {
		for n := 1; n > 0; {
			var err error
			if n, err = once(context.Background()); err != nil {
				return err
			}
		}
	}
	return nil
}

// check holds the healed stream against the outbox: every event that is held is there exactly once, in order but for those that fill holes.
func (m *machine) check(t fataler) {
	t.Helper()
	if err := m.p.Ready(); err != nil {
		t.Fatalf("not ready: %v", err)
	}
	count, order := make(map[store.Chain]int), make(map[store.Chain]uint64)
	for s, msg := range m.stream.Messages {
		if msg.Publisher != "" {
			count[msg.Chain]++
		}
		if msg.Publisher != "" && msg.ReplayOf == 0 {
			order[msg.Chain] = s
		}
	}
	at := uint64(0)
	events := m.outbox(t)
	for _, e := range events {
		if count[e.Chain] != 1 {
			t.Fatalf("event %d is on the stream %d times\n%s", e.Seq, count[e.Chain], m.dump())
		}
		if s, ok := order[e.Chain]; ok {
			if s < at {
				t.Fatalf("event %d is at %d, before the one before it at %d\n%s", e.Seq, s, at, m.dump())
			}
			at = s
		}
	}
	if s := m.p.Stats(); s.Pending != 0 {
		t.Fatalf("%d events are pending", s.Pending)
	}
	if v, durable := publish.Verified(m.p), m.store.DurableEvents(); v != durable {
		t.Fatalf("%d events are read back of %d", v, durable)
	}
}

func (m *machine) dump() string {
	out := fmt.Sprintf("stream %d to %d:", m.stream.First, m.stream.Last)
	for s := m.stream.First; s <= m.stream.Last; s++ {
		if msg, ok := m.stream.Messages[s]; !ok {
			out += fmt.Sprintf(" %d=gone", s)
		} else {
			out += fmt.Sprintf(" %d=%d/%d/%x", s, msg.Oseq, msg.ReplayOf, msg.Chain[:2])
		}
	}
	return out
}

// TestMachine damages stream and store in any order. "After healing, every outbox event that was not trimmed is on the stream exactly once, in
// order."
func TestMachine(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := newMachine(rt)
		defer func() { _ = m.store.Close() }()
		var copies []streammodel.State
		var disks []*vfs.MemFS
		restores := 0
		rt.Repeat(map[string]func(*rapid.T){
			"":     func(t *rapid.T) { m.note(t) },
			"add":  func(t *rapid.T) { m.add(t, rapid.IntRange(1, 8).Draw(t, "events")) },
			"step": func(t *rapid.T) { m.step(t, rapid.IntRange(0, 3).Draw(t, "work")) },
			"work": func(t *rapid.T) {
				m.clock.add(11 * time.Second)
				m.fenced(t, m.work())
			},
			"day": func(*rapid.T) { m.clock.add(13 * time.Hour) },
			"fault": func(t *rapid.T) {
				m.stream.Next = streammodel.Fault(rapid.IntRange(1, int(streammodel.FaultCount)-1).Draw(t, "fault"))
			},
			"down": func(t *rapid.T) { m.stream.Down = rapid.Bool().Draw(t, "down") },
			"late": func(*rapid.T) { m.stream.Arrive() },
			"tail": func(t *rapid.T) {
				m.stream.LoseTail(rapid.Uint64Range(1, 6).Draw(t, "messages"))
				m.stream.Cut() // it may still remember the ids
			},
			"purge":   func(t *rapid.T) { m.stream.Purge(m.stream.First + rapid.Uint64Range(1, 20).Draw(t, "messages")) },
			"restart": func(*rapid.T) { m.stream.Restart() },
			"remove":  func(*rapid.T) { m.stream.Exists, m.stream.Messages = false, nil },
			"suspect": func(*rapid.T) { m.p.Suspect() },
			"foreign": func(t *rapid.T) {
				if m.stream.Exists {
					m.stream.Foreign(rapid.IntRange(1, 3).Draw(t, "messages"))
				}
			},
			"hole": func(t *rapid.T) { m.hole(rapid.Uint64Range(0, 8).Draw(t, "from the end")) },
			"copy": func(*rapid.T) { copies = append(copies, m.stream.Copy()) },
			"set back": func(t *rapid.T) {
				if len(copies) > 0 {
					m.setBack(rapid.SampledFrom(copies).Draw(t, "copy"))
				}
			},
			"process": func(t *rapid.T) { m.start(t) },
			"power":   func(t *rapid.T) { m.crash(t, m.snapshot()) },
			"disk":    func(*rapid.T) { disks = append(disks, m.snapshot()) },
			"restore": func(t *rapid.T) {
				if restores++; len(disks) > 0 && restores <= 2 { // more of a life than this is not promised to be untangled
					m.crash(t, rapid.SampledFrom(disks).Draw(t, "disk").CrashClone(vfs.CrashCloneCfg{}))
				}
			},
			"heal": func(t *rapid.T) {
				m.heal(t)
				m.check(t)
			},
		})
		m.heal(rt)
		m.check(rt)
	})
}

// hole damages a message that was not read back yet: one that was is not read again before the server is another one.
func (m *machine) hole(back uint64) {
	s := m.stream.Last - min(back, m.stream.Last)
	if msg, ok := m.stream.Messages[s]; ok && !m.safe[msg.Chain] {
		delete(m.stream.Messages, s)
	}
}

// note remembers what was read back by any publisher so far.
func (m *machine) note(t fataler) {
	t.Helper()
	for _, e := range m.outbox(t) {
		if publish.ReadBack(m.p, e.Seq) {
			m.safe[e.Chain] = true
		}
	}
}

func (m *machine) setBack(to streammodel.State) {
	m.stream.State = to.Copy()
	m.stream.Exists = m.stream.Messages != nil
	m.stream.Restart()
}

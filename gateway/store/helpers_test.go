package store_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/godwit-gateway/godwit/gateway/store"
)

var t0 = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

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

// messages is a log that hands its messages to a test.
type messages struct{ c chan string }

func newMessages() messages                                   { return messages{make(chan string, 10_000)} }
func (messages) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelInfo }
func (m messages) WithAttrs([]slog.Attr) slog.Handler         { return m }
func (m messages) WithGroup(string) slog.Handler              { return m }
func (m messages) Handle(_ context.Context, r slog.Record) error {
	select {
	case m.c <- r.Message:
	default:
	}
	return nil
}

// await returns when the log has had a message.
func (m messages) await(t *testing.T, want string) {
	t.Helper()
	for {
		select {
		case got := <-m.c:
			if got == want {
				return
			}
		case <-t.Context().Done():
			t.Fatalf("the log never said %q", want)
		case <-time.After(30 * time.Second):
			t.Fatalf("the log has not said %q", want)
		}
	}
}

// open opens a store in memory, or where o says, and closes it with the test.
func open(t testing.TB, o store.Options) *store.Store {
	t.Helper()
	s, err := tryOpen(t, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func tryOpen(t testing.TB, o store.Options) (*store.Store, error) {
	t.Helper()
	if o.Dir == "" {
		o.Dir = "db"
		if o.FS == nil {
			o.FS = vfs.NewMem()
		}
	}
	if o.Now == nil {
		o.Now = (&clock{t: t0}).Now
	}
	if o.Fatal == nil {
		o.Fatal = func(msg string) { t.Errorf("fatal: %s", msg) }
	}
	return store.Open(o)
}

func commit(t testing.TB, s *store.Store, b *store.Batch) {
	t.Helper()
	if err := s.Commit(b); err != nil {
		t.Fatal(err)
	}
}

// frame is a frame that a counter determines.
func frame(counter uint64, at time.Time) *store.Frame {
	return &store.Frame{
		Hash: [8]byte{byte(counter), byte(counter >> 8), 3}, Link: "udp0", Bearer: "udp", From: "127.0.0.1:4000", ReceivedAt: at,
		TagLen: 8, Header: 0x40, Plaintext: fmt.Appendf(nil, "plain %d", counter), Raw: fmt.Appendf(nil, "raw %d", counter),
	}
}

// put adds a frame, its device's row and its event, as the hub does.
func put(b *store.Batch, k store.FrameKey, at time.Time) {
	b.PutFrame(k, frame(k.Counter, at))
	b.PutDevice(k.Number, fmt.Appendf(nil, "device %d at %d", k.Number, k.Counter))
	id := fmt.Appendf(nil, "dev-%d.%d.%d.0", k.Number, k.Epoch, k.Counter)
	b.AddEvent(id, []byte("godwit.v1.gw1.event.acme.buoy.dev.status"), nil, fmt.Appendf(nil, `{"counter":%d}`, k.Counter))
}

// checked fails the test if a check of the store finds anything.
func checked(t testing.TB, s *store.Store) store.CheckReport {
	t.Helper()
	r, err := s.Check(context.Background(), store.CheckOptions{})
	if err != nil {
		t.Fatalf("check: %v", err)
	}
	for _, p := range r.Problems {
		t.Errorf("check: %s", p)
	}
	return r
}

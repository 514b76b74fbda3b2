package publish_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/godwit-gateway/godwit/gateway/publish"
)

func TestStreamRemoved(t *testing.T) {
	g := newGateway(t)
	g.add(50)
	g.work()
	if s := g.messages()[7]; s.Frame != "7.0.8.0011223344556677" || s.ID != "dev.0.8.0" || string(s.Payload) != `{"n":8}` || s.Subject != subject(8) {
		t.Fatalf("message 8 is %+v", s)
	}
	g.api("DELETE", "")
	g.add(5)
	g.clock.add(11 * time.Second)
	g.work()
	g.expect(1, numbers(1, 55))
	if s := g.p.Stats(); s.Lost != 50 {
		t.Fatalf("%d events are said to be lost, want 50", s.Lost)
	}
}

// TestStreamRemovedAfterTrim: what is published again has the sequences that it had.
func TestStreamRemovedAfterTrim(t *testing.T) {
	g := newGateway(t)
	g.add(30)
	g.work()
	if err := g.p.TrimOnce(); err != nil {
		t.Fatal(err)
	}
	g.clock.add(25 * time.Hour)
	g.add(12)
	g.work()
	if err := g.p.TrimOnce(); err != nil {
		t.Fatal(err)
	}
	if first, _ := g.store.OutboxBounds(); first != 31 {
		t.Fatalf("the outbox begins with %d, want 31", first)
	}
	g.api("DELETE", "")
	g.reconcile()
	g.work()
	g.expect(31, numbers(31, 42))
}

func TestStreamSetBack(t *testing.T) {
	g := newGateway(t)
	g.add(30)
	g.work()
	g.stopServer()
	old := filepath.Join(t.TempDir(), "old")
	copyDir(t, old, g.dir)
	g.startServer()
	g.add(20)
	g.work()
	g.expect(1, numbers(1, 50))
	g.stopServer()
	copyDir(t, g.dir, old)
	g.startServer()
	if out := g.reconcile(); out.Lost != 20 || out.Created {
		t.Fatalf("outcome %+v, want 20 events lost", out)
	}
	g.work()
	g.expect(1, numbers(1, 50))
}

// TestStreamFilesRemoved: a power cut may take a young stream away altogether.
func TestStreamFilesRemoved(t *testing.T) {
	g := newGateway(t)
	g.add(10)
	g.work()
	g.stopServer()
	copyDir(t, g.dir, t.TempDir())
	g.startServer()
	if out := g.reconcile(); out.Lost != 10 || !out.Created {
		t.Fatalf("outcome %+v, want 10 events lost with the stream", out)
	}
	g.work()
	g.expect(1, numbers(1, 10))
}

// TestStreamDamaged flips a bit in each of many places of the stream's file. Whatever the server makes of it, each event is there once in the end.
func TestStreamDamaged(t *testing.T) {
	g := newGateway(t)
	g.publishOneByOne(60)
	for i, keepIndex := range []bool{true, false, true} {
		g.stopServer()
		file := g.block()
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		at := bytes.Index(b, fmt.Appendf(nil, `{"n":%d}`, 20+10*i))
		if at < 0 {
			t.Fatal("the payload is not in the file")
		}
		b[at+1] ^= 1
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if !keepIndex {
			g.removeIndex()
		}
		g.startServer()
		t.Logf("outcome %+v", g.reconcile())
		g.work()
		g.each(60)
	}
}

// TestStreamCutShort cuts the stream's file within an event, between two, and before the first.
func TestStreamCutShort(t *testing.T) {
	for _, keepIndex := range []bool{true, false} {
		for name, place := range map[string]func(file []byte) int{
			"within an event":  func(file []byte) int { return bytes.Index(file, []byte(`{"n":40}`)) + 3 },
			"within a header":  func(file []byte) int { return bytes.Index(file, []byte("dev.0.41.0")) },
			"within the last":  func(file []byte) int { return len(file) - 1 },
			"within the first": func([]byte) int { return 5 },
			"all of it":        func([]byte) int { return 0 },
		} {
			t.Run(fmt.Sprintf("%s, index=%t", name, keepIndex), func(t *testing.T) {
				g := newGateway(t)
				g.publishOneByOne(60)
				g.work() // all is read back, and looked at again since the server is another one
				g.stopServer()
				b, err := os.ReadFile(g.block())
				if err != nil {
					t.Fatal(err)
				}
				if err := os.Truncate(g.block(), int64(place(b))); err != nil {
					t.Fatal(err)
				}
				if !keepIndex {
					g.removeIndex()
				}
				g.startServer()
				t.Logf("outcome %+v", g.reconcile())
				g.work()
				g.each(60)
				g.add(5)
				g.work()
				g.each(65)
			})
		}
	}
}

// publishOneByOne publishes events that each are written by themselves.
func (g *gateway) publishOneByOne(n int) {
	g.t.Helper()
	g.add(n)
	for range n {
		if _, err := g.p.PublishOnce(g.t.Context()); err != nil {
			g.t.Fatal(err)
		}
	}
}

// block is the first file of the stream's messages.
func (g *gateway) block() string {
	g.t.Helper()
	blocks, err := filepath.Glob(filepath.Join(g.dir, "jetstream", "*", "streams", publish.StreamName("gw1"), "msgs", "*.blk"))
	if err != nil || len(blocks) == 0 {
		g.t.Fatalf("blocks: %v, %v", blocks, err)
	}
	return blocks[0]
}

// removeIndex removes what the server knows of its blocks without reading them.
func (g *gateway) removeIndex() {
	g.t.Helper()
	if err := os.Remove(filepath.Join(filepath.Dir(g.block()), "index.db")); err != nil {
		g.t.Fatal(err)
	}
}

// each fails unless each event is on the stream once, wherever.
func (g *gateway) each(n uint64) {
	g.t.Helper()
	var got []uint64
	for _, m := range g.messages() {
		got = append(got, m.Oseq+m.ReplayOf)
	}
	slices.Sort(got)
	if d := cmp.Diff(numbers(1, n), got); d != "" {
		g.t.Fatalf("events on the stream (-want +got):\n%s", d)
	}
}

// TestStoreLost: the stream is ahead of a store that is new.
func TestStoreLost(t *testing.T) {
	g := newGateway(t)
	g.add(20)
	g.work()
	g.replaceStore(vfs.NewCrashableMem())
	if out := g.reconcile(); out.Adopted != 20 || out.Lost != 0 || out.Forked {
		t.Fatalf("outcome %+v, want 20 events taken over", out)
	}
	for i, m := range g.adopted {
		if want := fmt.Sprintf("7.0.%d.0011223344556677", i+1); m.Frame != want {
			t.Fatalf("frame %q was taken over, want %q", m.Frame, want)
		}
	}
	g.add(5)
	g.work()
	g.expect(1, numbers(1, 25))
}

// TestStoreSetBack: the stream is ahead of a store that is an older copy, and that has not published all it holds.
func TestStoreSetBack(t *testing.T) {
	g := newGateway(t)
	g.add(20)
	g.work()
	g.add(3)
	old := g.fs.CrashClone(vfs.CrashCloneCfg{})
	g.work()
	g.add(4)
	g.work()
	g.replaceStore(old)
	if out := g.reconcile(); out.Adopted != 4 || out.Forked {
		t.Fatalf("outcome %+v, want 4 events taken over", out)
	}
	g.add(1)
	g.work()
	g.expect(1, numbers(1, 28))
}

// TestFork: a store that is an older copy made other events before it looked at the stream. None is lost.
func TestFork(t *testing.T) {
	for _, made := range []int{2, 9} {
		t.Run(fmt.Sprint(made), func(t *testing.T) {
			g := newGateway(t)
			g.add(20)
			g.work()
			old := g.fs.CrashClone(vfs.CrashCloneCfg{})
			g.add(5)
			g.work()
			g.replaceStore(old)
			g.add(made)
			out := g.reconcile()
			if !out.Forked || out.Adopted != 5 {
				t.Fatalf("outcome %+v, want a fork with 5 events taken over", out)
			}
			g.work()
			g.expect(1, append(numbers(1, 25), numbers(21, 20+uint64(made))...))
		})
	}
}

// TestForkForgotten: after a fork the same older copy of the store is put in place once more. It goes on from where the stream ends, and holds
// what that follows.
func TestForkForgotten(t *testing.T) {
	for _, made := range []int{2, 5, 9} {
		t.Run(fmt.Sprint(made), func(t *testing.T) {
			g := newGateway(t)
			g.add(20)
			g.work()
			old := g.fs.CrashClone(vfs.CrashCloneCfg{})
			again := old.CrashClone(vfs.CrashCloneCfg{})
			g.add(5)
			g.work()
			g.replaceStore(old)
			g.add(made)
			g.reconcile()
			g.work()
			g.replaceStore(again)
			if out := g.reconcile(); out.Forked || out.Adopted != uint64(5+made) {
				t.Fatalf("outcome %+v, want %d events taken over", out, 5+made)
			}
			if _, last := g.store.OutboxBounds(); last != uint64(20+made) {
				t.Fatalf("the outbox is at %d, the stream at %d", last, 20+made)
			}
			g.add(1)
			g.work()
			g.expect(1, append(numbers(1, 25), numbers(21, 21+uint64(made))...))
		})
	}
}

// TestFenced: another gateway with this id writes while we do.
func TestFenced(t *testing.T) {
	g := newGateway(t)
	g.add(10)
	g.work()
	other := chained{publisher: "00112233445566778899aabbccddeeff", oseq: 10}
	if err := g.stream.Publish(t.Context(), other.next(1), 10); err != nil {
		t.Fatal(err)
	}
	g.add(1)
	if _, err := g.p.PublishOnce(t.Context()); !errors.Is(err, publish.ErrDoubt) {
		t.Fatalf("PublishOnce = %v, want doubt: the end is not where it was", err)
	}
	if _, err := g.p.PublishOnce(t.Context()); !errors.Is(err, publish.ErrFenced) {
		t.Fatalf("PublishOnce = %v, want ErrFenced", err)
	}
	if err := g.p.Ready(); !errors.Is(err, publish.ErrFenced) {
		t.Fatalf("Ready = %v, want ErrFenced", err)
	}
}

func TestForeignMessages(t *testing.T) {
	g := newGateway(t)
	g.add(10)
	g.work()
	for range 300 {
		if _, err := g.nc.Request(subject(1), []byte("who am I?"), patience); err != nil {
			t.Fatal(err)
		}
	}
	g.add(2)
	_, _ = g.p.PublishOnce(t.Context())
	if out := g.reconcile(); out.Foreign != 300 || out.Lost != 0 {
		t.Fatalf("outcome %+v, want 300 foreign messages", out)
	}
	g.work()
	g.expect(1, slices.Concat(numbers(1, 10), make([]uint64, 300), numbers(11, 12)))
}

func TestForeignStream(t *testing.T) {
	subjects := []string{"godwit.v1.gw1.>"}
	tests := []struct {
		name   string
		config jetstream.StreamConfig
		ok     bool
	}{
		{"other subjects", jetstream.StreamConfig{Subjects: []string{"orders.>"}}, false},
		{"in memory", jetstream.StreamConfig{Subjects: subjects, Storage: jetstream.MemoryStorage}, false},
		{"work queue", jetstream.StreamConfig{Subjects: subjects, Retention: jetstream.WorkQueuePolicy}, false},
		{"refuses when full", jetstream.StreamConfig{Subjects: subjects, Discard: jetstream.DiscardNew, MaxMsgs: 10}, false},
		{"made by hand", jetstream.StreamConfig{Subjects: append(subjects, "more.>"), Description: "mine"}, true},
	}
	g := newGateway(t)
	js, err := jetstream.New(g.nc)
	if err != nil {
		t.Fatal(err)
	}
	g.add(5)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.config.Name = publish.StreamName("gw1")
			if _, err := js.CreateStream(t.Context(), tt.config); err != nil {
				t.Fatal(err)
			}
			_, err := g.p.Reconcile(t.Context())
			if !tt.ok && !errors.Is(err, publish.ErrNotOurs) || tt.ok && err != nil {
				t.Fatalf("Reconcile = %v", err)
			}
			if tt.ok {
				g.work()
				g.expect(1, numbers(1, 5))
			}
			if err := js.DeleteStream(t.Context(), tt.config.Name); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestKeptFromHarm: "DenyPurge and DenyDelete can be switched on, never off."
func TestKeptFromHarm(t *testing.T) {
	g := newGateway(t)
	g.add(5)
	g.work()
	g.api("PURGE", "")
	g.api("MSG.DELETE", `{"seq":2}`)
	g.expect(1, numbers(1, 5))
}

package publish_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/godwit-gateway/godwit/gateway/publish"
	"github.com/godwit-gateway/godwit/gateway/store"
)

// gateway is a publisher between a store in memory and a real server.
type gateway struct {
	t       testing.TB
	dir     string // of the server
	fs      *vfs.MemFS
	clock   *clock
	store   *store.Store
	server  *server.Server
	nc      *nats.Conn
	stream  *publish.JetStream
	p       *publish.Publisher
	added   int
	adopted []publish.Message
}

func newGateway(t testing.TB) *gateway {
	t.Helper()
	g := &gateway{t: t, dir: t.TempDir(), fs: vfs.NewCrashableMem(), clock: &clock{t: t0}}
	g.openStore()
	g.startServer()
	g.neighbour()
	t.Cleanup(func() {
		g.stopServer()
		if err := g.store.Close(); err != nil {
			t.Error(err)
		}
	})
	return g
}

// neighbour makes a stream of somebody else on the same server. It also keeps the server from removing the folder of the account's streams, which
// it does in the background when the last one is deleted: a stream made at once in its place would then be refused every few times.
func (g *gateway) neighbour() {
	g.t.Helper()
	js, err := jetstream.New(g.nc)
	if err != nil {
		g.t.Fatal(err)
	}
	if _, err := js.CreateStream(g.t.Context(), jetstream.StreamConfig{Name: "NEIGHBOUR", Subjects: []string{"neighbour"}}); err != nil {
		g.t.Fatal(err)
	}
}

func (g *gateway) openStore() {
	g.t.Helper()
	s, err := store.Open(store.Options{Dir: "db", FS: g.fs, Now: g.clock.Now, Fatal: func(msg string) { g.t.Errorf("fatal: %s", msg) }})
	if err != nil {
		g.t.Fatal(err)
	}
	g.store = s
}

// startServer starts the server and makes a publisher on it.
func (g *gateway) startServer() {
	g.t.Helper()
	s, err := publish.StartEmbedded(publish.EmbeddedOptions{Dir: g.dir})
	if err != nil {
		g.t.Fatal(err)
	}
	g.server = s
	if g.nc, err = publish.ConnectEmbedded(s, "test"); err != nil {
		g.t.Fatal(err)
	}
	g.stream = newJetStream(g.t, g.nc)
	g.startPublisher()
}

func (g *gateway) startPublisher() {
	g.t.Helper()
	p, err := publish.New(publish.Options{Store: g.store, Stream: g.stream, Log: quiet, Now: g.clock.Now, Adopt: g.adopt})
	if err != nil {
		g.t.Fatal(err)
	}
	g.p = p
}

func (g *gateway) adopt(_ context.Context, events []publish.Message, _ bool) error {
	g.adopted = append(g.adopted, events...)
	return nil
}

func (g *gateway) stopServer() {
	g.nc.Close()
	stopServer(g.server)
}

// replaceStore goes on with another file system, and a publisher that does not remember.
func (g *gateway) replaceStore(fs *vfs.MemFS) {
	g.t.Helper()
	if err := g.store.Close(); err != nil {
		g.t.Fatal(err)
	}
	g.fs = fs
	g.openStore()
	g.startPublisher()
}

func (g *gateway) add(n int) {
	g.t.Helper()
	b := g.store.NewBatch()
	for range n {
		g.added++
		addEvent(b, g.added)
	}
	if err := g.store.Commit(b); err != nil {
		g.t.Fatal(err)
	}
}

func addEvent(b *store.Batch, n int) {
	id, frame := fmt.Appendf(nil, "dev.0.%d.0", n), fmt.Appendf(nil, "7.0.%d.0011223344556677", n)
	b.AddEvent(id, []byte(subject(uint64(n))), frame, fmt.Appendf(nil, `{"n":%d}`, n))
}

// reconcile does a Reconcile that must succeed.
func (g *gateway) reconcile() publish.Outcome {
	g.t.Helper()
	out, err := g.p.Reconcile(g.t.Context())
	if err != nil {
		g.t.Fatal(err)
	}
	return out
}

// work publishes and reads back all that there is, some time later.
func (g *gateway) work() {
	g.t.Helper()
	for range 3 {
		g.clock.add(11 * time.Second)
		for _, once := range []func(context.Context) (int, error){g.p.PublishOnce, g.p.VerifyOnce} {
			for n := 1; n > 0; {
				var err error
				if n, err = once(g.t.Context()); err != nil && !errors.Is(err, publish.ErrDoubt) {
					g.t.Fatal(err)
				}
			}
		}
	}
	if v, durable := publish.Verified(g.p), g.store.DurableEvents(); v != durable {
		g.t.Fatalf("%d events of %d were read back", v, durable)
	}
}

// messages reads the whole stream.
func (g *gateway) messages() []publish.Message {
	g.t.Helper()
	m, err := g.stream.Range(g.t.Context(), 1, 100_000)
	if err != nil {
		g.t.Fatal(err)
	}
	return m
}

// expect compares the numbers of the events on the stream, those that fill holes included, and where the first of them is.
func (g *gateway) expect(first uint64, want []uint64) {
	g.t.Helper()
	var got []uint64
	for _, m := range g.messages() {
		got = append(got, m.Oseq+m.ReplayOf)
	}
	if d := cmp.Diff(want, got); d != "" {
		g.t.Fatalf("events on the stream (-want +got):\n%s", d)
	}
	if m := g.messages(); len(m) > 0 && m[0].Sequence != first {
		g.t.Fatalf("the first is at %d, want %d", m[0].Sequence, first)
	}
}

// api asks the server something about the stream.
func (g *gateway) api(what string, body string) {
	g.t.Helper()
	reply, err := g.nc.Request("$JS.API.STREAM."+what+"."+publish.StreamName("gw1"), []byte(body), patience)
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Logf("%s: %s", what, reply.Data)
}

// copyDir replaces one folder by a copy of another.
func copyDir(t testing.TB, to, from string) {
	t.Helper()
	if err := errors.Join(os.RemoveAll(to), os.CopyFS(to, os.DirFS(from))); err != nil {
		t.Fatal(err)
	}
}

package publish_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/godwit-gateway/godwit/gateway/publish"
)

// A cluster is three servers that keep the stream between them. Each reaches each other by a wire of its own.
type cluster struct {
	t       *testing.T
	options [3]*server.Options
	servers [3]*server.Server
	wires   map[[2]int]*wire // by who connects to whom
}

// electionTime bounds how long three servers may take to agree on who leads; it is up to nine seconds each time, and they may disagree first.
const electionTime = 90 * time.Second

func newCluster(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{t: t, wires: make(map[[2]int]*wire)}
	for i := range c.servers {
		c.options[i] = &server.Options{
			ServerName: fmt.Sprintf("n%d", i), Host: "127.0.0.1", Port: freePort(t), JetStream: true, StoreDir: t.TempDir(), SyncAlways: true,
			NoSigs: true, NoLog: true,
			// What servers tell each other of their addresses leads nowhere: only the wires do.
			Cluster: server.ClusterOpts{Name: "c", Host: "127.0.0.1", Port: freePort(t), Advertise: "127.0.0.1:1", NoAdvertise: true, PoolSize: -1},
		}
	}
	for i := range c.servers {
		for k := range c.servers {
			if k == i {
				continue
			}
			w := newWire(t, "127.0.0.1:0", fmt.Sprintf("127.0.0.1:%d", c.options[k].Cluster.Port))
			c.wires[[2]int{i, k}] = w
			c.options[i].Routes = append(c.options[i].Routes, &url.URL{Scheme: "nats", Host: w.proxy.Listen})
		}
	}
	for i := range c.servers {
		c.start(i)
		t.Cleanup(func() { stopServer(c.servers[i]) })
	}
	return c
}

// nextPort is where freePort goes on. It is below the ports that systems give to connections by themselves, so that a port stays free while its
// server is away.
var nextPort = func() *atomic.Int32 {
	var p atomic.Int32
	p.Store(12_000 + rand.Int32N(15_000))
	return &p
}()

// freePort is a port that nobody listens on, and that no other test is given.
func freePort(t *testing.T) int {
	t.Helper()
	for range 1000 {
		port := int(nextPort.Add(1))
		if l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			return port
		}
	}
	t.Fatal("no free port")
	return 0
}

func (c *cluster) start(i int) {
	c.t.Helper()
	s, err := server.NewServer(c.options[i].Clone())
	if err != nil {
		c.t.Fatal(err)
	}
	s.Start()
	if !s.ReadyForConnections(patience) {
		c.t.Fatalf("server %d does not start", i)
	}
	c.servers[i] = s
}

// isolate cuts a server off from the other two. Nothing is closed that the other side could notice at once.
func (c *cluster) isolate(i int) {
	c.each(i, func(w *wire) {
		w.spoil("upstream", "timeout", `{"timeout":0}`)
		w.spoil("downstream", "timeout", `{"timeout":0}`)
	})
}

// join ends that.
func (c *cluster) join(i int) { c.each(i, (*wire).renew) }

func (c *cluster) each(i int, do func(*wire)) {
	for pair, w := range c.wires {
		if pair[0] == i || pair[1] == i {
			do(w)
		}
	}
}

// kill ends a server in the middle of what it does: cut off first, it cannot hand its lead over.
func (c *cluster) kill(i int) {
	c.each(i, (*wire).cut)
	stopServer(c.servers[i])
}

// revive starts it again.
func (c *cluster) revive(i int) {
	c.t.Helper()
	c.each(i, (*wire).mend)
	c.start(i)
}

// leader is the server that leads the stream, once there is one that all three agree on.
func (c *cluster) leader() int {
	c.t.Helper()
	var leaders []int
	within(c.t, electionTime, "one leader, and three copies that are the same", func() bool {
		leaders = leaders[:0]
		for i, s := range c.servers {
			if s.JetStreamIsStreamLeader(server.DEFAULT_GLOBAL_ACCOUNT, publish.StreamName("gw1")) {
				leaders = append(leaders, i)
			}
		}
		return len(leaders) == 1 && c.current()
	})
	return leaders[0]
}

// current reports whether the stream is the same on all three servers.
func (c *cluster) current() bool {
	for _, s := range c.servers {
		if !s.JetStreamIsStreamCurrent(server.DEFAULT_GLOBAL_ACCOUNT, publish.StreamName("gw1")) {
			return false
		}
	}
	return true
}

// client is a connection that knows all servers and begins with one of them.
func (c *cluster) client(first int) *nats.Conn {
	c.t.Helper()
	var addresses []string
	for _, o := range c.options {
		addresses = append(addresses, fmt.Sprintf("nats://127.0.0.1:%d", o.Port))
	}
	var nc *nats.Conn
	await(c.t, "the client draws the server", func() bool {
		var err error
		if nc, err = publish.ConnectExternal(strings.Join(addresses, ","), "", "gw1"); err != nil {
			c.t.Fatal(err)
		}
		if nc.ConnectedServerName() == c.options[first].ServerName {
			return true
		}
		nc.Close()
		return false
	})
	c.t.Cleanup(nc.Close)
	return nc
}

// oseqs are the numbers of the events on a client's server: a copy of the stream answers those that are connected beside it.
func (c *cluster) oseqs(nc *nats.Conn) []uint64 {
	c.t.Helper()
	messages, err := newJetStream(c.t, nc).Range(c.t.Context(), 1, 1_000_000)
	if err != nil {
		c.t.Fatal(err)
	}
	var all []uint64
	for _, m := range messages {
		all = append(all, m.Oseq+m.ReplayOf)
	}
	return all
}

// TestLed: an answer counts if it is that of a leader which heard of most of the copies a moment ago.
func TestLed(t *testing.T) {
	const now = 200 * time.Millisecond
	copies := func(leader string, others ...*jetstream.PeerInfo) *jetstream.ClusterInfo {
		return &jetstream.ClusterInfo{Leader: leader, Replicas: others}
	}
	current, old := &jetstream.PeerInfo{Current: true, Active: now}, &jetstream.PeerInfo{Current: true, Active: 5 * time.Second}
	behind, gone := &jetstream.PeerInfo{Active: now}, &jetstream.PeerInfo{Current: true, Offline: true, Active: now}
	for name, tt := range map[string]struct {
		info *jetstream.ClusterInfo
		ok   bool
	}{
		"no cluster":              {nil, true},
		"one copy in a cluster":   {copies("n0"), true},
		"no leader":               {copies(""), false},
		"three copies":            {copies("n0", current, current), true},
		"one is gone":             {copies("n0", current, gone), true},
		"one is behind":           {copies("n0", behind, current), true},
		"both are gone":           {copies("n0", gone, gone), false},
		"both were heard of once": {copies("n0", old, old), false},
		"none was ever heard of":  {copies("n0", &jetstream.PeerInfo{}, &jetstream.PeerInfo{}), false},
		"three of five":           {copies("n0", current, current, old, gone), true},
		"two of five":             {copies("n0", current, behind, old, gone), false},
		"a leader of nobody":      {copies("", current, current), false},
	} {
		if err := publish.Led(tt.info); (err == nil) != tt.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// wholeBatches is a stream that makes sure of what was promised of a batch whose outcome is not known: when the publisher looked, and goes on,
// there is all of it or nothing.
type wholeBatches struct {
	publish.Stream

	t     *testing.T
	after uint64        // sequence after which the last batch was to come
	size  uint64        // of a batch in doubt, 0 if none is
	doubt atomic.Uint64 // batches that were
}

func (w *wholeBatches) Publish(ctx context.Context, messages []publish.Message, last uint64) error {
	if w.size > 0 && last != w.after && last != w.after+w.size {
		w.t.Errorf("of %d events after %d the stream has %d", w.size, w.after, last-w.after)
	}
	err := w.Stream.Publish(ctx, messages, last)
	w.after, w.size = last, 0
	if err != nil {
		w.size = uint64(len(messages))
		w.doubt.Add(1)
	}
	return err
}

// through makes a publisher that reaches a stream of three copies over a connection.
func (g *gateway) through(nc *nats.Conn, w *wholeBatches) {
	g.t.Helper()
	s, err := publish.NewJetStream(nc, publish.JetStreamOptions{Gateway: "gw1", MaxAge: 24 * time.Hour, Replicas: 3})
	if err != nil {
		g.t.Fatal(err)
	}
	w.Stream = s
	if g.p, err = publish.New(publish.Options{Store: g.store, Stream: w, Log: quiet, Now: g.clock.Now, Adopt: g.adopt}); err != nil {
		g.t.Fatal(err)
	}
}

// TestClusterLosesItsLeader kills the stream's leader, or cuts it off, while events are published through it, and brings it back. Then each event
// is on the stream once, in order, on all three servers.
func TestClusterLosesItsLeader(t *testing.T) {
	for _, tt := range []struct {
		name       string
		begin, end func(c *cluster, leader int)
		beside     int // where the gateway is connected, counted from the leader
	}{
		{"killed", (*cluster).kill, (*cluster).revive, 0},
		{"killed, beside", (*cluster).kill, (*cluster).revive, 1},
		{"cut off", (*cluster).isolate, (*cluster).join, 0},
		{"cut off, beside", (*cluster).isolate, (*cluster).join, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			onlyLong(t)
			t.Parallel()
			c, g, watched := newCluster(t), newGateway(t), &wholeBatches{t: t}
			g.through(c.client(0), watched)
			within(t, electionTime, "the stream is made", func() bool { _, err := g.p.Reconcile(t.Context()); return err == nil })
			for range 3 {
				leader := c.leader()
				g.through(c.client((leader+tt.beside)%len(c.servers)), watched)
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan error, 1)
				go func() { done <- g.p.Run(ctx) }()
				flow := func(what string) {
					t.Helper()
					within(t, electionTime, what, func() bool { return g.p.Stats().Pending == 0 && g.p.Ready() == nil })
				}
				g.add(500)
				flow("events while all is well")
				doubt, added := watched.doubt.Load(), g.added
				tt.begin(c, leader)
				within(t, electionTime, "a batch in doubt", func() bool {
					if g.added < added+2000 {
						g.add(20)
					}
					return watched.doubt.Load() > doubt || g.p.Ready() != nil
				})
				flow("events through the other two")
				tt.end(c, leader)
				g.add(500)
				flow("events when all is well again")
				cancel()
				if err := <-done; err != nil {
					t.Fatal(err)
				}
			}
			within(t, electionTime, "all is read back", func() bool {
				g.clock.add(11 * time.Second)
				_, err1 := g.p.PublishOnce(t.Context())
				_, err2 := g.p.VerifyOnce(t.Context())
				return err1 == nil && err2 == nil && publish.Verified(g.p) == uint64(g.added)
			})
			c.leader()
			want := numbers(1, uint64(g.added))
			for i := range c.servers {
				nc := c.client(i)
				within(t, electionTime, fmt.Sprintf("each event once and in order on server %d", i), func() bool {
					return slices.Equal(c.oseqs(nc), want)
				})
			}
			t.Logf("%d events, %d batches in doubt", g.added, watched.doubt.Load())
		})
	}
}

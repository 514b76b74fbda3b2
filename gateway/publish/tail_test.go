package publish_test

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/godwit-gateway/godwit/gateway/publish"
)

// following is a Tail in the background.
type following struct {
	t    testing.TB
	got  chan publish.Message
	done chan error
	stop context.CancelFunc
}

func follow(t testing.TB, s *publish.JetStream, o publish.TailOptions) *following {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	f := &following{t: t, got: make(chan publish.Message, 100_000), done: make(chan error, 1), stop: cancel}
	go func() {
		f.done <- s.Tail(ctx, o, func(m publish.Message) error {
			f.got <- m
			return nil
		})
	}()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-f.done:
			if err != nil {
				t.Errorf("Tail: %v", err)
			}
		case <-time.After(patience):
			t.Error("Tail does not end")
		}
	})
	return f
}

// expect waits for as many messages as numbers are given and compares.
func (f *following) expect(want ...uint64) {
	f.t.Helper()
	var got []uint64
	limit := time.After(patience)
	for len(got) < len(want) {
		select {
		case m := <-f.got:
			got = append(got, m.Oseq)
		case <-limit:
			f.t.Fatalf("after a while there are only %d of %d: %v", len(got), len(want), got)
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		f.t.Fatalf("events (-want +got):\n%s", d)
	}
}

func numbers(from, to uint64) []uint64 {
	var out []uint64
	for n := from; n <= to; n++ {
		out = append(out, n)
	}
	return out
}

func TestTailFrom(t *testing.T) {
	s := newJetStream(t, connectEmbedded(t, startServer(t, publish.EmbeddedOptions{Dir: t.TempDir()})))
	events := chained{publisher: "aa"}
	if err := s.Create(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if err := s.Publish(t.Context(), events.next(20), 0); err != nil {
		t.Fatal(err)
	}
	follow(t, s, publish.TailOptions{From: 15}).expect(15, 16, 17, 18, 19, 20)
	follow(t, s, publish.TailOptions{Since: time.Now().Add(-time.Hour), Subjects: []string{subject(1)}}).expect(1, 3, 5, 7, 9, 11, 13, 15, 17, 19)
	fresh := follow(t, s, publish.TailOptions{})
	ahead := follow(t, s, publish.TailOptions{From: 22})
	ready(t, s, 4)
	if err := s.Publish(t.Context(), events.next(3), 20); err != nil {
		t.Fatal(err)
	}
	fresh.expect(21, 22, 23)
	ahead.expect(22, 23)
}

func TestTailEndsWithItsFunction(t *testing.T) {
	s := newJetStream(t, connectEmbedded(t, startServer(t, publish.EmbeddedOptions{Dir: t.TempDir()})))
	events := chained{publisher: "aa"}
	if err := errors.Join(s.Create(t.Context(), 1), s.Publish(t.Context(), events.next(5), 0)); err != nil {
		t.Fatal(err)
	}
	enough := errors.New("enough")
	n := 0
	err := s.Tail(t.Context(), publish.TailOptions{From: 1}, func(publish.Message) error {
		if n++; n == 3 {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) || n != 3 {
		t.Fatalf("Tail = %v after %d messages, want its function's error after 3", err, n)
	}
	ready(t, s, 0)
}

// ready waits until the stream has so many consumers: a follower from now on has begun only then.
func ready(t *testing.T, s *publish.JetStream, want int) {
	t.Helper()
	limit := time.Now().Add(patience)
	for {
		n, err := publish.Consumers(t.Context(), s)
		if err == nil && n == want {
			return
		}
		if time.Now().After(limit) {
			t.Fatalf("%d consumers, %v; want %d", n, err, want)
		}
	}
}

// TestTailReconnect: a connection that breaks again and again leaves no gap and brings nothing twice.
func TestTailReconnect(t *testing.T) {
	nc := connectEmbedded(t, startServer(t, publish.EmbeddedOptions{Dir: t.TempDir()}))
	s := newJetStream(t, nc)
	events := chained{publisher: "aa"}
	if err := s.Create(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	f := follow(t, s, publish.TailOptions{From: 1})
	odd := follow(t, s, publish.TailOptions{From: 1, Subjects: []string{subject(1)}})
	var want, wantOdd []uint64
	for last := uint64(0); last < 300; last += 30 {
		publishUntil(t, s, events.next(30), last)
		if err := nc.ForceReconnect(); err != nil {
			t.Fatal(err)
		}
	}
	for n := uint64(1); n <= 300; n++ {
		want = append(want, n)
		if n%2 == 1 {
			wantOdd = append(wantOdd, n)
		}
	}
	f.expect(want...)
	odd.expect(wantOdd...)
}

// TestTailStreamReplaced: the stream is lost and its events published again, at other sequences, and new ones after them.
func TestTailStreamReplaced(t *testing.T) {
	g := newGateway(t)
	g.add(20)
	g.work()
	early, late := follow(t, g.stream, publish.TailOptions{From: 5}), follow(t, g.stream, publish.TailOptions{})
	early.expect(numbers(5, 20)...)
	ready(t, g.stream, 2)
	g.api("DELETE", "")
	if err := g.stream.Create(t.Context(), 100); err != nil {
		t.Fatal(err)
	}
	g.add(5)
	g.clock.add(11 * time.Second)
	g.work()
	g.expect(100, numbers(1, 25))
	early.expect(numbers(21, 25)...)
	late.expect(numbers(21, 25)...)
}

// TestTailSetBack: the server comes back with an older copy of the stream, and the rest is published again.
func TestTailSetBack(t *testing.T) {
	dir := t.TempDir()
	s := startExternal(t, &server.Options{StoreDir: dir})
	port := s.Addr().(*net.TCPAddr).Port //nolint:forcetypeassert // it listens on TCP
	nc, err := publish.ConnectExternal("nats://"+s.Addr().String(), "", "gw1")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js := newJetStream(t, nc)
	events := chained{publisher: "aa"}
	all := events.next(40)
	if err := errors.Join(js.Create(t.Context(), 1), js.Publish(t.Context(), all[:10], 0)); err != nil {
		t.Fatal(err)
	}
	stopServer(s)
	old := filepath.Join(t.TempDir(), "old")
	copyDir(t, old, dir)
	s = startExternal(t, &server.Options{StoreDir: dir, Port: port})
	publishUntil(t, js, all[10:20], 10)
	f := follow(t, js, publish.TailOptions{From: 1})
	f.expect(numbers(1, 20)...)
	stopServer(s)
	copyDir(t, dir, old)
	startExternal(t, &server.Options{StoreDir: dir, Port: port})
	publishUntil(t, js, all[10:40], 10)
	f.expect(numbers(21, 40)...)
}

// publishUntil publishes while the connection comes back.
func publishUntil(t *testing.T, s *publish.JetStream, messages []publish.Message, last uint64) {
	t.Helper()
	await(t, "published", func() bool { return s.Publish(t.Context(), messages, last) == nil })
}

func TestTailRefused(t *testing.T) {
	nc := connectEmbedded(t, startServer(t, publish.EmbeddedOptions{Dir: t.TempDir()}))
	s := newJetStream(t, nc)
	if err := s.Create(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	for _, subjects := range [][]string{{"godwit..event"}, {subject(1), "godwit.>"}} {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		if err := s.Tail(ctx, publish.TailOptions{From: 1, Subjects: subjects}, nil); err == nil {
			t.Fatalf("Tail of %q ends without an error", subjects)
		}
	}
	nc.Close()
	if err := s.Tail(t.Context(), publish.TailOptions{From: 1}, nil); !errors.Is(err, nats.ErrConnectionClosed) {
		t.Fatalf("Tail = %v, want ErrConnectionClosed", err)
	}
}

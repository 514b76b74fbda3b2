package publish_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/gateway/publish"
	"github.com/godwit-gateway/godwit/gateway/publish/streammodel"
)

// TestRun publishes while events come, and when it is told to stop what is still there.
func TestRun(t *testing.T) {
	g := newGateway(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- g.p.Run(ctx) }()
	for range 20 {
		g.add(50)
	}
	await(t, "published", func() bool { return g.p.Stats().Confirmed == 1000 })
	g.add(100)
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	g.expect(1, numbers(1, 1100))
	if s := g.p.Stats(); s.Published != 1100 || s.Pending != 0 || s.Lost != 0 {
		t.Fatalf("stats %+v", s)
	}
	g.startPublisher()
	if out := g.reconcile(); out != (publish.Outcome{}) {
		t.Fatalf("outcome of the next start %+v, want nothing to tell", out)
	}
}

// TestRunFenced: a gateway whose place another has taken does not go on.
func TestRunFenced(t *testing.T) {
	g := newGateway(t)
	g.add(3)
	g.work()
	done := make(chan error, 1)
	go func() { done <- g.p.Run(t.Context()) }()
	other := chained{publisher: "00112233445566778899aabbccddeeff", oseq: 3}
	if err := g.stream.Publish(t.Context(), other.next(2), 3); err != nil {
		t.Fatal(err)
	}
	g.add(1)
	if err := <-done; !errors.Is(err, publish.ErrFenced) {
		t.Fatalf("Run = %v, want ErrFenced", err)
	}
}

// TestRunSuspects: whenever the connection comes back the stream is looked at.
func TestRunSuspects(t *testing.T) {
	g := newGateway(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- g.p.Run(ctx) }()
	await(t, "reconciled", func() bool { return g.p.Stats().Reconciles == 1 })
	if err := g.nc.ForceReconnect(); err != nil {
		t.Fatal(err)
	}
	await(t, "reconciled again", func() bool { return g.p.Stats().Reconciles >= 2 && g.p.Ready() == nil })
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// busy is a stream during whose every publication another event is made, an hour after the one before.
type busy struct {
	*streammodel.Stream
	during func()
}

func (b *busy) Publish(ctx context.Context, batch []publish.Message, last uint64) error {
	err := b.Stream.Publish(ctx, batch, last)
	b.during()
	return err
}

// TestRunTrimsUnderLoad: the outbox is trimmed also while there always is something to publish.
func TestRunTrimsUnderLoad(t *testing.T) {
	m := newMachine(t)
	t.Cleanup(func() { _ = m.store.Close() })
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	published, first := 0, uint64(0)
	s := &busy{Stream: m.stream}
	s.during = func() {
		m.clock.add(time.Hour)
		if first, _ = m.store.OutboxBounds(); first > 1 || published >= 1000 {
			cancel()
			return
		}
		published++
		m.add(t, 1)
	}
	p, err := publish.New(publish.Options{Store: m.store, Stream: s, Log: quiet, Now: m.clock.Now, Adopt: m.adopt})
	if err != nil {
		t.Fatal(err)
	}
	m.add(t, 1)
	if err := p.Run(ctx); err != nil || first <= 1 {
		t.Errorf("after %d hours the outbox begins with event %d: %v", published, first, err)
	}
}

// TestNothingStays: neither Run nor Tail leaves a goroutine behind.
func TestNothingStays(t *testing.T) {
	g := newGateway(t)
	g.add(10)
	cycle := func() {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 2)
		got := make(chan publish.Message, 100)
		go func() { done <- g.p.Run(ctx) }()
		go func() {
			done <- g.stream.Tail(ctx, publish.TailOptions{From: 1}, func(m publish.Message) error {
				got <- m
				return nil
			})
		}()
		for range 10 {
			<-got
		}
		cancel()
		if err := errors.Join(<-done, <-done); err != nil {
			t.Fatal(err)
		}
		ready(t, g.stream, 0)
	}
	cycle()
	before := runtime.NumGoroutine()
	for range 5 {
		cycle()
	}
	await(t, "goroutines are as many as before", func() bool { return runtime.NumGoroutine() <= before })
}

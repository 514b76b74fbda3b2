package publish_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/godwit-gateway/godwit/gateway/publish"
)

// behindWire is a gateway whose server is elsewhere, beyond a wire, and the same stream as somebody sees it who sits beside the server.
func behindWire(t *testing.T) (*gateway, *wire, *publish.JetStream) {
	t.Helper()
	g := newGateway(t)
	s := startExternal(t, &server.Options{})
	w := newWire(t, "127.0.0.1:0", s.Addr().String())
	connect := func(address string) *nats.Conn {
		nc, err := publish.ConnectExternal("nats://"+address, "", "gw1")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(nc.Close)
		return nc
	}
	beside := newJetStream(t, connect(s.Addr().String()))
	g.nc.Close()
	g.nc = connect(w.proxy.Listen)
	g.stream = newJetStream(t, g.nc)
	g.startPublisher()
	return g, w, beside
}

// TestAnswerIsLost: a batch, or a single event, goes out over a wire that spoils what is sent or what is answered. What the stream has then is
// adopted, what it has not is published, nothing is there twice, and of a batch there is all or nothing.
func TestAnswerIsLost(t *testing.T) {
	trouble := []struct {
		name             string
		stream, toxic    string
		attributes       string
		stored, answered bool // whether the stream has the events, and the gateway is told
	}{
		{"answer is cut off", "downstream", "limit_data", `{"bytes":0}`, true, false},
		{"answer is cut short", "downstream", "limit_data", `{"bytes":40}`, true, false},
		{"answer never comes", "downstream", "timeout", `{"timeout":0}`, true, false},
		{"answer comes too late", "downstream", "latency", `{"latency":3000}`, true, false},
		{"connection is reset by the answer", "downstream", "reset_peer", `{"timeout":0}`, true, false},
		{"answer is late", "downstream", "latency", `{"latency":50,"jitter":30}`, true, true},
		{"answer comes in slices", "downstream", "slicer", `{"average_size":7,"size_variation":5,"delay":10}`, true, true},
		{"question is sent in slices", "upstream", "slicer", `{"average_size":60,"size_variation":50,"delay":10}`, true, true},
		{"question is cut off", "upstream", "limit_data", `{"bytes":0}`, false, false},
		{"question is cut short", "upstream", "limit_data", `{"bytes":300}`, false, false},
		{"question never arrives", "upstream", "timeout", `{"timeout":0}`, false, false},
		{"connection is reset by the question", "upstream", "reset_peer", `{"timeout":0}`, false, false},
	}
	for _, tt := range trouble {
		for what, events := range map[string]uint64{"batch": 20, "single": 1} {
			if what == "single" && !long {
				continue
			}
			t.Run(tt.name+", "+what, func(t *testing.T) {
				t.Parallel()
				g, w, beside := behindWire(t)
				g.add(5)
				g.work()
				g.add(int(events))
				w.spoil(tt.stream, tt.toxic, tt.attributes)
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				if !tt.answered {
					ctx, cancel = context.WithTimeout(t.Context(), time.Second)
				}
				defer cancel()
				if _, err := g.p.PublishOnce(ctx); tt.answered && err != nil || !tt.answered && !errors.Is(err, publish.ErrDoubt) {
					t.Fatalf("PublishOnce = %v", err)
				}
				want := uint64(5)
				if tt.stored {
					want += events
					await(t, "the events on the stream", func() bool { return last(t, beside) == want })
				}
				w.renew()
				reached(t, g.nc)
				if got := last(t, beside); got != want {
					t.Fatalf("the stream ends with %d, want %d: all of the batch or nothing", got, want)
				}
				out := g.reconcile()
				if found := want - 5; !tt.answered && (out.Found != found || out.Lost != 0) {
					t.Errorf("outcome %+v, want %d events found", out, found)
				}
				g.add(3)
				g.work()
				g.expect(1, numbers(1, 8+events))
			})
		}
	}
}

// TestWireFails: all of that in a row under a publisher that runs, while events come all the time. An answer that is lost is waited for each time.
func TestWireFails(t *testing.T) {
	onlyLong(t)
	t.Parallel()
	g, w, _ := behindWire(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- g.p.Run(ctx) }()
	flow := func(what string) {
		t.Helper()
		within(t, 3*patience, what, func() bool { return g.p.Stats().Pending == 0 })
	}
	for i, trouble := range []func(){
		w.cut,
		func() { w.spoil("downstream", "limit_data", `{"bytes":20}`) },
		func() { w.spoil("upstream", "limit_data", `{"bytes":2000}`) },
		func() { w.spoil("downstream", "reset_peer", `{"timeout":5}`) },
		func() { w.spoil("upstream", "slicer", `{"average_size":100,"size_variation":90,"delay":10}`) },
	} {
		g.add(200)
		flow("events before the trouble")
		before := g.p.Stats().Reconciles
		trouble()
		for range 10 {
			g.add(20)
		}
		if i < 4 {
			within(t, 3*patience, "doubt, or a connection that is gone", func() bool { return !g.nc.IsConnected() || g.p.Stats().Reconciles > before })
		}
		w.renew()
		flow(fmt.Sprintf("events after trouble %d", i))
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	reached(t, g.nc)
	g.expect(1, numbers(1, 5*400))
}

// last is the sequence of the stream's last message.
func last(t *testing.T, s *publish.JetStream) uint64 {
	t.Helper()
	info, err := s.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return info.Last
}

// reached waits until a connection answers, whatever became of the one before.
func reached(t *testing.T, nc *nats.Conn) {
	t.Helper()
	await(t, "the server is reached", func() bool { return nc.FlushTimeout(time.Second) == nil })
}

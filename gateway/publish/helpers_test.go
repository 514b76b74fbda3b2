package publish_test

import (
	"fmt"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/godwit-gateway/godwit/gateway/publish"
	"github.com/godwit-gateway/godwit/gateway/store"
)

// t0 is when tests begin.
var t0 = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// patience bounds what a test waits for.
const patience = 20 * time.Second

// long is whether tests may take their time, as those of the fault matrix do.
var long = os.Getenv("GODWIT_FAULTS") != ""

// onlyLong skips a test that takes too long to be run each time.
func onlyLong(t *testing.T) {
	t.Helper()
	if !long {
		t.Skip("it takes its time: make faults runs it")
	}
}

// startServer starts an embedded server and stops it with the test.
func startServer(t testing.TB, o publish.EmbeddedOptions) *server.Server {
	t.Helper()
	s, err := publish.StartEmbedded(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stopServer(s) })
	return s
}

func stopServer(s *server.Server) {
	s.Shutdown()
	s.WaitForShutdown()
}

// connectEmbedded connects to an embedded server for as long as the test runs.
func connectEmbedded(t testing.TB, s *server.Server) *nats.Conn {
	t.Helper()
	nc, err := publish.ConnectEmbedded(s, "test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

func newJetStream(t testing.TB, nc *nats.Conn) *publish.JetStream {
	t.Helper()
	s, err := publish.NewJetStream(nc, publish.JetStreamOptions{Gateway: "gw1", MaxAge: 24 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// chained makes events from a number on, as a store would that adds nothing else.
type chained struct {
	publisher string
	oseq      uint64
	chain     store.Chain
}

func (c *chained) next(n int) []publish.Message {
	out := make([]publish.Message, n)
	for i := range out {
		c.oseq++
		m := publish.Message{
			ID: fmt.Sprintf("dev.0.%d.0", c.oseq), Subject: subject(c.oseq), Publisher: c.publisher, Oseq: c.oseq,
			Payload: fmt.Appendf(nil, `{"n":%d}`, c.oseq),
		}
		c.chain = store.NextChain(c.chain, []byte(m.ID), []byte(m.Subject), m.Payload)
		m.Chain = c.chain
		out[i] = m
	}
	return out
}

// subject alternates between two devices.
func subject(n uint64) string { return fmt.Sprintf("godwit.v1.gw1.event.acme.buoy.dev%d.status", n%2) }

var quiet = slog.New(slog.DiscardHandler)

package publish_test

import (
	"context"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/godwit-gateway/godwit/gateway/publish"
)

// A server that is started anew has what it had, and the connection of before finds it.
func TestEmbeddedRestart(t *testing.T) {
	e, err := publish.NewEmbedded(publish.EmbeddedOptions{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Stop)
	nc, err := publish.ConnectEmbedded(e, "test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	stream := newJetStream(t, nc)
	if err := stream.Create(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	server := nc.ConnectedServerId()
	connected := nc.StatusChanged(nats.CONNECTED)
	if err := e.Restart(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	select {
	case <-connected:
	case <-ctx.Done():
		t.Fatal("the connection did not find the new server")
	}
	if nc.ConnectedServerId() == server {
		t.Error("it is the same server")
	}
	info, err := stream.Info(ctx)
	if err != nil || info.Last != 0 {
		t.Errorf("stream after the restart: %+v, %v", info, err)
	}
	e.Stop()
	if _, err := e.InProcessConn(); err == nil {
		t.Error("a server that was stopped takes connections")
	}
}

package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/gateway/publish"
)

// events is the way to NATS: the connection, the stream on it, and the server if it is in this process.
type events struct {
	server *publish.Embedded // nil: it is elsewhere
	conn   *nats.Conn
	stream *publish.JetStream
}

func (e *events) close() {
	if e.conn != nil {
		e.conn.Close()
	}
	if e.server != nil {
		e.server.Stop()
	}
}

// firstLook is how long the start waits for a NATS server elsewhere. The gateway then takes frames in without it, and publishes later.
const firstLook = 15 * time.Second

var errTooLate = errors.New("the stream has events that the store does not know, and frames were taken in before that was seen: restart the gateway")

// openEvents connects to the stream and settles with it what was published, before anything is received.
func (n *Node) openEvents(ctx context.Context) error {
	n.events = new(events)
	e, c := n.events, &n.cfg.NATS
	var err error
	if c.Mode == "embedded" {
		e.server, err = publish.NewEmbedded(publish.EmbeddedOptions{
			Dir: StreamDir(n.cfg), Listen: c.Listen, Log: n.log,
		})
		if err != nil {
			return err
		}
		e.conn, err = publish.ConnectEmbedded(e.server, n.cfg.Gateway.ID)
	} else {
		e.conn, err = publish.ConnectExternal(c.URL, c.Credentials, n.cfg.Gateway.ID)
	}
	if err != nil {
		return err
	}
	e.stream, err = publish.NewJetStream(e.conn, publish.JetStreamOptions{Gateway: n.cfg.Gateway.ID, MaxAge: c.MaxAge, Replicas: c.Replicas})
	if err != nil {
		return err
	}
	var late atomic.Bool
	n.publisher, err = publish.New(publish.Options{
		Store: n.store, Stream: e.stream, Log: n.log, Now: time.Now, Keep: c.OutboxKeep,
		Adopt: func(ctx context.Context, found []publish.Message, whole bool) error {
			if late.Load() {
				return errTooLate
			}
			return n.hub.Adopt(ctx, published(found), whole)
		},
	})
	if err != nil {
		return fmt.Errorf("open the outbox: %w", err)
	}
	e.conn.SetDisconnectErrHandler(func(_ *nats.Conn, err error) {
		if err != nil {
			n.log.Warn("connection to NATS is lost", slog.String("error", err.Error()))
		}
		n.publisher.Suspect()
	})
	e.conn.SetReconnectHandler(func(*nats.Conn) {
		n.log.Info("connected to NATS again")
		n.publisher.Suspect()
	})
	err = n.settle(ctx)
	late.Store(true)
	return err
}

// settle is the first look at the stream. With a server in this process it must succeed. With one elsewhere the gateway starts without it, but
// a store that was just made then lets nobody register: it may be the replacement of a lost one whose counters only the stream knows.
func (n *Node) settle(ctx context.Context) error {
	embedded := n.events.server != nil
	ctx, cancel := context.WithTimeout(ctx, firstLook)
	defer cancel()
	pause := time.NewTicker(500 * time.Millisecond)
	defer pause.Stop()
	for {
		_, err := n.publisher.Reconcile(ctx)
		if err == nil || embedded || errors.Is(err, publish.ErrFenced) || errors.Is(err, publish.ErrDiffering) {
			return err
		}
		select {
		case <-pause.C:
			continue
		case <-ctx.Done():
		}
		n.log.Warn("NATS is not there: frames are taken in, events wait in the outbox", slog.String("error", err.Error()))
		return n.distrust()
	}
}

// distrust switches registration off if the store has never been held against the stream.
func (n *Node) distrust() error {
	_, accepted, err := n.store.Meta(hub.MetaLossAccepted)
	if err != nil {
		return err
	}
	seen, err := n.store.PublisherMeta()
	if err != nil {
		return err
	}
	if seen == nil && !accepted {
		n.log.Error("store has never seen the stream, which may know counters that it does not: no device registers by itself")
		n.log.Error("registration is off until a start that finds the stream, or until: godwit store accept-loss")
		n.hub.SetRegistration(false)
	}
	return nil
}

func published(found []publish.Message) []hub.Published {
	out := make([]hub.Published, len(found))
	for i := range found {
		out[i] = hub.Published{ID: found[i].ID, Frame: found[i].Frame, Payload: found[i].Payload}
	}
	return out
}

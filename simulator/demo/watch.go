package demo

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/godwit-gateway/godwit/simulator/check"
)

// watcher reads the whole stream from outside, as any consumer would: over TCP, with a consumer of its own that begins at the first message.
type watcher struct {
	conn   *nats.Conn
	stream string
	ledger *check.Ledger
	read   atomic.Uint64 // sequence of the last message read
}

func newWatcher(address, stream string, ledger *check.Ledger) (*watcher, error) {
	conn, err := nats.Connect("nats://"+address, nats.Name("godwit-sim demo"), nats.MaxReconnects(-1), nats.ReconnectWait(100*time.Millisecond))
	if err != nil {
		return nil, fmt.Errorf("connect to the gateway's NATS: %w", err)
	}
	return &watcher{conn: conn, stream: stream, ledger: ledger}, nil
}

func (w *watcher) close() { w.conn.Close() }

// run reads until ctx is done.
func (w *watcher) run(ctx context.Context) error {
	js, err := jetstream.New(w.conn)
	if err != nil {
		return fmt.Errorf("stream: %w", err)
	}
	consumer, err := js.OrderedConsumer(ctx, w.stream, jetstream.OrderedConsumerConfig{DeliverPolicy: jetstream.DeliverAllPolicy})
	if err != nil {
		return fmt.Errorf("read stream %s: %w", w.stream, err)
	}
	messages, err := consumer.Messages()
	if err != nil {
		return fmt.Errorf("read stream %s: %w", w.stream, err)
	}
	stop := context.AfterFunc(ctx, messages.Stop)
	defer stop()
	for {
		m, err := messages.Next()
		if errors.Is(err, jetstream.ErrMsgIteratorClosed) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read stream %s: %w", w.stream, err)
		}
		meta, err := m.Metadata()
		if err != nil {
			return fmt.Errorf("read stream %s: %w", w.stream, err)
		}
		if err := w.ledger.Event(m.Data()); err != nil {
			return fmt.Errorf("message %d of the stream: %w", meta.Sequence.Stream, err)
		}
		w.read.Store(meta.Sequence.Stream)
	}
}

// last is the sequence of the stream's last message.
func (w *watcher) last(ctx context.Context) (uint64, error) {
	js, err := jetstream.New(w.conn)
	if err != nil {
		return 0, fmt.Errorf("stream: %w", err)
	}
	s, err := js.Stream(ctx, w.stream)
	if err != nil {
		return 0, fmt.Errorf("stream %s: %w", w.stream, err)
	}
	return s.CachedInfo().State.LastSeq, nil
}

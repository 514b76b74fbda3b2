package node

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/godwit-gateway/godwit/gateway/publish"
	"github.com/godwit-gateway/godwit/gateway/store"
)

// Times of the look after the embedded NATS server.
const (
	reviveAfter = 5 * time.Minute // without one event getting out
	reviveLook  = 10 * time.Second
)

// runPublisher is the publisher's stage. With the NATS server in this process it looks after that one too.
func (n *Node) runPublisher(ctx context.Context) error {
	if n.events.server == nil {
		return n.publisher.Run(ctx)
	}
	looking, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { n.lookAfter(looking) })
	err := n.publisher.Run(ctx)
	cancel()
	wg.Wait()
	return err
}

// lookAfter starts the embedded server anew when events have not got out for long and there is space on the disk: a write error stays with a
// stream until then, also once its cause is gone. The publisher reconciles when the connection has found the new server.
func (n *Node) lookAfter(ctx context.Context) {
	tick := time.NewTicker(reviveLook)
	defer tick.Stop()
	var s standstill
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if !s.due(time.Now(), n.publisher.Stats(), n.publisher.Ready(), n.store.Healthy()) {
			continue
		}
		n.revived.Add(1)
		n.log.Warn("no event got out for long: the embedded NATS server is started anew", slog.Duration("after", reviveAfter))
		if err := n.events.server.Restart(); err != nil {
			n.log.Error("start of the embedded NATS server failed: it is tried again", slog.String("error", err.Error()))
		}
		n.publisher.Suspect()
	}
}

// standstill notices that events wait and none gets out. The publisher's own word is no measure of that: between two attempts that fail it
// may well find the stream as it left it.
type standstill struct {
	confirmed uint64
	since     time.Time // zero: events get out, or none waits
}

// due reports whether it is time to start the server anew; if so the count begins again.
func (s *standstill) due(now time.Time, stats publish.Stats, ready, healthy error) bool {
	helpless := errors.Is(ready, publish.ErrDiffering) || errors.Is(ready, publish.ErrFenced) || errors.Is(ready, publish.ErrNotOurs)
	full := errors.Is(healthy, store.ErrLowSpace) || errors.Is(healthy, store.ErrStalled)
	if stats.Pending == 0 || stats.Confirmed != s.confirmed || helpless || full {
		s.confirmed, s.since = stats.Confirmed, time.Time{}
		return false
	}
	if s.since.IsZero() {
		s.since = now
	}
	if now.Sub(s.since) < reviveAfter {
		return false
	}
	s.since = time.Time{}
	return true
}

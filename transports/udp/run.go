package udp

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/godwit-gateway/godwit/transports"
)

// readers is the number of batches that may be with the sink at once, whatever the load.
const readers = 8

// Grace is how long the sink may take for the batches in hand once Run's context is done.
const Grace = 5 * time.Second

// Run implements transports.Transport. What the socket holds when ctx is done is not read any more; devices send it again.
func (t *Transport) Run(ctx context.Context, sink transports.Sink) error {
	conn, err := t.listen()
	if err != nil {
		return err
	}
	rs, err := t.newReaders(conn, sink)
	if err != nil {
		return fmt.Errorf("udp link %s: %w", t.name, err)
	}
	t.setRunning(true)
	defer t.setRunning(false)

	// The batches in hand outlive ctx, by the grace period at most; after that the sink is told to give up.
	inHand, giveUp := context.WithCancel(context.WithoutCancel(ctx))
	defer giveUp()
	group, ctx := errgroup.WithContext(ctx)
	for _, r := range rs {
		group.Go(func() error { return r.run(ctx, inHand) })
	}
	var guard sync.WaitGroup
	finished := make(chan struct{})
	guard.Go(func() {
		<-ctx.Done() // also when a reader fails, and when all have returned
		_ = conn.SetReadDeadline(time.Unix(1, 0))
		_ = conn.SetWriteDeadline(time.Now().Add(Grace))
		grace := time.NewTimer(Grace)
		defer grace.Stop()
		select {
		case <-grace.C:
			giveUp()
		case <-finished:
		}
	})
	err = group.Wait()
	close(finished)
	guard.Wait()
	if err != nil {
		return fmt.Errorf("udp link %s: %w", t.name, err)
	}
	return nil
}

func (t *Transport) newReaders(conn *net.UDPConn, sink transports.Sink) ([]*reader, error) {
	rs := make([]*reader, readers)
	for i := range rs {
		b, err := t.newBatch(conn)
		if err != nil {
			return nil, err
		}
		rs[i] = &reader{t: t, sink: sink, batch: b}
		for j := range rs[i].verdicts {
			rs[i].verdicts[j].Reply = make([]byte, 0, 64)
		}
	}
	return rs, nil
}

// setRunning opens and closes the transport for Send; after a run the socket is closed.
func (t *Transport) setRunning(on bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.running = on
	if !on {
		_ = t.closeLocked() // nothing is lost with a UDP socket
	}
}

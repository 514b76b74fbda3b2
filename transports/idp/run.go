package idp

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/godwit-gateway/godwit/transports"
)

// Times of the loops.
const (
	Grace    = 5 * time.Second // for what is in hand once Run's context is done
	paceMost = 5 * time.Minute // between two looks at a gateway that wants fewer, or fails
)

// Run implements transports.Transport. A gateway that does not answer does not end it: it is asked again, more and more seldom, and the line is down meanwhile.
func (t *Transport) Run(ctx context.Context, sink transports.Sink) error {
	fresh, err := t.state.load(t.now().Add(-t.cfg.Since), t.now().Add(-Kept))
	if err != nil {
		return fmt.Errorf("idp link %s: %w", t.name, err)
	}
	if fresh {
		t.log.Warn("idp link has no mark: it begins in the past", slog.String("transport", t.name), slog.Time("from", t.state.at()))
	}
	// What is in hand outlives ctx, by the grace period at most; after that the sink is told to give up.
	inHand, done := transports.InHand(ctx, Grace)
	defer done()
	var work sync.WaitGroup
	work.Go(func() { t.follow(ctx, inHand, sink) })
	t.receive(ctx, inHand, sink)
	work.Wait()
	t.up.Store(false)
	t.gateway.client.CloseIdleConnections()
	return nil
}

// receive polls messages until ctx is done.
func (t *Transport) receive(ctx, inHand context.Context, sink transports.Sink) {
	p := pacer{usual: t.cfg.Poll}
	from := uint64(0)
	for {
		next, more, err := t.poll(ctx, inHand, sink, from)
		from = next
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			t.failed(err)
		}
		if !pause(ctx, p.after(err, more)) {
			return
		}
	}
}

// answered keeps that the line is up, and tells people when it was not.
func (t *Transport) answered() {
	t.refused.Store(false)
	t.counts.told.Store(false)
	if !t.up.Swap(true) {
		t.log.Info("idp link is up: the message gateway answers", slog.String("transport", t.name), slog.Time("mark", t.state.at()))
	}
}

// failed keeps that a look for messages failed, and whether the line is down for that. The sink's errors are not the gateway's, and one that wants to be asked
// less often is there.
func (t *Transport) failed(err error) {
	var failed *callError
	if !errors.As(err, &failed) {
		return
	}
	t.counts.failures[failed.failure].Add(1)
	switch failed.failure {
	case tooFast, temporary:
	case refusedAuth:
		t.refuse(failed)
	default:
		if t.up.Store(false); !t.counts.told.Swap(true) {
			t.log.Warn("idp link is down", slog.String("transport", t.name), slog.Any("error", err))
		}
	}
}

// refuse keeps that the gateway refuses the account. Only an operator can repair that.
func (t *Transport) refuse(err error) {
	t.up.Store(false)
	if !t.refused.Swap(true) {
		t.log.Error("idp link is down: the message gateway refuses account or password", slog.String("transport", t.name), slog.Any("error", err))
	}
}

// A pacer says when to ask next.
type pacer struct {
	usual time.Duration
	slow  time.Duration // after failures in a row
}

// after is how long to wait after a call that ended in err, or that left more to be asked for.
func (p *pacer) after(err error, more bool) time.Duration {
	if err == nil {
		p.slow = 0
		if more {
			return 0
		}
		return p.usual
	}
	p.slow = min(max(2*p.slow, 2*p.usual), max(paceMost, p.usual))
	wait := p.slow
	var failed *callError
	if errors.As(err, &failed) {
		wait = max(wait, failed.after)
		if failed.failure == refusedAuth {
			wait = max(wait, min(paceMost, 30*p.usual)) // accounts are locked after too many tries
		}
	}
	return wait
}

// pause waits, and reports false if ctx is done first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

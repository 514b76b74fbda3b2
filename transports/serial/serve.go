package serial

import (
	"context"
	"errors"
	"sync"
	"time"
)

// ErrGrace is the cause of a line, and the error of a Serve, that had to be ended by force.
var ErrGrace = errors.New("what was in hand was not finished in time")

// Serve pumps what the peer says to take while loop runs, and closes the line after that. loop returns nil only if ctx is done; what it has in hand then
// it may finish with inHand, which outlives ctx by grace at most: after that the line is lost and inHand is done.
//
// Serve returns nil if ctx is done and loop ended in time, ErrGrace if loop ended well but too late, and else the error of loop.
func (l *Line) Serve(ctx context.Context, take func([]byte), grace time.Duration, loop func(inHand context.Context) error) error {
	inHand, giveUp := context.WithCancel(context.WithoutCancel(ctx))
	defer giveUp()
	finished := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() { l.Pump(take) })
	wg.Go(func() {
		select {
		case <-finished:
			return
		case <-ctx.Done():
		}
		timer := time.NewTimer(grace)
		defer timer.Stop()
		select {
		case <-timer.C:
			l.Fail(ErrGrace)
			giveUp()
		case <-finished:
		}
	})
	err := loop(inHand)
	close(finished)
	late := errors.Is(l.Cause(), ErrGrace)
	l.Fail(ErrClosed)
	wg.Wait()
	switch {
	case ctx.Err() != nil && !late:
		return nil
	case err == nil:
		return ErrGrace
	default:
		return err
	}
}

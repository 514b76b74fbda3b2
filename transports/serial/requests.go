package serial

import (
	"context"
	"errors"
	"time"

	"github.com/godwit-gateway/godwit/transports"
)

// ErrBusy is what a Send ends with whose turn does not come.
var ErrBusy = errors.New("the modem is busy with other things")

// Requests are handed by Sends to the loop of a session, one at a time: whoever sends waits. Safe for concurrent use.
type Requests[R any] struct {
	next   chan R // not buffered: what was handed over is in the loop's hands
	closed chan struct{}
}

// NewRequests returns those of a session.
func NewRequests[R any]() *Requests[R] {
	return &Requests[R]{next: make(chan R), closed: make(chan struct{})}
}

// Next is where the loop takes one.
func (q *Requests[R]) Next() <-chan R { return q.next }

// Close says that no more are taken. It is called once, by the loop.
func (q *Requests[R]) Close() { close(q.closed) }

// Hand waits until the loop takes a request. An error says that it did not, and why: ErrBusy after patience, transports.ErrDown when the loop has ended, or
// that of ctx.
func (q *Requests[R]) Hand(ctx context.Context, r R, patience time.Duration) error {
	turn := time.NewTimer(patience)
	defer turn.Stop()
	select {
	case q.next <- r:
		return nil
	case <-turn.C: // the sink does not take what came in, perhaps: other links are not to wait for that
		return ErrBusy
	case <-q.closed:
		return transports.ErrDown
	case <-ctx.Done():
		return ctx.Err()
	}
}

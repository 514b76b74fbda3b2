package gss

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"time"
)

// destination is an MO server with what waits for it.
type destination struct {
	g       *Gateway
	index   int
	address string
	kick    chan struct{} // holds one token when something was put into the queue
	queue   []Message     // oldest first; guarded by Gateway.mu
	busy    bool          // the first one is under way; guarded by Gateway.mu
}

// run delivers one message after the other until ctx is done. Nothing passes the one at the head.
func (d *destination) run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	tries := 0 // of the message at the head
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		m, outcome, ok := d.head()
		switch {
		case !ok:
			select {
			case <-ctx.Done():
				return
			case <-d.kick:
			}
			timer.Reset(0)
			continue
		case outcome == Delivered: // it is not, but may be
			m.Tries = tries + 1
			if err := d.deliver(ctx, &m); err != nil {
				d.release(false)
				d.g.o.Log.Debug("message was not taken", slog.Uint64("cdr", uint64(m.CDR)), slog.String("error", err.Error()))
				timer.Reset(time.Duration(pauses[min(tries, len(pauses)-1)]) * d.g.o.Second)
				tries++
				continue
			}
		}
		d.release(true)
		tries = 0
		d.g.settled(m, outcome)
		timer.Reset(0)
	}
}

// head returns the first message and what becomes of it: Expired if it is too old, else it is to be delivered.
func (d *destination) head() (m Message, o Outcome, ok bool) {
	d.g.mu.Lock()
	defer d.g.mu.Unlock()
	if len(d.queue) == 0 {
		return Message{}, 0, false
	}
	d.busy = true
	if m = d.queue[0]; d.g.o.Now().Sub(m.At) > d.g.o.Life {
		return m, Expired, true
	}
	return m, Delivered, true
}

// release ends the work on the first message, which is taken from the queue if it is done with.
func (d *destination) release(done bool) {
	d.g.mu.Lock()
	defer d.g.mu.Unlock()
	d.busy = false
	if done {
		d.queue = d.queue[1:]
	}
}

var errRefused = errors.New("the destination did not confirm it")

// deliver makes one try: one connection, one message.
func (d *destination) deliver(ctx context.Context, m *Message) error {
	ctx, cancel := context.WithTimeout(ctx, d.g.o.Answer)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", d.address)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer func() { _ = conn.Close() }() // what it says is known by then
	deadline, _ := ctx.Deadline()
	_ = conn.SetDeadline(deadline)
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if _, err := conn.Write(m.marshal()); err != nil {
		return fmt.Errorf("send: %w", err)
	}
	b, err := io.ReadAll(io.LimitReader(conn, confirmationLen))
	switch {
	case err != nil:
		return fmt.Errorf("wait for the answer: %w", err)
	case d.g.o.Forget != nil && d.g.o.Forget():
		return fmt.Errorf("%w: its answer was lost", errRefused)
	case d.g.o.Confirm && !confirmed(b):
		return errRefused
	default:
		return nil
	}
}

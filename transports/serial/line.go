package serial

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// ErrClosed is the cause of a line whose Serve is over.
var ErrClosed = errors.New("line is closed")

// A Line is an open serial line. Its pump is the only reader for as long as the line is open: whoever waits for replies gets them from there, and can be
// replaced without two of them reading the line. Safe for concurrent use.
type Line struct {
	rwc    io.ReadWriteCloser
	peer   string
	write  time.Duration
	onLost func() // or nil

	lost chan struct{} // closed once the line is of no more use

	mu    sync.Mutex
	err   error     // why the line is lost; guarded by mu
	heard time.Time // when the last byte came; guarded by mu
}

// NewLine returns a line of what was opened, whose Close has to end a Read or Write that waits. In errors the other end is called peer, such as "the modem".
// A write may take as long as write says, where there are deadlines. lost, if it is not nil, is called once, when the line is lost and Cause says why.
//
// So whoever has to learn of the end puts itself where lost looks for it, asks Cause, and ends by itself if there is one. In that order the end reaches it,
// whenever it comes.
func NewLine(rwc io.ReadWriteCloser, peer string, write time.Duration, lost func()) *Line {
	return &Line{rwc: rwc, peer: peer, write: write, onLost: lost, lost: make(chan struct{})}
}

// Pump hands what the peer says to take, which must not keep it, until the line is lost. Serve calls it.
func (l *Line) Pump(take func([]byte)) {
	buf := make([]byte, 4096)
	for {
		n, err := l.rwc.Read(buf)
		if n > 0 {
			l.mu.Lock()
			l.heard = time.Now()
			l.mu.Unlock()
			take(buf[:n])
		}
		if err != nil {
			l.Fail(fmt.Errorf("read from %s: %w", l.peer, err))
			return
		}
	}
}

// Send writes to the peer. One that takes nothing for so long will not take anything any more: a write that fails loses the line, and the error is its cause.
func (l *Line) Send(b []byte) (n int, err error) {
	if err = l.limit(); err == nil {
		n, err = l.rwc.Write(b)
	}
	if err != nil {
		l.Fail(fmt.Errorf("write to %s: %w", l.peer, err))
		return n, l.Cause()
	}
	return n, nil
}

// limit sets the deadline of a write.
func (l *Line) limit() error {
	d, ok := l.rwc.(interface{ SetWriteDeadline(t time.Time) error })
	if !ok {
		return nil
	}
	if err := d.SetWriteDeadline(time.Now().Add(l.write)); err != nil && !errors.Is(err, os.ErrNoDeadline) {
		return err
	}
	return nil
}

// Quiet waits until the peer has said nothing for gap, for no longer than most. Its errors are those of Pause.
func (l *Line) Quiet(ctx context.Context, gap, most time.Duration) error {
	from := time.Now() // what is heard from here on
	end := from.Add(most)
	for {
		l.mu.Lock()
		if l.heard.After(from) {
			from = l.heard
		}
		l.mu.Unlock()
		until := from.Add(gap)
		if until.After(end) {
			until = end
		}
		left := time.Until(until)
		if left <= 0 {
			return nil
		}
		if err := l.Pause(ctx, left); err != nil {
			return err
		}
	}
}

// Pause waits, but not for a line that is lost: its error is the line's cause, or that of ctx.
func (l *Line) Pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-l.lost:
		return l.Cause()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Check returns why nothing may be begun on the line: its cause, or the error of ctx.
func (l *Line) Check(ctx context.Context) error {
	if err := l.Cause(); err != nil {
		return err
	}
	return ctx.Err()
}

// Fail marks the line as lost, the first reason being the one that counts, and closes it, which ends the pump.
func (l *Line) Fail(err error) {
	l.mu.Lock()
	first := l.err == nil
	if first {
		l.err = err
		close(l.lost)
	}
	l.mu.Unlock()
	if !first {
		return
	}
	_ = l.rwc.Close() // the line is lost already
	if l.onLost != nil {
		l.onLost()
	}
}

// Cause returns why the line is lost, nil if it is not.
func (l *Line) Cause() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// Lost is closed once the line is lost.
func (l *Line) Lost() <-chan struct{} { return l.lost }

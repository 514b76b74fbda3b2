package sbdmodem

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

// repliesMax is how many lines a command may be answered with.
const repliesMax = 64

// errLineClosed is what ends the reading of a line that we closed.
var errLineClosed = errors.New("line is closed")

// A reply is a line or a block that answers a command.
type reply struct {
	text  string
	block []byte // not nil: it is one
}

// A line is an open serial line. Its pump goroutine is the only reader for as long as the line is open: it takes out what the transceiver says
// unasked, and keeps the rest for the command under way.
type line struct {
	rwc    io.ReadWriteCloser
	counts *counters
	write  time.Duration // that a write may take

	doorbell chan struct{} // holds one token while there may be news
	arrived  chan struct{} // holds one token while there may be replies
	lost     chan struct{} // closed once the line is of no more use

	mu      sync.Mutex
	err     error     // why the line is lost; guarded by mu
	decoder decoder   // guarded by mu
	busy    bool      // a command is under way; guarded by mu
	replies []reply   // to that; guarded by mu
	rung    bool      // a ring alert came; guarded by mu
	echoed  bool      // a command was echoed; guarded by mu
	heard   time.Time // when the last byte came; guarded by mu
}

func newLine(rwc io.ReadWriteCloser, counts *counters, write time.Duration) *line {
	return &line{
		rwc: rwc, counts: counts, write: write,
		doorbell: make(chan struct{}, 1), arrived: make(chan struct{}, 1), lost: make(chan struct{}),
	}
}

// pump reads until the line is lost or closed.
func (l *line) pump() {
	buf := make([]byte, 1024)
	for {
		n, err := l.rwc.Read(buf)
		if n > 0 {
			l.mu.Lock()
			l.heard = time.Now()
			l.decoder.feed(buf[:n], l.takeLocked, l.takeBlockLocked)
			l.mu.Unlock()
		}
		if err != nil {
			l.fail(fmt.Errorf("read from the transceiver: %w", err))
			return
		}
	}
}

// takeLocked sorts one line.
func (l *line) takeLocked(raw []byte) {
	text := string(raw)
	switch {
	case text == "SBDRING":
		l.counts.rings.Add(1)
		l.rung = true
		ring(l.doorbell)
	case strings.HasPrefix(text, "+AREG:"), strings.HasPrefix(text, "+CIEV:"): // of registration and signal: both are asked for when they matter
	case len(text) >= 2 && strings.EqualFold(text[:2], "AT"):
		l.echoed = true
		ring(l.doorbell)
	default:
		l.replyLocked(reply{text: text})
	}
}

func (l *line) takeBlockLocked(b []byte) {
	l.replyLocked(reply{block: append(make([]byte, 0, len(b)), b...)})
}

// replyLocked hands a reply to the command under way. If there is none, it is the late answer to one that was given up.
func (l *line) replyLocked(r reply) {
	if !l.busy || len(l.replies) == repliesMax {
		l.counts.strays.Add(1)
		return
	}
	l.replies = append(l.replies, r)
	ring(l.arrived)
}

// ring puts a token into a channel that holds one.
func ring(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// begin opens the way for the replies to one command, with a block or without, and end shuts it.
func (l *line) begin(block bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.busy, l.replies = true, nil
	l.decoder.expect(block)
}

func (l *line) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.busy, l.replies = false, nil
	l.decoder.expect(false)
}

// errTimeout is a command that was not answered in time.
var errTimeout = errors.New("no answer in time")

// next waits for the next reply to the command under way.
func (l *line) next(deadline *time.Timer) (reply, error) {
	for {
		l.mu.Lock()
		if len(l.replies) > 0 {
			r := l.replies[0]
			l.replies = l.replies[1:]
			l.mu.Unlock()
			return r, nil
		}
		l.mu.Unlock()
		select {
		case <-l.arrived:
		case <-l.lost:
			return reply{}, l.cause()
		case <-deadline.C:
			l.counts.timeouts.Add(1)
			return reply{}, errTimeout
		}
	}
}

// takeRing reports whether there was a ring alert since it was last asked.
func (l *line) takeRing() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	rung := l.rung
	l.rung = false
	return rung
}

// takeEcho reports whether a command was echoed since it was last asked.
func (l *line) takeEcho() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	echoed := l.echoed
	l.echoed = false
	return echoed
}

// send writes to the transceiver. One that takes nothing for so long will not take anything any more.
func (l *line) send(b []byte) error {
	if d, ok := l.rwc.(interface{ SetWriteDeadline(t time.Time) error }); ok {
		if err := d.SetWriteDeadline(time.Now().Add(l.write)); err != nil && !errors.Is(err, os.ErrNoDeadline) {
			l.fail(fmt.Errorf("write to the transceiver: %w", err))
			return l.cause()
		}
	}
	if _, err := l.rwc.Write(b); err != nil {
		l.fail(fmt.Errorf("write to the transceiver: %w", err))
		return l.cause()
	}
	return nil
}

// quiet waits until the transceiver has said nothing for gap, for no longer than most.
func (l *line) quiet(ctx context.Context, gap, most time.Duration) error {
	end := time.Now().Add(most)
	from := time.Now() // what is heard from here on
	for {
		l.mu.Lock()
		if l.heard.After(from) {
			from = l.heard
		}
		l.mu.Unlock()
		now := time.Now()
		until := from.Add(gap)
		if !now.Before(until) || !now.Before(end) {
			return nil
		}
		if until.After(end) {
			until = end
		}
		if err := l.pause(ctx, until.Sub(now)); err != nil {
			return err
		}
	}
}

// pause waits, but not for a line that is lost.
func (l *line) pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-l.lost:
		return l.cause()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// fail marks the line as lost, the first reason being the one that counts, and ends the pump.
func (l *line) fail(err error) {
	l.mu.Lock()
	first := l.err == nil
	if first {
		l.err = err
		close(l.lost)
	}
	l.mu.Unlock()
	if first {
		_ = l.rwc.Close() // the line is lost already
	}
}

// cause returns why the line is lost, nil if it is not.
func (l *line) cause() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

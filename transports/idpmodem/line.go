package idpmodem

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

// errLineClosed is what ends the reading of a line that we closed.
var errLineClosed = errors.New("line is closed")

// A line is an open serial line. Its pump goroutine is the only reader for as long as the line is open and hands what is good of replies to the reader that
// is attached. So a command processor that lost track can be thrown away and a fresh one attached, without two of them reading the line.
type line struct {
	rwc    io.ReadWriteCloser
	counts *counters
	write  time.Duration // that a write may take

	restarted chan struct{} // holds one token when the terminal has said that it started
	lost      chan struct{} // closed once the line is of no more use

	mu      sync.Mutex
	err     error          // why the line is lost; guarded by mu
	replies *io.PipeWriter // to what is attached, or nil; guarded by mu
	busy    bool           // a command is under way; guarded by mu
	in      assembler      // guarded by mu
	heard   time.Time      // when the last byte came; guarded by mu
}

func newLine(rwc io.ReadWriteCloser, counts *counters, write time.Duration) *line {
	return &line{rwc: rwc, counts: counts, write: write, restarted: make(chan struct{}, 1), lost: make(chan struct{})}
}

// pump reads until the line is lost or closed.
func (l *line) pump() {
	buf := make([]byte, 4096)
	for {
		n, err := l.rwc.Read(buf)
		if n > 0 {
			// Who is attached takes lines at any time, waiting for a reply or not; detach ends a write that waits.
			if text, to := l.take(buf[:n]); text != "" {
				_, _ = io.WriteString(to, text)
			}
		}
		if err != nil {
			l.fail(fmt.Errorf("read from the terminal: %w", err))
			return
		}
	}
}

// take returns the good lines that bytes make up, and who is to get them. Nobody waits for a line while no command is under way: it is the late answer to
// one that was given up.
func (l *line) take(b []byte) (text string, to *io.PipeWriter) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.heard = time.Now()
	var good strings.Builder
	wrong, overlong := l.in.wrong, l.in.overlong
	l.in.feed(b, func(line string) {
		if !l.busy || l.replies == nil {
			l.counts.strays.Add(1)
			return
		}
		good.WriteString(line)
		good.WriteString("\r\n")
	})
	l.counts.garbled.Add(uint64(l.in.wrong - wrong))        //nolint:gosec // not negative
	l.counts.overlong.Add(uint64(l.in.overlong - overlong)) //nolint:gosec // not negative
	if l.in.restarted {
		l.in.restarted = false
		select {
		case l.restarted <- struct{}{}:
		default:
		}
	}
	return good.String(), l.replies
}

// begin opens the way for the reply to one command, and end shuts it.
func (l *line) begin() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.in.begin()
	l.in.sawSum = false
	l.busy = true
}

func (l *line) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.busy = false
}

// sums reports whether checksums are on, and setSums switches them for what comes from here on.
func (l *line) sums() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.in.sums
}

func (l *line) setSums(on bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.in.sums = on
	l.in.begin()
}

// sawSum reports whether a checksum came since the last command although none was expected.
func (l *line) sawSum() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.in.sawSum
}

// attach hands replies to a fresh reader from now on. The one before must be detached.
func (l *line) attach() io.ReadWriter {
	r, w := io.Pipe()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		_ = w.Close() // nobody would detach it
	}
	l.replies = w
	return struct {
		io.Reader
		io.Writer
	}{r, commands{l}}
}

// detach has the reader read the end of its input.
func (l *line) detach() {
	l.mu.Lock()
	w := l.replies
	l.replies = nil
	l.mu.Unlock()
	if w != nil {
		_ = w.Close() // of a pipe, it does not fail
	}
}

// commands is what one at.AT writes to.
type commands struct{ line *line }

// Write implements io.Writer for a whole command line.
func (c commands) Write(b []byte) (int, error) {
	command := []byte(strings.TrimRight(string(b), "\r\n"))
	if c.line.sums() {
		command = withChecksum(command)
	}
	if err := c.line.send(append(command, '\r')); err != nil {
		return 0, err
	}
	return len(b), nil
}

// send writes to the terminal. One that takes nothing for so long will not take anything any more.
func (l *line) send(b []byte) error {
	if d, ok := l.rwc.(interface{ SetWriteDeadline(t time.Time) error }); ok {
		if err := d.SetWriteDeadline(time.Now().Add(l.write)); err != nil && !errors.Is(err, os.ErrNoDeadline) {
			l.fail(fmt.Errorf("write to the terminal: %w", err))
			return err
		}
	}
	if _, err := l.rwc.Write(b); err != nil {
		l.fail(fmt.Errorf("write to the terminal: %w", err))
		return err
	}
	return nil
}

// quiet waits until the terminal has said nothing for gap, for no longer than most.
func (l *line) quiet(ctx context.Context, gap, most time.Duration) error {
	from := time.Now()
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
		if err := l.pause(ctx, left); err != nil {
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
		l.detach()
	}
}

// cause returns why the line is lost, nil if it is not.
func (l *line) cause() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

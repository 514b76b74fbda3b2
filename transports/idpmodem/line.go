package idpmodem

import (
	"io"
	"strings"
	"sync"
	"time"

	"github.com/godwit-gateway/godwit/transports/serial"
)

// A line hands what is good of replies to the reader that is attached. So a command processor that lost track can be thrown away and a fresh one attached.
type line struct {
	*serial.Line

	counts    *counters
	restarted chan struct{} // holds one token when the terminal has said that it started

	mu      sync.Mutex
	replies *io.PipeWriter // to what is attached, or nil; guarded by mu
	busy    bool           // a command is under way; guarded by mu
	in      assembler      // guarded by mu
}

func newLine(rwc io.ReadWriteCloser, counts *counters, write time.Duration) *line {
	l := &line{counts: counts, restarted: make(chan struct{}, 1)}
	l.Line = serial.NewLine(rwc, "the terminal", write, l.detach)
	return l
}

// take takes what the terminal said. Who is attached takes lines at any time, waiting for a reply or not; detach ends a write that waits.
func (l *line) take(b []byte) {
	if text, to := l.sort(b); text != "" {
		_, _ = io.WriteString(to, text)
	}
}

// sort returns the good lines that bytes make up, and who is to get them. Nobody waits for a line while no command is under way: it is the late answer to
// one that was given up.
func (l *line) sort(b []byte) (text string, to *io.PipeWriter) {
	l.mu.Lock()
	defer l.mu.Unlock()
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
	l.replies = w
	l.mu.Unlock()
	if l.Cause() != nil {
		l.detach() // nobody else would
	}
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
	if _, err := c.line.Send(append(command, '\r')); err != nil {
		return 0, err
	}
	return len(b), nil
}

package sbdmodem

import (
	"errors"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/godwit-gateway/godwit/transports/serial"
)

// repliesMax is how many lines a command may be answered with.
const repliesMax = 64

// A reply is a line or a block that answers a command.
type reply struct {
	text  string
	block []byte // not nil: it is one
}

// A line takes out what the transceiver says unasked, and keeps the rest for the command under way.
type line struct {
	*serial.Line

	counts   *counters
	doorbell chan struct{} // holds one token while there may be news
	arrived  chan struct{} // holds one token while there may be replies

	mu      sync.Mutex
	decoder decoder // guarded by mu
	busy    bool    // a command is under way; guarded by mu
	replies []reply // to that; guarded by mu
	rung    bool    // a ring alert came; guarded by mu
	echoed  bool    // a command was echoed; guarded by mu
}

func newLine(rwc io.ReadWriteCloser, counts *counters, write time.Duration) *line {
	return &line{
		Line: serial.NewLine(rwc, "the transceiver", write, nil), counts: counts, doorbell: make(chan struct{}, 1), arrived: make(chan struct{}, 1),
	}
}

// take takes what the transceiver said.
func (l *line) take(b []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.decoder.feed(b, l.takeLocked, l.takeBlockLocked)
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
		case <-l.Lost():
			return reply{}, l.Cause()
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

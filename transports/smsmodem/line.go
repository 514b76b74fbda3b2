package smsmodem

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"
)

// Limits of what a line holds for its session.
const (
	bufferMax  = 64 << 10 // bytes of a reply that at.AT has not read yet
	directMax  = 256      // messages that the modem handed over instead of storing them, until the session takes them
	waitingMax = 1024     // of these: those that the sink has not taken yet
)

// errLineClosed is what ends the reading of a line that we closed.
var errLineClosed = errors.New("line is closed")

// A direct is a message or report that the modem handed over without storing it (+CMT, +CDS).
type direct struct {
	report bool
	pdu    string // hex
}

// news is what the modem said unasked since it was last taken.
type news struct {
	rung   map[string]bool // storages with something new; "" stands for all
	direct []direct
	reboot bool
}

// A line is an open serial line. Its pump goroutine is the only reader for as long as the line is open: it keeps what the modem says
// unasked out of replies and feeds what is left to the port that is attached. So a command processor that lost track can be thrown away
// and a fresh one attached, without two of them reading the line.
type line struct {
	rwc    io.ReadWriteCloser
	log    *slog.Logger
	counts *counters
	write  time.Duration // that a write may take

	doorbell chan struct{} // holds one token while news is not empty
	lost     chan struct{} // closed once the line is of no more use

	mu      sync.Mutex
	err     error     // why the line is lost; guarded by mu
	port    *port     // attached, or nil; guarded by mu
	busy    bool      // a command is under way; guarded by mu
	pending string    // prefix of its information lines; guarded by mu
	prompt  bool      // it is to get one prompt; guarded by mu
	trail   kind      // of the line before, if its PDU is to follow; guarded by mu
	news    news      // guarded by mu
	heard   time.Time // when the last byte came; guarded by mu
}

func newLine(rwc io.ReadWriteCloser, log *slog.Logger, counts *counters, write time.Duration) *line {
	return &line{
		rwc: rwc, log: log, counts: counts, write: write,
		doorbell: make(chan struct{}, 1), lost: make(chan struct{}), news: news{rung: map[string]bool{}},
	}
}

// pump reads until the line is lost or closed.
func (l *line) pump() {
	var s splitter
	buf := make([]byte, 4096)
	for {
		n, err := l.rwc.Read(buf)
		if n > 0 {
			l.mu.Lock()
			l.heard = time.Now()
			s.feed(buf[:n], l.takeLocked, l.promptLocked)
			l.mu.Unlock()
		}
		if err != nil {
			l.fail(fmt.Errorf("read from the modem: %w", err))
			return
		}
	}
}

// promptLocked hands on a prompt if one is expected: a second one would have the PDU sent twice.
func (l *line) promptLocked() {
	if l.prompt && l.port != nil {
		l.prompt = false
		l.port.feed(">")
	}
}

// takeLocked sorts one line.
func (l *line) takeLocked(raw []byte) {
	text := string(raw)
	if trail := l.trail; trail != kindReply {
		l.trail = kindReply
		if isHex(text) {
			l.directLocked(trail, text)
			return
		}
		l.counts.strays.Add(1) // its PDU was lost: this line is one like any other
	}
	pending := ""
	if l.busy {
		pending = l.pending
	}
	switch k := classify(text, pending); k {
	case kindRing:
		l.counts.doorbells.Add(1)
		l.news.rung[ringing(text)] = true
		l.ringLocked()
	case kindFull:
		l.log.Warn("a message storage is full")
		l.news.rung[""] = true
		l.ringLocked()
	case kindReboot:
		l.news.reboot = true
		l.ringLocked()
	case kindDeliver, kindReport, kindCell:
		l.trail = k
	case kindRefused:
		l.replyLocked("ERROR")
	case kindNoise:
	case kindReply:
		l.replyLocked(text)
	}
}

func (l *line) directLocked(k kind, pdu string) {
	if k == kindCell {
		return
	}
	if len(l.news.direct) == directMax {
		l.counts.overruns.Add(1)
		l.log.Error("a message that the modem did not store is dropped: too many wait")
		return
	}
	l.counts.doorbells.Add(1)
	l.news.direct = append(l.news.direct, direct{report: k == kindReport, pdu: pdu})
	l.ringLocked()
}

func (l *line) ringLocked() {
	select {
	case l.doorbell <- struct{}{}:
	default:
	}
}

// replyLocked hands a line to the command under way. Nobody waits for it otherwise: it is the late answer to a command that was given up.
func (l *line) replyLocked(text string) {
	if !l.busy || l.port == nil {
		l.counts.strays.Add(1)
		return
	}
	l.port.feed(text + "\r\n")
}

// takeNews returns what the modem said unasked.
func (l *line) takeNews() news {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := l.news
	l.news = news{rung: map[string]bool{}}
	return n
}

// rebooted reports whether the modem has started over since news was taken.
func (l *line) rebooted() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.news.reboot
}

// begin opens the way for the replies to one command, and end shuts it.
func (l *line) begin(cmd string, prompt bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.busy, l.pending, l.prompt = true, pendingPrefix(cmd), prompt
}

func (l *line) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.busy, l.pending, l.prompt = false, "", false
}

// attach feeds replies to a fresh port from now on. The one before must be detached.
func (l *line) attach() *port {
	p := newPort(l)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		p.detached = true // nobody would detach it
	}
	l.port = p
	return p
}

// detach has the port read the end of its input.
func (l *line) detach() {
	l.mu.Lock()
	old := l.port
	l.port = nil
	l.mu.Unlock()
	if old != nil {
		old.detach()
	}
}

// send writes to the modem. One that takes nothing for so long will not take anything any more.
func (l *line) send(b []byte) (int, error) {
	if d, ok := l.rwc.(interface{ SetWriteDeadline(t time.Time) error }); ok {
		if err := d.SetWriteDeadline(time.Now().Add(l.write)); err != nil && !errors.Is(err, os.ErrNoDeadline) {
			l.fail(fmt.Errorf("write to the modem: %w", err))
			return 0, err
		}
	}
	n, err := l.rwc.Write(b)
	if err != nil {
		l.fail(fmt.Errorf("write to the modem: %w", err))
	}
	return n, err
}

// quiet waits until the modem has said nothing for gap, for no longer than most.
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
		l.detach()
	}
}

// cause returns why the line is lost, nil if it is not.
func (l *line) cause() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

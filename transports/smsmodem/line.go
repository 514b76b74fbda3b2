package smsmodem

import (
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/godwit-gateway/godwit/transports/serial"
)

// Limits of what a line holds for its session.
const (
	bufferMax  = 64 << 10 // bytes of a reply that at.AT has not read yet
	directMax  = 256      // messages that the modem handed over instead of storing them, until the session takes them
	waitingMax = 1024     // of these: those that the sink has not taken yet
)

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

// A line keeps what the modem says unasked out of replies and feeds what is left to the port that is attached. So a command processor that lost track can
// be thrown away and a fresh one attached.
type line struct {
	*serial.Line

	log      *slog.Logger
	counts   *counters
	doorbell chan struct{} // holds one token while news is not empty

	mu      sync.Mutex
	in      splitter // guarded by mu
	port    *port    // attached, or nil; guarded by mu
	busy    bool     // a command is under way; guarded by mu
	pending string   // prefix of its information lines; guarded by mu
	prompt  bool     // it is to get one prompt; guarded by mu
	trail   kind     // of the line before, if its PDU is to follow; guarded by mu
	news    news     // guarded by mu
}

func newLine(rwc io.ReadWriteCloser, log *slog.Logger, counts *counters, write time.Duration) *line {
	l := &line{log: log, counts: counts, doorbell: make(chan struct{}, 1), news: news{rung: map[string]bool{}}}
	l.Line = serial.NewLine(rwc, "the modem", write, l.detach)
	return l
}

// take takes what the modem said.
func (l *line) take(b []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.in.feed(b, l.takeLocked, l.promptLocked)
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
	l.port = p
	l.mu.Unlock()
	if l.Cause() != nil {
		l.detach() // nobody else would
	}
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

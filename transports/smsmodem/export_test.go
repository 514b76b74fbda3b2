package smsmodem

import (
	"time"

	"github.com/godwit-gateway/godwit/transports"
)

// Hasten makes the driver wait milliseconds where it waits seconds, for modems that answer at once.
func (t *Transport) Hasten() {
	t.timing = timing{
		command: 300 * time.Millisecond, list: 300 * time.Millisecond, send: 300 * time.Millisecond, pin: 300 * time.Millisecond,
		probe: 100 * time.Millisecond, write: 300 * time.Millisecond, quiet: 8 * time.Millisecond, drain: 100 * time.Millisecond,
		check: time.Hour, start: time.Second, queue: 5 * time.Second, register: 100 * time.Millisecond, poll: 10 * time.Millisecond, sim: 200 * time.Millisecond, trust: 20 * time.Millisecond, backoff: 20 * time.Millisecond,
		settle: 10 * time.Millisecond, grace: 2 * time.Second, persist: 0, resets: time.Hour, boot: time.Second,
	}
}

// HastenPauses makes it wait milliseconds between things, and as long as ever for answers.
func (t *Transport) HastenPauses() {
	t.Hasten()
	d, was := &timingDefault, &t.timing
	was.command, was.list, was.send, was.pin, was.probe, was.write = d.command, d.list, d.send, d.pin, d.probe, d.write
}

// CheckEvery sets how often the modem is looked at.
func (t *Transport) CheckEvery(d time.Duration) { t.timing.check = d }

// SettleAfter sets how long a report is held back after its send.
func (t *Transport) SettleAfter(d time.Duration) { t.timing.settle = d }

// QueueFor sets how long a send waits for its turn.
func (t *Transport) QueueFor(d time.Duration) { t.timing.queue = d }

// GraceOf sets how long what is in hand may take.
func (t *Transport) GraceOf(d time.Duration) { t.timing.grace = d }

// PersistFor sets how long the modem has to fail before it is started over, and ResetEvery how often that may be.
func (t *Transport) PersistFor(d time.Duration) { t.timing.persist = d }

// ResetEvery sets the time between two starts of a modem that fails.
func (t *Transport) ResetEvery(d time.Duration) { t.timing.resets = d }

// A PDU is what parsePDU says of one.
type PDU struct {
	Report     bool
	From       string
	At         time.Time
	Port       uint16
	Content    transports.Content
	Part       transports.Part
	Payload    string
	MR, Status byte
}

// ParsePDU reads a PDU.
func ParsePDU(text, country string) (PDU, error) {
	r, err := parsePDU(text, country)
	return PDU{r.report, r.from, r.at, r.port, r.content, r.part, string(r.payload), r.mr, r.status}, err
}

// Entry is an entry of a listing.
type Entry struct {
	Index, Stat, Length int
	PDU                 string
}

// ParseList reads the answer to +CMGL.
func ParseList(lines []string) ([]Entry, error) {
	list, err := parseList(lines)
	var out []Entry
	for _, e := range list {
		out = append(out, Entry{e.index, e.stat, e.length, e.pdu})
	}
	return out, err
}

// ParseRead reads the answer to +CMGR.
func ParseRead(index int, lines []string) (Entry, error) {
	e, err := parseRead(index, lines)
	return Entry{e.index, e.stat, e.length, e.pdu}, err
}

// ErrTextMode is what a listing in text mode is.
var ErrTextMode = errTextMode

// Split makes lines of bytes, a prompt being ">".
func Split(chunks ...[]byte) []string {
	var s splitter
	var out []string
	for _, b := range chunks {
		s.feed(b, func(line []byte) { out = append(out, string(line)) }, func() { out = append(out, ">") })
	}
	return out
}

// Classify names what a line is.
func Classify(line, command string) string {
	names := [...]string{"reply", "ring", "deliver", "report", "cell", "full", "reboot", "refused", "noise"}
	return names[classify(line, pendingPrefix(command))]
}

// StateOf reads TP-ST.
func StateOf(status byte) transports.ReportState { return stateOf(status) }

// Encode makes the PDUs of a downlink.
func Encode(d transports.Downlink, port uint16, ref uint8, now time.Time) ([]string, error) {
	parts, err := encode(&d, port, ref, now)
	var out []string
	for _, p := range parts {
		out = append(out, p.pdu)
	}
	return out, err
}

package sbdterm

import (
	"encoding/binary"
	"math/rand/v2"
	"time"

	"github.com/godwit-gateway/godwit/simulator/peers/pty"
)

const inMax = 16 << 10 // bytes received and not executed

// A machine is the modem and its network. It is told the time and the bytes; it does no I/O, starts nothing and is not safe for concurrent use.
type machine struct {
	o     *Options
	rng   *rand.Rand
	stats Stats

	// What goes wrong.
	script     []Step
	interleave int
	garble     int
	silent     bool
	hold       bool
	sky        int // signal, 0 to 5
	pull       bool

	// The line.
	in    []byte
	typed []byte
	entry *entry
	out   []byte
	urcs  []string // wait for the end of a command

	// Settings and buffers: they go with the power.
	off        time.Time // no power until then; zero: there is
	echo       bool
	verbose    bool
	rings      bool // +SBDMTA
	mo         []byte
	mt         *MT
	read       bool // mt was, by +SBDRB or +SBDRT
	ra         bool // a ring alert was not answered
	registered bool

	// What stays.
	momsn   uint16
	mtmsn   int       // of the last message, -1: none
	waiting int       // as of the last session
	auto    int       // +SBDAREG
	since   time.Time // of the last +SBDREG

	session *session

	// The network.
	queue  []MT
	number uint16    // MTMSN of the next message
	ringAt time.Time // zero: no ring alert is due
	calls  []func()
}

// An entry is a message being written into the MO buffer.
type entry struct {
	binary bool
	data   []byte
	want   int // bytes with the checksum, if binary
	until  time.Time
}

func newMachine(o *Options) *machine {
	m := &machine{
		o: o, rng: rand.New(rand.NewPCG(o.Seed, 0x7362647465726d)), sky: barsMax, momsn: o.MOMSN, mtmsn: -1, //nolint:gosec // chance is to be reproducible, not secret
	}
	m.boot()
	return m
}

// boot is power-up.
func (m *machine) boot() {
	m.stats.Boots++
	m.off = time.Time{}
	m.echo, m.verbose, m.rings = true, true, true
}

// down takes the power away.
func (m *machine) down(now time.Time) {
	m.off = now.Add(m.o.Off)
	m.in, m.typed, m.entry, m.out, m.urcs, m.session = nil, nil, nil, nil, nil, nil
	m.mo, m.ra, m.registered, m.ringAt = nil, false, false, time.Time{}
	if m.mt != nil {
		m.stats.PowerLost++
		m.dropMT(PowerLost)
	}
}

// Plug implements pty.Machine: the modem does not notice.
func (*machine) Plug(time.Time) {}

// Unplug is the end of a line: what was on its way is lost, the modem goes on.
func (m *machine) Unplug() { m.in, m.typed, m.entry, m.out = nil, nil, nil, nil }

// Input takes bytes from the terminal.
func (m *machine) Input(b []byte) {
	if m.silent || !m.off.IsZero() {
		return
	}
	if room := inMax - len(m.in); len(b) > room {
		b = b[:room]
	}
	m.in = append(m.in, b...)
}

// Poll does what is due and says what the terminal is to do.
func (m *machine) Poll(now time.Time) (e pty.Effects) {
	if !m.off.IsZero() && !now.Before(m.off) {
		m.boot()
	}
	if m.off.IsZero() {
		m.ring(now)
		for m.step(now) {
		}
	}
	e.Out, m.out = m.out, nil
	if m.silent {
		e.Out = nil
	}
	e.Calls, m.calls = m.calls, nil
	if m.pull {
		m.Unplug()
	}
	e.Unplug, m.pull = m.pull, false
	e.Wake = m.wake()
	return e
}

// step does one thing. It reports whether there may be more to do.
func (m *machine) step(now time.Time) bool {
	switch {
	case m.session != nil:
		if m.held() || now.Before(m.session.ends) {
			return false
		}
		m.finish(now)
		return m.off.IsZero()
	case m.entry != nil && !now.Before(m.entry.until):
		m.entry = nil
		m.info("1")
		m.result(true)
		return true
	case m.entry == nil && len(m.urcs) > 0:
		for _, u := range m.urcs {
			m.out = append(m.out, "\r\n"+u+"\r\n"...)
		}
		m.urcs = nil
	}
	for i, b := range m.in {
		if m.take(now, b) {
			m.in = m.in[i+1:]
			return true
		}
	}
	m.in = nil
	return false
}

// take takes one byte. It reports whether something was executed.
func (m *machine) take(now time.Time, b byte) bool {
	if m.entry != nil {
		return m.enter(b)
	}
	if m.echo {
		m.out = append(m.out, b)
	}
	switch b {
	case '\n':
		m.stats.LineFeeds++
		return false
	case '\r':
		text := string(m.typed)
		m.typed = nil
		if text == "" {
			return false
		}
		m.execute(now, text)
		return true
	}
	if len(m.typed) < inMax {
		m.typed = append(m.typed, b)
	}
	return false
}

// enter takes one byte of a message.
func (m *machine) enter(b byte) bool {
	e := m.entry
	if !e.binary && b == '\r' {
		m.entry = nil
		m.store(e.data)
		return true
	}
	e.data = append(e.data, b)
	switch {
	case !e.binary && len(e.data) > MOMax:
		m.entry = nil
		m.info("1")
		m.result(true)
		return true
	case !e.binary || len(e.data) < e.want:
		return false
	}
	m.entry = nil
	n := len(e.data) - 2
	if binary.BigEndian.Uint16(e.data[n:]) != sum(e.data[:n]) {
		m.info("2")
		m.result(true)
		return true
	}
	m.store(e.data[:n])
	return true
}

// store puts a message into the MO buffer.
func (m *machine) store(b []byte) {
	m.mo = append([]byte{}, b...)
	m.info("0")
	m.result(true)
}

// sum is the checksum of a message.
func sum(b []byte) (s uint16) {
	for _, c := range b {
		s += uint16(c)
	}
	return s
}

// info says a line of an answer.
func (m *machine) info(text string) { m.out = append(m.out, "\r\n"+text+"\r\n"...) }

// result ends an answer. A ring alert may cut in before.
func (m *machine) result(ok bool) {
	m.cutIn()
	text, number := "\r\nOK\r\n", "0\r"
	if !ok {
		m.stats.Errors++
		text, number = "\r\nERROR\r\n", "4\r"
	}
	if !m.verbose {
		text = number
	}
	m.out = append(m.out, text...)
}

// cutIn puts a ring alert into the answer, if one is to be.
func (m *machine) cutIn() {
	if m.interleave > 0 {
		m.interleave--
		m.out = append(m.out, "\r\nSBDRING\r\n"...)
		m.stats.Rings++
	}
}

func (m *machine) wake() time.Time {
	var at time.Time
	earlier := func(t time.Time) {
		if !t.IsZero() && (at.IsZero() || t.Before(at)) {
			at = t
		}
	}
	earlier(m.off)
	if m.off.IsZero() {
		earlier(m.ringAt)
	}
	if m.session != nil && !m.held() {
		earlier(m.session.ends)
	}
	if m.entry != nil {
		earlier(m.entry.until)
	}
	return at
}

func (m *machine) snapshot() Stats {
	s := m.stats
	s.Waiting, s.MO, s.MT, s.MOMSN, s.Registration = len(m.queue), m.mo != nil, m.mt != nil, m.momsn, m.registration()
	return s
}

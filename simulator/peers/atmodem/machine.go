package atmodem

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/godwit-gateway/godwit/simulator/peers/pty"
)

const (
	inMax    = 64 << 10 // bytes received and not executed
	outMax   = 64 << 10 // bytes to be sent; replies of a command may go beyond by their own length
	urcsMax  = 256      // unsolicited lines waiting for a reply to end
	entryMax = 2048     // bytes of a PDU or text being entered
	ctrlZ    = 0x1a
	escape   = 0x1b
)

// A chunk is output that is due at a time.
type chunk struct {
	due  time.Time
	data string
	then Action // ActUnplug or ActReboot once it is sent
}

// A machine is the modem and its network. It is told the time and the bytes; it does no I/O, starts nothing and is not safe for concurrent
// use.
type machine struct {
	o        *Options
	rng      *rand.Rand
	director director
	stats    Stats

	// Power.
	plugged bool
	booted  bool
	ready   time.Time // end of booting
	replug  time.Time // when a fault that pulled the cable puts it back; zero: never

	// The line.
	in    []byte
	typed []byte
	last  string // command line, for A/
	entry *entry // nil unless a PDU is being entered
	out   []chunk
	free  time.Time // the command under way has been answered then
	urcs  []string  // to be sent between replies
	held  []string  // to be sent inside the next one
	await acknowledge

	set   settings
	saved settings // AT&W
	sim   sim
	radio attachment
	flap  bool
	fails bool // at everything about messages, as ActFail wanted

	sm, me, sr *storage
	centre     centre
	calls      []func()
}

func newMachine(o *Options, now time.Time) *machine {
	rng := rand.New(rand.NewPCG(o.Seed, 0x61746d6f64656d)) //nolint:gosec // chance is to be reproducible, not secret
	m := &machine{
		o: o, rng: rng, director: newDirector(&o.Faults, rng),
		sm: newStorage("SM", o.SMSlots), me: newStorage("ME", o.MESlots), sr: newStorage("SR", 0),
		saved: factory(), sim: sim{tries: pinTries, smsc: o.SMSC}, centre: newCentre(),
	}
	if o.Profile.ReportStore {
		m.sr = newStorage("SR", srSlots)
	}
	m.Plug(now)
	m.booted, m.ready = true, now // the first time it has been running for a while
	m.radio.since = now
	return m
}

// Plug gives the modem power.
func (m *machine) Plug(now time.Time) {
	m.plugged, m.replug = true, time.Time{}
	m.stats.Plugs++
	m.reboot(now)
}

// Unplug takes its power for good: a fault that did so before does not give it back.
func (m *machine) Unplug() {
	m.down()
	m.replug = time.Time{}
}

// down takes its power. What was on its way to the terminal is lost, and what is at the service centre stays there.
func (m *machine) down() {
	m.plugged, m.booted = false, false
	m.in, m.out, m.urcs, m.held = nil, nil, nil, nil
}

func (m *machine) reboot(now time.Time) {
	m.stats.Boots++
	m.booted, m.ready = false, now.Add(m.o.Profile.Boot)
	m.in, m.typed, m.entry, m.out, m.urcs, m.held = nil, nil, nil, nil, nil, nil
	m.last, m.free = "", now
	m.set = m.saved
	m.set.storages(m)
	m.sim.unlocked = m.o.Profile.PIN == "" && m.sim.tries > 0
	m.radio = attachment{functionality: 1, since: m.ready.Add(m.o.Profile.Boot / 2)}
	m.await = acknowledge{}
	m.fails = false
	m.centre.retryNow()
}

// Input takes bytes from the terminal.
func (m *machine) Input(b []byte) {
	if !m.booted {
		return
	}
	if room := inMax - len(m.in); len(b) > room {
		m.stats.InputDropped += uint64(len(b) - room) //nolint:gosec // positive
		b = b[:room]
	}
	m.in = append(m.in, b...)
}

// Poll does what is due and says what the terminal is to do.
func (m *machine) Poll(now time.Time) (e pty.Effects) {
	if !m.plugged {
		if !m.replug.IsZero() && !now.Before(m.replug) {
			m.replug, e.Plug = time.Time{}, true
		}
	} else {
		if !m.booted && !now.Before(m.ready) {
			m.booted = true
			for _, line := range m.o.Profile.BootLines {
				m.push(now, "\r\n"+line+"\r\n", ActNothing)
			}
		}
		m.network(now)
		for m.step(now, &e) {
			m.network(now)
		}
	}
	e.Calls, m.calls = m.calls, nil
	e.Wake = m.wake(now)
	return e
}

// step sends what is due, then unsolicited lines, then executes commands until one takes time. It reports whether there may be more to do.
func (m *machine) step(now time.Time, e *pty.Effects) bool {
	for len(m.out) > 0 && !m.out[0].due.After(now) {
		c := m.out[0]
		m.out = m.out[1:]
		e.Out = append(e.Out, c.data...)
		switch c.then {
		case ActUnplug:
			m.down()
			m.replug = now.Add(m.director.faults.Away)
			e.Unplug = true
			return false
		case ActReboot:
			m.reboot(now)
			return false
		default:
		}
	}
	if m.busy(now) || !m.booted {
		return false
	}
	if m.entry == nil && len(m.urcs) > 0 {
		for _, u := range m.urcs {
			m.push(now, u, ActNothing)
		}
		m.urcs = m.urcs[:0]
		return true
	}
	return m.work(now)
}

// busy tells whether a command has not been answered yet.
func (m *machine) busy(now time.Time) bool { return now.Before(m.free) || len(m.out) > 0 }

// work takes input until a command was executed.
func (m *machine) work(now time.Time) bool {
	for i, b := range m.in {
		if m.take(now, b) {
			m.in = m.in[i+1:]
			return true
		}
	}
	m.in = m.in[:0]
	return len(m.out) > 0 // echo
}

// take takes one byte. It reports whether something was executed.
func (m *machine) take(now time.Time, b byte) bool {
	if m.entry != nil {
		return m.enter(now, b)
	}
	if m.set.echo && m.set.edits(b) {
		m.push(now, string([]byte{b}), ActNothing)
	}
	switch {
	case b == m.set.s[3]:
		line := m.typed
		m.typed = nil
		return m.line(now, line)
	case b == m.set.s[5]:
		if len(m.typed) > 0 {
			m.typed = m.typed[:len(m.typed)-1]
		}
	case b < ' ' || b >= 0x7f: // V.250 §5.2.1: other control characters are ignored
	default:
		if len(m.typed) <= lineMax {
			m.typed = append(m.typed, b)
		}
		if b == '/' && len(m.typed) == 2 && m.typed[0]|0x20 == 'a' { // A/ needs no end of line
			m.typed = nil
			m.execute(now, m.last)
			return true
		}
	}
	return false
}

// line executes a line from its AT on; what comes before is noise.
func (m *machine) line(now time.Time, line []byte) bool {
	at := bytes.Index(bytes.ToUpper(line), []byte("AT"))
	if at < 0 {
		return false
	}
	if len(line) > lineMax {
		m.finish(now, &reply{final: resultOf(failed)})
		return true
	}
	m.last = strings.TrimSpace(string(line[at+2:]))
	m.execute(now, m.last)
	return true
}

// push queues output. What is due already joins what is due before it.
func (m *machine) push(due time.Time, data string, then Action) {
	if n := len(m.out); n > 0 {
		last := &m.out[n-1]
		if last.due.After(due) {
			due = last.due
		}
		if last.then == ActNothing && last.due.Equal(due) && then == ActNothing {
			last.data += data
			return
		}
	}
	m.out = append(m.out, chunk{due, data, then})
}

// urc sends an unsolicited line as soon as no command is under way.
func (m *machine) urc(text string) {
	if m.director.Chance(m.director.faults.URCLost) {
		return
	}
	if len(m.urcs)+len(m.held) >= urcsMax {
		return // as modems do; that is why nobody may rely on them
	}
	m.stats.URCs++
	text = "\r\n" + text + "\r\n"
	if m.director.Chance(m.director.faults.URCInReply) {
		m.held = append(m.held, text)
		return
	}
	m.urcs = append(m.urcs, text)
}

// wake returns when to poll again at the latest; zero: not before something happens.
func (m *machine) wake(now time.Time) time.Time {
	var wake time.Time
	at := func(t time.Time) {
		if !t.IsZero() && (wake.IsZero() || t.Before(wake)) {
			wake = t
		}
	}
	if !m.plugged {
		at(m.replug)
		return wake
	}
	if !m.booted {
		at(m.ready)
	}
	if len(m.out) > 0 {
		at(m.out[0].due)
	}
	if m.free.After(now) {
		at(m.free)
	}
	at(m.networkWake(now))
	return wake
}

func (m *machine) snapshot() Stats {
	s := m.stats
	s.Waiting, s.Plugged, s.Stored = len(m.centre.queue), m.plugged, m.sm.count()+m.me.count()+m.sr.count()
	return s
}

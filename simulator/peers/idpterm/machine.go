package idpterm

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/godwit-gateway/godwit/simulator/peers/pty"
)

const (
	inMax   = 64 << 10 // bytes received and not executed
	lineMax = 16 << 10 // of a command
)

// Bits of S89: events since it was read last.
const (
	eventForward  = 1 << 1
	eventReturned = 1 << 2
)

// A machine is the terminal and its network. It is told the time and the bytes; it does no I/O, starts nothing and is not safe for concurrent use.
type machine struct {
	o        *Options
	rng      *rand.Rand
	director director
	stats    Stats

	booted  bool
	starts  time.Time // end of booting
	blocked bool

	in   []byte
	out  []byte
	hold time.Time // the reply to the command under way is due then
	held []byte    // that reply

	echo      bool
	sums      bool
	registers map[int]int
	lastError int
	events    int

	number   int // counts messages
	returns  []*returning
	forwards []*coming // those in the forward queue, and behind them those in the network
	calls    []func()
	pull     bool // the cable
}

func newMachine(o *Options, now time.Time) *machine {
	rng := rand.New(rand.NewPCG(o.Seed, 0x6964707465726d)) //nolint:gosec // chance is to be reproducible, not secret
	m := &machine{o: o, rng: rng, director: newDirector(&o.Faults, rng)}
	m.power(now)
	m.booted, m.starts, m.out = true, now, nil // the first time it has been running for a while
	return m
}

// power gives the terminal power.
func (m *machine) power(now time.Time) {
	m.stats.Boots++
	m.booted, m.starts = false, now.Add(m.o.Boot)
	m.echo, m.sums, m.lastError, m.events = true, false, 0, 0
	m.registers = map[int]int{50: 0, 51: 0, 80: 0, 85: 250}
	if m.o.Battery {
		m.registers[50] = 2
	}
}

// cutPower takes it, and gives it back. What the return queue had is lost; what came in is kept, if it had come in.
func (m *machine) cutPower(now time.Time) {
	m.in, m.out, m.held = nil, nil, nil
	m.stats.Forgotten += uint64(len(m.returns))
	m.returns = nil
	for _, c := range m.forwards {
		if c.state == pending {
			c.state, c.name = 0, ""
		}
	}
	m.power(now)
}

// Plug implements pty.Machine: the terminal does not notice.
func (*machine) Plug(time.Time) {}

// Unplug is the end of a line: what was on its way is lost, the terminal goes on.
func (m *machine) Unplug() { m.in, m.out, m.held = nil, nil, nil }

// Input takes bytes from the program.
func (m *machine) Input(b []byte) {
	if !m.booted || len(m.in)+len(b) > inMax {
		return
	}
	m.in = append(m.in, b...)
}

// Poll does what is due and says what the pseudo-terminal is to do.
func (m *machine) Poll(now time.Time) (e pty.Effects) {
	if !m.booted && !now.Before(m.starts) {
		m.booted = true
		m.out = append(m.out, "\r\nST Version 4.2.1\r\n"...)
	}
	m.air(now)
	for m.step(now) {
		m.air(now)
	}
	e.Out, m.out = m.out, nil
	e.Calls, m.calls = m.calls, nil
	if m.pull {
		m.Unplug()
	}
	e.Unplug, m.pull = m.pull, false
	e.Wake = m.wake(now)
	return e
}

// step answers one command. It reports whether there may be more to do.
func (m *machine) step(now time.Time) bool {
	if m.held != nil {
		if now.Before(m.hold) {
			return false
		}
		m.out, m.held = append(m.out, m.held...), nil
		return true
	}
	i := bytes.IndexByte(m.in, '\r')
	if i < 0 {
		if len(m.in) > lineMax {
			m.in = nil
		}
		return false
	}
	line := strings.TrimLeft(string(m.in[:i]), "\r\n\x00 ")
	m.in = m.in[i+1:]
	if at := strings.Index(strings.ToUpper(line), "AT"); at >= 0 {
		m.command(now, line[at:])
	}
	return true
}

// command executes one command line, which begins with AT.
func (m *machine) command(now time.Time, line string) {
	m.stats.Commands++
	step := m.director.next(line)
	if step.Do == ActGarbleCommand {
		line = line[:2] + m.director.garble(line[2:])
	}
	echo := ""
	if m.echo {
		echo = line + "\r"
	}
	if (step.Do == ActMute || step.Do == ActPowerCut || step.Do == ActUnplug || step.Do == ActError) && !step.Applied {
		m.fault(now, step, echo, "")
		return
	}
	m.fault(now, step, echo, m.reply(line, now))
}

// fault sends a reply, or does what is to happen instead.
func (m *machine) fault(now time.Time, step Step, echo, reply string) {
	switch step.Do {
	case ActMute:
		return
	case ActPowerCut:
		m.cutPower(now)
		return
	case ActUnplug:
		m.pull = true
		return
	case ActError:
		m.lastError = step.Code
		reply = m.finish("", false)
	case ActGarble:
		reply = m.director.garble(reply)
	case ActGarbleData:
		reply = garbleData(reply)
	case ActDelay:
		m.held, m.hold = []byte(echo+reply), now.Add(step.For)
		return
	default:
	}
	m.out = append(append(m.out, echo...), reply...)
}

// reply executes a command line and returns the whole reply.
func (m *machine) reply(line string, now time.Time) string {
	body := line[2:]
	if m.sums {
		text, sum, ok := strings.Cut(line, "*")
		if !ok || fmt.Sprintf("%04X", crc(text)) != strings.ToUpper(sum) {
			m.lastError = errorChecksum
			return m.finish("", false)
		}
		body = text[2:]
	}
	before := m.sums
	lines, code := m.execute(strings.TrimSpace(body), now)
	if code != 0 {
		m.lastError = code
	}
	var info strings.Builder
	for i, text := range lines {
		if i == 0 {
			info.WriteString("\r\n")
		}
		info.WriteString(text + "\r\n")
	}
	if before && !m.sums { // the reply to %CRC=0 has none
		return info.String() + "\r\nOK\r\n"
	}
	return m.finish(info.String(), code == 0)
}

// finish ends a reply.
func (m *machine) finish(info string, ok bool) string {
	word := "ERROR"
	if ok {
		word = "OK"
	}
	reply := info + "\r\n" + word + "\r\n"
	if m.sums {
		reply += fmt.Sprintf("*%04X\r\n", crc(reply))
	}
	return reply
}

// wake returns when to poll again at the latest; zero: not before something happens.
func (m *machine) wake(now time.Time) time.Time {
	if !m.booted {
		return m.starts
	}
	wake := m.airWake(now)
	if m.held != nil && (wake.IsZero() || m.hold.Before(wake)) {
		wake = m.hold
	}
	return wake
}

// crc is CRC-16 with polynomial 0x1021.
func crc(s string) uint16 {
	sum := uint16(0xFFFF)
	for i := range len(s) {
		sum ^= uint16(s[i]) << 8
		for range 8 {
			sum = sum<<1 ^ (sum>>15)*0x1021
		}
	}
	return sum
}

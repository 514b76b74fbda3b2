package sbdterm

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// execute executes a command line.
func (m *machine) execute(now time.Time, text string) {
	m.stats.Commands++
	rest := strings.TrimSpace(text)
	if len(rest) < 2 || !strings.EqualFold(rest[:2], "AT") {
		m.result(false)
		return
	}
	rest = rest[2:]
	for rest != "" {
		if strings.ContainsRune("+-*", rune(rest[0])) {
			m.extended(now, rest)
			return
		}
		var ok bool
		if rest, ok = m.basic(rest); !ok {
			m.result(false)
			return
		}
	}
	m.result(true)
}

// basic executes the first command of a line of basic ones and returns the others.
func (m *machine) basic(rest string) (string, bool) {
	n := 1
	if rest[0] == '&' && len(rest) > 1 {
		n = 2
	}
	name := strings.ToUpper(rest[:n])
	value := 0
	for n < len(rest) && rest[n] >= '0' && rest[n] <= '9' {
		value = value*10 + int(rest[n]-'0')
		n++
	}
	switch name {
	case "E":
		m.echo = value == 1
	case "V":
		m.verbose = value == 1
	case "Q", "I", "&K", "&D", "&W", "&F", "Z":
	default:
		return "", false
	}
	return rest[n:], true
}

// answer says numbers under a name.
func (m *machine) answer(name string, fields ...int) {
	between, after := ", ", " "
	if m.o.Tight {
		between, after = ",", ""
	}
	parts := make([]string, len(fields))
	for i, f := range fields {
		parts[i] = strconv.Itoa(f)
	}
	m.info(name + ":" + after + strings.Join(parts, between))
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

// extended executes a command of the transceiver's own.
func (m *machine) extended(now time.Time, text string) {
	name, value, has := strings.Cut(text, "=")
	name = strings.ToUpper(name)
	switch name {
	case "+CGSN", "+GSN":
		m.info(m.o.IMEI)
	case "+CGMI":
		m.info("Godwit")
	case "+CGMM":
		m.info("Simulated 9602")
	case "+CGMR":
		m.info("Call Processor Version: " + m.o.Firmware + "\r\nModem DSP Version: 1.7 svn: 2358")
	case "+CSQ", "+CSQF":
		m.info(fmt.Sprintf("%s:%d", name, m.sky))
	case "-MSSTM":
		if m.sky == 0 {
			m.info("-MSSTM: no network service")
		} else {
			m.info(fmt.Sprintf("-MSSTM: %08x", uint32(now.Unix()))) //nolint:gosec // until 2106
		}
	case "+CIER", "+SBDLOE", "*F", "*R0", "*R1":
	case "+SBDMTA", "+SBDMTA?", "+SBDAREG", "+SBDAREG?":
		m.setting(name, value, has)
		return
	default:
		m.transfer(now, name, value, has)
		return
	}
	m.result(true)
}

// setting sets or tells one of the numbers that are kept.
func (m *machine) setting(name, value string, has bool) {
	n, err := strconv.Atoi(value)
	switch {
	case name == "+SBDMTA?":
		m.answer("+SBDMTA", flag(m.rings))
	case name == "+SBDAREG?":
		m.answer("+SBDAREG", m.auto)
	case !has || err != nil || n < 0 || n > 2:
		m.result(false)
		return
	case name == "+SBDMTA":
		m.rings = n == 1
	default:
		m.auto = n
	}
	m.result(true)
}

// transfer executes a command about messages.
func (m *machine) transfer(now time.Time, name, value string, has bool) {
	switch name {
	case "+SBDWB":
		m.beginBinary(now, value)
		return
	case "+SBDWT":
		if !has {
			m.out = append(m.out, "\r\nREADY\r\n"...)
			m.entry = &entry{until: now.Add(m.o.Entry)}
			return
		}
		if len(value) > 120 {
			m.result(false)
			return
		}
		m.mo = []byte(value)
	case "+SBDRB":
		m.sayBlock()
	case "+SBDRT":
		m.info("+SBDRT:\r\n" + string(m.received()))
	case "+SBDD0", "+SBDD1", "+SBDD2":
		m.erase(name)
	case "+SBDC":
		m.momsn = 0
		m.info("0")
	case "+SBDS":
		m.answer(name, flag(m.mo != nil), int(m.momsn), flag(m.mt != nil), m.mtmsn)
	case "+SBDSX":
		m.answer(name, flag(m.mo != nil), int(m.momsn), flag(m.mt != nil), m.mtmsn, flag(m.ra), m.waiting)
	case "+SBDIX", "+SBDIXA", "+SBDI", "+SBDREG":
		m.begin(now, name)
		return
	case "+SBDREG?":
		m.answer("+SBDREG", m.registration())
	case "+SBDDET":
		m.registered = false
		m.answer(name, 0, 0)
	default:
		m.result(false)
		return
	}
	m.result(true)
}

// begin starts a session or a registration.
func (m *machine) begin(now time.Time, name string) {
	s := session{name: name, only: name == "+SBDREG", detach: name == "+SBDI"}
	if name == "+SBDIXA" && !m.o.EchoA {
		s.name = "+SBDIX"
	}
	if s.detach {
		m.stats.Detaching++
	}
	m.start(now, s)
}

// beginBinary asks for a message.
func (m *machine) beginBinary(now time.Time, value string) {
	n, err := strconv.Atoi(value)
	if err != nil {
		m.result(false)
		return
	}
	if n < 1 || n > m.o.MOMost {
		m.info("3")
		m.result(true)
		return
	}
	m.cutIn()
	m.out = append(m.out, "\r\nREADY\r\n"...)
	m.entry = &entry{binary: true, want: n + 2, until: now.Add(m.o.Entry)}
}

// received is what the MT buffer holds. It counts as read from here on.
func (m *machine) received() []byte {
	if m.mt == nil {
		return nil
	}
	m.read = true
	return m.mt.Payload
}

// sayBlock says what the MT buffer holds, as bytes.
func (m *machine) sayBlock() {
	m.cutIn()
	b := m.received()
	s := sum(b)
	if m.garble > 0 {
		m.garble--
		s++
	}
	m.out = binary.BigEndian.AppendUint16(m.out, uint16(len(b))) //nolint:gosec // at most MTMax
	m.out = append(m.out, b...)
	m.out = binary.BigEndian.AppendUint16(m.out, s)
}

// erase empties buffers.
func (m *machine) erase(name string) {
	if name != "+SBDD1" {
		m.mo = nil
	}
	if name != "+SBDD0" && m.mt != nil {
		if m.read {
			m.dropMT(Cleared)
		} else {
			m.dropMT(Unread)
		}
	}
	m.info("0")
}

package idpterm

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Error codes, as S80 has them.
const (
	errorChecksum    = 100
	errorUnknown     = 101
	errorParameter   = 102
	errorLength      = 103
	errorFull        = 106
	errorNameInUse   = 107
	errorUnavailable = 109
	errorReadOnly    = 112
)

// execute does a command without its AT, and returns the lines of information and the error code.
func (m *machine) execute(body string, now time.Time) ([]string, int) {
	upper := strings.ToUpper(body)
	name, args, set := strings.Cut(body, "=")
	name = strings.ToUpper(name)
	switch {
	case body == "", upper == "V1", upper == "&W", upper == "Z":
		return nil, 0
	case upper == "E0", upper == "E1":
		m.echo = upper == "E1"
		return nil, 0
	case upper == "I":
		if m.o.Quectel {
			return []string{"Quectel", "CC200A-LB"}, 0
		}
		return []string{"ORBCOMM Inc"}, 0
	case upper == "+GSN":
		return []string{"+GSN: " + m.o.MobileID}, 0
	case upper == "%UTC":
		return []string{"%UTC: " + m.o.Now().UTC().Format("2006-01-02 15:04:05")}, 0
	case upper[0] == 'S':
		return m.register(upper, now)
	case name == "%CRC" && set:
		return nil, m.checksums(args)
	}
	if m.o.Quectel {
		return m.quectel(name, args, set, now)
	}
	return m.orbcomm(name, args, set, now)
}

func (m *machine) checksums(args string) int {
	if m.o.NoChecksums || m.o.Quectel {
		return errorUnknown
	}
	switch args {
	case "0", "1":
		m.sums = args == "1"
		return 0
	}
	return errorParameter
}

func (m *machine) orbcomm(name, args string, set bool, now time.Time) ([]string, int) {
	switch name {
	case "%MGRT":
		return nil, m.submit(args, now)
	case "%MGRS":
		return m.returnStates("%MGRS: ", args, set)
	case "%MGRC":
		return nil, m.cancel(args)
	case "%MGRL":
		return m.returnNames()
	case "%MGRD":
		return nil, m.remove(args)
	case "%MGFN":
		return m.forwardStates("%MGFN: ", "", false)
	case "%MGFS":
		return m.forwardStates("%MGFS: ", args, true)
	case "%MGFG":
		return m.get("%MGFG: ", args)
	case "%MGFM":
		return nil, m.mark(args)
	}
	return nil, errorUnknown
}

func (m *machine) quectel(name, args string, set bool, now time.Time) ([]string, int) {
	switch name {
	case "+QSMGT":
		return nil, m.submit(args, now)
	case "+QSMGS":
		return m.returnStates("+QSMGS: ", args, set)
	case "+QSMGC":
		return nil, m.cancel(args)
	case "+QRMGN":
		return m.forwardStates("+QRMGN: ", "", false)
	case "+QRMGS":
		return m.forwardStates("+QRMGS: ", args, true)
	case "+QRMGR":
		return m.get("+QRMGR: ", args)
	case "+QRMGM":
		return nil, m.mark(args)
	case "+QREG?":
		return []string{"+QREG: " + strconv.Itoa(m.network(now))}, 0
	case "+QSCN":
		return []string{"+QSCN: " + strconv.Itoa(m.signal(now))}, 0
	}
	return nil, errorUnknown
}

// register answers a line of S-registers, such as S90=3 S91=1 S116?
func (m *machine) register(line string, now time.Time) (out []string, code int) {
	for _, one := range strings.Fields(line) {
		if len(one) < 3 || one[0] != 'S' {
			return nil, errorParameter
		}
		if number, ok := strings.CutSuffix(one[1:], "?"); ok {
			n, err := strconv.Atoi(number)
			if err != nil {
				return nil, errorParameter
			}
			out = append(out, fmt.Sprintf("%03d", m.readRegister(n, now)))
			continue
		}
		number, text, _ := strings.Cut(one[1:], "=")
		n, err := strconv.Atoi(number)
		value, err2 := strconv.Atoi(text)
		switch {
		case err != nil || err2 != nil || n == 51 && (value < 0 || value > 10):
			return nil, errorParameter
		case n == 54 || n == 80 || n == 89 || n == 116:
			return nil, errorReadOnly
		}
		m.registers[n] = value
	}
	return out, 0
}

func (m *machine) readRegister(n int, now time.Time) int {
	switch n {
	case 54:
		return m.network(now)
	case 80:
		return m.lastError
	case 89:
		events := m.events
		m.events = 0
		return events
	case 116:
		return m.signal(now)
	}
	return m.registers[n]
}

// network is the state of the network, of which 5 is active and 8 a blocked sky.
func (m *machine) network(now time.Time) int {
	if m.seen(now) {
		return 5
	}
	return 8
}

// signal is the carrier to noise in hundredths of a dB-Hz.
func (m *machine) signal(now time.Time) int {
	if !m.seen(now) {
		return 0
	}
	return 4200 + m.rng.IntN(300)
}

// submit takes "name",priority,SIN[.MIN],format,data, in the dialect of Quectel with a comma before MIN.
func (m *machine) submit(args string, now time.Time) int {
	f := fields(args)
	nameMax := 8
	if m.o.Quectel {
		nameMax = 12
		if len(f) == 6 {
			f = append(f[:2:2], append([]string{f[2] + "." + f[3]}, f[4:]...)...)
		}
	}
	if len(f) != 5 || f[0] == "" || len(f[0]) > nameMax {
		return errorParameter
	}
	priority, err := strconv.Atoi(f[1])
	sinText, minText, hasMin := strings.Cut(f[2], ".")
	sin, err2 := strconv.Atoi(sinText)
	if err != nil || err2 != nil || priority < 1 || priority > 4 || sin < 16 || sin > 255 {
		return errorParameter
	}
	message := []byte{byte(sin)}
	if hasMin {
		n, err := strconv.Atoi(minText)
		if err != nil || n < 0 || n > 255 {
			return errorParameter
		}
		message = append(message, byte(n))
	}
	data, ok := decode(f[3], f[4])
	if !ok {
		return errorParameter
	}
	message = append(message, data...)
	switch {
	case len(message) < 2 || len(message) > returnMax:
		return errorLength
	case m.returnNamed(f[0]) != nil:
		return errorNameInUse
	case len(m.returns) >= m.o.ReturnSlots:
		return errorFull
	}
	m.enqueue(Return{Name: f[0], Priority: priority, Message: message}, now)
	m.stats.Submitted++
	return 0
}

func (m *machine) enqueue(r Return, now time.Time) {
	m.number++
	m.returns = append(m.returns, &returning{Return: r, number: m.number, state: ready, dies: now.Add(m.o.Lifetime)})
}

// decode reads data of a message, in hexadecimal (2) or base64 (3). Text (1) nobody needs who sends bytes.
func decode(format, text string) ([]byte, bool) {
	var data []byte
	var err error
	switch format {
	case "2":
		data, err = hex.DecodeString(text)
	case "3":
		data, err = base64.StdEncoding.DecodeString(text)
	default:
		return nil, false
	}
	return data, err == nil
}

// status is the line of one message.
func (m *machine) status(name string, number, priority, sin, state, length, done int) string {
	if m.o.Quectel {
		return fmt.Sprintf(`"%s",%d,%d,%d,%d,%d`, name, priority, sin, state, length, done)
	}
	return fmt.Sprintf(`"%s",%d.%d,%d,%d,%d,%d,%d`, name, number%100, number/100, priority, sin, state, length, done)
}

// returnStates lists messages of the return queue. Only the first line has the command's name. In the dialect of Quectel, messages that are done are
// forgotten once that was told.
func (m *machine) returnStates(prefix, args string, one bool) ([]string, int) {
	want := unquote(args)
	var out []string
	kept := m.returns[:0]
	for _, r := range m.returns {
		if one && r.Name != want {
			kept = append(kept, r)
			continue
		}
		done := 0
		if r.state == sent {
			done = len(r.Message)
		}
		out = append(out, prefix+m.status(r.Name, r.number, r.Priority, int(r.Message[0]), r.state, len(r.Message), done))
		prefix = ""
		if !m.o.Quectel || r.state < sent {
			kept = append(kept, r)
		}
	}
	m.returns = kept
	if one && len(out) == 0 {
		return nil, errorUnavailable
	}
	if len(out) == 0 {
		return []string{strings.TrimSpace(prefix)}, 0
	}
	return out, 0
}

func (m *machine) returnNames() ([]string, int) {
	out := []string{}
	for _, r := range m.returns {
		out = append(out, `%MGRL: "`+r.Name+`"`)
	}
	return out, 0
}

func (m *machine) cancel(args string) int {
	r := m.returnNamed(unquote(args))
	if r == nil || r.state != ready {
		return errorUnavailable
	}
	r.state = cancelled
	m.stats.Cancelled++
	return 0
}

// remove takes "name"C: only of messages that are done.
func (m *machine) remove(args string) int {
	name, ok := strings.CutSuffix(args, "C")
	if !ok {
		return errorParameter
	}
	r := m.returnNamed(unquote(name))
	if r == nil || r.state < sent {
		return errorUnavailable
	}
	m.returns = slices.DeleteFunc(m.returns, func(other *returning) bool { return other == r })
	return 0
}

func (m *machine) forwardStates(prefix, args string, one bool) ([]string, int) {
	want := unquote(args)
	var out []string
	for i, c := range m.forwards {
		if c.state == 0 || one && c.name != want {
			continue
		}
		done := 0
		if c.state == complete {
			done = len(c.Message)
		}
		out = append(out, prefix+m.status(c.name, i+1, 0, int(c.Message[0]), c.state, len(c.Message), done))
		prefix = ""
	}
	if one && len(out) == 0 {
		return nil, errorUnavailable
	}
	if len(out) == 0 {
		return []string{strings.TrimSpace(prefix)}, 0
	}
	return out, 0
}

// get hands a message over: SIN apart, the rest as data.
func (m *machine) get(prefix, args string) ([]string, int) {
	f := fields(args)
	if len(f) != 2 || f[1] != "2" && f[1] != "3" {
		return nil, errorParameter
	}
	c := m.forwardNamed(f[0])
	if c == nil || c.state != complete {
		return nil, errorUnavailable
	}
	data := base64.StdEncoding.EncodeToString(c.Message[1:])
	if f[1] == "2" {
		data = strings.ToUpper(hex.EncodeToString(c.Message[1:]))
	}
	if m.o.Quectel {
		return []string{fmt.Sprintf(`%s"%s",%d,%d,%s,%s`, prefix, c.name, c.Message[0], len(c.Message), f[1], data)}, 0
	}
	return []string{fmt.Sprintf(`%s"%s",1.%d,0,%d,%d,%d,%s,%s`, prefix, c.name, m.number, c.Message[0], c.state, len(c.Message), f[1], data)}, 0
}

// mark deletes a message that the program has read.
func (m *machine) mark(args string) int {
	c := m.forwardNamed(unquote(args))
	if c == nil || c.state != complete {
		return errorUnavailable
	}
	m.forwards = slices.DeleteFunc(m.forwards, func(other *coming) bool { return other == c })
	m.stats.Marked++
	m.settle(c, OutcomeRead)
	return 0
}

// fields splits parameters at commas outside of quotes and takes the quotes away.
func fields(s string) []string {
	if s == "" {
		return nil
	}
	var out []string
	var one strings.Builder
	quoted := false
	for _, c := range s {
		switch {
		case c == '"':
			quoted = !quoted
		case c == ',' && !quoted:
			out = append(out, one.String())
			one.Reset()
		default:
			one.WriteRune(c)
		}
	}
	return append(out, one.String())
}

func unquote(s string) string { return strings.Trim(strings.TrimSpace(s), `"`) }

package smsmodem_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/godwit-gateway/godwit/transports/transporttest"
)

// message is one slot of a storage.
type message struct {
	pdu    string
	stat   int
	length int // as listed; 0: as it is
}

// modem is a scripted modem at the far end of a net.Pipe. Its state outlives lines, as a modem's does.
type modem struct {
	tb testing.TB
	wg sync.WaitGroup

	out sync.Mutex // one writer at a time, so that lines stay whole

	mu       transporttest.Monitor
	conn     net.Conn // the open line; guarded by mu, as all below
	closed   bool     // cannot be opened
	opened   int
	script   func(cmd string) (reply string, ok bool) // answers in front of what is built in; \n stands for a line end
	onPDU    func(pdu string) (reply string, ok bool) // the same after a prompt
	echo     bool
	prompt   string
	commands []string
	pdus     []string // handed over with +CMGS
	accepted []string // and taken
	mr       int
	maker    string // answer to +CGMI
	mode     string // of +CMGF
	cnmi     string
	selected string
	storages map[string]map[int]message
	sizes    map[string]int
}

func newModem(tb testing.TB) *modem {
	tb.Helper()
	m := &modem{
		tb: tb, prompt: "\r\n> ", storages: map[string]map[int]message{"SM": {}, "ME": {}},
		sizes: map[string]int{"SM": 200, "ME": 200}, mr: 16, maker: "FAKE", echo: true,
	}
	m.reset()
	tb.Cleanup(func() {
		m.unplug()
		m.wg.Wait()
	})
	return m
}

// reset is what a modem forgets when it starts over.
func (m *modem) reset() {
	m.echo, m.mode, m.cnmi, m.selected = true, "1", "0,0,0,0,0", "SM"
}

func (m *modem) open(context.Context) (io.ReadWriteCloser, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil, errors.New("no such device")
	}
	near, far := net.Pipe()
	m.conn = far
	m.opened++
	m.wg.Go(func() { m.serve(far) })
	return near, nil
}

// unplug cuts the line until plug.
func (m *modem) unplug() {
	m.mu.Change(func() {
		m.closed = true
		if m.conn != nil {
			m.conn.Close()
			m.conn = nil
		}
	})
}

func (m *modem) plug() { m.mu.Change(func() { m.closed = false }) }

// say writes to the line, if there is one.
func (m *modem) say(text string) {
	m.mu.Lock()
	conn := m.conn
	m.mu.Unlock()
	if conn != nil {
		m.write(conn, text)
	}
}

func (m *modem) write(conn net.Conn, text string) {
	m.out.Lock()
	defer m.out.Unlock()
	_, _ = conn.Write([]byte(text))
}

// urc sends an indication.
func (m *modem) urc(line string) { m.say("\r\n" + line + "\r\n") }

func (m *modem) serve(conn net.Conn) {
	defer conn.Close()
	buf := make([]byte, 1024)
	var line []byte
	sms := "" // the +CMGS that waits for its PDU
	for {
		n, err := conn.Read(buf)
		if err != nil {
			return
		}
		for _, c := range buf[:n] {
			switch {
			case c == 0x1b:
				line, sms = nil, ""
			case sms != "" && c == 0x1a:
				m.takePDU(conn, string(line))
				line, sms = nil, ""
			case c == '\n' && sms == "":
			case c == '\r' && sms == "":
				cmd := string(line)
				line = nil
				if len(cmd) >= 2 && strings.EqualFold(cmd[:2], "AT") && m.run(conn, cmd[2:]) {
					sms = cmd
				}
			default:
				line = append(line, c)
			}
		}
	}
}

func (m *modem) takePDU(conn net.Conn, pdu string) {
	var reply string
	var ok bool
	m.mu.Lock()
	onPDU := m.onPDU
	m.mu.Unlock()
	m.mu.Change(func() { m.pdus = append(m.pdus, pdu) })
	if onPDU != nil {
		reply, ok = onPDU(pdu)
	}
	if !ok {
		m.mu.Change(func() {
			m.accepted = append(m.accepted, pdu)
			m.mr = (m.mr + 1) % 256
			reply = fmt.Sprintf("+CMGS: %d\nOK", m.mr)
		})
	}
	m.mu.Lock()
	echo := m.echo
	m.mu.Unlock()
	if echo {
		m.write(conn, pdu+"\x1a")
	}
	m.answer(conn, reply)
}

// answer writes lines; "" is silence.
func (m *modem) answer(conn net.Conn, reply string) {
	if reply != "" {
		m.write(conn, "\r\n"+strings.ReplaceAll(reply, "\n", "\r\n")+"\r\n")
	}
}

// run answers one command. It reports whether a PDU is to follow.
func (m *modem) run(conn net.Conn, cmd string) bool {
	m.mu.Lock()
	script, echo, prompt := m.script, m.echo, m.prompt
	m.mu.Unlock()
	m.mu.Change(func() { m.commands = append(m.commands, cmd) })
	if echo {
		m.write(conn, "AT"+cmd+"\r")
	}
	if script != nil {
		if reply, ok := script(cmd); ok {
			m.answer(conn, reply)
			return strings.HasSuffix(reply, ">")
		}
	}
	if strings.HasPrefix(cmd, "+CMGS=") {
		m.write(conn, prompt)
		return true
	}
	var reply string
	m.mu.Change(func() { reply = m.builtin(cmd) })
	m.answer(conn, reply)
	return false
}

// builtin is a well-behaved modem. Called with mu held.
func (m *modem) builtin(cmd string) string {
	name, arg, _ := strings.Cut(cmd, "=")
	switch name {
	case "", "+CMEE", "+CSCA", "+CNMA":
		return "OK"
	case "E0":
		m.echo = false
		return "OK"
	case "+CGSN":
		return "350000000000017\nOK"
	case "+CGMI":
		return m.maker + "\nOK"
	case "+CGMM":
		return "FAKE 1\nOK"
	case "+CPIN?":
		return "+CPIN: READY\nOK"
	case "+CREG?":
		return "+CREG: 0,1\nOK"
	case "+CSQ":
		return "+CSQ: 20,0\nOK"
	case "+CMGF":
		m.mode = arg
		return "OK"
	case "+CMGF?":
		return "+CMGF: " + m.mode + "\nOK"
	case "+CSMS":
		return "+CSMS: 1,1,1\nOK"
	case "+CNMI":
		m.cnmi = arg
		return "OK"
	case "+CNMI?":
		return "+CNMI: " + m.cnmi + "\nOK"
	case "+CPMS":
		return m.selectStorage(arg)
	case "+CMGL":
		return m.list()
	case "+CMGR":
		return m.read(arg)
	case "+CMGD":
		return m.remove(arg)
	default:
		return "ERROR"
	}
}

func (m *modem) selectStorage(arg string) string {
	name := strings.Trim(strings.Split(arg, ",")[0], `"`)
	if m.storages[name] == nil {
		return "+CMS ERROR: 302"
	}
	m.selected = name
	counts := fmt.Sprintf("%d,%d", len(m.storages[name]), m.sizes[name])
	return "+CPMS: " + counts + "," + counts + "," + counts + "\nOK"
}

func (msg message) header() string {
	length := msg.length
	if length == 0 {
		length = tpduLength(msg.pdu)
	}
	return fmt.Sprintf("%d,,%d", msg.stat, length)
}

func (m *modem) list() string {
	if m.mode != "0" {
		return "+CMGL: 1,\"REC UNREAD\",\"+49\",,\"26/01/01,00:00:00+04\"\ntext\nOK"
	}
	var b strings.Builder
	for index := range m.sizes[m.selected] + 1 {
		if msg, ok := m.storages[m.selected][index]; ok {
			fmt.Fprintf(&b, "+CMGL: %d,%s\n%s\n", index, msg.header(), msg.pdu)
			m.markRead(index)
		}
	}
	return b.String() + "\nOK"
}

func (m *modem) markRead(index int) {
	msg := m.storages[m.selected][index]
	if msg.stat == 0 {
		msg.stat = 1
		m.storages[m.selected][index] = msg
	}
}

func (m *modem) read(arg string) string {
	var index int
	_, _ = fmt.Sscan(arg, &index)
	msg, ok := m.storages[m.selected][index]
	if !ok {
		return "+CMS ERROR: 321"
	}
	m.markRead(index)
	return "+CMGR: " + msg.header() + "\n" + msg.pdu + "\nOK"
}

func (m *modem) remove(arg string) string {
	var index int
	_, _ = fmt.Sscan(arg, &index)
	if _, ok := m.storages[m.selected][index]; !ok {
		return "+CMS ERROR: 321"
	}
	delete(m.storages[m.selected], index)
	return "OK"
}

// put stores a message without a word and returns its slot.
func (m *modem) put(storage string, msg message) int {
	index := 1
	m.mu.Change(func() {
		for ; ; index++ {
			if _, taken := m.storages[storage][index]; !taken {
				break
			}
		}
		m.storages[storage][index] = msg
	})
	return index
}

// deliver stores a message and rings.
func (m *modem) deliver(storage, pdu string) int {
	index := m.put(storage, message{pdu: pdu})
	m.urc(fmt.Sprintf(`+CMTI: "%s",%d`, storage, index))
	return index
}

// holds counts the messages of a storage. Called with mu held.
func (m *modem) holds(storage string) int { return len(m.storages[storage]) }

// count reads a number of the modem's, under the lock.
func (m *modem) count(read func() int) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return read()
}

// asked counts the commands that begin with a prefix. Called with mu held.
func (m *modem) asked(prefix string) int {
	n := 0
	for _, cmd := range m.commands {
		if strings.HasPrefix(cmd, prefix) {
			n++
		}
	}
	return n
}

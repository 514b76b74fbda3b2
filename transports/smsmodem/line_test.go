package smsmodem_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/godwit-gateway/godwit/transports"
	"github.com/godwit-gateway/godwit/transports/serial"
	"github.com/godwit-gateway/godwit/transports/smsmodem"
	"github.com/godwit-gateway/godwit/transports/transporttest"
)

func TestSplit(t *testing.T) {
	for _, c := range []struct {
		name, in string
		want     []string
	}{
		{"reply", "\r\nOK\r\n", []string{"OK"}},
		{"echo", "AT+CMGF=0\r\r\nOK\r\n", []string{"AT+CMGF=0", "OK"}},
		{"NULs and spaces", "\x00\x00\r\n  RDY \x00\r\n", []string{"RDY"}},
		{"prompt", "\r\n> ", []string{">"}},
		{"prompt with echo", "\r\n> 0011\x1a\r\n+CMGS: 1\r\n", []string{">", "0011\x1a", "+CMGS: 1"}},
		{"no prompt", "a > b\r\n", []string{"a > b"}},
		{"unfinished", "\r\n+CMT", nil},
		{"bytes above 127", "\xff\xfe\r\nOK\r\n", []string{"\xff\xfe", "OK"}},
		{"endless", strings.Repeat("x", 5000) + "\r\nOK\r\n", []string{"OK"}},
	} {
		whole := smsmodem.Split([]byte(c.in))
		var single [][]byte
		for i := range len(c.in) {
			single = append(single, []byte{c.in[i]})
		}
		if !cmp.Equal(c.want, whole) || !cmp.Equal(c.want, smsmodem.Split(single...)) {
			t.Errorf("%s: %q, byte by byte %q, want %q", c.name, whole, smsmodem.Split(single...), c.want)
		}
	}
}

func TestClassify(t *testing.T) {
	for _, c := range []struct{ line, command, want string }{
		{`+CMTI: "SM",3`, "+CMGL=4", "ring"},
		{`+CDSI: "SM",3`, "", "ring"},
		{"+CMT: ,24", "+CMGL=4", "deliver"},
		{"+CDS: 24", "+CMGS=20", "report"},
		{"+CBM: 88", "", "cell"},
		{"^SMMEMFULL: 1", "", "full"},
		{"RDY", "+CMGL=4", "reboot"},
		{"+CPIN: READY", "", "reboot"},
		{"+CPIN: READY", "+CPIN?", "reply"},
		{"+CFUN: 1", "+CMGL=4", "reboot"},
		{"sms ready", "", "reboot"},
		{"Call Ready", "", "noise"},
		{"COMMAND NOT SUPPORT", "+CNMI=2,1", "refused"},
		{"+CREG: 1", "+CMGL=4", "noise"},
		{"+CREG: 0,1", "+CREG?", "reply"},
		{"^RSSI:12", "+CMGL=4", "noise"},
		{"RING", "+CMGS=20", "noise"},
		{"+CMGL: 1,0,,24", "+CMGL=4", "reply"},
		{"07911326040000F0", "+CMGL=4", "reply"},
		{"OK", "+CMGL=4", "reply"},
		{"+CMS ERROR: 500", "", "reply"},
		{"AT+CREG?", "+CREG?", "reply"},
	} {
		if got := smsmodem.Classify(c.line, c.command); got != c.want {
			t.Errorf("%q after AT%s is %s, want %s", c.line, c.command, got, c.want)
		}
	}
}

// slow passes one byte at a time, in both directions.
type slow struct{ net.Conn }

func (s slow) Read(b []byte) (int, error) { return s.Conn.Read(b[:1]) }

func (s slow) Write(b []byte) (int, error) {
	for i := range b {
		if _, err := s.Conn.Write(b[i : i+1]); err != nil {
			return i, err
		}
	}
	return len(b), nil
}

func TestByteByByte(t *testing.T) {
	m := newModem(t)
	tr := newTransport(t, m, func(c *smsmodem.Config) {
		c.Open = func(ctx context.Context) (io.ReadWriteCloser, error) {
			conn, err := m.open(ctx)
			return slow{conn.(net.Conn)}, err
		}
	})
	works(t, m, tr, start(t, tr, &transporttest.Sink{}))
}

// bare has no deadlines, as a line that is not a file or a socket.
type bare struct{ io.ReadWriteCloser }

func TestLineWithoutDeadlines(t *testing.T) {
	m := newModem(t)
	tr := newTransport(t, m, func(c *smsmodem.Config) {
		c.Open = func(ctx context.Context) (io.ReadWriteCloser, error) {
			conn, err := m.open(ctx)
			return bare{conn}, err
		}
	})
	works(t, m, tr, start(t, tr, &transporttest.Sink{}))
}

// Noise on the line, in any place, costs time at most.
func TestGarbage(t *testing.T) {
	m := newModem(t)
	var n atomic.Int32
	m.script = func(cmd string) (string, bool) {
		if strings.HasPrefix(cmd, "+CMGL") && n.Add(1) == 1 {
			m.say("\x00\x00\xff\xfe" + strings.Repeat("U", 100_000) + "\r\n\r\n>\r\n+CM\r\n")
		}
		return "", false
	}
	tr := newTransport(t, m)
	r := start(t, tr, &transporttest.Sink{})
	works(t, m, tr, r)
	for i := range 50 {
		m.say(fmt.Sprintf("\r\n+CMTI: \"SM\",%d\r\n\x1b[2J>>>> OK\r\nERROR\r\n+CMS ERROR: 500\r\n+CMT: ,\r\n", i))
	}
	m.deliver("ME", deliverPDU(t, sender, []byte("after the noise")))
	r.gets("after the noise")
	r.stop()
	if m.opened != 1 {
		t.Errorf("the line was opened %d times", m.opened)
	}
}

// Nobody at the other end: Run says so, in time.
func TestMuteModem(t *testing.T) {
	m := newModem(t)
	m.script = func(string) (string, bool) { return "", true }
	if err := start(t, newTransport(t, m), &transporttest.Sink{}).ended(); !errors.Is(err, smsmodem.ErrMute) {
		t.Errorf("Run: %v", err)
	}
}

// A modem that falls silent later on is noticed by the next look, whatever it was doing.
func TestModemFallsSilent(t *testing.T) {
	m := newModem(t)
	tr := newTransport(t, m)
	tr.CheckEvery(20 * time.Millisecond)
	r := start(t, tr, &transporttest.Sink{})
	works(t, m, tr, r)
	m.mu.Change(func() { m.script = func(string) (string, bool) { return "", true } })
	if err := r.ended(); !errors.Is(err, smsmodem.ErrMute) {
		t.Errorf("Run: %v", err)
	}
	m.mu.Change(func() { m.script = nil })
	works(t, m, tr, start(t, tr, &transporttest.Sink{}))
}

// One command that hangs does not lose the line: the modem is brought back in step, and the message is read.
func TestCommandHangs(t *testing.T) {
	for _, cmd := range []string{"+CMGL=4", "+CMGD=1", "+CNMI?", "+CMEE=1", `+CPMS="SM"`} {
		t.Run(cmd, func(t *testing.T) {
			m := newModem(t)
			var n atomic.Int32
			m.script = func(c string) (string, bool) { return "", c == cmd && n.Add(1) == 1 }
			m.put("SM", message{pdu: deliverPDU(t, sender, []byte("up"))})
			tr := newTransport(t, m)
			r := start(t, tr, &transporttest.Sink{})
			r.gets("up")
			r.until(m, "the slot is given back", func() bool { return m.holds("SM") == 0 })
			r.stop()
			if s := tr.Stats(); m.opened != 1 || s.Timeouts != 1 || s.Resyncs != 1 {
				t.Errorf("opened %d times, stats %+v", m.opened, s)
			}
		})
	}
}

// stuck is a line that takes no bytes any more, and knows no deadlines.
type stuck struct {
	closed chan struct{}
	once   atomic.Bool
}

func (s *stuck) Read([]byte) (int, error) {
	<-s.closed
	return 0, os.ErrClosed
}

func (s *stuck) Write(b []byte) (int, error) {
	if len(b) == 2 { // the first escape
		return len(b), nil
	}
	<-s.closed
	return 0, os.ErrClosed
}

func (s *stuck) Close() error {
	if !s.once.Swap(true) {
		close(s.closed)
	}
	return nil
}

func TestStuckLine(t *testing.T) {
	line := &stuck{closed: make(chan struct{})}
	tr := newTransport(t, newModem(t), func(c *smsmodem.Config) {
		c.Open = func(context.Context) (io.ReadWriteCloser, error) { return line, nil }
	})
	if err := start(t, tr, &transporttest.Sink{}).ended(); !errors.Is(err, smsmodem.ErrMute) {
		t.Errorf("Run: %v", err)
	}
}

// Whatever the modem was doing when it was unplugged, nothing is deleted that was not settled, and the next Run finds it.
func TestUnplugAnywhere(t *testing.T) {
	for _, at := range []string{"", "+CPIN?", "+CNMI=2,1,0,2,0", `+CPMS="SM"`, "+CMGL=4", "+CMGD=1"} {
		t.Run("AT"+at, func(t *testing.T) {
			m := newModem(t)
			m.put("SM", message{pdu: deliverPDU(t, sender, []byte("up"))})
			var once atomic.Bool
			m.script = func(cmd string) (string, bool) {
				if cmd == at && !once.Swap(true) {
					m.say("\r\n+CMGL: 1,0,") // in the middle of something
					m.unplug()
				}
				return "", false
			}
			tr := newTransport(t, m)
			if err := start(t, tr, &transporttest.Sink{}).ended(); err == nil {
				t.Fatal("Run returned nil when the modem was unplugged")
			}
			if m.count(func() int { return m.holds("SM") }) != 1 && at != "+CMGD=1" {
				t.Error("a message is gone")
			}
			m.plug()
			sink := &transporttest.Sink{}
			r := start(t, tr, sink)
			r.until(m, "the slot is given back", func() bool { return m.holds("SM") == 0 })
		})
	}
}

// TestUnplugWithinAListing: the line ends after each byte of a listing. What did not come whole goes nowhere and stays on the SIM, and comes when the
// modem is there again.
func TestUnplugWithinAListing(t *testing.T) {
	pdu := deliverPDU(t, sender, []byte("up"))
	listing := fmt.Sprintf("\r\n+CMGL: 1,0,,%d\r\n%s\r\n\r\nOK\r\n", tpduLength(pdu), pdu)
	for n := range len(listing) - len("\n") {
		m := newModem(t)
		m.put("SM", message{pdu: pdu})
		var once atomic.Bool
		m.script = func(cmd string) (string, bool) {
			if cmd == "+CMGL=4" && !once.Swap(true) {
				m.say(listing[:n])
				m.unplug()
				return "", true
			}
			return "", false
		}
		tr, sink := newTransport(t, m), &transporttest.Sink{}
		if err := start(t, tr, sink).ended(); err == nil {
			t.Fatalf("after %d bytes: Run returned nil", n)
		}
		if us := sink.Received(); len(us) != 0 || m.count(func() int { return m.holds("SM") }) != 1 {
			t.Fatalf("after %d bytes: %d uplinks, %d messages on the SIM", n, len(us), m.holds("SM"))
		}
		m.plug()
		r := start(t, tr, sink)
		r.until(m, "the slot is given back", func() bool { return m.holds("SM") == 0 })
		r.stop()
		if us := sink.Received(); len(us) != 1 || string(us[0].Payload) != "up" {
			t.Fatalf("after %d bytes: %d uplinks", n, len(us))
		}
	}
}

// "finishes the payload in hand": but not for ever.
func TestGrace(t *testing.T) {
	m := newModem(t)
	tr := newTransport(t, m)
	tr.GraceOf(50 * time.Millisecond)
	sink := &transporttest.Sink{}
	sink.Judge = func(ctx context.Context, _ transports.Uplink) (transports.Settlement, error) {
		<-ctx.Done()
		return transports.Unsettled, ctx.Err()
	}
	r := start(t, tr, sink)
	m.deliver("SM", deliverPDU(t, sender, []byte("held")))
	r.gets("held")
	r.cancel()
	if err := r.ended(); !errors.Is(err, serial.ErrGrace) {
		t.Errorf("Run returned %v although it gave up what was in hand", err)
	}
	if m.count(func() int { return m.holds("SM") }) != 1 {
		t.Error("an unsettled message was deleted")
	}
}

// Run ends at once wherever it is, also before the modem is set up.
func TestStopWhileSettingUp(t *testing.T) {
	for _, at := range []string{"", "+CPIN?", "+CMGL=4"} {
		m := newModem(t)
		reached := make(chan struct{})
		var once atomic.Bool
		m.script = func(cmd string) (string, bool) {
			if cmd == at && !once.Swap(true) {
				close(reached)
			}
			return "+CME ERROR: 14", cmd == at && at != ""
		}
		r := start(t, newTransport(t, m), &transporttest.Sink{})
		<-reached
		r.stop()
	}
}

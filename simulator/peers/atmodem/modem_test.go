package atmodem_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"github.com/godwit-gateway/godwit/simulator/peers/atmodem"
)

const patience = 10 * time.Second

// terminal is a program that has the modem open.
type terminal struct {
	t    *testing.T
	f    *os.File
	seen string // read and not looked at
}

// start runs a modem until the test ends.
func start(t *testing.T, o atmodem.Options) *atmodem.Modem {
	t.Helper()
	if o.Path == "" {
		o.Path = filepath.Join(t.TempDir(), "modem0")
	}
	if o.Profile.Boot == 0 {
		o.Profile.Boot = 10 * time.Millisecond
	}
	m, err := atmodem.New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
		if _, err := os.Lstat(o.Path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("path after Run: %v, want it gone", err)
		}
	})
	return m
}

// dial opens the modem as a program would.
func dial(t *testing.T, path string) *terminal {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	conn, err := f.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var failed error
	if err := conn.Control(func(fd uintptr) { _, failed = term.MakeRaw(int(fd)) }); err != nil || failed != nil {
		t.Fatal(err, failed)
	}
	return &terminal{t: t, f: f}
}

func (c *terminal) write(s string) {
	c.t.Helper()
	if _, err := c.f.WriteString(s); err != nil {
		c.t.Fatalf("write %q: %v", s, err)
	}
}

// until reads until it has seen one of the texts, and returns all up to its end.
func (c *terminal) until(texts ...string) string {
	c.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		for _, text := range texts {
			if i := strings.Index(c.seen, text); i >= 0 {
				out := c.seen[:i+len(text)]
				c.seen = c.seen[i+len(text):]
				return out
			}
		}
		if err := c.more(deadline); err != nil {
			c.t.Fatalf("waiting for %q: %v; got %q", texts, err, c.seen)
		}
	}
}

func (c *terminal) more(deadline time.Time) error {
	if err := c.f.SetReadDeadline(deadline); err != nil {
		return err
	}
	buf := make([]byte, 4096)
	n, err := c.f.Read(buf)
	c.seen += string(buf[:n])
	return err
}

// at sends a command and returns its answer, without the final OK if it ends with one.
func (c *terminal) at(command string) string {
	c.t.Helper()
	c.write(command + "\r")
	deadline := time.Now().Add(patience)
	for {
		if end := final(c.seen); end > 0 {
			out := strings.TrimSuffix(strings.TrimSpace(c.seen[:end]), "OK")
			c.seen = c.seen[end:]
			return strings.TrimSpace(out)
		}
		if err := c.more(deadline); err != nil {
			c.t.Fatalf("%s: %v; got %q", command, err, c.seen)
		}
	}
}

// final returns where the first final result code ends, 0 if there is none.
func final(s string) int {
	at := 0
	for line := range strings.Lines(s) {
		at += len(line)
		text := strings.TrimSpace(line)
		if !strings.HasSuffix(line, "\n") {
			return 0
		}
		if text == "OK" || text == "ERROR" || text == "NO CARRIER" || strings.HasPrefix(text, "+CME ERROR:") || strings.HasPrefix(text, "+CMS ERROR:") {
			return at
		}
	}
	return 0
}

// want sends a command and compares its answer.
func (c *terminal) want(command, want string) {
	c.t.Helper()
	if got := c.at(command); got != want {
		c.t.Errorf("%s answered %q, want %q", command, got, want)
	}
}

// gone waits for the terminal to hang up.
func (c *terminal) gone() string {
	c.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		err := c.more(deadline)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			c.t.Fatal("terminal did not hang up")
		}
		if err != nil {
			if !errors.Is(err, io.EOF) && !errors.Is(err, unix.EIO) {
				c.t.Errorf("hang-up is %v", err)
			}
			return c.seen
		}
	}
}

func ready(t *testing.T, o atmodem.Options) (*atmodem.Modem, *terminal) {
	t.Helper()
	m := start(t, o)
	c := dial(t, m.Path())
	c.at("ATE0")
	return m, c
}

func deliver(t *testing.T, m *atmodem.Modem, msg atmodem.Message) {
	t.Helper()
	if err := m.Deliver(t.Context(), msg); err != nil {
		t.Fatal(err)
	}
}

func TestReceive(t *testing.T) {
	settled := make(chan atmodem.Message, 1)
	m, c := ready(t, atmodem.Options{OnSettled: func(msg atmodem.Message, o atmodem.Outcome) {
		if o == atmodem.OutcomeDeleted {
			settled <- msg
		}
	}})
	c.want("AT+CNMI=2,1,0,2,0", "")
	at := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	deliver(t, m, atmodem.Message{ID: 7, From: "+491711234567", Payload: []byte{0xde, 0xad, 0xbe, 0xef}, SentAt: at})
	c.until("\r\n+CMTI: \"SM\",1\r\n")
	const pdu = "07919471016700" + "00" + "04" + "0C91947111325476" + "00" + "04" + "62304050607000" + "04" + "DEADBEEF"
	c.want("AT+CMGR=1", "+CMGR: 0,,23\r\n"+pdu)
	c.want("AT+CMGL=4", "+CMGL: 1,1,,23\r\n"+pdu)
	c.want("AT+CMGD=1", "")
	if msg := <-settled; msg.ID != 7 {
		t.Errorf("settled %+v", msg)
	}
	c.want("AT+CMGR=1", "+CMS ERROR: 321")
	c.want("AT+CMGL=4", "")
}

func TestSend(t *testing.T) {
	sent := make(chan atmodem.Submit, 1)
	_, c := ready(t, atmodem.Options{OnSubmit: func(s atmodem.Submit) { sent <- s }})
	c.write("AT+CMGS=17\r")
	c.until("\r\n> ")
	c.write("00" + "0100" + "0C91947111325476" + "0004" + "04DEADBEEF\x1a")
	c.until("\r\n+CMGS: 1\r\n\r\nOK\r\n")
	if s := <-sent; s.To != "+491711234567" || s.Ref != 1 || string(s.Payload) != "\xde\xad\xbe\xef" {
		t.Errorf("sent %+v", s)
	}
}

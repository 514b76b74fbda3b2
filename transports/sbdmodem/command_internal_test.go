package sbdmodem

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/transports/serial"
)

// fake is a transceiver that answers what it is told to.
type fake struct {
	answer func(written string) string
	out    chan string
	closed chan struct{}
	once   sync.Once

	mu    sync.Mutex
	wrote []string // guarded by mu
}

// newFake returns a commander of a fake, in haste.
func newFake(t *testing.T, answer func(written string) string) (*commander, *fake) {
	t.Helper()
	f := &fake{answer: answer, out: make(chan string, 100), closed: make(chan struct{})}
	l := newLine(f, new(counters), time.Second)
	var wg sync.WaitGroup
	wg.Go(func() { l.Pump(l.take) })
	t.Cleanup(func() {
		l.Fail(serial.ErrClosed)
		wg.Wait()
	})
	return &commander{
		line: l, counts: l.counts,
		timing: &timing{command: 5 * time.Second, tail: 50 * time.Millisecond, probe: 5 * time.Second, quiet: 200 * time.Millisecond, drain: 5 * time.Second},
	}, f
}

func (f *fake) Read(b []byte) (int, error) {
	select {
	case text := <-f.out:
		return copy(b, text), nil
	case <-f.closed:
		return 0, io.EOF
	}
}

func (f *fake) Write(b []byte) (int, error) {
	f.mu.Lock()
	f.wrote = append(f.wrote, string(b))
	f.mu.Unlock()
	if text := f.answer(string(b)); text != "" {
		f.out <- text
	}
	return len(b), nil
}

func (f *fake) Close() error {
	f.once.Do(func() { close(f.closed) })
	return nil
}

func (f *fake) written() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.wrote...)
}

const ok = "\r\nOK\r\n"

// A READY that was lost leaves a transceiver that takes whatever comes for the message: it is given as many bytes as it waits for.
func TestReadyThatWasLost(t *testing.T) {
	inMessage := 0
	c, f := newFake(t, func(written string) string {
		if written == "AT+SBDWB=4\r" {
			inMessage = 4 + blockTail
			return ""
		}
		if inMessage > 0 { // all of it is eaten
			inMessage -= len(written)
			if inMessage > 0 {
				return ""
			}
			return "\r\n2\r\n" + ok
		}
		return "\r\nanswer to " + strings.TrimSpace(written) + "\r\n" + ok
	})
	c.timing.command = 50 * time.Millisecond
	if err := c.writeMessage(t.Context(), []byte("down")); !errors.Is(err, errTimeout) {
		t.Fatalf("writeMessage: %v, want a time-out", err)
	}
	c.timing.command = 5 * time.Second
	lines, err := c.command(t.Context(), "+CGSN", c.timing.command)
	if err != nil || len(lines) != 1 || lines[0] != "answer to AT+CGSN" {
		t.Errorf("%q, %v; written %q", lines, err, f.written())
	}
}

// The late answer to a command that was given up is not taken for that to the next.
func TestLateAnswer(t *testing.T) {
	c, f := newFake(t, func(written string) string {
		switch written {
		case "AT+SBDIX\r":
			return ""
		case "\r":
			return "\r\n+SBDIX: 0, 1, 0, 0, 0, 0\r\n" + ok
		}
		return "\r\nanswer to " + strings.TrimSpace(written) + "\r\n" + ok
	})
	if _, err := c.command(t.Context(), "+SBDIX", 20*time.Millisecond); !errors.Is(err, errTimeout) {
		t.Fatalf("+SBDIX: %v, want a time-out", err)
	}
	lines, err := c.command(t.Context(), "+SBDSX", c.timing.command)
	if err != nil || len(lines) != 1 || lines[0] != "answer to AT+SBDSX" {
		t.Errorf("%q, %v; written %q", lines, err, f.written())
	}
}

func TestWriteMessageAnswers(t *testing.T) {
	for _, a := range []struct {
		first, second string
		want          string // in the error; "": none
	}{
		{"\r\nREADY\r\n", "\r\n0\r\n" + ok, ""},
		{"\r\nSBDRING\r\n\r\nREADY\r\n", "\r\n0\r\n\r\nSBDRING\r\n" + ok, ""},
		{"\r\nREADY\r\n", "\r\n1\r\n" + ok, "in time"},
		{"\r\nREADY\r\n", "\r\n2\r\n" + ok, "checksum"},
		{"\r\n3\r\n" + ok, "", "size"},
		{"\r\nERROR\r\n", "", "refuses"},
		{"\r\nREADY\r\n", "\r\nERROR\r\n", "refuses"},
		{"\r\nREADY\r\n", ok, "cannot be read"},
		{"\r\n0\r\n" + ok, "", "cannot be read"},
	} {
		c, _ := newFake(t, func(written string) string {
			if strings.HasPrefix(written, "AT") {
				return a.first
			}
			return a.second
		})
		err := c.writeMessage(context.Background(), []byte("down"))
		if (err == nil) != (a.want == "") || err != nil && !strings.Contains(err.Error(), a.want) {
			t.Errorf("%q, %q: %v, want %q", a.first, a.second, err, a.want)
		}
	}
}

// A block counts by its own checksum: a missing OK behind it costs a resync, and not the message.
func TestBlockWithoutOK(t *testing.T) {
	c, _ := newFake(t, func(written string) string {
		if written == "AT+SBDRB\r" {
			return block("up\r\nOK\r\n")
		}
		return ok
	})
	message, err := c.readMessage(t.Context())
	if err != nil || string(message) != "up\r\nOK\r\n" || !c.dirty {
		t.Errorf("%q, %v", message, err)
	}
	if _, err := c.command(t.Context(), "", c.timing.command); err != nil {
		t.Error(err)
	}
}

//go:build linux || darwin

package tty_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/godwit-gateway/godwit/transports/transporttest"
	"github.com/godwit-gateway/godwit/transports/tty"
)

func TestMain(m *testing.M) { os.Exit(transporttest.Main(m)) }

// pair returns the modem's end of a line and the name of ours.
func pair(t *testing.T) (far *os.File, name string) {
	t.Helper()
	far, near, err := pty.Open()
	if err != nil {
		t.Skipf("no pseudo terminals here: %v", err)
	}
	name = near.Name()
	if err := near.Close(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { far.Close() })
	return far, name
}

func open(t *testing.T, name string) *tty.Port {
	t.Helper()
	p, err := tty.Open(name, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// Every byte passes as it is, in both directions: no line editing, no echo, no translation of CR and LF, no signals, no flow control.
func TestRaw(t *testing.T) {
	far, name := pair(t)
	p := open(t, name)
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	got := make([]byte, len(all))
	if _, err := p.Write(all); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(far, got); err != nil || string(got) != string(all) {
		t.Errorf("the modem got % x (%v)", got, err)
	}
	clear(got)
	if _, err := far.Write(all); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(p, got); err != nil || string(got) != string(all) {
		t.Errorf("we got % x (%v)", got, err)
	}
	if p.Name() != name {
		t.Errorf("name %q, want %q", p.Name(), name)
	}
}

func TestReadDeadline(t *testing.T) {
	_, name := pair(t)
	p := open(t, name)
	if err := p.SetReadDeadline(time.Now().Add(20 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read past the deadline: %v", err)
	}
}

// A modem that takes no bytes must not hold its driver for ever.
func TestWriteDeadline(t *testing.T) {
	_, name := pair(t)
	p := open(t, name)
	if err := p.SetWriteDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	var err error
	for range 1000 { // until the kernel's buffer is full
		if _, err = p.Write(make([]byte, 4096)); err != nil {
			break
		}
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("write to a line that takes nothing: %v", err)
	}
	closed := make(chan error, 1)
	go func() { closed <- p.Close() }()
	select {
	case <-closed:
	case <-time.After(5 * time.Second):
		t.Error("close waits for output that nobody takes")
	}
}

func TestCloseEndsRead(t *testing.T) {
	_, name := pair(t)
	p := open(t, name)
	read := make(chan error, 1)
	started := make(chan struct{})
	go func() {
		close(started)
		_, err := p.Read(make([]byte, 1))
		read <- err
	}()
	<-started
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-read:
		if !errors.Is(err, os.ErrClosed) {
			t.Errorf("read on a closed line: %v", err)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("a read outlives its line")
	}
}

// A modem that is unplugged hangs its line up.
func TestHangUp(t *testing.T) {
	far, name := pair(t)
	p := open(t, name)
	if err := far.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Read(make([]byte, 1)); !errors.Is(err, io.EOF) && !errors.Is(err, syscall.EIO) {
		t.Errorf("read after a hang-up: %v", err)
	}
	if _, err := p.Write([]byte("AT\r")); err == nil {
		t.Error("write after a hang-up went well")
	}
}

func TestExclusive(t *testing.T) {
	_, name := pair(t)
	p := open(t, name)
	if second, err := tty.Open(name, 0); !errors.Is(err, tty.ErrBusy) {
		t.Errorf("a line that is in use opened a second time: %v, %v", second, err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, name)
}

// What a line received before it was opened is an answer to somebody else.
func TestDiscardsOldInput(t *testing.T) {
	far, name := pair(t)
	first := open(t, name)
	if _, err := far.WriteString("OLD\r\n"); err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	p := open(t, name)
	if _, err := far.WriteString("NEW"); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 3)
	if _, err := io.ReadFull(p, got); err != nil || string(got) != "NEW" {
		t.Errorf("read %q (%v), want what came after the open", got, err)
	}
}

func TestOpenErrors(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, device string
		baud         int
		want         string
	}{
		{"missing", filepath.Join(t.TempDir(), "ttyUSB9"), 0, "no such file"},
		{"not a line", file, 0, "not a serial line"},
		{"odd rate", file, 12345, "12345 baud"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := tty.Open(c.device, c.baud); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.device) {
				t.Errorf("open: %v, want %q and the device", err, c.want)
			}
		})
	}
}

func TestRates(t *testing.T) {
	_, name := pair(t)
	for _, baud := range []int{1200, 9600, 115200, 921600} {
		p, err := tty.Open(name, baud)
		if err != nil {
			t.Errorf("%d baud: %v", baud, err)
			continue
		}
		p.Close()
	}
	if tty.ValidBaud(0) || !tty.ValidBaud(tty.BaudDefault) {
		t.Error("0 is a rate, or the default is none")
	}
}

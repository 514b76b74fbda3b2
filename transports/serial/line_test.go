package serial_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/godwit-gateway/godwit/transports/serial"
	"github.com/godwit-gateway/godwit/transports/transporttest"
)

func TestMain(m *testing.M) { os.Exit(transporttest.Main(m)) }

var errTest = errors.New("told to fail")

// What the modem says comes in order and whole; its end is the line's, and told once, when the cause can be asked for.
func TestPump(t *testing.T) {
	near, modem := net.Pipe()
	var got strings.Builder
	var line *serial.Line
	told := 0
	line = serial.NewLine(near, "the modem", time.Second, func() {
		if told++; line.Cause() == nil {
			t.Error("lost without a cause")
		}
	})
	go func() {
		for _, text := range []string{"\r\nO", "K", "\r\n"} {
			_, _ = io.WriteString(modem, text)
		}
		modem.Close()
	}()
	line.Pump(func(b []byte) {
		got.Write(b)
		clear(b) // it is the line's own
	})
	line.Fail(errTest)
	if got.String() != "\r\nOK\r\n" || told != 1 {
		t.Errorf("got %q, told %d times", got.String(), told)
	}
	if err := line.Cause(); !errors.Is(err, io.EOF) || err.Error() != "read from the modem: EOF" {
		t.Errorf("cause: %v", err)
	}
	select {
	case <-line.Lost():
	default:
		t.Error("the line is not lost")
	}
}

// wire is what Send writes to.
type wire struct {
	io.ReadWriteCloser

	limit error // of SetWriteDeadline
}

func (w wire) SetWriteDeadline(time.Time) error { return w.limit }

func TestSend(t *testing.T) {
	for name, c := range map[string]struct {
		wrap func(net.Conn) io.ReadWriteCloser
		deaf bool
		want error // as which the line is lost
	}{
		"taken":                {wrap: func(conn net.Conn) io.ReadWriteCloser { return conn }},
		"without deadlines":    {wrap: func(conn net.Conn) io.ReadWriteCloser { return struct{ io.ReadWriteCloser }{conn} }},
		"with none just there": {wrap: func(conn net.Conn) io.ReadWriteCloser { return wire{conn, os.ErrNoDeadline} }},
		"deadline fails":       {wrap: func(conn net.Conn) io.ReadWriteCloser { return wire{conn, errTest} }, want: errTest},
		"not taken":            {wrap: func(conn net.Conn) io.ReadWriteCloser { return conn }, deaf: true, want: os.ErrDeadlineExceeded},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				near, modem := net.Pipe()
				defer modem.Close()
				line := serial.NewLine(c.wrap(near), "the modem", time.Second, nil)
				defer line.Fail(serial.ErrClosed)
				if !c.deaf {
					go func() { _, _ = io.Copy(io.Discard, modem) }()
				}
				n, err := line.Send([]byte("AT\r"))
				if !errors.Is(err, c.want) || (c.want == nil) != (n == 3) {
					t.Fatalf("Send: %d, %v, want %v", n, err, c.want)
				}
				if cause := line.Cause(); !errors.Is(cause, c.want) || !errors.Is(err, cause) {
					t.Errorf("cause %v, error of Send %v", cause, err)
				}
			})
		})
	}
}

// A line that is lost has one cause, whatever fails after that.
func TestFirstCause(t *testing.T) {
	near, modem := net.Pipe()
	defer modem.Close()
	line := serial.NewLine(near, "the modem", time.Second, nil)
	if err := line.Check(t.Context()); err != nil {
		t.Errorf("Check: %v", err)
	}
	done, cancel := context.WithCancel(t.Context())
	cancel()
	if err := line.Check(done); !errors.Is(err, context.Canceled) {
		t.Errorf("Check: %v", err)
	}
	line.Fail(errTest)
	if _, err := line.Send([]byte("AT\r")); !errors.Is(err, errTest) {
		t.Errorf("Send: %v", err)
	}
	for what, err := range map[string]error{
		"Pause": line.Pause(t.Context(), time.Hour), "Quiet": line.Quiet(t.Context(), time.Hour, time.Hour), "Check": line.Check(done), "Cause": line.Cause(),
	} {
		if !errors.Is(err, errTest) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// Quiet waits for a gap behind what is heard from then on, and not for ever.
func TestQuiet(t *testing.T) {
	const gap = 10 * time.Second
	for name, c := range map[string]struct {
		before bool
		says   int           // times, every 6 s
		most   time.Duration // for all
		want   time.Duration
	}{
		"nothing":             {most: time.Minute, want: gap},
		"something before":    {before: true, most: time.Minute, want: gap},
		"two bytes":           {says: 2, most: time.Minute, want: 12*time.Second + gap},
		"never quiet":         {says: 20, most: time.Minute, want: time.Minute},
		"no time for the gap": {most: time.Second, want: time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				near, modem := net.Pipe()
				line := serial.NewLine(near, "the modem", time.Second, nil)
				var wg sync.WaitGroup
				wg.Go(func() { line.Pump(func([]byte) {}) })
				if c.before {
					_, _ = modem.Write([]byte("x"))
					time.Sleep(time.Second)
				}
				wg.Go(func() {
					for range c.says {
						time.Sleep(6 * time.Second)
						_, _ = modem.Write([]byte("x"))
					}
				})
				from := time.Now()
				if err := line.Quiet(t.Context(), gap, c.most); err != nil || time.Since(from) != c.want {
					t.Errorf("Quiet: %v after %v, want %v", err, time.Since(from), c.want)
				}
				line.Fail(serial.ErrClosed)
				wg.Wait()
			})
		})
	}
}

func TestPauseEndsWithContext(t *testing.T) {
	near, modem := net.Pipe()
	defer modem.Close()
	line := serial.NewLine(near, "the modem", time.Second, nil)
	defer line.Fail(serial.ErrClosed)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := line.Pause(ctx, time.Hour); !errors.Is(err, context.Canceled) {
		t.Errorf("Pause: %v", err)
	}
}

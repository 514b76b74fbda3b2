package serial_test

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/godwit-gateway/godwit/transports/serial"
)

// A Run ends well only if what it had in hand was finished in time.
func TestServe(t *testing.T) {
	const grace = time.Minute
	for name, c := range map[string]struct {
		loop  func(ctx, inHand context.Context, line *serial.Line) error
		ends  bool  // its context
		want  error // nil: none
		cause error // of the line, after that
	}{
		"ends idle": {
			ends: true, cause: serial.ErrClosed,
			loop: func(ctx, _ context.Context, _ *serial.Line) error {
				<-ctx.Done()
				return nil
			},
		},
		"ends with an error": { // of a command that the end has cut short
			ends: true, cause: serial.ErrClosed,
			loop: func(ctx, _ context.Context, _ *serial.Line) error {
				<-ctx.Done()
				return errTest
			},
		},
		"finishes what is in hand": {
			ends: true, cause: serial.ErrClosed,
			loop: func(ctx, inHand context.Context, line *serial.Line) error {
				<-ctx.Done()
				return line.Pause(inHand, grace-1)
			},
		},
		"ends well, but too late": {
			ends: true, cause: serial.ErrGrace, want: serial.ErrGrace,
			loop: func(_, inHand context.Context, _ *serial.Line) error {
				<-inHand.Done()
				return nil
			},
		},
		"ends too late": {
			ends: true, cause: serial.ErrGrace, want: errTest,
			loop: func(_, inHand context.Context, _ *serial.Line) error {
				<-inHand.Done()
				return errTest
			},
		},
		"is given up": {
			ends: true, cause: serial.ErrGrace, want: serial.ErrGrace,
			loop: func(_, _ context.Context, line *serial.Line) error {
				return line.Pause(context.Background(), 2*grace)
			},
		},
		"fails": {
			cause: serial.ErrClosed, want: errTest,
			loop: func(_, _ context.Context, _ *serial.Line) error { return errTest },
		},
		"loses the line": {
			cause: io.EOF, want: io.EOF,
			loop: func(_, _ context.Context, line *serial.Line) error {
				<-line.Lost()
				return line.Cause()
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // which also waits for all goroutines
				near, modem := net.Pipe()
				defer modem.Close()
				line := serial.NewLine(near, "the modem", time.Second, nil)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				heard := make(chan string, 1)
				err := line.Serve(ctx, func(b []byte) { heard <- string(b) }, grace, func(inHand context.Context) error {
					_, _ = modem.Write([]byte("RDY"))
					if got := <-heard; got != "RDY" {
						t.Errorf("heard %q", got)
					}
					switch {
					case c.ends:
						cancel()
					case errors.Is(c.cause, io.EOF):
						modem.Close()
					}
					if inHand.Err() != nil {
						t.Error("what is in hand ends at once")
					}
					return c.loop(ctx, inHand, line)
				})
				if !errors.Is(err, c.want) || !errors.Is(line.Cause(), c.cause) {
					t.Errorf("Serve: %v, want %v; cause %v, want %v", err, c.want, line.Cause(), c.cause)
				}
			})
		})
	}
}

package serial_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/godwit-gateway/godwit/transports"
	"github.com/godwit-gateway/godwit/transports/serial"
)

type session struct{}

func TestRunning(t *testing.T) {
	var r serial.Running[session]
	for range 2 {
		if r.Up() || r.Current(t.Context(), time.Hour) != nil {
			t.Fatal("there is a session without a Run")
		}
		if err := r.Begin(); err != nil {
			t.Fatal(err)
		}
		if err := r.Begin(); !errors.Is(err, serial.ErrRunning) {
			t.Errorf("a second Run before the modem is set up: %v", err)
		}
		if r.Up() {
			t.Error("up before the modem is set up")
		}
		s := &session{}
		for range 2 { // the modem starts over
			r.Open(s)
			if got := r.Current(t.Context(), time.Hour); !r.Up() || got != s {
				t.Errorf("session %p, want %p", got, s)
			}
		}
		if err := r.Begin(); !errors.Is(err, serial.ErrRunning) {
			t.Errorf("a second Run: %v", err)
		}
		r.End()
	}
}

// A Send waits for a modem that is being set up, until it is, or will not be, or nobody wants to wait any more.
func TestCurrentWaits(t *testing.T) {
	const patience = time.Minute
	want := &session{}
	for name, c := range map[string]struct {
		after func(r *serial.Running[session], cancel context.CancelFunc)
		want  *session
		took  time.Duration
	}{
		"set up":     {after: func(r *serial.Running[session], _ context.CancelFunc) { r.Open(want) }, want: want, took: time.Second},
		"given up":   {after: func(r *serial.Running[session], _ context.CancelFunc) { r.End() }, took: time.Second},
		"cancelled":  {after: func(_ *serial.Running[session], cancel context.CancelFunc) { cancel() }, took: time.Second},
		"impatience": {after: func(*serial.Running[session], context.CancelFunc) {}, took: patience},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var r serial.Running[session]
				if err := r.Begin(); err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				from := time.Now()
				time.AfterFunc(time.Second, func() { c.after(&r, cancel) })
				if got := r.Current(ctx, patience); got != c.want || time.Since(from) != c.took {
					t.Errorf("session %p after %v, want %p after %v", got, time.Since(from), c.want, c.took)
				}
			})
		})
	}
}

func TestRequests(t *testing.T) {
	const patience = time.Minute
	for name, c := range map[string]struct {
		after func(q *serial.Requests[string], cancel context.CancelFunc)
		want  error
		took  time.Duration
	}{
		"taken": {took: time.Second, after: func(q *serial.Requests[string], _ context.CancelFunc) {
			if got := <-q.Next(); got != "down" {
				panic(got)
			}
		}},
		"the loop ends": {took: time.Second, want: transports.ErrDown, after: func(q *serial.Requests[string], _ context.CancelFunc) { q.Close() }},
		"cancelled":     {took: time.Second, want: context.Canceled, after: func(_ *serial.Requests[string], cancel context.CancelFunc) { cancel() }},
		"impatience":    {took: patience, want: serial.ErrBusy, after: func(*serial.Requests[string], context.CancelFunc) {}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q := serial.NewRequests[string]()
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				from := time.Now()
				time.AfterFunc(time.Second, func() { c.after(q, cancel) })
				if err := q.Hand(ctx, "down", patience); !errors.Is(err, c.want) || time.Since(from) != c.took {
					t.Errorf("Hand: %v after %v, want %v after %v", err, time.Since(from), c.want, c.took)
				}
			})
		})
	}
}

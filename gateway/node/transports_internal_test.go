package node

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/godwit-gateway/godwit/transports"
)

// idle is a transport that runs and does nothing.
type idle struct{ transports.Transport }

func (idle) Name() string { return "idle" }

func (idle) Run(ctx context.Context, _ transports.Sink) error { <-ctx.Done(); return nil }

// modem is an idle transport that knows its line.
type modem struct {
	idle
	line atomic.Bool
}

func (m *modem) Up() bool { return m.line.Load() }

// A link whose driver still looks for its modem is not up; one whose driver says nothing is, for as long as it runs.
func TestLinkIsUpWhenItsLineIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := new(modem)
		silent, knows := &runner{transport: idle{}}, &runner{transport: m}
		up := func(when string, wantSilent, wantKnows bool) {
			t.Helper()
			if silent.up() != wantSilent || knows.up() != wantKnows {
				t.Errorf("%s: up is %v and %v, want %v and %v", when, silent.up(), knows.up(), wantSilent, wantKnows)
			}
		}
		up("before the run", false, false)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			done <- runTransports(ctx, []*runner{silent, knows}, nil, slog.New(slog.DiscardHandler))
		}()
		synctest.Wait()
		up("while the modem is looked for", true, false)
		m.line.Store(true)
		up("with the modem", true, true)
		m.line.Store(false)
		up("without it again", true, false)
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		m.line.Store(true)
		up("after the run", false, false)
	})
}

// unplugged is a transport whose line is never there.
type unplugged struct {
	transports.Transport

	began []time.Time
}

func (*unplugged) Name() string { return "unplugged" }

func (u *unplugged) Run(context.Context, transports.Sink) error {
	u.began = append(u.began, time.Now())
	return errors.New("no such device")
}

// A line that is gone is looked for again and again, ever less often, and each minute in the end.
func TestLostLineIsLookedForEachMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := new(unplugged)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if err := runTransports(ctx, []*runner{{transport: u}}, nil, slog.New(slog.DiscardHandler)); err != nil {
			t.Error(err)
		}
		for i := 1; i < len(u.began); i++ {
			pause, want := u.began[i].Sub(u.began[i-1]), min(restartFirst<<min(i-1, 10), time.Minute)
			if pause != want {
				t.Errorf("pause %d is %s, want %s", i, pause, want)
			}
		}
		if len(u.began) < 60 {
			t.Errorf("looked for %d times in an hour", len(u.began))
		}
	})
}

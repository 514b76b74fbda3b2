package node

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/godwit-gateway/godwit/gateway/store"
)

// What a new start does not end is no reason for one.
func TestOnlyAFailedWriteIsFatal(t *testing.T) {
	for _, c := range []struct {
		err   error
		fatal bool
	}{
		{nil, false},
		{fmt.Errorf("%w: 3 MiB are free", store.ErrLowSpace), false},
		{store.ErrStalled, false},
		{fmt.Errorf("%w: a block", store.ErrCorrupt), false},
		{store.ErrFailed, true},
	} {
		if got := fatal(c.err); (got != nil) != c.fatal {
			t.Errorf("store says %v: %v, want fatal: %v", c.err, got, c.fatal)
		}
	}
}

func TestProbeTellsLoopsThatStand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p probe
		if err := p.turns(func() {}); err != nil {
			t.Fatal(err)
		}
		release := make(chan struct{})
		var asked atomic.Int32
		stuck := func() { asked.Add(1); <-release }
		for range 3 {
			if err := p.turns(stuck); !errors.Is(err, errStands) {
				t.Fatalf("%v, want that the loops stand", err)
			}
		}
		if n := asked.Load(); n != 1 {
			t.Errorf("%d questions are open, want one", n)
		}
		close(release)
		synctest.Wait()
		if err := p.turns(func() {}); err != nil {
			t.Errorf("once it moves again: %v", err)
		}
	})
}

// Whoever closes the probe has its goroutine ended: the store is closed after it.
func TestProbeWaitsForTheOpenQuestion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p probe
		release := make(chan struct{})
		var answered atomic.Bool
		if err := p.turns(func() { <-release; answered.Store(true) }); !errors.Is(err, errStands) {
			t.Fatalf("%v, want that the loops stand", err)
		}
		closed := make(chan bool, 1)
		go func() { p.close(); closed <- answered.Load() }()
		synctest.Wait()
		if len(closed) != 0 {
			t.Fatal("closed while a question is open")
		}
		if err := p.turns(func() { t.Error("a question was opened after the close began") }); err != nil {
			t.Errorf("asked after that: %v", err)
		}
		close(release)
		if !<-closed {
			t.Error("closed before the question was answered")
		}
		p.close() // a second time has nothing to wait for
	})
}

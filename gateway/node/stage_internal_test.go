package node

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// journal is the order in which stages began and ended.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) add(line string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, line)
}

func (j *journal) stage(name string) stage {
	return stage{name: name, grace: time.Second, run: func(ctx context.Context) error {
		<-ctx.Done()
		j.add(name)
		return nil
	}}
}

func TestStagesStopInReverse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var j journal
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- run(ctx, j.stage("store"), j.stage("hub"), j.stage("api")) }()
		synctest.Wait()
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if want := []string{"api", "hub", "store"}; !slices.Equal(j.lines, want) {
			t.Errorf("ended %v, want %v", j.lines, want)
		}
	})
}

func TestStageThatFailsStopsAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var j journal
		broken := errors.New("broken")
		err := run(t.Context(), j.stage("store"), stage{name: "hub", grace: time.Second, run: func(context.Context) error { return broken }}, j.stage("api"))
		if !errors.Is(err, broken) || !strings.Contains(err.Error(), "hub") {
			t.Errorf("%v", err)
		}
		if want := []string{"api", "store"}; !slices.Equal(j.lines, want) {
			t.Errorf("ended %v, want %v", j.lines, want)
		}
	})
}

func TestStageThatOverrunsIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var j journal
		ctx, cancel := context.WithCancel(t.Context())
		release := make(chan struct{})
		stuck := stage{name: "transports", grace: 3 * time.Second, run: func(context.Context) error { <-release; return nil }}
		done := make(chan error, 1)
		go func() { done <- run(ctx, j.stage("store"), stuck) }()
		began := time.Now()
		cancel()
		err := <-done
		if !errors.Is(err, errStuck) || !strings.Contains(err.Error(), "transports") {
			t.Errorf("%v", err)
		}
		if d := time.Since(began); d != 3*time.Second {
			t.Errorf("stopped after %s, want the grace of 3s", d)
		}
		close(release)
		synctest.Wait()
	})
}

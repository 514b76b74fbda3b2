package store

import (
	"log/slog"
	"sync"
	"time"
)

// watchdog notices a commit that does not return. A full disk makes Pebble wait without an error, and a dying one can hang for minutes:
// intake must stop saying that all is well long before. It never gives up on a commit; the write may still succeed.
//
// This is the one place of the package that reads a clock by itself.
type watchdog struct {
	timeout time.Duration
	log     *slog.Logger
	timer   *time.Timer

	mu   sync.Mutex
	busy bool
	late bool
}

func newWatchdog(timeout time.Duration, log *slog.Logger) *watchdog {
	w := &watchdog{timeout: timeout, log: log}
	w.timer = time.AfterFunc(timeout, w.fire)
	w.timer.Stop()
	return w
}

func (w *watchdog) arm() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.busy = true
	w.timer.Reset(w.timeout)
}

func (w *watchdog) disarm() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timer.Stop()
	if w.late {
		w.log.Warn("commit returned after all")
	}
	w.busy, w.late = false, false
}

func (w *watchdog) fire() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.busy && !w.late {
		w.late = true
		w.log.Error("commit has not returned: nothing is accepted until it does", slog.Duration("timeout", w.timeout))
	}
}

func (w *watchdog) tripped() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.late
}

func (w *watchdog) close() { w.timer.Stop() }

package transporttest

import (
	"context"
	"sync"
	"time"
)

// A Monitor is a mutex by which the goroutines of a test wait for what it guards. Its zero value is unlocked.
type Monitor struct {
	sync.Mutex

	changed chan struct{} // closed when what is guarded has changed; nil while nobody waits
}

// Change changes what is guarded and wakes those who wait. Called without the lock.
func (m *Monitor) Change(change func()) {
	m.Lock()
	defer m.Unlock()
	change()
	if m.changed != nil {
		close(m.changed)
		m.changed = nil
	}
}

// Await waits until done, called under the lock, is true; false once ctx is done.
func (m *Monitor) Await(ctx context.Context, done func() bool) bool {
	for {
		m.Lock()
		if done() {
			m.Unlock()
			return true
		}
		if m.changed == nil {
			m.changed = make(chan struct{})
		}
		changed := m.changed
		m.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
}

// Poll waits for what nobody tells of: until done is true; false once ctx is done.
func Poll(ctx context.Context, done func() bool) bool {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return false
		}
	}
	return true
}

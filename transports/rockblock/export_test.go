package rockblock

import "time"

// SetClock replaces the clock. To be called before anything else.
func (t *Transport) SetClock(now func() time.Time) { t.now = now }

// AwaitSettled waits until the sink has no message any more.
func (t *Transport) AwaitSettled() {
	for range cap(t.slots) {
		t.slots <- struct{}{}
	}
	for range cap(t.slots) {
		<-t.slots
	}
}

// CutSocket closes the socket under a running transport.
func (t *Transport) CutSocket() {
	if socket, err := t.listen(); err == nil {
		_ = socket.Close()
	}
}

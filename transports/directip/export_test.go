package directip

import "time"

// SetClock replaces the clock. To be called before anything else.
func (t *Transport) SetClock(now func() time.Time) { t.now = now }

// CutSocket closes the socket under a running transport.
func (t *Transport) CutSocket() {
	if socket, err := t.listen(); err == nil {
		_ = socket.Close()
	}
}

// Open counts the connections that are open.
func (t *Transport) Open() int { return t.gate.Len() }

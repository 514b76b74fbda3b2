package smsmodem

import (
	"io"
	"sync"
)

// ctrlZ ends a PDU and has the modem send it (3GPP TS 27.005 §4.3); escape has it forget what it has of one.
const (
	ctrlZ  = 0x1a
	escape = 0x1b
)

// A port is what one at.AT takes for its serial line.
type port struct {
	line *line

	mu       sync.Mutex
	changed  *sync.Cond // waits on mu
	buf      []byte     // guarded by mu
	detached bool       // guarded by mu
	handed   bool       // a whole PDU has been written; guarded by mu
}

func newPort(l *line) *port {
	p := &port{line: l}
	p.changed = sync.NewCond(&p.mu)
	return p
}

// feed appends to what Read returns. It never waits, so that a command processor that does not read cannot stop the pump.
func (p *port) feed(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.buf)+len(text) > bufferMax {
		p.line.counts.overruns.Add(1)
		return
	}
	p.buf = append(p.buf, text...)
	p.changed.Signal()
}

// Read implements io.Reader. After detach it returns io.EOF, which ends the goroutines of the at.AT.
func (p *port) Read(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.buf) == 0 && !p.detached {
		p.changed.Wait()
	}
	if p.detached {
		return 0, io.EOF
	}
	n := copy(b, p.buf)
	p.buf = p.buf[:copy(p.buf, p.buf[n:])]
	return n, nil
}

// Write implements io.Writer.
func (p *port) Write(b []byte) (int, error) {
	p.mu.Lock()
	detached := p.detached
	p.mu.Unlock()
	if detached {
		return 0, io.ErrClosedPipe
	}
	n, err := p.line.Send(b)
	if n == len(b) && n > 0 && b[n-1] == ctrlZ {
		p.mu.Lock()
		p.handed = true
		p.mu.Unlock()
	}
	return n, err
}

func (p *port) detach() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.detached = true
	p.changed.Broadcast()
}

// takeHanded reports whether a whole PDU was written since it was last asked.
func (p *port) takeHanded() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	handed := p.handed
	p.handed = false
	return handed
}

package sbdterm

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/godwit-gateway/godwit/simulator/peers/pty"
)

const readMax = 1024

// ErrClosed is returned for a modem whose Run has ended.
var ErrClosed = errors.New("modem is closed")

// A Modem is a machine behind a terminal. Safe for concurrent use.
type Modem struct {
	o    Options
	log  *slog.Logger
	kick chan struct{} // holds one token when there may be something to do

	mu      sync.Mutex
	machine *machine      // guarded by mu
	line    *pty.Line     // nil while it is unplugged; guarded by mu
	room    chan struct{} // closed when the network's queue gets shorter; guarded by mu
	closed  bool          // guarded by mu
}

// New makes a modem that is plugged in, has power, and is silent until Run runs. What was written to it until then is not lost.
func New(o Options) (*Modem, error) {
	o.setDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	m := &Modem{o: o, log: o.Log, kick: make(chan struct{}, 1), room: make(chan struct{})}
	l, err := pty.Open(o.Path)
	if err != nil {
		return nil, err
	}
	m.line, m.machine = l, newMachine(&m.o)
	return m, nil
}

// Path returns what programs open: the symbolic link that was asked for, or the terminal itself, which is "" while it is unplugged.
func (m *Modem) Path() string {
	if m.o.Path != "" {
		return m.o.Path
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.line == nil {
		return ""
	}
	return m.line.Name()
}

// with changes the machine and has Run look at it.
func (m *Modem) with(change func()) {
	m.mu.Lock()
	change()
	m.mu.Unlock()
	m.nudge()
}

func (m *Modem) nudge() {
	select {
	case m.kick <- struct{}{}:
	default:
	}
}

// Run plays the modem until ctx is done and returns nil; then its terminal is closed and its path gone.
func (m *Modem) Run(ctx context.Context) error {
	var readers sync.WaitGroup
	defer readers.Wait()
	defer m.Close()
	var current *pty.Line
	for {
		m.mu.Lock()
		queued := len(m.machine.queue)
		e := m.machine.poll(time.Now())
		if len(m.machine.queue) < queued {
			close(m.room)
			m.room = make(chan struct{})
		}
		l := m.line
		m.mu.Unlock()
		if l != nil && l != current {
			current = l
			readers.Go(func() { m.read(l) })
		}
		m.perform(l, &e)
		if len(e.out) > 0 || len(e.calls) > 0 {
			if ctx.Err() != nil {
				return nil
			}
			continue
		}
		if !m.wait(ctx, e.wake) {
			return nil
		}
	}
}

// perform does what the machine wants done.
func (m *Modem) perform(l *pty.Line, e *effects) {
	if len(e.out) > 0 {
		n := 0
		if l != nil {
			n, _ = l.Write(e.out) // what does not go is counted
		}
		if lost := len(e.out) - n; lost > 0 {
			m.with(func() { m.machine.stats.OutputLost += uint64(lost) }) //nolint:gosec // positive
		}
	}
	if e.unplug {
		m.Unplug()
	}
	for _, f := range e.calls {
		f()
	}
}

// wait waits until there may be something to do. It reports whether ctx is not done.
func (m *Modem) wait(ctx context.Context, wake time.Time) bool {
	var timer <-chan time.Time
	if !wake.IsZero() {
		t := time.NewTimer(time.Until(wake))
		defer t.Stop()
		timer = t.C
	}
	select {
	case <-ctx.Done():
		return false
	case <-m.kick:
	case <-timer:
	}
	return true
}

// read takes what is written to a terminal until it is closed.
func (m *Modem) read(l *pty.Line) {
	buf := make([]byte, readMax)
	for {
		n, err := l.Read(buf)
		m.with(func() {
			if m.line == l {
				m.machine.input(buf[:n])
			}
		})
		if err != nil {
			return
		}
	}
}

// Deliver gives a message for the modem to the network and returns when that has it; OnSettled tells how it ended. While the network's queue is
// full Deliver waits.
func (m *Modem) Deliver(ctx context.Context, msg MT) error {
	if len(msg.Payload) == 0 || len(msg.Payload) > MTMax {
		return fmt.Errorf("%w: a message of %d bytes, want 1 to %d", ErrOptions, len(msg.Payload), MTMax)
	}
	msg.Payload = append([]byte(nil), msg.Payload...)
	for {
		m.mu.Lock()
		if m.closed {
			m.mu.Unlock()
			return ErrClosed
		}
		if len(m.machine.queue) < m.o.Queue {
			m.machine.deliver(time.Now(), msg)
			m.mu.Unlock()
			m.nudge()
			return nil
		}
		room := m.room
		m.mu.Unlock()
		select {
		case <-ctx.Done():
			return fmt.Errorf("the network's queue is full: %w", ctx.Err())
		case <-room:
		}
	}
}

// Unplug pulls the line: programs that have the modem open see it hang up. Its power stays. It stays so until Plug.
func (m *Modem) Unplug() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.line != nil {
		m.line.Close()
		m.line = nil
		m.machine.unplug()
	}
}

// Plug puts the line back: a new terminal under the same path. It does nothing if it is plugged in.
func (m *Modem) Plug() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return ErrClosed
	}
	if m.line != nil {
		return nil
	}
	l, err := pty.Open(m.o.Path)
	if err != nil {
		return err
	}
	m.line = l
	m.nudge()
	return nil
}

// Stats returns what happened so far.
func (m *Modem) Stats() Stats {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.machine.snapshot()
}

// Close closes the terminal and removes the path. It is for modems that never ran: the end of Run does it too.
func (m *Modem) Close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return
	}
	m.closed = true
	if m.line != nil {
		m.line.Close()
		m.line = nil
	}
	close(m.room)
	m.room = make(chan struct{})
}

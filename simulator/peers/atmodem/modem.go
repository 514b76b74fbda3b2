package atmodem

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/godwit-gateway/godwit/simulator/peers/pty"
)

const readMax = 4096

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
	room    chan struct{} // closed when the service centre's queue gets shorter; guarded by mu
	closed  bool          // guarded by mu
}

// New makes a modem that is plugged in, registered and silent until Run runs. What was written to it until then is not lost.
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
	m.line, m.machine = l, newMachine(&m.o, time.Now())
	return m, nil
}

// Path returns what programs open: the symbolic link that was asked for, or the terminal itself, whose name changes when it is plugged in
// again and is "" while it is not.
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

// Run plays the modem until ctx is done and returns nil; then its terminal is closed and its path gone. An error means that no terminal could
// be had.
func (m *Modem) Run(ctx context.Context) (err error) {
	var readers sync.WaitGroup
	defer readers.Wait()
	defer func() { err = errors.Join(err, m.Close()) }()
	var current *pty.Line
	for {
		m.mu.Lock()
		queued := len(m.machine.centre.queue)
		e := m.machine.poll(time.Now())
		if len(m.machine.centre.queue) < queued {
			close(m.room)
			m.room = make(chan struct{})
		}
		l := m.line
		m.mu.Unlock()
		if l != nil && l != current {
			current = l
			readers.Go(func() { m.read(l) })
		}
		if err := m.perform(l, &e); err != nil {
			return err
		}
		if len(e.out) > 0 || len(e.calls) > 0 || e.plug {
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
func (m *Modem) perform(l *pty.Line, e *effects) error {
	if l != nil && len(e.out) > 0 {
		if n, err := l.Write(e.out); err != nil && n < len(e.out) {
			m.mu.Lock()
			m.machine.stats.OutputDropped += uint64(len(e.out) - n) //nolint:gosec // positive
			m.mu.Unlock()
		}
	}
	if e.unplug {
		m.log.Debug("modem unplugged by a fault")
		l.Drain()
		m.mu.Lock()
		m.detach(l)
		m.mu.Unlock()
	}
	if e.plug {
		if err := m.Plug(); err != nil && !errors.Is(err, ErrClosed) {
			return err
		}
	}
	for _, f := range e.calls {
		f()
	}
	return nil
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

func (m *Modem) nudge() {
	select {
	case m.kick <- struct{}{}:
	default:
	}
}

// read takes what is written to a terminal until it is closed.
func (m *Modem) read(l *pty.Line) {
	buf := make([]byte, readMax)
	for {
		n, err := l.Read(buf)
		m.mu.Lock()
		if m.line == l {
			m.machine.input(buf[:n])
		}
		m.mu.Unlock()
		m.nudge()
		if err != nil {
			return
		}
	}
}

// Deliver gives a message for the modem to the service centre and returns when that has it; OnSettled tells how it ended. While the queue of the
// service centre is full Deliver waits.
func (m *Modem) Deliver(ctx context.Context, msg Message) error {
	msg.Payload = append([]byte(nil), msg.Payload...)
	for {
		m.mu.Lock()
		if m.closed {
			m.mu.Unlock()
			return ErrClosed
		}
		if len(m.machine.centre.queue) < m.o.Queue {
			err := m.machine.deliver(time.Now(), msg)
			m.mu.Unlock()
			m.nudge()
			return err
		}
		room := m.room
		m.mu.Unlock()
		select {
		case <-ctx.Done():
			return fmt.Errorf("service centre is full: %w", ctx.Err())
		case <-room:
		}
	}
}

// Unplug pulls the cable and with it the power: programs that have the modem open see it hang up. It stays so until Plug.
func (m *Modem) Unplug() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.machine.plugged {
		m.machine.unplug()
	}
	m.machine.replug = time.Time{}
	m.detach(m.line)
}

// detach closes a terminal unless another has taken its place. The caller holds mu.
func (m *Modem) detach(l *pty.Line) {
	if l == nil || m.line != l {
		return
	}
	m.line = nil
	l.Close()
}

// Plug puts the cable back: a new terminal under the same path, and a modem that boots. It does nothing if it is plugged in.
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
	m.machine.plug(time.Now())
	m.nudge()
	return nil
}

// Reboot has the modem start anew, as after AT+CFUN=1,1: it forgets its settings but stays plugged in.
func (m *Modem) Reboot() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.machine.plugged {
		m.machine.reboot(time.Now())
	}
	m.nudge()
}

// Inject adds a step to the script of faults.
func (m *Modem) Inject(s Step) error {
	if err := s.validate(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.machine.director.script = append(m.machine.director.script, s)
	return nil
}

// SetFaults replaces the faults. A script that is under way goes on, and that of f comes after it.
func (m *Modem) SetFaults(f Faults) error {
	f.Away = cmp.Or(f.Away, awayDefault)
	if err := f.validate(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.machine.director.faults = f
	m.machine.director.script = append(m.machine.director.script, f.Script...)
	return nil
}

// Stats returns what happened so far.
func (m *Modem) Stats() Stats {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.machine.stats
	s.Waiting = len(m.machine.centre.queue)
	s.Stored = m.machine.sm.count() + m.machine.me.count() + m.machine.sr.count()
	s.Plugged = m.machine.plugged
	return s
}

// Close closes the terminal and removes the path. It is for modems that never ran: the end of Run does it too.
func (m *Modem) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil
	}
	m.closed = true
	m.machine.unplug()
	m.detach(m.line)
	close(m.room)
	m.room = make(chan struct{})
	return nil
}

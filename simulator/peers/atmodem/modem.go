package atmodem

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/godwit-gateway/godwit/simulator/peers/pty"
)

// A Modem is a machine behind a terminal. Pulling the cable takes its power. Safe for concurrent use.
type Modem struct {
	*pty.Peer

	o       Options
	machine *machine // only within With and Await
}

// New makes a modem that is plugged in, registered and silent until Run runs. What was written to it until then is not lost.
func New(o Options) (*Modem, error) {
	o.setDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	m := &Modem{o: o}
	m.machine = newMachine(&m.o, time.Now())
	var err error
	if m.Peer, err = pty.NewPeer(o.Path, m.machine); err != nil {
		return nil, err
	}
	return m, nil
}

// Deliver gives a message for the modem to the service centre and returns when that has it; OnSettled tells how it ended. While the queue of the
// service centre is full Deliver waits.
func (m *Modem) Deliver(ctx context.Context, msg Message) error {
	msg.Payload = slices.Clone(msg.Payload)
	var refused error
	if err := m.Await(ctx, func(now time.Time) bool {
		room := len(m.machine.centre.queue) < m.o.Queue
		if room {
			refused = m.machine.deliver(now, msg)
		}
		return room
	}); err != nil {
		return fmt.Errorf("service centre: %w", err)
	}
	return refused
}

// Reboot has the modem start anew, as after AT+CFUN=1,1: it forgets its settings but stays plugged in.
func (m *Modem) Reboot() {
	m.With(func() {
		if m.machine.plugged {
			m.machine.reboot(time.Now())
		}
	})
}

// Inject adds a step to the script of faults.
func (m *Modem) Inject(s Step) error {
	if err := s.Validate(actionEnd); err != nil {
		return err
	}
	m.With(func() { m.machine.director.Add(s) })
	return nil
}

// SetFaults replaces the faults. A script that is under way goes on, and that of f comes after it.
func (m *Modem) SetFaults(f Faults) error {
	f.Away = cmp.Or(f.Away, awayDefault)
	if err := f.validate(); err != nil {
		return err
	}
	m.With(func() {
		m.machine.director.faults = f
		m.machine.director.Add(f.Script...)
	})
	return nil
}

// Stats returns what happened so far.
func (m *Modem) Stats() (s Stats) {
	m.With(func() { s = m.machine.snapshot() })
	s.OutputDropped = m.Unread()
	return s
}

package sbdterm

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/godwit-gateway/godwit/simulator/peers/pty"
)

// A Modem is a machine behind a terminal. Its power stays when the cable is pulled. Safe for concurrent use.
type Modem struct {
	*pty.Peer

	o       Options
	machine *machine // only within With and Await
}

// New makes a modem that is plugged in, has power, and is silent until Run runs. What was written to it until then is not lost.
func New(o Options) (*Modem, error) {
	o.setDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	m := &Modem{o: o}
	m.machine = newMachine(&m.o)
	var err error
	if m.Peer, err = pty.NewPeer(o.Path, m.machine); err != nil {
		return nil, err
	}
	return m, nil
}

// Deliver gives a message for the modem to the network and returns when that has it; OnSettled tells how it ended. While the network's queue is
// full Deliver waits.
func (m *Modem) Deliver(ctx context.Context, msg MT) error {
	if len(msg.Payload) == 0 || len(msg.Payload) > MTMax {
		return fmt.Errorf("%w: a message of %d bytes, want 1 to %d", ErrOptions, len(msg.Payload), MTMax)
	}
	msg.Payload = slices.Clone(msg.Payload)
	return m.Await(ctx, func(now time.Time) bool {
		room := len(m.machine.queue) < m.o.Queue
		if room {
			m.machine.deliver(now, msg)
		}
		return room
	})
}

// Stats returns what happened so far.
func (m *Modem) Stats() (s Stats) {
	m.With(func() { s = m.machine.snapshot() })
	s.OutputLost = m.Unread()
	return s
}

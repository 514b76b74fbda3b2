package idpterm

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/godwit-gateway/godwit/simulator/peers/pty"
)

// Stats are what happened so far.
type Stats struct {
	Boots     uint64
	Commands  uint64
	Submitted uint64 // return messages
	Returned  uint64 // of these, those that the network has
	Died      uint64 // those whose transmit lifetime passed
	Cancelled uint64
	Forgotten uint64 // those that a cut of power lost
	Delivered uint64 // forward messages given to the network
	Marked    uint64 // of these, those that the program marked as read
	Returns   int    // in the return queue
	Forwards  int    // in the forward queue, and in the network
}

// A Terminal is a machine behind a pseudo-terminal. It goes on when the cable is pulled. Safe for concurrent use.
type Terminal struct {
	*pty.Peer

	o       Options
	machine *machine // only within With and Await
}

// New makes a terminal that is plugged in and silent until Run runs. What was written to it until then is not lost.
func New(o Options) (*Terminal, error) {
	o.setDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	t := &Terminal{o: o}
	t.machine = newMachine(&t.o, time.Now())
	var err error
	if t.Peer, err = pty.NewPeer(o.Path, t.machine); err != nil {
		return nil, err
	}
	return t, nil
}

// Deliver gives a message for the terminal to the network, which keeps it until the terminal has it; OnSettled tells how it ended. While the network is full
// Deliver waits.
func (t *Terminal) Deliver(ctx context.Context, f Forward) error {
	most := forwardMax
	if t.o.Battery {
		most = forwardLowPower
	}
	if len(f.Message) < 2 || len(f.Message) > most {
		return fmt.Errorf("%w: %d bytes, want 2 to %d", ErrSize, len(f.Message), most)
	}
	f.Message = slices.Clone(f.Message)
	return t.Await(ctx, func(time.Time) bool {
		room := len(t.machine.forwards) < t.o.Queue
		if room {
			t.machine.stats.Delivered++
			t.machine.forwards = append(t.machine.forwards, &coming{Forward: f})
		}
		return room
	})
}

// SetSky opens the sky, or blocks it.
func (t *Terminal) SetSky(open bool) {
	t.With(func() { t.machine.blocked = !open })
}

// Finish ends a message of the return queue that is on its way still. It reports whether there is one.
func (t *Terminal) Finish(name string, fate Fate) (found bool) {
	t.With(func() {
		if r := t.machine.returnNamed(name); r != nil && r.state < sent {
			t.machine.through(r, fate)
			found = true
		}
	})
	return found
}

// Submit puts a message into the return queue, as another program did.
func (t *Terminal) Submit(name string, message []byte) {
	t.With(func() {
		t.machine.enqueue(Return{Name: name, Priority: 1, Message: slices.Clone(message)}, time.Now())
	})
}

// Register returns what an S-register has.
func (t *Terminal) Register(n int) (value int) {
	t.With(func() { value = t.machine.readRegister(n, time.Now()) })
	return value
}

// Waiting returns the names of the messages of the return queue that are on their way still, oldest first.
func (t *Terminal) Waiting() (names []string) {
	t.With(func() {
		for _, r := range t.machine.returns {
			if r.state < sent {
				names = append(names, r.Name)
			}
		}
	})
	return names
}

// CutPower takes the terminal's power for a moment: it boots, and has forgotten its return queue and its settings. Its line stays.
func (t *Terminal) CutPower() {
	t.With(func() { t.machine.cutPower(time.Now()) })
}

// Inject adds a step to the script of faults.
func (t *Terminal) Inject(s Step) error {
	if err := s.Validate(actionEnd); err != nil {
		return err
	}
	t.With(func() { t.machine.director.Add(s) })
	return nil
}

// Stats returns what happened so far.
func (t *Terminal) Stats() (s Stats) {
	t.With(func() {
		s = t.machine.stats
		s.Returns, s.Forwards = len(t.machine.returns), len(t.machine.forwards)
	})
	return s
}

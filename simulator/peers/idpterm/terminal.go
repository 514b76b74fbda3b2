package idpterm

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
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

// A Terminal is a machine behind a pseudo-terminal. Safe for concurrent use.
type Terminal struct {
	o    Options
	kick chan struct{} // holds one token when there may be something to do

	mu      sync.Mutex
	machine *machine  // guarded by mu
	line    *pty.Line // nil while it is unplugged; guarded by mu
	closed  bool      // guarded by mu
}

// New makes a terminal that is plugged in and silent until Run runs. What was written to it until then is not lost.
func New(o Options) (*Terminal, error) {
	o.setDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	t := &Terminal{o: o, kick: make(chan struct{}, 1)}
	l, err := pty.Open(o.Path)
	if err != nil {
		return nil, err
	}
	t.line, t.machine = l, newMachine(&t.o, time.Now())
	return t, nil
}

// Path returns what programs open: the symbolic link that was asked for, or the pseudo-terminal itself.
func (t *Terminal) Path() string {
	if t.o.Path != "" {
		return t.o.Path
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.line == nil {
		return ""
	}
	return t.line.Name()
}

// Run plays the terminal until ctx is done and returns nil; then its pseudo-terminal is closed and its path gone.
func (t *Terminal) Run(ctx context.Context) (err error) {
	var readers sync.WaitGroup
	defer readers.Wait()
	defer func() { err = errors.Join(err, t.Close()) }()
	var current *pty.Line
	for {
		t.mu.Lock()
		e := t.machine.poll(time.Now())
		l := t.line
		t.mu.Unlock()
		if l != nil && l != current {
			current = l
			readers.Go(func() { t.read(l) })
		}
		if l != nil && len(e.out) > 0 {
			_, _ = l.Write(e.out) // what nobody reads is lost, as on a wire
		}
		if e.unplug {
			t.Unplug()
		}
		for _, f := range e.calls {
			f()
		}
		if ctx.Err() != nil {
			return nil
		}
		if len(e.out) > 0 || len(e.calls) > 0 || e.unplug {
			continue
		}
		if !t.wait(ctx, e.wake) {
			return nil
		}
	}
}

// wait waits until there may be something to do. It reports whether ctx is not done.
func (t *Terminal) wait(ctx context.Context, wake time.Time) bool {
	var timer <-chan time.Time
	if !wake.IsZero() {
		one := time.NewTimer(time.Until(wake))
		defer one.Stop()
		timer = one.C
	}
	select {
	case <-ctx.Done():
		return false
	case <-t.kick:
	case <-timer:
	}
	return true
}

func (t *Terminal) nudge() {
	select {
	case t.kick <- struct{}{}:
	default:
	}
}

// read takes what is written to a pseudo-terminal until it is closed.
func (t *Terminal) read(l *pty.Line) {
	buf := make([]byte, 4096)
	for {
		n, err := l.Read(buf)
		t.mu.Lock()
		if t.line == l {
			t.machine.input(buf[:n])
		}
		t.mu.Unlock()
		t.nudge()
		if err != nil {
			return
		}
	}
}

// Deliver gives a message for the terminal to the network, which keeps it until the terminal has it; OnSettled tells how it ended.
func (t *Terminal) Deliver(_ context.Context, f Forward) error {
	most := forwardMax
	if t.o.Battery {
		most = forwardLowPower
	}
	if len(f.Message) < 2 || len(f.Message) > most {
		return fmt.Errorf("%w: %d bytes, want 2 to %d", ErrSize, len(f.Message), most)
	}
	f.Message = slices.Clone(f.Message)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return ErrClosed
	}
	t.machine.stats.Delivered++
	t.machine.forwards = append(t.machine.forwards, &coming{Forward: f})
	t.nudge()
	return nil
}

// SetSky opens the sky, or blocks it.
func (t *Terminal) SetSky(open bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.machine.blocked = !open
	t.nudge()
}

// Finish ends a message of the return queue that is on its way still. It reports whether there is one.
func (t *Terminal) Finish(name string, fate Fate) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	defer t.nudge()
	r := t.machine.returnNamed(name)
	if r == nil || r.state >= sent {
		return false
	}
	t.machine.through(r, fate)
	return true
}

// Submit puts a message into the return queue, as another program did.
func (t *Terminal) Submit(name string, message []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	defer t.nudge()
	t.machine.enqueue(Return{Name: name, Priority: 1, Message: slices.Clone(message)}, time.Now())
}

// Register returns what an S-register has.
func (t *Terminal) Register(n int) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.machine.readRegister(n, time.Now())
}

// Waiting returns the names of the messages of the return queue that are on their way still, oldest first.
func (t *Terminal) Waiting() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var names []string
	for _, r := range t.machine.returns {
		if r.state < sent {
			names = append(names, r.Name)
		}
	}
	return names
}

// CutPower takes the terminal's power for a moment: it boots, and has forgotten its return queue and its settings. Its line stays.
func (t *Terminal) CutPower() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.machine.cutPower()
	t.machine.power(time.Now())
	t.nudge()
}

// Inject adds a step to the script of faults.
func (t *Terminal) Inject(s Step) error {
	if err := s.validate(); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.machine.director.script = append(t.machine.director.script, s)
	return nil
}

// Unplug pulls the cable: programs that have the terminal open see it hang up. It goes on for itself. It stays so until Plug.
func (t *Terminal) Unplug() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.line == nil {
		return
	}
	l := t.line
	t.line = nil
	t.machine.in, t.machine.out, t.machine.held = nil, nil, nil
	l.Close()
}

// Plug puts the cable back: a new pseudo-terminal under the same path. It does nothing if it is plugged in.
func (t *Terminal) Plug() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return ErrClosed
	}
	if t.line != nil {
		return nil
	}
	l, err := pty.Open(t.o.Path)
	if err != nil {
		return err
	}
	t.line = l
	t.nudge()
	return nil
}

// Stats returns what happened so far.
func (t *Terminal) Stats() Stats {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.machine.stats
	s.Returns, s.Forwards = len(t.machine.returns), len(t.machine.forwards)
	return s
}

// Close closes the pseudo-terminal and removes the path. It is for terminals that never ran: the end of Run does it too.
func (t *Terminal) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil
	}
	t.closed = true
	if t.line != nil {
		t.line.Close()
		t.line = nil
	}
	return nil
}

package pty

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

const readMax = 4096

// ErrClosed is returned for a peer whose Run has ended.
var ErrClosed = errors.New("modem is closed")

// A Machine is a simulated modem and its network. It is told the time and the bytes; it does no I/O, starts nothing and is not safe for concurrent use.
type Machine interface {
	Input(b []byte)             // takes what a program wrote
	Poll(now time.Time) Effects // does what is due
	Plug(now time.Time)         // the cable was put back
	Unplug()                    // it was pulled, by somebody else than the machine
}

// Effects are what a machine wants done after it was polled, in this order.
type Effects struct {
	Out    []byte    // written to the program
	Unplug bool      // the cable is pulled, once Out was read. From here on there is no more input
	Plug   bool      // it is put back
	Calls  []func()  // callbacks
	Wake   time.Time // it is polled then at the latest; zero: not before something happens
}

// A Peer plays a machine behind a line. Safe for concurrent use.
type Peer struct {
	path   string
	kick   chan struct{} // holds one token when there may be something to do
	unread atomic.Uint64

	mu      sync.Mutex
	machine Machine       // guarded by mu
	line    *Line         // nil while it is unplugged; guarded by mu
	polled  chan struct{} // closed after the next poll; nil: nobody waits for it; guarded by mu
	closed  bool          // guarded by mu
}

// NewPeer opens a line for a machine, as [Open] does, which is plugged in and silent until Run runs. What was written to it until then is not lost.
func NewPeer(path string, m Machine) (*Peer, error) {
	l, err := Open(path)
	if err != nil {
		return nil, err
	}
	return &Peer{path: path, kick: make(chan struct{}, 1), machine: m, line: l}, nil
}

// Path returns what programs open: the symbolic link that was asked for, or the terminal itself, whose name changes when it is plugged in again and is ""
// while it is not.
func (p *Peer) Path() string {
	if p.path != "" {
		return p.path
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.line == nil {
		return ""
	}
	return p.line.Name()
}

// Unread returns how many bytes there were that nobody read.
func (p *Peer) Unread() uint64 { return p.unread.Load() }

// With has do look at the machine, or change it, and Run look at it after that.
func (p *Peer) With(do func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	do()
	p.nudge()
}

// Await is With for what may have to wait until the machine has room: do reports whether it is done, and is called again after each poll until it is. It ends
// with ErrClosed, or the error of ctx.
func (p *Peer) Await(ctx context.Context, do func(now time.Time) bool) error {
	for {
		done, polled, err := p.try(do)
		if done || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("there is no room: %w", ctx.Err())
		case <-polled:
		}
	}
}

// try calls do unless the peer is closed. If it is not done, polled is closed after the next poll.
func (p *Peer) try(do func(now time.Time) bool) (done bool, polled <-chan struct{}, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false, nil, ErrClosed
	}
	if do(time.Now()) {
		p.nudge()
		return true, nil, nil
	}
	if p.polled == nil {
		p.polled = make(chan struct{})
	}
	return false, p.polled, nil
}

// retry has those who wait for a poll try again. The caller holds mu.
func (p *Peer) retry() {
	if p.polled != nil {
		close(p.polled)
		p.polled = nil
	}
}

func (p *Peer) nudge() {
	select {
	case p.kick <- struct{}{}:
	default:
	}
}

// Run plays the machine until ctx is done and returns nil; then its terminal is closed and its path gone. An error means that no terminal could be had.
func (p *Peer) Run(ctx context.Context) (err error) {
	var readers sync.WaitGroup
	defer readers.Wait()
	defer func() { err = errors.Join(err, p.Close()) }()
	var current *Line
	for {
		l, e := p.poll()
		if l != nil && l != current {
			current = l
			readers.Go(func() { p.read(l) })
		}
		if err := p.perform(l, &e); err != nil {
			return err
		}
		busy := len(e.Out) > 0 || len(e.Calls) > 0 || e.Unplug || e.Plug
		if busy && ctx.Err() == nil {
			continue
		}
		if busy || !p.wait(ctx, e.Wake) {
			return nil
		}
	}
}

// poll polls the machine and returns the line that there was, and what is to be done. A line that is to be pulled is not the peer's any more.
func (p *Peer) poll() (*Line, Effects) {
	p.mu.Lock()
	defer p.mu.Unlock()
	e := p.machine.Poll(time.Now())
	l := p.line
	if e.Unplug {
		p.line = nil
	}
	p.retry()
	return l, e
}

// perform does what the machine wants done.
func (p *Peer) perform(l *Line, e *Effects) error {
	if len(e.Out) > 0 {
		n := 0
		if l != nil {
			n, _ = l.Write(e.Out) // what does not go is counted
		}
		p.unread.Add(uint64(len(e.Out) - n))
	}
	if e.Unplug && l != nil {
		l.Drain()
		p.mu.Lock() // a line that is opened meanwhile would lose its path
		l.Close()
		p.mu.Unlock()
	}
	if e.Plug {
		if err := p.Plug(); err != nil && !errors.Is(err, ErrClosed) {
			return err
		}
	}
	for _, f := range e.Calls {
		f()
	}
	return nil
}

// wait waits until there may be something to do. It reports whether ctx is not done.
func (p *Peer) wait(ctx context.Context, wake time.Time) bool {
	var timer <-chan time.Time
	if !wake.IsZero() {
		t := time.NewTimer(time.Until(wake))
		defer t.Stop()
		timer = t.C
	}
	select {
	case <-ctx.Done():
		return false
	case <-p.kick:
	case <-timer:
	}
	return true
}

// read takes what is written to a terminal until it is closed.
func (p *Peer) read(l *Line) {
	buf := make([]byte, readMax)
	for {
		n, err := l.Read(buf)
		p.With(func() {
			if p.line == l {
				p.machine.Input(buf[:n])
			}
		})
		if err != nil {
			return
		}
	}
}

// Unplug pulls the cable: programs that have the terminal open see it hang up. It stays so until Plug.
func (p *Peer) Unplug() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.machine.Unplug()
	p.detach()
}

// detach closes the line. The caller holds mu.
func (p *Peer) detach() {
	if p.line != nil {
		p.line.Close()
		p.line = nil
	}
}

// Plug puts the cable back: a new terminal under the same path. It does nothing if it is plugged in.
func (p *Peer) Plug() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return ErrClosed
	}
	if p.line != nil {
		return nil
	}
	l, err := Open(p.path)
	if err != nil {
		return err
	}
	p.line = l
	p.machine.Plug(time.Now())
	p.nudge()
	return nil
}

// Close closes the terminal and removes the path. It is for peers that never ran: the end of Run does it too. It does not fail.
func (p *Peer) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil
	}
	p.closed = true
	p.machine.Unplug()
	p.detach()
	p.retry()
	return nil
}

package node

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/godwit-gateway/godwit/gateway/publish"
	"github.com/godwit-gateway/godwit/gateway/store"
)

// Conditions are the reasons that Ready and Alive have words for. What a NATS server or a disk says in its own words comes besides.
func Conditions() []error {
	return []error{
		store.ErrFailed, store.ErrCorrupt, store.ErrStalled, store.ErrLowSpace, errNoLink, errStands,
		publish.ErrStarting, publish.ErrDoubt, publish.ErrFenced, publish.ErrDiffering, publish.ErrNotOurs, publish.ErrServerOld,
	}
}

var errNoLink = errors.New("no link is up")

// Ready is nil if the gateway does its work: it takes frames in, and events flow. Else it says what is in the way.
func (n *Node) Ready() error {
	var errs []error
	if err := n.store.Healthy(); err != nil {
		errs = append(errs, err)
	}
	if err := n.publisher.Ready(); err != nil {
		errs = append(errs, fmt.Errorf("events: %w", err))
	}
	if !slices.ContainsFunc(n.links, func(l *wired) bool { return l.up() }) {
		errs = append(errs, errNoLink)
	}
	return errors.Join(errs...)
}

// Alive is nil unless a new start can help: a write has failed and the process is about to end, or its parts wait for each other.
func (n *Node) Alive() error {
	if err := fatal(n.store.Healthy()); err != nil {
		return err
	}
	return n.probe.turns(func() {
		n.hub.DownlinkQueue()   // wants the lock of the data path, which nobody holds while the disk works
		_ = n.publisher.Ready() // and that of the publisher; what it says is for Ready
	})
}

// fatal keeps only the trouble of a store that a new start can end. A full disk, one that does not answer and a damaged block are still
// there after it, and a gateway that is started again and again serves nobody.
func fatal(err error) error {
	if errors.Is(err, store.ErrFailed) {
		return err
	}
	return nil
}

// probeTime is how long what a probe asks may take. It is far longer than any batch holds a lock.
const probeTime = 5 * time.Second

var errStands = errors.New("the data path has not moved for " + probeTime.String())

// probe asks whether the loops turn. At most one question is open at a time, however often it is asked and however long it takes.
type probe struct {
	mu     sync.Mutex
	asked  chan struct{} // closed when the open question was answered; nil: none is open; guarded by mu
	closed bool          // guarded by mu
}

// turns is nil if ask returns in time, or if the probe is closed: what has stopped is not expected to turn.
func (p *probe) turns(ask func()) error {
	answered := p.question(ask)
	if answered == nil {
		return nil
	}
	timer := time.NewTimer(probeTime)
	defer timer.Stop()
	select {
	case <-answered:
		return nil
	case <-timer.C:
		return errStands
	}
}

// question returns what is closed once the open question was answered, and opens one if there is none. Nil: the probe is closed.
func (p *probe) question(ask func()) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil
	}
	if p.asked == nil {
		answered := make(chan struct{})
		p.asked = answered
		go func() {
			ask()
			p.mu.Lock()
			defer p.mu.Unlock()
			p.asked = nil
			close(answered)
		}()
	}
	return p.asked
}

// close takes no more questions and waits for the open one to be answered. What is asked must have stopped before: then nobody holds the
// locks that the question waits for.
func (p *probe) close() {
	p.mu.Lock()
	p.closed = true
	answered := p.asked
	p.mu.Unlock()
	if answered != nil {
		<-answered
	}
}

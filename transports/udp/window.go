package udp

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/godwit-gateway/godwit/transports"
)

// WindowTime is how long an exchange can be answered: no longer than the shortest time that NATs keep a mapping for UDP in the field
// (RFC 4787 section 4.3 asks for two minutes, many keep 30 s).
const WindowTime = 30 * time.Second

// verdictWait is how long Send waits for the verdict on a window's uplink. Who sends in answer to an uplink knows that it is on disk, and may be here
// before the reader that was told so.
const verdictWait = time.Second

var (
	errNoWindow      = errors.New("a datagram can be answered only in the window of an uplink")
	errUnknownWindow = errors.New("no such window")
	errUnsettled     = errors.New("the window's uplink is not settled yet")
	errSpent         = errors.New("the window's uplink did not verify, or as much was sent in it as may be")
)

// windows hold the peers behind the windows of uplinks. The ring is bounded: under more load than it has room for, the oldest windows
// close early. Not safe for concurrent use.
type windows struct {
	ring    []window      // the window with an id is at id modulo len(ring)
	next    uint64        // id of the next window
	waiting chan struct{} // closed with the next verdicts; nil: nobody waits for them
}

// window is one exchange. What may be sent in it depends on its uplink's verdict: nothing until then and nothing to who did not verify.
type window struct {
	id      uint64
	peer    netip.AddrPort
	until   time.Duration
	budget  int // bytes that may still be sent
	settled bool
}

func newWindows(size int) *windows { return &windows{ring: make([]window, size), next: 1} }

// open makes a window for an uplink that is about to go to the sink.
func (w *windows) open(now time.Duration, peer netip.AddrPort) uint64 {
	id := w.next
	w.next++
	w.ring[id%uint64(len(w.ring))] = window{id: id, peer: peer, until: now + WindowTime}
	return id
}

// settle sets what may be sent in a window. A new payload can only have come from the device, or with it, and opens the window for a
// downlink of full size; a duplicate may be a recording sent under somebody else's address, who gets what is left of a short reply.
func (w *windows) settle(id uint64, v transports.Settlement, short int) {
	e := &w.ring[id%uint64(len(w.ring))]
	if e.id != id {
		return
	}
	e.settled = true
	switch v {
	case transports.Stored:
		e.budget = DownlinkMax
	case transports.Duplicate, transports.Quarantined:
		e.budget = short
	case transports.Unsettled, transports.Rejected:
		e.budget = 0
	}
}

// verdicts is closed when further verdicts were told.
func (w *windows) verdicts() <-chan struct{} {
	if w.waiting == nil {
		w.waiting = make(chan struct{})
	}
	return w.waiting
}

// told wakes up who waits for verdicts.
func (w *windows) told() {
	if w.waiting != nil {
		close(w.waiting)
		w.waiting = nil
	}
}

// take returns the peer behind a window and takes n bytes from its budget.
func (w *windows) take(now time.Duration, id uint64, n int) (netip.AddrPort, error) {
	e := &w.ring[id%uint64(len(w.ring))]
	switch {
	case id == 0 || id >= w.next:
		return netip.AddrPort{}, &transports.SendError{Outcome: transports.Refused, Err: errUnknownWindow}
	case e.id != id || now > e.until:
		return netip.AddrPort{}, &transports.SendError{Outcome: transports.Refused, Err: fmt.Errorf("window: %w", transports.ErrExpired)}
	case !e.settled:
		return netip.AddrPort{}, transports.Unreached(errUnsettled)
	case e.budget == 0:
		return netip.AddrPort{}, &transports.SendError{Outcome: transports.Refused, Err: errSpent}
	case e.budget < n:
		err := fmt.Errorf("window has room for %d bytes: %w", e.budget, transports.ErrTooLarge)
		return netip.AddrPort{}, &transports.SendError{Outcome: transports.Refused, Err: err}
	}
	e.budget -= n
	return e.peer, nil
}

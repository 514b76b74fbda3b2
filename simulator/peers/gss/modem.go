package gss

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// modem is what the gateway keeps of one. Guarded by Gateway.mu.
type modem struct {
	momsn uint16
	mtmsn uint16
	queue []waiting // what goes to it, first to go first
	rung  time.Time
}

// waiting is a message to a modem.
type waiting struct {
	payload  []byte
	mtmsn    uint16
	priority uint16
	since    time.Time
}

// A Session is one of a modem with the network.
type Session struct {
	IMEI     string
	Payload  []byte // nil: it only asks what waits for it
	Status   uint8  // StatusOK, or how it failed
	Location *Location
	Extra    []byte // content of an element that nobody knows; nil: there is none
	Tag      uint64 // the caller's own name of it, which comes back with its message
}

// A Result is what the modem hears in its session, as with AT+SBDIX.
type Result struct {
	MOMSN  uint16
	MTMSN  uint16 // of MT
	MT     []byte // nil: nothing waited
	Queued int    // messages that wait for it still
}

// ErrModem is returned for a modem that the gateway does not know, or a session that no modem can have.
var ErrModem = errors.New("no such modem or session")

// Session is a session of a modem. That it returns means that the modem was told how it went; the record of it is in all queues then.
func (g *Gateway) Session(s Session) (Result, error) {
	if len(s.Payload) > moMost {
		return Result{}, fmt.Errorf("%w: %d bytes", ErrModem, len(s.Payload))
	}
	now := g.o.Now()
	g.mu.Lock()
	m := g.modems[s.IMEI]
	if m == nil {
		g.mu.Unlock()
		return Result{}, fmt.Errorf("%w: IMEI %q", ErrModem, s.IMEI)
	}
	r := Result{MOMSN: m.momsn}
	record := Message{IMEI: s.IMEI, Status: s.Status, MOMSN: m.momsn, At: now, Location: s.Location, Extra: s.Extra, Tag: s.Tag}
	if s.Status < StatusTimeout {
		m.momsn++
		record.Payload = slices.Clone(s.Payload)
		m.purge(now, g.o.MTLife)
		if len(m.queue) > 0 {
			r.MT, r.MTMSN = m.queue[0].payload, m.queue[0].mtmsn
			m.queue = m.queue[1:]
			record.MTMSN = r.MTMSN
		}
		r.Queued = len(m.queue)
	}
	g.cdr++
	record.CDR = g.cdr
	dropped := g.enqueue(record)
	g.mu.Unlock()
	for _, d := range dropped {
		g.settled(d, Dropped)
	}
	return r, nil
}

// enqueue puts a record into the queues and returns what had to go for it. Called with mu held.
func (g *Gateway) enqueue(record Message) (dropped []Message) {
	for _, d := range g.destinations {
		record.Destination = d.index
		d.queue = append(d.queue, record)
		if over := len(d.queue) - g.o.Queue; over > 0 {
			from := 0
			if d.busy { // the one that is under way stays
				from = 1
			}
			dropped = append(dropped, d.queue[from:from+over]...)
			d.queue = slices.Delete(d.queue, from, from+over)
		}
		select {
		case d.kick <- struct{}{}:
		default:
		}
	}
	return dropped
}

// purge drops all that waits if any of it is too old.
func (m *modem) purge(now time.Time, life time.Duration) {
	if slices.ContainsFunc(m.queue, func(w waiting) bool { return now.Sub(w.since) > life }) {
		m.queue = nil
	}
}

func (g *Gateway) settled(m Message, o Outcome) {
	if g.o.OnSettled != nil {
		g.o.OnSettled(m, o)
	}
}

package atmodem

import (
	"time"
)

// A part is one TPDU on its way to the modem.
type part struct {
	tpdu    []byte
	report  bool
	due     time.Time // of the next attempt
	expires time.Time
	transit *transit // nil for reports
	index   int      // among the message's parts
}

// A transit is a message on its way to the modem and until the modem's user has deleted it.
type transit struct {
	message Message
	left    int    // parts not deleted yet
	gone    []bool // which are
	settled bool
}

// centre is the service centre: it holds what the modem could not take yet.
type centre struct {
	queue []*part
	now   bool // the modem said that it has room, or came back
	refs  map[string]uint16
	joins joiner
}

func newCentre() centre { return centre{refs: make(map[string]uint16)} }

func (c *centre) retryNow() { c.now = true }

const refsMax = 1 << 14 // senders whose last reference is remembered

// next returns the next reference of a sender, whose own counter it is.
func (c *centre) next(from string) uint16 {
	if len(c.refs) >= refsMax {
		clear(c.refs)
	}
	c.refs[from]++
	return c.refs[from]
}

// deliver takes a message for the modem.
func (m *machine) deliver(now time.Time, msg Message) error {
	if msg.SentAt.IsZero() {
		msg.SentAt = m.o.Now()
	}
	tpdus, err := encodeDeliver(&msg, coding{ref: m.centre.next, refBits: m.o.RefBits, portFirst: m.rng.Float64() < 0.5})
	if err != nil {
		return err
	}
	t := &transit{message: msg, left: len(tpdus), gone: make([]bool, len(tpdus))}
	var parts []*part
	for i, b := range tpdus {
		p := &part{tpdu: b, due: now, expires: now.Add(m.o.Validity), transit: t, index: i}
		lost, twice := m.director.Chance(m.director.faults.PartLost), m.director.Chance(m.director.faults.PartTwice)
		if lost {
			m.stats.PartsLost++
			m.end(t, OutcomeLost)
			continue
		}
		parts = append(parts, p)
		if twice {
			again := *p
			parts = append(parts, &again)
		}
	}
	for i := range len(parts) - 1 {
		if m.director.Chance(m.director.faults.PartSwap) {
			parts[i], parts[i+1] = parts[i+1], parts[i]
		}
	}
	m.centre.queue = append(m.centre.queue, parts...)
	return nil
}

// network does what the service centre has to do now.
func (m *machine) network(now time.Time) {
	if m.await.part != nil && !now.Before(m.await.due) {
		m.unacknowledged(now)
	}
	m.tell(now)
	c := &m.centre
	again := c.now
	c.now = false
	if len(c.queue) == 0 {
		return
	}
	online := m.registered(now)
	kept := c.queue[:0]
	full := false
	for _, p := range c.queue {
		switch {
		case !now.Before(p.expires):
			m.stats.Expired++
			m.end(p.transit, OutcomeExpired)
		case !online || full || p.due.After(now) && (!again || p.report):
			kept = append(kept, p)
		case m.receive(now, p):
			if p.report {
				m.stats.Reports++
			}
		default:
			p.due = now.Add(m.o.Retry)
			full = true // they come in order: the ones behind wait too
			kept = append(kept, p)
		}
	}
	clear(c.queue[len(kept):])
	c.queue = kept
}

// networkWake returns when network has to be called next.
func (m *machine) networkWake(now time.Time) time.Time {
	var wake time.Time
	at := func(t time.Time) {
		if t.After(now) && (wake.IsZero() || t.Before(wake)) {
			wake = t
		}
	}
	at(m.radio.since)
	if m.await.part != nil {
		at(m.await.due)
	}
	for _, p := range m.centre.queue {
		at(p.expires)
		if p.due.After(now) {
			at(p.due)
		} else if m.registered(now) {
			at(now.Add(m.o.Retry)) // behind one for which there was no room
		}
	}
	return wake
}

// settle notes that a part has reached its user.
func (m *machine) settle(p *part) {
	if p == nil || p.transit == nil || p.transit.gone[p.index] {
		return
	}
	t := p.transit
	t.gone[p.index] = true
	if t.left--; t.left == 0 {
		m.end(t, OutcomeDeleted)
	}
}

// end tells once how the way of a message ended.
func (m *machine) end(t *transit, outcome Outcome) {
	if t == nil || t.settled {
		return
	}
	t.settled = true
	if f := m.o.OnSettled; f != nil {
		m.calls = append(m.calls, func() { f(t.message, outcome) })
	}
}

package idpterm

import (
	"fmt"
	"time"
)

// States of messages.
const (
	pending   = 1
	complete  = 2
	ready     = 4
	sending   = 5
	sent      = 6
	failed    = 7
	cancelled = 8
)

// A returning is a message in the return queue.
type returning struct {
	Return

	number int
	state  int
	dies   time.Time // when its transmit lifetime is over
	due    time.Time // when it is through; zero until it is sending
}

// A coming is a forward message, in the network or in the forward queue.
type coming struct {
	Forward

	name  string
	state int // 0: in the network
	due   time.Time
}

// air does what satellite and network have to do now.
func (m *machine) air(now time.Time) {
	seen := m.seen(now)
	for _, r := range m.returns {
		switch {
		case r.state == ready && seen:
			r.state, r.due = sending, now.Add(m.o.Up.Draw(m.rng))
		case r.state == sending && !seen && now.Before(r.due):
			r.state, r.due = ready, time.Time{} // begins anew
		}
		if r.state == sending && !now.Before(r.due) {
			fate := FateDelivered
			if m.director.Chance(m.director.faults.Fail) {
				fate = FateFailed
			}
			m.through(r, fate)
		}
		if r.state == ready && !now.Before(r.dies) {
			r.state = failed
			m.stats.Died++
		}
	}
	inside := 0
	for _, c := range m.forwards {
		if c.state == 0 && inside < m.o.Slots && seen {
			m.number++
			c.name, c.state, c.due = fmt.Sprintf("FM%02d.%02d", m.number%100, m.number/100%100), pending, now.Add(m.o.Down.Draw(m.rng))
		}
		if c.state != 0 {
			inside++
		}
		switch {
		case c.state == pending && !seen:
			c.state, c.name = 0, ""
		case c.state == pending && !now.Before(c.due):
			c.state = complete
			m.events |= eventForward
		}
	}
}

// through ends the way of a return message.
func (m *machine) through(r *returning, fate Fate) {
	switch fate {
	case FateFailed:
		r.state = failed
		return
	case FateCancelled:
		r.state = cancelled
		return
	case FateDelivered:
	}
	r.state = sent
	m.stats.Returned++
	m.events |= eventReturned
	if f := m.o.OnReturn; f != nil {
		m.calls = append(m.calls, func() { f(r.Return) })
	}
}

// seen tells whether the satellite is.
func (m *machine) seen(now time.Time) bool {
	return m.booted && !m.blocked && (m.o.Sky == nil || m.o.Sky(now))
}

// skyPause is how often a sky that is a function is looked at.
const skyPause = 50 * time.Millisecond

// airWake returns when air has to be called next; zero: not before something happens.
func (m *machine) airWake(now time.Time) time.Time {
	var wake time.Time
	at := func(t time.Time) {
		if wake.IsZero() || t.Before(wake) {
			wake = t
		}
	}
	waits := false
	for _, r := range m.returns {
		if r.state == ready {
			at(r.dies)
		}
		if r.state == sending {
			at(r.due)
		}
		waits = waits || r.state == ready || r.state == sending
	}
	for _, c := range m.forwards {
		if c.state == pending {
			at(c.due)
		}
		waits = waits || c.state < complete
	}
	if waits && m.o.Sky != nil {
		at(now.Add(skyPause))
	}
	return wake
}

func (m *machine) returnNamed(name string) *returning {
	for _, r := range m.returns {
		if r.Name == name {
			return r
		}
	}
	return nil
}

func (m *machine) forwardNamed(name string) *coming {
	for _, c := range m.forwards {
		if c.name == name && c.state != 0 {
			return c
		}
	}
	return nil
}

// settle ends a forward message.
func (m *machine) settle(c *coming, outcome Outcome) {
	if f := m.o.OnSettled; f != nil {
		m.calls = append(m.calls, func() { f(c.Forward, outcome) })
	}
}

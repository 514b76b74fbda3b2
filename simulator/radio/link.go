package radio

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// A Delivery is one copy of a payload that has arrived.
type Delivery[T any] struct {
	Item   T
	SentAt time.Time
	At     time.Time // when it was due
	Copy   int       // 0 the first, 1 the duplicate
}

// Stats count what a link has done. Sent = Lost + Outage + TooLarge + Overflow + the payloads of which a copy arrived or is under way.
type Stats struct {
	Sent       uint64        // payloads given to Send
	Lost       uint64        // payloads lost by chance
	Outage     uint64        // payloads lost since the link was down
	TooLarge   uint64        // payloads lost since they exceed Model.SizeMax
	Overflow   uint64        // payloads lost since Model.Pending copies were under way
	Duplicated uint64        // payloads with a second copy
	HeldBack   uint64        // copies held back
	Delivered  uint64        // copies handed out by Due
	DelayTotal time.Duration // of the copies delivered
	DelayMost  time.Duration // of the copies delivered
}

// A Link is one direction of a network. Not safe for concurrent use.
type Link[T any] struct {
	model Model
	rng   *rand.Rand
	down  time.Time // the link is down before this
	last  time.Time // due time of the copy that later ones queue behind
	seq   uint64    // of the next copy, so that copies due at once come in the order of sending
	queue []copyOf[T]
	stats Stats
}

// copyOf is a copy under way. The queue is a binary heap, the one due first in front.
type copyOf[T any] struct {
	Delivery[T]

	seq uint64
}

// New returns an idle link that draws from rng, which must not be shared with anything whose order of calls is not fixed.
func New[T any](m Model, rng *rand.Rand) (*Link[T], error) {
	if err := m.Validate(); err != nil {
		return nil, fmt.Errorf("radio model: %w", err)
	}
	if m.Pending == 0 {
		m.Pending = PendingDefault
	}
	return &Link[T]{model: m, rng: rng}, nil
}

// Send has the link carry an item and returns how many copies of it will arrive: 0, 1 or 2. An item with memory of its own, such as a
// byte slice, must not be changed before its last copy was handed out.
func (l *Link[T]) Send(now time.Time, item T) int { return l.SendSized(now, item, 0) }

// SendSized is Send for an item of a size in bytes, which Model.SizeMax limits.
func (l *Link[T]) SendSized(now time.Time, item T, size int) int {
	lost, twice := l.rng.Float64() < l.model.Loss, l.rng.Float64() < l.model.Duplicate
	var delays [2]time.Duration
	var held [2]bool
	for i := range delays { // drawn for a copy that is never made as well, see the package's comment
		held[i] = l.rng.Float64() < l.model.Reorder
		delays[i] = l.model.Delay.draw(l.rng.Float64())
		if more := l.model.HoldBack.draw(l.rng.Float64()); held[i] {
			delays[i] += more
		}
	}
	l.stats.Sent++
	switch {
	case now.Before(l.down):
		l.stats.Outage++
		return 0
	case l.model.SizeMax > 0 && size > l.model.SizeMax:
		l.stats.TooLarge++
		return 0
	case lost:
		l.stats.Lost++
		return 0
	case len(l.queue) >= l.model.Pending:
		l.stats.Overflow++
		return 0
	}
	copies := 1
	if twice && len(l.queue)+1 < l.model.Pending {
		l.stats.Duplicated++
		copies = 2
	}
	for i := range copies {
		l.schedule(now, item, i, delays[i], held[i])
	}
	return copies
}

// schedule puts a copy under way. Copies queue in the order of sending; one that is held back is outside of that order, and nothing
// waits for it.
func (l *Link[T]) schedule(now time.Time, item T, i int, delay time.Duration, held bool) {
	due := now.Add(delay)
	if held {
		l.stats.HeldBack++
	} else {
		if due.Before(l.last) {
			due = l.last
		}
		l.last = due
	}
	l.push(copyOf[T]{Delivery: Delivery[T]{Item: item, SentAt: now, At: due, Copy: i}, seq: l.seq})
	l.seq++
}

// Change makes the link another one for all that is sent from now on.
func (l *Link[T]) Change(m Model) error {
	if err := m.Validate(); err != nil {
		return fmt.Errorf("radio model: %w", err)
	}
	if m.Pending == 0 {
		m.Pending = PendingDefault
	}
	l.model = m
	return nil
}

// Outage takes the link down until a time: what is sent before it is lost, what is under way arrives. A later call replaces it.
func (l *Link[T]) Outage(until time.Time) { l.down = until }

// Due hands out the next copy that has arrived by now; false if there is none.
func (l *Link[T]) Due(now time.Time) (Delivery[T], bool) {
	if len(l.queue) == 0 || l.queue[0].At.After(now) {
		var none Delivery[T]
		return none, false
	}
	d := l.pop().Delivery
	l.stats.Delivered++
	l.stats.DelayTotal += d.At.Sub(d.SentAt)
	l.stats.DelayMost = max(l.stats.DelayMost, d.At.Sub(d.SentAt))
	return d, true
}

// Next returns when the next copy is due; false if nothing is under way.
func (l *Link[T]) Next() (time.Time, bool) {
	if len(l.queue) == 0 {
		return time.Time{}, false
	}
	return l.queue[0].At, true
}

// Pending returns how many copies are under way.
func (l *Link[T]) Pending() int { return len(l.queue) }

// Stats returns the counts so far.
func (l *Link[T]) Stats() Stats { return l.stats }

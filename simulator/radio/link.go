package radio

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// A Delivery is one copy of a payload that has arrived, or where Failed is set the report that none will.
type Delivery[T any] struct {
	Item   T
	SentAt time.Time
	At     time.Time // when it was due
	Copy   int       // 0 the first, 1 the duplicate
	Size   int       // bytes that arrived: as SendSized was told, or fewer if it was cut
	Failed bool      // the sender is told that the payload was given up, or has expired
}

// A Fate is what became of a payload when it was sent.
type Fate uint8

// Fates. All but Carried are the end of it.
const (
	Carried  Fate = iota // it is under way
	Lost                 // by chance
	Outage               // the link was down
	Blocked              // no satellite was in sight
	TooLarge             // it exceeds Model.SizeMax
	Overflow             // Model.Pending copies were under way
	Expired              // Model.Validity will be over before the recipient is back
	fates
)

// A Sent says what a link did with a payload.
type Sent struct {
	Fate   Fate
	Copies int    // that will arrive: 0, 1 or 2
	Tries  int    // that the sender's modem has made; each took its energy
	Cost   Micros // of all of them

	Reported bool // nothing will arrive, and the sender is told so when it is known
}

// Stats count what a link has done. Sent = Fates[Lost] and all after it + the payloads of which a copy arrived, is under way, or was Missed.
type Stats struct {
	Sent       uint64        // payloads given to Send
	Fates      [fates]uint64 // payloads by their fate
	Tries      uint64        // to send a payload
	Duplicated uint64        // payloads with a second copy
	HeldBack   uint64        // copies held back
	Truncated  uint64        // copies cut
	Missed     uint64        // copies that came when the recipient was off, and that nobody kept, or not for long enough
	Delivered  uint64        // copies handed out by Due
	DelayTotal time.Duration // of the copies delivered
	DelayMost  time.Duration // of the copies delivered
	Bytes      uint64        // of all payloads sent
	Units      uint64        // billed
	Cost       Micros        // billed
}

// A Link is one direction of a network. Not safe for concurrent use.
type Link[T any] struct {
	model    Model
	rng      *rand.Rand
	coverage *Coverage
	account  account
	down     time.Time // the link is down before this
	off      bool      // the recipient is
	last     time.Time // due time of the copy that later ones queue behind
	seq      uint64    // of the next copy, so that copies due at once come in the order of sending
	queue    []copyOf[T]
	waiting  []copyOf[T] // for a recipient that is off
	stats    Stats
}

// copyOf is a copy under way. The queue is a binary heap, the one due first in front.
type copyOf[T any] struct {
	Delivery[T]

	seq uint64
}

// New returns an idle link that draws from rng, which must not be shared with anything whose order of calls is not fixed.
func New[T any](m Model, rng *rand.Rand) (*Link[T], error) {
	l := &Link[T]{rng: rng}
	if err := l.Change(m); err != nil {
		return nil, err
	}
	return l, nil
}

// Change makes the link another one for all that is sent from now on. Its coverage is its own again.
func (l *Link[T]) Change(m Model) error {
	if err := m.Validate(); err != nil {
		return fmt.Errorf("radio model: %w", err)
	}
	if m.Pending == 0 {
		m.Pending = PendingDefault
	}
	l.model = m
	l.coverage = &Coverage{bursts: m.Bursts, rng: rand.New(rand.NewPCG(l.rng.Uint64(), l.rng.Uint64()))} //nolint:gosec // a simulation must be repeatable
	return nil
}

// Coverage is when the link is in a burst.
func (l *Link[T]) Coverage() *Coverage { return l.coverage }

// Share makes the bursts of another link those of this one as well: a device is out of reach for what it sends and for what is sent to it.
func (l *Link[T]) Share(c *Coverage) { l.coverage = c }

// Send has the link carry an item and returns how many copies of it will arrive: 0, 1 or 2. An item with memory of its own, such as a
// byte slice, must not be changed before its last copy was handed out.
func (l *Link[T]) Send(now time.Time, item T) int { return l.Carry(now, item, 0).Copies }

// SendSized is Send for an item of a size in bytes, which Model.SizeMax limits.
func (l *Link[T]) SendSized(now time.Time, item T, size int) int {
	return l.Carry(now, item, size).Copies
}

// Carry is SendSized and says more of what became of the item.
func (l *Link[T]) Carry(now time.Time, item T, size int) Sent {
	k := luck(l.rng.Uint64())
	l.stats.Sent++
	l.stats.Bytes += uint64(size) //nolint:gosec // a size
	s, at := l.try(now, k, size)
	l.stats.Tries += uint64(s.Tries) //nolint:gosec // a few
	var wait time.Time
	if s.Fate == Carried {
		wait = l.away(now)
		if l.model.Validity > 0 && wait.Sub(now) > l.model.Validity {
			s.Fate, at = Expired, now.Add(l.model.Validity)
		}
	}
	l.stats.Fates[s.Fate]++
	if s.Fate != Carried {
		if s.Reported = l.model.Reports && l.Pending() < l.model.Pending; s.Reported {
			l.enqueue(Delivery[T]{Item: item, SentAt: now, At: at, Size: size, Failed: true})
		}
		return s
	}
	s.Copies = 1
	if k.uniform(byDuplicate, 0) < l.model.Duplicate && l.Pending()+1 < l.model.Pending {
		l.stats.Duplicated++
		s.Copies = 2
	}
	if wait.After(at) {
		at = wait
	}
	for i := range s.Copies {
		l.schedule(k, Delivery[T]{Item: item, SentAt: now, At: at, Copy: i, Size: size})
	}
	return s
}

// try hands a payload to the network, as often as its modem does, and returns when that went well or was given up.
func (l *Link[T]) try(now time.Time, k luck, size int) (s Sent, at time.Time) {
	at = now
	switch {
	case now.Before(l.down):
		s.Fate = Outage
	case l.model.SizeMax > 0 && size > l.model.SizeMax:
		s.Fate = TooLarge
	case l.Pending() >= l.model.Pending:
		s.Fate = Overflow
	}
	if s.Fate != Carried {
		return s, at
	}
	bad, until := l.coverage.at(now)
	for {
		seen, open := l.model.Passes.sight(at, l.model.Passes.Wait)
		if open {
			at = seen
			loss := l.model.Loss
			if bad && l.model.Validity == 0 && at.Before(until) { // what comes after this burst is not looked for
				loss = l.model.Bursts.Loss
			}
			s.Fate = Lost
			if k.uniform(byLoss, s.Tries) >= loss {
				s.Fate = Carried
			}
		} else {
			s.Fate = Blocked
		}
		s.Tries++
		if s.Fate == Carried || s.Fate == Lost && l.model.Tariff.Failed {
			units, cost := l.account.charge(&l.model.Tariff, at, size)
			l.stats.Units += units
			l.stats.Cost += cost
			s.Cost += cost
		}
		if s.Fate == Carried || s.Tries > len(l.model.Pauses) || l.model.Pauses[s.Tries-1] == 0 {
			return s, at
		}
		at = at.Add(time.Duration(k.uniform(byPause, s.Tries) * float64(l.model.Pauses[s.Tries-1])))
	}
}

// away is until when a recipient for whom the network keeps payloads is out of reach.
func (l *Link[T]) away(now time.Time) time.Time {
	if l.model.Validity > 0 {
		if bad, until := l.coverage.at(now); bad {
			return until
		}
	}
	return now
}

// schedule puts a copy under way that the network has taken at d.At. Copies queue in the order of sending; one that is held back is outside of
// that order, and nothing waits for it.
func (l *Link[T]) schedule(k luck, d Delivery[T]) {
	d.At = d.At.Add(l.model.Delay.draw(k.uniform(byDelay, d.Copy)))
	if k.uniform(byReorder, d.Copy) < l.model.Reorder {
		l.stats.HeldBack++
		d.At = d.At.Add(l.model.HoldBack.draw(k.uniform(byHoldBack, d.Copy)))
	} else {
		if d.At.Before(l.last) {
			d.At = l.last
		}
		l.last = d.At
	}
	if d.Size > 0 && k.uniform(byCut, d.Copy) < l.model.Truncate {
		l.stats.Truncated++
		d.Size = int(k.uniform(byCutSize, d.Copy) * float64(d.Size))
	}
	l.enqueue(d)
}

func (l *Link[T]) enqueue(d Delivery[T]) {
	l.push(copyOf[T]{Delivery: d, seq: l.seq})
	l.seq++
}

// Outage takes the link down until a time: what is sent before it is lost, what is under way arrives. A later call replaces it.
func (l *Link[T]) Outage(until time.Time) { l.down = until }

// Cut reports whether nothing gets through at a time, as far as is known without looking further ahead: in an outage, or in the burst that a try met
// last. It draws nothing, so that who looks changes nothing.
func (l *Link[T]) Cut(now time.Time) bool {
	return now.Before(l.down) || l.coverage.bad && now.Before(l.coverage.until)
}

// Switch says that the recipient goes off, or is on again. What arrives while it is off is kept where the network does that, and comes at once when
// it is on again unless it has expired; elsewhere it is lost.
func (l *Link[T]) Switch(now time.Time, on bool) {
	l.off = !on
	if !on {
		return
	}
	for _, c := range l.waiting {
		if now.Sub(c.SentAt) > l.model.Validity {
			l.stats.Missed++
			if c.Failed = true; !l.model.Reports {
				continue
			}
		}
		c.At = now
		l.push(c)
	}
	clear(l.waiting)
	l.waiting = l.waiting[:0]
}

// Due hands out the next copy that has arrived by now; false if there is none.
func (l *Link[T]) Due(now time.Time) (Delivery[T], bool) {
	for len(l.queue) > 0 && !l.queue[0].At.After(now) {
		c := l.pop()
		d := c.Delivery
		switch {
		case d.Failed:
			return d, true
		case !l.off:
			l.stats.Delivered++
			l.stats.DelayTotal += d.At.Sub(d.SentAt)
			l.stats.DelayMost = max(l.stats.DelayMost, d.At.Sub(d.SentAt))
			return d, true
		case l.model.Validity > 0:
			l.waiting = append(l.waiting, c)
		default:
			l.stats.Missed++
		}
	}
	var none Delivery[T]
	return none, false
}

// Next returns when the next copy is due; false if nothing is under way but what waits for a recipient that is off.
func (l *Link[T]) Next() (time.Time, bool) {
	if len(l.queue) == 0 {
		return time.Time{}, false
	}
	return l.queue[0].At, true
}

// Pending returns how many copies are under way.
func (l *Link[T]) Pending() int { return len(l.queue) + len(l.waiting) }

// Stats returns the counts so far.
func (l *Link[T]) Stats() Stats { return l.stats }

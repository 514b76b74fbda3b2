package store

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"
	"unsafe"

	"github.com/cockroachdb/pebble/v2"
)

// An Event is one row of the outbox, on its way to the stream.
type Event struct {
	Seq     uint64 // contiguous from 1
	ID      string
	Subject string
	Frame   string // the frame that it came from, as the caller gave it
	Payload []byte
	Chain   Chain
	At      time.Time // when it was added
}

// A Chain ties an event to all before it: whoever compares the last one has compared them all.
type Chain [16]byte

// NextChain is the chain value of the event that follows prev:
//
//	SHA-256(prev ‖ len id u16 ‖ id ‖ len subject u16 ‖ subject ‖ payload), the first 16 bytes
//
// The lengths keep the parts apart. Ids and subjects are cut at 65,535 bytes, which no stream takes anyway.
func NextChain(prev Chain, id, subject, payload []byte) Chain {
	c, _ := nextChain(nil, prev, id, subject, payload)
	return c
}

// nextChain is NextChain with scratch memory, which it returns.
func nextChain(scratch []byte, prev Chain, id, subject, payload []byte) (Chain, []byte) {
	id, subject = id[:min(len(id), math.MaxUint16)], subject[:min(len(subject), math.MaxUint16)]
	b := scratch[:0]
	b = append(b, prev[:]...)
	b = binary.BigEndian.AppendUint16(b, uint16(len(id))) //nolint:gosec // cut above
	b = append(b, id...)
	b = binary.BigEndian.AppendUint16(b, uint16(len(subject))) //nolint:gosec // cut above
	b = append(b, subject...)
	b = append(b, payload...)
	sum := sha256.Sum256(b)
	return Chain(sum[:len(prev)]), b
}

// An outbox row:
//
//	version  chain 16  time  len id  len subject  len frame ref  payload
func (b *Batch) appendEvent(dst []byte, chain Chain, id, subject, frame, payload []byte) []byte {
	dst = append(dst, rowVersion)
	dst = append(dst, chain[:]...)
	dst = appendTime(dst, b.at)
	dst = appendBytes(dst, id)
	dst = appendBytes(dst, subject)
	dst = appendBytes(dst, frame)
	return append(dst, payload...)
}

// arena is memory for the rows that one read returns. It is written once and then belongs to what aliases it.
type arena struct{ free []byte }

const (
	arenaFirst = 1 << 10
	arenaMax   = 64 << 10
)

// copy returns a copy of b; b itself where there is no arena. Blocks grow, so that reading one event costs little and reading many costs few allocations.
func (a *arena) copy(b []byte) []byte {
	if a == nil {
		return b
	}
	if cap(a.free)-len(a.free) < len(b) {
		a.free = make([]byte, 0, max(len(b), min(2*cap(a.free), arenaMax), arenaFirst))
	}
	n := len(a.free)
	a.free = append(a.free, b...)
	return a.free[n:len(a.free):len(a.free)]
}

// text is b as a string without a copy. Nobody may write to b any more: the ids and subjects of a row are what an arena holds.
func text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// decodeEvent reads an outbox row. What it returns is a copy, in a; without an arena it aliases the row.
func decodeEvent(seq uint64, b []byte, a *arena) (Event, error) {
	e := Event{Seq: seq}
	r := newRow("event", a.copy(b))
	copy(e.Chain[:], r.take(uint64(len(e.Chain))))
	e.At = r.time()
	e.ID, e.Subject, e.Frame = text(r.bytes()), text(r.bytes()), text(r.bytes())
	e.Payload = r.rest()
	if err := r.end("event"); err != nil {
		return Event{}, fmt.Errorf("event %d: %w", seq, err)
	}
	return e, nil
}

// AddEvent adds an event to the outbox and returns its number there. Numbers have no gaps.
func (b *Batch) AddEvent(id, subject, frame, payload []byte) (oseq uint64) {
	oseq = b.NextEvent()
	b.chain, b.hashed = nextChain(b.hashed, b.chain, id, subject, payload)
	b.key = appendSequenced(b.key[:0], prefixEvent, oseq)
	b.value = b.appendEvent(b.value[:0], b.chain, id, subject, frame, payload)
	b.set(b.key, b.value)
	b.events++
	return oseq
}

// NextEvent is the number that the next AddEvent will give.
func (b *Batch) NextEvent() uint64 {
	if !b.begun {
		b.begun = true
		b.at = b.s.now()
		b.s.mu.Lock()
		b.first, b.chain = b.s.last+1, b.s.chain
		b.s.mu.Unlock()
	}
	return b.first + b.events
}

// DurableEvents is the number of the last event that is on disk for good.
func (s *Store) DurableEvents() uint64 { return s.durable.Load() }

// EventsChanged receives when events have become durable: once for any number of commits since the last receive. It serves one reader.
func (s *Store) EventsChanged() <-chan struct{} { return s.changed }

func (s *Store) moveDurable(last uint64) {
	s.durable.Store(last)
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// Outbox appends to dst the durable events from number from on: at most maxRows, and no more once their ids, subjects and payloads hold
// maxBytes; the first always fits. A gap is an error: an event that should be there is gone.
func (s *Store) Outbox(dst []Event, from uint64, maxRows, maxBytes int) ([]Event, error) {
	var a arena
	err := s.walkOutbox(from, maxRows, maxBytes, &a, func(e *Event) { dst = append(dst, *e) })
	return dst, err
}

// A Place is what Outbox gives of an event, without what it says.
type Place struct {
	Seq   uint64
	Chain Chain
	At    time.Time
}

// OutboxPlaces is Outbox for who only looks for events, and copies nothing of them.
func (s *Store) OutboxPlaces(dst []Place, from uint64, maxRows, maxBytes int) ([]Place, error) {
	err := s.walkOutbox(from, maxRows, maxBytes, nil, func(e *Event) { dst = append(dst, Place{e.Seq, e.Chain, e.At}) })
	return dst, err
}

// walkOutbox calls f with the events that Outbox gives. What they hold is in a; without one it is valid until f returns.
func (s *Store) walkOutbox(from uint64, maxRows, maxBytes int, a *arena, f func(*Event)) error {
	durable := s.durable.Load()
	if from > durable || maxRows <= 0 {
		return nil
	}
	if first, _ := s.OutboxBounds(); from < first {
		return fmt.Errorf("%w: event %d was trimmed, the first is %d", ErrOutbox, from, first)
	}
	it, err := s.iter(appendSequenced(nil, prefixEvent, from), appendSequenced(nil, prefixEvent, durable+1))
	if err != nil {
		return err
	}
	want, size := from, 0
	var e Event // one for all: it is given away by its address, and so on the heap
	for ok := it.First(); err == nil && want <= durable && want-from < uint64(maxRows) && (size < maxBytes || want == from); ok = it.Next() {
		if e, err = s.eventAt(it, ok, want, a); err == nil {
			f(&e)
			size += len(e.ID) + len(e.Subject) + len(e.Payload)
			want++
		}
	}
	if err = errors.Join(err, closeIter(it)); err != nil {
		return fmt.Errorf("read the outbox: %w", err)
	}
	return nil
}

// eventAt decodes the row under it, which must be event want.
func (s *Store) eventAt(it *pebble.Iterator, ok bool, want uint64, a *arena) (Event, error) {
	if ok {
		if seq, _ := parseSequenced(it.Key()); seq == want {
			return decodeEvent(seq, it.Value(), a)
		}
	}
	if base := s.base.Load(); want <= base { // since the bounds were looked at
		return Event{}, fmt.Errorf("%w: event %d was trimmed, the first is %d", ErrOutbox, want, base+1)
	}
	return Event{}, fmt.Errorf("%w: event %d is missing", ErrCorrupt, want)
}

// OutboxBounds are the first event that is still held and the last that is durable. An empty outbox has first = last+1.
func (s *Store) OutboxBounds() (first, last uint64) {
	return s.base.Load() + 1, s.durable.Load()
}

// OutboxChain reads the chain value of an event, or of the one before the first that is still held.
func (s *Store) OutboxChain(seq uint64) (Chain, bool, error) {
	value, ok, err := s.get(appendSequenced(nil, prefixEvent, seq))
	if err != nil {
		return Chain{}, false, err
	}
	if ok {
		if seq > s.durable.Load() {
			return Chain{}, false, nil
		}
		e, err := decodeEvent(seq, value, nil)
		return e.Chain, err == nil, err
	}
	base, err := s.readBase()
	return base.chain, err == nil && base.seq == seq, err
}

// TrimOutbox forgets events up to and including upTo. It is not synced: after a power cut they may be back.
func (s *Store) TrimOutbox(upTo uint64) error {
	s.trimMu.Lock()
	defer s.trimMu.Unlock()
	if upTo <= s.base.Load() {
		return nil
	}
	if durable := s.durable.Load(); upTo > durable {
		return fmt.Errorf("trim the outbox: %w: %d, the last durable event is %d", ErrOutbox, upTo, durable)
	}
	chain, ok, err := s.OutboxChain(upTo)
	if err != nil || !ok {
		return fmt.Errorf("trim the outbox at event %d: %w", upTo, cmpErr(err, ErrCorrupt))
	}
	return s.moveBase(outboxBase{seq: upTo, chain: chain}, false)
}

// AdoptOutbox makes the event at tail, which the stream has and this store does not, the one before the next. What the outbox held is
// forgotten: the stream has more. It is for the time before frames are accepted, while no batch is under way.
func (s *Store) AdoptOutbox(tail uint64, chain Chain) error {
	s.trimMu.Lock()
	defer s.trimMu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if tail < s.last {
		return fmt.Errorf("adopt the stream's tail: %w: %d, this outbox is at %d", ErrOutbox, tail, s.last)
	}
	if err := s.moveBase(outboxBase{seq: tail, chain: chain}, true); err != nil {
		return err
	}
	s.last, s.chain = tail, chain
	s.moveDurable(tail)
	return nil
}

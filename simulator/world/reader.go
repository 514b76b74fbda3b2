package world

import (
	"fmt"
	"hash/maphash"
	"strconv"
	"strings"
	"time"

	"github.com/godwit-gateway/godwit/gateway/publish"
	"github.com/godwit-gateway/godwit/simulator/check"
)

// reader is a consumer of the stream that knows events by their ids. It keeps hashes only: a fleet says millions of things.
type reader struct {
	seed   maphash.Seed
	frames map[uint64]*check.Counters[said] // by the hash of an id without its counter: what the first events of frames say
	others map[uint64]said                  // by the hash of an event's id
	next   uint64                           // sequence that is read next, where the stream can only grow
	marks  []readMark                       // where the stream was, so that what is old can be dropped
}

// said is what is known of an event: two bits, and of the others a hash of what it says.
type said uint32

const (
	wasRead   said = 1 << iota
	wasBuried      // an accepted loss forgot it: it must not come again
	saidBits  = wasRead | wasBuried
)

// readMark says that all before a sequence had been read at a time.
type readMark struct {
	at   time.Time
	next uint64
}

func newReader() reader {
	return reader{seed: maphash.MakeSeed(), frames: make(map[uint64]*check.Counters[said]), others: make(map[uint64]said)}
}

// bury remembers that everything read so far must not come again.
func (r *reader) bury() {
	for _, of := range r.frames {
		for _, s := range of.All {
			*s |= wasBuried
		}
	}
	for id := range r.others {
		r.others[id] |= wasBuried
	}
}

// known is what is known of an event, 0 if it was not read yet, and notes what it says.
func (r *reader) known(id string, payload []byte) (before, now said) {
	now = said(maphash.Bytes(r.seed, payload))&^saidBits | wasRead //nolint:gosec // a part of it will do
	if name, ok := strings.CutSuffix(id, ".0"); ok {
		dot := strings.LastIndexByte(name, '.')
		if counter, err := strconv.ParseUint(name[dot+1:], 10, 64); err == nil && dot > 0 {
			key := maphash.String(r.seed, name[:dot])
			of := r.frames[key]
			if of == nil {
				of = new(check.Counters[said])
				r.frames[key] = of
			}
			s := of.Of(counter)
			if before = *s; before == 0 {
				*s = now
			}
			return before, now
		}
	}
	key := maphash.String(r.seed, id)
	if before = r.others[key]; before == 0 {
		r.others[key] = now
	}
	return before, now
}

// readStream reads the stream from its beginning. Of events that the outbox still holds nothing is taken for granted before the end: they must
// survive whatever happens to the stream.
func (w *world) readStream(end bool) error {
	held, _ := w.gateway.store.OutboxBounds()
	return w.gateway.each(func(m *publish.Message) error {
		if m.Publisher == "" || !end && m.Oseq >= held {
			return nil
		}
		return w.read(m)
	})
}

// read takes a message as a consumer does.
func (w *world) read(m *publish.Message) error {
	r := &w.reader
	name := eventID(m)
	before, now := r.known(name, m.Payload)
	if before&wasBuried != 0 && m.Frame != "" {
		return fmt.Errorf("%w: the frame of event %s was taken again after a loss that was accepted", ErrBroken, name)
	}
	w.note(0, m.Payload, name)
	if before != 0 {
		if (before^now)&^saidBits != 0 {
			return fmt.Errorf("%w: event %s says two things, one of them %s", ErrBroken, name, m.Payload)
		}
		return nil
	}
	w.noticeAlarm(m)
	if err := w.ledger.Event(m.Payload); err != nil {
		return fmt.Errorf("%w: %w", ErrBroken, err)
	}
	return nil
}

// follow reads what is new on the stream and has been read back by the gateway, and lets the stream drop what is older than it keeps. It is for
// worlds that are too large for a stream that holds everything.
func (w *world) follow() error {
	s, r := w.gateway.stream, &w.reader
	held, _ := w.gateway.store.OutboxBounds()
	for r.next = max(r.next, s.First); r.next <= s.Last; r.next++ {
		m, ok := s.Messages[r.next]
		if ok && m.Oseq >= held {
			break // the gateway may have to say it again
		}
		if !ok || m.Publisher == "" {
			continue
		}
		if err := w.read(m); err != nil {
			return err
		}
	}
	r.marks = append(r.marks, readMark{w.now, r.next})
	for len(r.marks) > 0 && w.now.Sub(r.marks[0].at) >= s.MaxAge {
		s.Expire(r.marks[0].next)
		r.marks = r.marks[1:]
	}
	return nil
}

// eventID is the id of an event, whatever the message that carries it is called.
func eventID(m *publish.Message) string {
	id, _, _ := strings.Cut(m.ID, ";")
	return id
}

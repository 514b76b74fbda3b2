package world

import (
	"fmt"
	"hash/maphash"
	"strings"
	"time"

	"github.com/godwit-gateway/godwit/gateway/publish"
)

// reader is a consumer of the stream that knows events by their ids. It keeps hashes only: a fleet says millions of things.
type reader struct {
	seed   maphash.Seed
	seen   map[uint64]uint64   // by the hash of an event's id: that of what it says
	buried map[uint64]struct{} // events that an accepted loss forgot: none may come again
	next   uint64              // sequence that is read next, where the stream can only grow
	marks  []readMark          // where the stream was, so that what is old can be dropped
}

// readMark says that all before a sequence had been read at a time.
type readMark struct {
	at   time.Time
	next uint64
}

func newReader() reader {
	return reader{seed: maphash.MakeSeed(), seen: make(map[uint64]uint64), buried: make(map[uint64]struct{})}
}

// bury remembers that everything read so far must not come again.
func (r *reader) bury() {
	for id := range r.seen {
		r.buried[id] = struct{}{}
	}
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
	id, said := maphash.String(r.seed, name), maphash.Bytes(r.seed, m.Payload)
	if _, ok := r.buried[id]; ok && m.Frame != "" {
		return fmt.Errorf("%w: the frame of event %s was taken again after a loss that was accepted", ErrBroken, name)
	}
	w.note(name, 0, m.Payload)
	if before, twice := r.seen[id]; twice {
		if before != said {
			return fmt.Errorf("%w: event %s says two things, one of them %s", ErrBroken, name, m.Payload)
		}
		return nil
	}
	r.seen[id] = said
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
		if err := w.read(&m); err != nil {
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

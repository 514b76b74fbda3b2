package store

import (
	"cmp"
	"encoding/binary"
	"fmt"
)

// outboxBase is the event before the first that is held, so that numbers and chain go on when the outbox is empty.
type outboxBase struct {
	seq   uint64
	chain Chain
}

func appendBase(dst []byte, o outboxBase) []byte {
	dst = binary.AppendUvarint(append(dst, rowVersion), o.seq)
	return append(dst, o.chain[:]...)
}

func decodeBase(b []byte) (outboxBase, error) {
	r := newRow("outbox base", b)
	o := outboxBase{seq: r.uvarint()}
	copy(o.chain[:], r.take(uint64(len(o.chain))))
	return o, r.end("outbox base")
}

func (s *Store) readBase() (outboxBase, error) {
	value, ok, err := s.get(keyOutboxBase)
	if !ok || err != nil {
		return outboxBase{}, err
	}
	return decodeBase(value)
}

// moveBase deletes the events up to o and makes o the base, in one batch. Called with trimMu held.
func (s *Store) moveBase(o outboxBase, sync bool) error {
	if err := s.writable(); err != nil {
		return err
	}
	b := s.db.NewBatch()
	// A range is one tombstone whatever its length, and lets a compaction drop whole tables of trimmed events unread.
	if err := b.DeleteRange(appendSequenced(nil, prefixEvent, 0), after(appendSequenced(nil, prefixEvent, o.seq)), nil); err != nil {
		return fmt.Errorf("trim the outbox: %w", err)
	}
	if err := b.Set(keyOutboxBase, appendBase(nil, o), nil); err != nil {
		return fmt.Errorf("trim the outbox: %w", err)
	}
	// Readers look at the base first: they must not find a hole where the rows were.
	s.base.Store(o.seq)
	if err := b.Commit(s.synced(sync)); err != nil {
		return fmt.Errorf("trim the outbox: %w", err)
	}
	return s.writable()
}

// loadOutbox finds the bounds of the outbox.
func (s *Store) loadOutbox() error {
	base, err := s.readBase()
	if err != nil {
		return err
	}
	s.base.Store(base.seq)
	s.last, s.chain = base.seq, base.chain
	it, err := s.iter([]byte{prefixEvent}, []byte{prefixEvent + 1})
	if err != nil {
		return err
	}
	if it.Last() {
		var e Event
		seq, ok := parseSequenced(it.Key())
		if !ok || seq <= base.seq {
			err = fmt.Errorf("%w: outbox key %x", ErrCorrupt, it.Key())
		} else if e, err = decodeEvent(seq, it.Value(), new(arena)); err == nil {
			s.last, s.chain = seq, e.Chain
		}
	}
	if cerr := closeIter(it); err == nil {
		err = cerr
	}
	s.durable.Store(s.last)
	return err
}

// PublisherMeta reads what PutPublisherMeta wrote, nil if nothing was written yet.
func (s *Store) PublisherMeta() ([]byte, error) {
	value, _, err := s.get(keyPublisherMeta)
	return value, err
}

// PutPublisherMeta writes the publisher's own state, which means nothing to the store. Without sync it may be lost with the power.
func (s *Store) PutPublisherMeta(value []byte, sync bool) error {
	if err := s.writable(); err != nil {
		return err
	}
	if err := s.db.Set(keyPublisherMeta, value, s.synced(sync)); err != nil {
		return fmt.Errorf("write the publisher's state: %w", err)
	}
	return s.writable()
}

// cmpErr is the first error that is one.
func cmpErr(errs ...error) error { return cmp.Or(errs...) }

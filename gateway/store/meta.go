package store

import (
	"encoding/binary"
	"time"
)

// formatVersion is of the key table and of everything that no row's own version covers. A store with a higher one is refused.
const formatVersion = 1

// PutMeta writes a value of the caller's under a name.
func (b *Batch) PutMeta(name string, value []byte) {
	b.key = append(append(b.key[:0], prefixMeta), name...)
	b.set(b.key, value)
}

// DeleteMeta forgets a value.
func (b *Batch) DeleteMeta(name string) {
	b.key = append(append(b.key[:0], prefixMeta), name...)
	b.delete(b.key)
}

// Meta reads a value that PutMeta wrote.
func (s *Store) Meta(name string) ([]byte, bool, error) {
	return s.get(append([]byte{prefixMeta}, name...))
}

// marker is the row that says whose directory this is. It is written right after creation; a directory with rows but without it is
// damaged, and one without any rows never came to life.
type marker struct {
	id      [16]byte
	created time.Time
}

func appendMarker(dst []byte, m marker) []byte {
	dst = append(dst, formatVersion)
	dst = append(dst, m.id[:]...)
	return appendTime(dst, m.created)
}

func decodeMarker(b []byte) (marker, error) {
	var m marker
	r := newRow("marker", b)
	copy(m.id[:], r.take(16))
	m.created = r.time()
	return m, r.end("marker")
}

// keepSequence writes down a sequence's last number when its newest rows may be deleted, so that no number is given twice.
func (b *Batch) keepSequence(key []byte, last uint64) {
	b.value = binary.AppendUvarint(append(b.value[:0], rowVersion), last)
	b.set(key, b.value)
}

// lastSequence is the highest number of a sequence that was ever deleted or is still stored.
func (s *Store) lastSequence(prefix byte, key []byte) (uint64, error) {
	last := uint64(0)
	value, ok, err := s.get(key)
	if err != nil {
		return 0, err
	}
	if ok {
		r := newRow("sequence", value)
		last = r.uvarint()
		if err := r.end("sequence"); err != nil {
			return 0, err
		}
	}
	it, err := s.iter([]byte{prefix}, []byte{prefix + 1})
	if err != nil {
		return 0, err
	}
	if it.Last() && len(it.Key()) >= sequencedKeySize {
		last = max(last, binary.BigEndian.Uint64(it.Key()[1:]))
	}
	return last, closeIter(it)
}

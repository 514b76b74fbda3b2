package store

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"
)

// A Quarantine row is a payload that did not become a frame and is kept for people.
type Quarantine struct {
	Seq                uint64 // given by PutQuarantine
	Link, Bearer, From string
	Ref                string // the network's own id
	SentAt, ReceivedAt time.Time
	Port               uint16
	Content            uint8  // as the transport told it
	Number             uint32 // device, 0 if none is certain
	Reason             string
	Verified           bool // it is authentic, and something else keeps it out
	Opened             bool // it is a frame that a key of the device opened: the next three say which
	Epoch              uint32
	Counter            uint64
	Hash               [8]byte
	Position           Position // where the network saw the sender
	Payload            []byte
}

// Flags of a quarantine row.
const (
	quarantineVerified = 1 << iota
	quarantineOpened
	quarantinePlaced
	quarantineFlags = 1<<iota - 1
)

// quarantineMax bounds the rows in all; see [Batch.PutQuarantine].
const quarantineMax = 100_000

func appendQuarantine(dst []byte, q *Quarantine) []byte {
	flags := byte(0)
	if q.Verified {
		flags |= quarantineVerified
	}
	if q.Opened {
		flags |= quarantineOpened
	}
	if q.Position.Known {
		flags |= quarantinePlaced
	}
	dst = append(dst, rowVersion, flags)
	dst = binary.AppendUvarint(dst, uint64(q.Number))
	dst = appendTime(dst, q.ReceivedAt)
	dst = appendTime(dst, q.SentAt)
	dst = append(dst, q.Content)
	dst = binary.AppendUvarint(dst, uint64(q.Port))
	dst = appendBearer(dst, q.Bearer)
	for _, v := range []string{q.Link, q.From, q.Ref, q.Reason} {
		dst = appendString(dst, v)
	}
	if q.Opened {
		dst = binary.AppendUvarint(dst, uint64(q.Epoch))
		dst = binary.AppendUvarint(dst, q.Counter)
		dst = append(dst, q.Hash[:]...)
	}
	if q.Position.Known {
		dst = appendPosition(dst, &q.Position)
	}
	return append(dst, q.Payload...)
}

// decodeQuarantine reads a quarantine row. Payload aliases it.
func decodeQuarantine(seq uint64, b []byte) (Quarantine, error) {
	r := newRow("quarantine", b)
	flags := r.byte()
	if flags&^byte(quarantineFlags) != 0 {
		r.fail("unknown flags")
	}
	q := Quarantine{Seq: seq, Verified: flags&quarantineVerified != 0, Opened: flags&quarantineOpened != 0}
	q.Number = uint32(r.limited(math.MaxUint32)) //nolint:gosec // limited
	q.ReceivedAt, q.SentAt = r.time(), r.time()
	q.Content = r.byte()
	q.Port = uint16(r.limited(math.MaxUint16)) //nolint:gosec // limited
	q.Bearer = r.bearer()
	q.Link, q.From, q.Ref, q.Reason = r.string(), r.string(), r.string(), r.string()
	if q.Opened {
		q.Epoch, q.Counter = uint32(r.limited(math.MaxUint32)), r.uvarint() //nolint:gosec // limited
		copy(q.Hash[:], r.take(8))
	}
	if flags&quarantinePlaced != 0 {
		q.Position = r.position()
	}
	q.Payload = r.rest()
	return q, r.end("quarantine")
}

// ward is what memory knows of the quarantine: one entry per row, oldest first. It changes when a batch is committed; the lock is for
// readers other than the committer.
type ward struct {
	mu      sync.Mutex
	entries []wardEntry
	last    uint64 // sequence last given
	evicted uint64 // rows that had to make room
}

type wardEntry struct {
	seq      uint64
	number   uint32
	verified bool
}

// find is the index of a row, or where it would be.
func (w *ward) find(seq uint64) (int, bool) {
	return slices.BinarySearchFunc(w.entries, seq, func(e wardEntry, seq uint64) int { return cmp.Compare(e.seq, seq) })
}

// wardBatch is what a batch will change in the ward.
type wardBatch struct {
	added   []wardEntry
	removed map[uint64]bool
	scan    int // entries before this one are verified or removed
}

func (c *wardBatch) reset() {
	c.added = c.added[:0]
	clear(c.removed)
	c.scan = 0
}

func (c *wardBatch) remove(seq uint64) {
	if c.removed == nil {
		c.removed = make(map[uint64]bool)
	}
	c.removed[seq] = true
}

// apply makes the changes of a committed batch.
func (w *ward) apply(b *wardBatch) {
	if len(b.added) == 0 && len(b.removed) == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.entries = append(w.entries, b.added...)
	if len(b.removed) > 0 {
		w.entries = slices.DeleteFunc(w.entries, func(e wardEntry) bool { return b.removed[e.seq] })
	}
}

// PutQuarantine adds a row and returns its number. The quarantine is bounded at 100,000 rows: when it is full, the oldest row that was
// not verified makes room. If all are verified, an unverified row is not kept, and its number is 0; a verified one takes the place of the
// oldest.
func (b *Batch) PutQuarantine(q *Quarantine) (seq uint64) {
	w, c := &b.s.ward, &b.ward
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.entries)+len(c.added)-len(c.removed) >= b.s.quarantineMax {
		victim, ok := c.victim(w, q.Verified)
		w.evicted++
		if !ok {
			return 0
		}
		b.deleteQuarantine(victim, w.last)
	}
	w.last++
	b.key = appendSequenced(b.key[:0], prefixQuarantine, w.last)
	b.value = appendQuarantine(b.value[:0], q)
	b.set(b.key, b.value)
	c.added = append(c.added, wardEntry{seq: w.last, number: q.Number, verified: q.Verified})
	return w.last
}

// victim chooses the row that makes room.
func (c *wardBatch) victim(w *ward, verified bool) (uint64, bool) {
	for ; c.scan < len(w.entries); c.scan++ {
		if e := w.entries[c.scan]; !e.verified && !c.removed[e.seq] {
			return e.seq, true
		}
	}
	for _, e := range c.added {
		if !e.verified && !c.removed[e.seq] {
			return e.seq, true
		}
	}
	if !verified {
		return 0, false
	}
	for _, list := range [][]wardEntry{w.entries, c.added} {
		for _, e := range list {
			if !c.removed[e.seq] {
				return e.seq, true
			}
		}
	}
	return 0, false
}

// DeleteQuarantine removes a row.
func (b *Batch) DeleteQuarantine(seq uint64) {
	w := &b.s.ward
	w.mu.Lock()
	defer w.mu.Unlock()
	if b.holds(seq) {
		b.deleteQuarantine(seq, w.last)
	}
}

func (b *Batch) deleteQuarantine(seq, last uint64) {
	b.ward.remove(seq)
	b.key = appendSequenced(b.key[:0], prefixQuarantine, seq)
	b.delete(b.key)
	b.keepSequence(keyQuarantineSeq, last)
}

// HoldsQuarantine reports whether a row is there, or will be when the batch is committed.
func (b *Batch) HoldsQuarantine(seq uint64) bool {
	w := &b.s.ward
	w.mu.Lock()
	defer w.mu.Unlock()
	return b.holds(seq)
}

func (b *Batch) holds(seq uint64) bool {
	if b.ward.removed[seq] {
		return false
	}
	_, ok := b.s.ward.find(seq)
	return ok || slices.ContainsFunc(b.ward.added, func(e wardEntry) bool { return e.seq == seq })
}

// QuarantineCount is the number of rows, and how many had to make room for others since the store was opened.
func (s *Store) QuarantineCount() (rows int, evicted uint64) {
	s.ward.mu.Lock()
	defer s.ward.mu.Unlock()
	return len(s.ward.entries), s.ward.evicted
}

// QuarantineBefore reads up to limit rows with numbers below before, the newest first. Zero stands for the end.
func (s *Store) QuarantineBefore(before uint64, limit int) ([]Quarantine, error) {
	upper := []byte{prefixQuarantine + 1}
	if before != 0 {
		upper = appendSequenced(nil, prefixQuarantine, before)
	}
	it, err := s.iter([]byte{prefixQuarantine}, upper)
	if err != nil {
		return nil, err
	}
	var out []Quarantine
	for ok := it.Last(); ok && len(out) < limit && err == nil; ok = it.Prev() {
		var q Quarantine
		if q, err = quarantineRow(it.Key(), it.Value()); err == nil {
			out = append(out, q)
		}
	}
	if cerr := closeIter(it); err == nil {
		err = cerr
	}
	if err != nil {
		return nil, err
	}
	return out, nil
}

// EachQuarantine calls f with every row, the oldest first. The row is f's to keep. An error of f ends the walk.
func (s *Store) EachQuarantine(f func(q *Quarantine) error) error {
	return s.each(prefixQuarantine, func(key, value []byte) error {
		q, err := quarantineRow(key, value)
		if err != nil {
			return err
		}
		return f(&q)
	})
}

// QuarantineOf reads up to limit rows of one device with one reason and numbers above after, the oldest first.
func (s *Store) QuarantineOf(number uint32, reason string, after uint64, limit int) ([]Quarantine, error) {
	s.ward.mu.Lock()
	var seqs []uint64
	for _, e := range s.ward.entries {
		if e.number == number && e.seq > after {
			seqs = append(seqs, e.seq)
		}
	}
	s.ward.mu.Unlock()
	var out []Quarantine
	for _, seq := range seqs {
		key := appendSequenced(nil, prefixQuarantine, seq)
		value, ok, err := s.get(key)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		q, err := quarantineRow(key, value)
		if err != nil {
			return nil, err
		}
		if q.Reason != reason {
			continue
		}
		if out = append(out, q); len(out) >= limit {
			break
		}
	}
	return out, nil
}

func quarantineRow(key, value []byte) (Quarantine, error) {
	seq, ok := parseSequenced(key)
	if !ok {
		return Quarantine{}, fmt.Errorf("%w: quarantine key %x", ErrRow, key)
	}
	q, err := decodeQuarantine(seq, append([]byte(nil), value...))
	if err != nil {
		return Quarantine{}, fmt.Errorf("quarantine %d: %w", seq, err)
	}
	return q, nil
}

// loadQuarantine fills the ward from the rows.
func (s *Store) loadQuarantine() error {
	last, err := s.lastSequence(prefixQuarantine, keyQuarantineSeq)
	if err != nil {
		return err
	}
	s.ward.last = last
	return s.each(prefixQuarantine, func(key, value []byte) error {
		seq, ok := parseSequenced(key)
		if !ok {
			return fmt.Errorf("%w: quarantine key %x", ErrRow, key)
		}
		r := newRow("quarantine", value)
		flags := r.byte()
		number := uint32(r.limited(math.MaxUint32)) //nolint:gosec // limited
		s.ward.entries = append(s.ward.entries, wardEntry{seq: seq, number: number, verified: flags&quarantineVerified != 0})
		return r.err
	})
}

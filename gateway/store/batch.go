package store

import (
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/godwit-gateway/godwit/gateway/failpoint"
)

// Memory that a batch keeps from one commit to the next: room for the largest group of frames that intake makes.
const (
	batchInitial  = 64 << 10
	batchRetained = 8 << 20
)

// A Batch is a group of changes that become durable together. It belongs to one goroutine, is empty again after a commit, and is made
// once: filling it allocates nothing once its buffers have grown. There is one batch at a time that adds events or quarantine rows.
type Batch struct {
	s *Store
	b *pebble.Batch

	key, value, hashed []byte // scratch

	begun  bool      // the fields below are set
	first  uint64    // number of the first event
	events uint64    // events so far
	chain  Chain     // of the last event so far
	at     time.Time // of all events of the batch

	ward wardBatch
	err  error
}

// NewBatch returns an empty batch.
func (s *Store) NewBatch() *Batch {
	return &Batch{s: s, b: s.db.NewBatch(pebble.WithInitialSizeBytes(batchInitial), pebble.WithMaxRetainedSizeBytes(batchRetained))}
}

// Len is the number of changes.
func (b *Batch) Len() int { return int(b.b.Count()) }

// Bytes is the size of the changes in the log.
func (b *Batch) Bytes() int { return b.b.Len() }

// Reset drops what the batch holds.
func (b *Batch) Reset() {
	b.b.Reset()
	b.begun, b.events, b.err = false, 0, nil
	b.ward.reset()
}

func (b *Batch) set(key, value []byte) {
	op := b.b.SetDeferred(len(key), len(value))
	copy(op.Key, key)
	copy(op.Value, value)
	b.finish(op)
}

func (b *Batch) delete(key []byte) {
	op := b.b.DeleteDeferred(len(key))
	copy(op.Key, key)
	b.finish(op)
}

func (b *Batch) finish(op *pebble.DeferredBatchOp) {
	if err := op.Finish(); err != nil && b.err == nil {
		b.err = err
	}
}

// Commit makes a batch durable with one sync, and then moves the durable mark and wakes the reader of events. After an error nothing of
// the batch may be confirmed to anyone, and the process should end: see [Options.Fatal]. An empty batch costs nothing.
func (s *Store) Commit(b *Batch) error {
	if err := s.writable(); err != nil {
		return err
	}
	if b.err != nil {
		return fmt.Errorf("commit: %w", b.err)
	}
	if b.b.Empty() {
		b.Reset() // an event number that was looked at and not used
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if b.begun && b.first != s.last+1 {
		return fmt.Errorf("commit: %w", ErrStale)
	}
	if err := s.sync(b.b); err != nil {
		return err
	}
	failpoint.Pass(failpoint.Synced)
	s.commits.Add(1)
	s.written.Add(uint64(b.b.Len())) //nolint:gosec // not negative
	s.ward.apply(&b.ward)
	if b.begun && b.events > 0 {
		s.last, s.chain = s.last+b.events, b.chain
		s.moveDurable(s.last)
	}
	b.Reset()
	return nil
}

// sync writes a batch under the eyes of the watchdog. Pebble answers a log that cannot be written with its logger's Fatalf, and then says
// that all is well: only the flag that the logger sets tells.
func (s *Store) sync(b *pebble.Batch) error {
	s.watchdog.arm()
	err := b.Commit(s.synced(true))
	s.watchdog.disarm()
	if err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return s.writable()
}

package store

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// A Store is an open store. Its methods are safe for concurrent use; a [Batch] is not.
type Store struct {
	db       *pebble.DB
	lock     *pebble.Lock
	fs       vfs.FS
	fsCloser io.Closer
	dir      string
	log      *slog.Logger
	now      func() time.Time
	readOnly bool
	volatile bool
	created  bool
	marker   marker

	mu    sync.Mutex // held for a commit
	last  uint64     // number of the last event; guarded by mu
	chain Chain      // of the last event; guarded by mu

	trimMu  sync.Mutex    // held while events are deleted; taken before mu
	base    atomic.Uint64 // the event before the first that is held
	durable atomic.Uint64 // the last event that is synced
	changed chan struct{}

	partSeq       atomic.Uint64
	ward          ward
	quarantineMax int
	retain        retainCursor // guarded by mu

	watchdog *watchdog
	space    space
	fatal    func(msg string)
	writes   atomic.Bool // Pebble is open, and its log goes on
	opened   atomic.Bool // Open has returned the store
	failed   atomic.Bool // a write failed: Options.Fatal was called
	corrupt  atomic.Bool // a block on disk failed its checksum

	commits, written, stalls, slow atomic.Uint64
}

// Created reports whether this Open made the store.
func (s *Store) Created() bool { return s.created }

// ID is the random name that the store got when it was made. A copy has the same.
func (s *Store) ID() [16]byte { return s.marker.id }

// CreatedAt is when the store was made.
func (s *Store) CreatedAt() time.Time { return s.marker.created }

// Close ends all work of the store. No other method may be under way or follow.
func (s *Store) Close() error {
	s.watchdog.close()
	var err error
	if s.volatile && s.writable() == nil {
		err = s.db.Flush()
	}
	return errors.Join(err, s.db.Close(), s.lock.Close(), s.fsCloser.Close())
}

// synced are the options of a write that is to be on disk when it returns, or need not.
func (s *Store) synced(yes bool) *pebble.WriteOptions {
	if yes && !s.volatile {
		return pebble.Sync
	}
	return pebble.NoSync
}

// Healthy reports why nothing should be taken in now: a write failed or hangs, a block on disk is damaged, space is low. It is cheap.
func (s *Store) Healthy() error {
	switch {
	case s.failed.Load():
		return ErrFailed
	case s.corrupt.Load():
		return fmt.Errorf("%w: a block failed its checksum; see the log", ErrCorrupt)
	case s.watchdog.tripped():
		return ErrStalled
	}
	return s.space.check(s)
}

// writable reports why nothing can be written.
func (s *Store) writable() error {
	switch {
	case s.readOnly:
		return ErrReadOnly
	case s.failed.Load():
		return ErrFailed
	}
	return nil
}

// get reads one value into fresh memory.
func (s *Store) get(key []byte) ([]byte, bool, error) {
	value, closer, err := s.db.Get(key)
	if err != nil {
		return nil, false, ignoreMissing(err)
	}
	out := append([]byte{}, value...)
	if err := closer.Close(); err != nil {
		return nil, false, fmt.Errorf("read %q: %w", key[:1], err)
	}
	return out, true, nil
}

func ignoreMissing(err error) error {
	if errors.Is(err, pebble.ErrNotFound) {
		return nil
	}
	return asCorrupt(fmt.Errorf("read: %w", err))
}

func (s *Store) iter(lower, upper []byte) (*pebble.Iterator, error) {
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper})
	if err != nil {
		return nil, asCorrupt(fmt.Errorf("read: %w", err))
	}
	return it, nil
}

// closeIter closes an iterator and reports what it met on its way.
func closeIter(it *pebble.Iterator) error {
	if err := it.Close(); err != nil {
		return asCorrupt(fmt.Errorf("read: %w", err))
	}
	return nil
}

// each calls f with every row of a kind. Key and value are valid until f returns.
func (s *Store) each(prefix byte, f func(key, value []byte) error) error {
	return s.walk([]byte{prefix}, []byte{prefix + 1}, f)
}

func (s *Store) walk(lower, upper []byte, f func(key, value []byte) error) error {
	it, err := s.iter(lower, upper)
	if err != nil {
		return err
	}
	for ok := it.First(); ok && err == nil; ok = it.Next() {
		err = f(it.Key(), it.Value())
	}
	return errors.Join(err, closeIter(it))
}

// asCorrupt makes Pebble's word for damage ours.
func asCorrupt(err error) error {
	if pebble.IsCorruptionError(err) {
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return err
}

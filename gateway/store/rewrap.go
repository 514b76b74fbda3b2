package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
)

// EachKey calls f with every wrapped device key, by number. The key is valid until f returns. An error of f ends the walk.
func (s *Store) EachKey(f func(number, version uint32, wrapped []byte) error) error {
	return s.each(prefixKey, func(key, value []byte) error {
		if len(key) != wrappedKeySize {
			return fmt.Errorf("%w: key %x", ErrRow, key)
		}
		return f(binary.BigEndian.Uint32(key[1:]), binary.BigEndian.Uint32(key[5:]), value)
	})
}

// A RewrapReport says what a rewrap did.
type RewrapReport struct {
	Rewrapped int
	Before    int // wrapped by the new key already
}

// Rewrap wraps every device key anew. All go into one batch: after a crash all are wrapped by the old key, or all by the new one, and it may
// simply be run again. Then it compacts the part of the store that held them, so that no table file keeps what the old key opens. The disk
// may still hold the blocks of deleted files.
func (s *Store) Rewrap(ctx context.Context, from, to *KEK) (RewrapReport, error) {
	var r RewrapReport
	b := s.NewBatch()
	err := s.EachKey(func(number, version uint32, wrapped []byte) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if k, err := to.Unwrap(number, version, wrapped); !errors.Is(err, ErrWrongKEK) {
			clear(k[:])
			r.Before++
			return err
		}
		key, err := from.Unwrap(number, version, wrapped)
		defer clear(key[:])
		if err != nil {
			return err
		}
		again, err := to.Wrap(number, version, KeyOrigin(wrapped), &key)
		if err != nil {
			return err
		}
		b.PutKey(number, version, again)
		r.Rewrapped++
		return nil
	})
	if err == nil && r.Rewrapped > 0 {
		err = s.Commit(b)
	}
	if err != nil {
		return RewrapReport{}, fmt.Errorf("rewrap: %w", err)
	}
	if err := s.db.Compact(ctx, []byte{prefixKey}, []byte{prefixKey + 1}, false); err != nil {
		return r, fmt.Errorf("rewrap: compact the old keys away: %w", err)
	}
	return r, nil
}

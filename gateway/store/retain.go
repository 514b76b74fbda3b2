package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// Retention says how long rows are kept, by time of receipt. Zero keeps them for ever.
type Retention struct {
	Frames     time.Duration // and charges
	Quarantine time.Duration
	// Every is how long after the beginning of one pass over all devices the next begins: each looks for the oldest frame of every device, and has to write
	// the floor of each that had one to delete. Zero: at once.
	Every time.Duration
}

// A Floor is the counter of a device and epoch below which rows have been deleted. A frame below it cannot be told from a repeat any more
// and must be refused, so the floor is written in the same batch that deletes the rows.
type Floor struct {
	Number  uint32
	Epoch   uint32
	Counter uint64 // the lowest that may still be accepted
}

// Bounds of one step of retention: it runs in the committer, between two batches of uplinks, and may hold them up for some ten
// milliseconds.
const (
	retainFrames     = 4096
	retainDevices    = 4096
	retainQuarantine = 1024
)

// retainCursor is where the next step begins.
type retainCursor struct {
	passes bool      // over frames: a pass is under way
	began  time.Time // the last one; zero: there was none
	number uint32
	charge uint32 // device
}

// Retain adds to a batch the deletion of rows that are older than they are kept, a bounded number of them, and returns the floors that the
// caller must write in the same batch. Each call goes on where the last one ended, so all devices get their turn. More tells nothing: a
// caller that is behind calls again after the commit.
func (s *Store) Retain(b *Batch, now time.Time, r Retention) ([]Floor, error) {
	if r.Quarantine > 0 {
		if err := s.retainQuarantine(b, now.Add(-r.Quarantine)); err != nil {
			return nil, fmt.Errorf("retain quarantine: %w", err)
		}
	}
	if r.Frames <= 0 {
		return nil, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	cutoff := clampMillis(now.Add(-r.Frames))
	if err := s.retainCharges(b, cutoff); err != nil {
		return nil, fmt.Errorf("retain charges: %w", err)
	}
	if since := now.Sub(s.retain.began); !s.retain.passes && since >= 0 && since < r.Every {
		return nil, nil
	}
	if !s.retain.passes {
		s.retain.passes, s.retain.began = true, now
	}
	floors, err := s.retainFrames(b, cutoff)
	if err != nil {
		return nil, fmt.Errorf("retain frames: %w", err)
	}
	return floors, nil
}

// retainFrames walks the time index: of each device it looks at the oldest rows only.
func (s *Store) retainFrames(b *Batch, cutoff uint64) ([]Floor, error) {
	it, err := s.iter([]byte{prefixTime}, []byte{prefixTime + 1})
	if err != nil {
		return nil, err
	}
	var floors []Floor
	frames, devices := 0, 0
	ok := it.SeekGE(appendTimePrefix(nil, s.retain.number, 0))
	for ok {
		k, ms, good := parseTimeKey(it.Key())
		if !good {
			err = fmt.Errorf("%w: time index key %x", ErrRow, it.Key())
			break
		}
		s.retain.number = k.Number
		if frames >= retainFrames || devices >= retainDevices {
			break
		}
		if ms >= cutoff {
			devices++
			if k.Number == ^uint32(0) {
				ok = false
				break
			}
			ok = it.SeekGE(appendTimePrefix(nil, k.Number+1, 0))
			continue
		}
		frames++
		b.deleteFrame(k, it.Key())
		floors = raise(floors, k)
		ok = it.Next()
	}
	if !ok {
		s.retain.number, s.retain.passes = 0, false
	}
	return floors, errors.Join(err, closeIter(it))
}

func (b *Batch) deleteFrame(k FrameKey, timeKey []byte) {
	b.delete(timeKey)
	b.key = appendFrameKey(b.key[:0], k)
	b.delete(b.key)
}

// raise notes that the row of k is gone. Rows come by device, so only the last entries can be of the same one.
func raise(floors []Floor, k FrameKey) []Floor {
	for i := len(floors) - 1; i >= 0 && floors[i].Number == k.Number; i-- {
		if floors[i].Epoch == k.Epoch {
			floors[i].Counter = max(floors[i].Counter, k.Counter+1)
			return floors
		}
	}
	return append(floors, Floor{Number: k.Number, Epoch: k.Epoch, Counter: k.Counter + 1})
}

// retainQuarantine deletes rows from the old end. Rows are in the order in which they were put; one that is younger than it should be
// there holds up those behind it no longer than its own time.
func (s *Store) retainQuarantine(b *Batch, cutoff time.Time) error {
	it, err := s.iter([]byte{prefixQuarantine}, []byte{prefixQuarantine + 1})
	if err != nil {
		return err
	}
	n := 0
	for ok := it.First(); ok && n < retainQuarantine; ok = it.Next() {
		r := newRow("quarantine", it.Value())
		r.byte()
		r.uvarint()
		received := r.time()
		if r.err != nil {
			err = r.err
			break
		}
		if !received.Before(cutoff) {
			break
		}
		b.DeleteQuarantine(binary.BigEndian.Uint64(it.Key()[1:]))
		n++
	}
	return errors.Join(err, closeIter(it))
}

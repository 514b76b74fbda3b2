package store

import (
	"encoding/binary"
	"fmt"
)

// PutParked notes that a stored frame waits for the frame of counter base, which its content is counted from.
func (b *Batch) PutParked(k FrameKey, base uint64) {
	b.key = appendParkedKey(b.key[:0], k)
	b.value = binary.AppendUvarint(append(b.value[:0], rowVersion), base)
	b.set(b.key, b.value)
}

// DeleteParked notes that a frame waits no more.
func (b *Batch) DeleteParked(k FrameKey) {
	b.key = appendParkedKey(b.key[:0], k)
	b.delete(b.key)
}

// EachParked calls f with every frame that waits, by device and counter. An error of f ends the walk.
func (s *Store) EachParked(f func(k FrameKey, base uint64) error) error {
	return s.each(prefixParked, func(key, value []byte) error {
		k, base, err := parkedRow(key, value)
		if err != nil {
			return err
		}
		return f(k, base)
	})
}

// appendParkedKey is a frame's key under another prefix.
func appendParkedKey(dst []byte, k FrameKey) []byte {
	start := len(dst)
	dst = appendFrameKey(dst, k)
	dst[start] = prefixParked
	return dst
}

func parkedRow(key, value []byte) (FrameKey, uint64, error) {
	if len(key) != frameKeySize || key[0] != prefixParked {
		return FrameKey{}, 0, fmt.Errorf("%w: parked key %x", ErrRow, key)
	}
	k := FrameKey{
		Number: binary.BigEndian.Uint32(key[1:]), Epoch: binary.BigEndian.Uint32(key[5:]), Counter: binary.BigEndian.Uint64(key[9:]),
	}
	r := newRow("parked", value)
	base := r.uvarint()
	if err := r.end("parked"); err != nil {
		return FrameKey{}, 0, fmt.Errorf("parked frame %d.%d.%d: %w", k.Number, k.Epoch, k.Counter, err)
	}
	return k, base, nil
}

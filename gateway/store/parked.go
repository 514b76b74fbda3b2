package store

import (
	"encoding/binary"
	"fmt"
)

// A Parked row says what a stored frame waits for, and what its own row does not tell of it.
type Parked struct {
	Base     uint64   // counter of the frame that its content is counted from
	Position Position // where the network saw the sender
}

// parkedPlaced is the version of the row of a frame with a position; others are as they were before those were kept.
const parkedPlaced = rowVersion + 1

func appendParked(dst []byte, p *Parked) []byte {
	if !p.Position.Known {
		return binary.AppendUvarint(append(dst, rowVersion), p.Base)
	}
	return appendPosition(binary.AppendUvarint(append(dst, parkedPlaced), p.Base), &p.Position)
}

func decodeParked(b []byte) (Parked, error) {
	r, placed := newRow("parked", b), len(b) > 0 && b[0] == parkedPlaced
	if placed {
		r = row{b: b[1:]}
	}
	p := Parked{Base: r.uvarint()}
	if placed {
		p.Position = r.position()
	}
	return p, r.end("parked")
}

// PutParked notes that a stored frame waits.
func (b *Batch) PutParked(k FrameKey, p *Parked) {
	b.key = appendParkedKey(b.key[:0], k)
	b.value = appendParked(b.value[:0], p)
	b.set(b.key, b.value)
}

// DeleteParked notes that a frame waits no more.
func (b *Batch) DeleteParked(k FrameKey) {
	b.key = appendParkedKey(b.key[:0], k)
	b.delete(b.key)
}

// EachParked calls f with every frame that waits, by device and counter. An error of f ends the walk.
func (s *Store) EachParked(f func(k FrameKey, p Parked) error) error {
	return s.each(prefixParked, func(key, value []byte) error {
		k, p, err := parkedRow(key, value)
		if err != nil {
			return err
		}
		return f(k, p)
	})
}

// appendParkedKey is a frame's key under another prefix.
func appendParkedKey(dst []byte, k FrameKey) []byte {
	start := len(dst)
	dst = appendFrameKey(dst, k)
	dst[start] = prefixParked
	return dst
}

func parkedRow(key, value []byte) (FrameKey, Parked, error) {
	if len(key) != frameKeySize || key[0] != prefixParked {
		return FrameKey{}, Parked{}, fmt.Errorf("%w: parked key %x", ErrRow, key)
	}
	k := FrameKey{
		Number: binary.BigEndian.Uint32(key[1:]), Epoch: binary.BigEndian.Uint32(key[5:]), Counter: binary.BigEndian.Uint64(key[9:]),
	}
	p, err := decodeParked(value)
	if err != nil {
		return FrameKey{}, Parked{}, fmt.Errorf("parked frame %d.%d.%d: %w", k.Number, k.Epoch, k.Counter, err)
	}
	return k, p, nil
}

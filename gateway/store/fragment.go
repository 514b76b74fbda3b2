package store

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"
)

// A Fragment is a piece of a message that a device sends in pieces. Pieces wait on disk for the others: each was acknowledged. At index
// FragmentsDone stands what is remembered of a message that became whole; its pieces are gone then.
type Fragment struct {
	Number     uint32 // of the device
	Set        uint8  // the device's name for the message
	Index      uint16
	Last       uint16 // index of the last piece
	ReceivedAt time.Time
	Data       []byte
}

// FragmentsDone is the index of the row of a complete message: it sorts behind all pieces.
const FragmentsDone = math.MaxUint16

const fragmentKeySize = 1 + 4 + 1 + 2

func appendFragmentKey(dst []byte, number uint32, set uint8, index uint16) []byte {
	dst = binary.BigEndian.AppendUint32(append(dst, prefixFragment), number)
	return binary.BigEndian.AppendUint16(append(dst, set), index)
}

func appendFragment(dst []byte, f *Fragment) []byte {
	dst = binary.AppendUvarint(append(dst, rowVersion), uint64(f.Last))
	dst = appendTime(dst, f.ReceivedAt)
	return append(dst, f.Data...)
}

// fragmentRow reads a fragment row. Data aliases it.
func fragmentRow(key, value []byte) (Fragment, error) {
	if len(key) != fragmentKeySize {
		return Fragment{}, fmt.Errorf("%w: fragment key %x", ErrRow, key)
	}
	f := Fragment{Number: binary.BigEndian.Uint32(key[1:]), Set: key[5], Index: binary.BigEndian.Uint16(key[6:])}
	r := newRow("fragment", value)
	f.Last = uint16(r.limited(math.MaxUint16)) //nolint:gosec // limited
	f.ReceivedAt = r.time()
	f.Data = r.rest()
	if f.Index > f.Last && f.Index != FragmentsDone {
		r.fail("index above the last")
	}
	return f, r.end("fragment")
}

// PutFragment adds a piece.
func (b *Batch) PutFragment(f *Fragment) {
	b.key = appendFragmentKey(b.key[:0], f.Number, f.Set, f.Index)
	b.value = appendFragment(b.value[:0], f)
	b.set(b.key, b.value)
}

// DeleteFragments forgets all pieces of a message, and that it was complete.
func (b *Batch) DeleteFragments(number uint32, set uint8) {
	from := appendFragmentKey(nil, number, set, 0)
	if err := b.b.DeleteRange(from, after(from[:fragmentKeySize-2]), nil); err != nil && b.err == nil {
		b.err = err
	}
}

// EachFragment calls f with every piece, by device, message and index. The piece is f's to keep. An error of f ends the walk.
func (s *Store) EachFragment(f func(*Fragment) error) error {
	return s.each(prefixFragment, func(key, value []byte) error {
		p, err := fragmentRow(key, append([]byte(nil), value...))
		if err != nil {
			return fmt.Errorf("fragment %x: %w", key, err)
		}
		return f(&p)
	})
}

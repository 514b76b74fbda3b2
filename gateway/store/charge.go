package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"
)

// A Charge is what one attempt of a downlink was booked with, beside the ledger's sums: providers bill attempts, and downlinks are forgotten long before
// their month is.
type Charge struct {
	Number  uint32
	At      time.Time // in milliseconds
	Ref     uint64    // of the downlink
	Attempt uint32    // of it
	Link    string
	Kind    string // of the downlink
	Billed  int64  // bytes
	Micros  int64  // millionths of the tariff's currency
}

const chargeKeySize = 1 + 4 + 6 + 8 + 4

// PutCharge writes a charge.
func (b *Batch) PutCharge(c *Charge) {
	b.key = appendMoment(b.key[:0], prefixCharge, c.Number, clampMillis(c.At))
	b.key = binary.BigEndian.AppendUint64(b.key, c.Ref)
	b.key = binary.BigEndian.AppendUint32(b.key, c.Attempt)
	b.value = append(b.value[:0], rowVersion)
	b.value = appendString(appendString(b.value, c.Link), c.Kind)
	b.value = binary.AppendUvarint(b.value, uint64(max(0, c.Billed)))
	b.value = binary.AppendUvarint(b.value, zigzag(c.Micros))
	b.set(b.key, b.value)
}

func chargeRow(key, value []byte) (Charge, error) {
	if len(key) != chargeKeySize {
		return Charge{}, fmt.Errorf("%w: charge key %x", ErrRow, key)
	}
	r := newRow("charge", value)
	c := Charge{
		Number: binary.BigEndian.Uint32(key[1:]), At: atMillis(int64(momentOf(key))), Ref: binary.BigEndian.Uint64(key[11:]), //nolint:gosec // 48 bits
		Attempt: binary.BigEndian.Uint32(key[19:]), Link: r.string(), Kind: r.string(), Billed: int64(r.limited(math.MaxInt64)), Micros: r.signed(), //nolint:gosec // limited
	}
	return c, r.end("charge")
}

// EachCharge calls f with the charges of a device from a time on and before another, in their order. An error of f ends the walk.
func (s *Store) EachCharge(number uint32, from, to time.Time, f func(c *Charge) error) error {
	lower, upper := appendMoment(nil, prefixCharge, number, clampMillis(from)), appendMoment(nil, prefixCharge, number, clampMillis(to))
	return s.walk(lower, upper, func(key, value []byte) error {
		c, err := chargeRow(key, value)
		if err != nil {
			return err
		}
		return f(&c)
	})
}

// retainCharges deletes charges before a time, of each device the oldest. They are kept as long as frames are.
func (s *Store) retainCharges(b *Batch, cutoff uint64) error {
	it, err := s.iter([]byte{prefixCharge}, []byte{prefixCharge + 1})
	if err != nil {
		return err
	}
	rows, devices := 0, 0
	ok := it.SeekGE(appendMoment(nil, prefixCharge, s.retain.charge, 0))
	for ok && rows < retainFrames && devices < retainDevices {
		if len(it.Key()) != chargeKeySize {
			err = fmt.Errorf("%w: charge key %x", ErrRow, it.Key())
			break
		}
		s.retain.charge = binary.BigEndian.Uint32(it.Key()[1:])
		if momentOf(it.Key()) < cutoff {
			rows++
			b.delete(it.Key())
			ok = it.Next()
			continue
		}
		devices++
		if ok = s.retain.charge < math.MaxUint32; ok {
			ok = it.SeekGE(appendMoment(nil, prefixCharge, s.retain.charge+1, 0))
		}
	}
	if !ok {
		s.retain.charge = 0
	}
	return errors.Join(err, closeIter(it))
}

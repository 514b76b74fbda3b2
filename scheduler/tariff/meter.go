package tariff

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/godwit-gateway/godwit/scheduler/row"
)

// A Meter is how far a device, or a pool of devices, has come within a tariff. The zero Meter has used nothing. A copy shares its counters with
// the original: Clone makes one that does not.
//
// The meter's clock does not go back: what comes late, or while a clock is set back, counts for the open record, day and month. Only a time more
// than 40 days before the last is believed, since then the last was wrong.
type Meter struct {
	Members int64 // of a pool: devices that add to its allowance

	last     int64 // of the events so far, Unix seconds
	counters []counter
}

// counter is a meter's state in one term.
type counter struct {
	open    bool   // there is a record
	session uint64 // of the record
	opened  int64  // when the session was, Unix seconds
	index   int64  // of the record: number within its session, day, or month
	raw     int64  // bytes in the record
	billed  int64  // bytes that were billed for it

	period int64 // of the allowance: month, or Unix seconds of its first use
	used   int64 // of the allowance, in bytes or in number

	month int64 // of beyond
	over  int64 // what the month has beyond the allowance, in bytes or in number
}

const (
	clockPatience = 40 * 24 * 60 * 60 // seconds
	timeMost      = 253402300799      // the end of the year 9999
)

// ready makes the meter fit a tariff. One of another form begins anew, as a provider does who changes the form of his tariff.
func (m *Meter) ready(terms int) {
	if len(m.counters) != terms {
		m.counters = make([]counter, terms)
	}
}

// clock is the time that counts.
func (m *Meter) clock(at time.Time) int64 {
	now := min(max(at.Unix(), 0), timeMost)
	if now < m.last && m.last-now < clockPatience {
		return m.last
	}
	m.last = now
	return now
}

// Clone is a copy that shares nothing.
func (m *Meter) Clone() Meter {
	c := *m
	c.counters = slices.Clone(m.counters)
	return c
}

// ErrMeter is wrapped by errors about bytes that are no meter.
var ErrMeter = errors.New("no meter")

const (
	meterVersion = 1
	countersMost = 64 // terms of a tariff
)

// AppendBinary appends the meter: a byte for the version of the form, then variable-length integers.
func (m *Meter) AppendBinary(b []byte) ([]byte, error) {
	b = append(b, meterVersion)
	b = binary.AppendUvarint(b, uint64(max(m.Members, 0)))
	b = binary.AppendUvarint(b, uint64(m.last)) //nolint:gosec // not negative
	b = binary.AppendUvarint(b, uint64(len(m.counters)))
	for i := range m.counters {
		c := &m.counters[i]
		open := byte(0)
		if c.open {
			open = 1
		}
		b = binary.AppendUvarint(append(b, open), c.session)
		for _, v := range c.fields() {
			b = binary.AppendUvarint(b, uint64(*v)) //nolint:gosec // not negative
		}
	}
	return b, nil
}

// MarshalBinary is AppendBinary of nothing.
func (m *Meter) MarshalBinary() ([]byte, error) { return m.AppendBinary(nil) }

func (c *counter) fields() [8]*int64 {
	return [...]*int64{&c.opened, &c.index, &c.raw, &c.billed, &c.period, &c.used, &c.month, &c.over}
}

// UnmarshalBinary reads what AppendBinary wrote, and nothing else.
func (m *Meter) UnmarshalBinary(b []byte) error {
	if len(b) == 0 || b[0] != meterVersion {
		return fmt.Errorf("%w: want form %d", ErrMeter, meterVersion)
	}
	r := row.Reader{Rest: b[1:]}
	read := Meter{Members: int64(r.Uvarint(most)), last: int64(r.Uvarint(timeMost))} //nolint:gosec // bounded
	if n := r.Uvarint(countersMost); n > 0 {
		read.counters = make([]counter, n)
	}
	for i := range read.counters {
		c := &read.counters[i]
		c.open, c.session = r.Uvarint(1) == 1, r.Uvarint(math.MaxUint64)
		for _, v := range c.fields() {
			*v = int64(r.Uvarint(most)) //nolint:gosec // bounded
		}
	}
	if !r.Done() {
		return fmt.Errorf("%w: %d bytes", ErrMeter, len(b))
	}
	*m = read
	return nil
}

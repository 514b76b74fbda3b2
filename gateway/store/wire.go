package store

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"time"
)

// rowVersion starts every row that this package encodes.
const rowVersion = 1

// bearers are the names that rows hold as one byte, their index plus one. The list is part of the on-disk format: append only.
var bearers = []string{"sms", "udp", "sbd", "idp", "coap", "https", "mqtt"}

// bearerOther announces a name that is not in the list.
const bearerOther = 0

func appendString(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

func appendBytes(dst, b []byte) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(b))), b...)
}

func appendBearer(dst []byte, name string) []byte {
	if i := slices.Index(bearers, name); i >= 0 {
		return append(dst, byte(i+1))
	}
	return appendString(append(dst, bearerOther), name)
}

// millisMax bounds stored times, so that arithmetic on them cannot overflow: two million years either side.
const millisMax = 1 << 56

// millis is t in Unix milliseconds within ±millisMax.
func millis(t time.Time) int64 {
	if s := t.Unix(); s < -millisMax/1000 || s > millisMax/1000 {
		return min(max(s, -1), 1) * millisMax
	}
	return min(max(t.UnixMilli(), -millisMax), millisMax)
}

// appendTime appends 0 for the zero time, else one more than the zigzag of Unix milliseconds. Rows keep milliseconds, in UTC.
func appendTime(dst []byte, t time.Time) []byte {
	if t.IsZero() {
		return append(dst, 0)
	}
	return binary.AppendUvarint(dst, zigzag(millis(t))+1)
}

func zigzag(v int64) uint64      { return uint64(v)<<1 ^ uint64(v>>63) } //nolint:gosec // a bit pattern
func unzigzag(u uint64) int64    { return int64(u>>1) ^ -int64(u&1) }
func atMillis(v int64) time.Time { return time.UnixMilli(v).UTC() }

// A Position is where the network saw a sender. The zero value means that it did not say.
type Position struct {
	Known     bool
	Latitude  int32 // millionths of a degree, north positive
	Longitude int32 // millionths of a degree, east positive
	Radius    int64 // metres
}

func appendPosition(dst []byte, p *Position) []byte {
	dst = binary.AppendUvarint(dst, zigzag(int64(p.Latitude)))
	dst = binary.AppendUvarint(dst, zigzag(int64(p.Longitude)))
	return binary.AppendUvarint(dst, uint64(max(0, p.Radius)))
}

// row reads one encoded row. The first error sticks, so that a decoder checks once, at the end. It accepts exactly what the append
// functions give: one row has one encoding.
type row struct {
	b   []byte
	err error
}

func newRow(what string, b []byte) row {
	if len(b) == 0 {
		return row{err: fmt.Errorf("%w: %s: empty", ErrRow, what)}
	}
	if b[0] != rowVersion {
		return row{err: fmt.Errorf("%w: %s: version %d, this program knows %d", ErrRow, what, b[0], rowVersion)}
	}
	return row{b: b[1:]}
}

func (r *row) fail(what string) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: %s", ErrRow, what)
	}
	r.b = nil
}

func (r *row) byte() byte {
	if len(r.b) == 0 {
		r.fail("cut short")
		return 0
	}
	v := r.b[0]
	r.b = r.b[1:]
	return v
}

func (r *row) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 || n > 1 && r.b[n-1] == 0 {
		r.fail("not a number")
		return 0
	}
	r.b = r.b[n:]
	return v
}

// limited is a number that must not exceed most.
func (r *row) limited(most uint64) uint64 {
	v := r.uvarint()
	if v > most {
		r.fail("number out of range")
		return 0
	}
	return v
}

func (r *row) take(n uint64) []byte {
	if n > uint64(len(r.b)) {
		r.fail("cut short")
		return nil
	}
	v := r.b[:n:n]
	r.b = r.b[n:]
	return v
}

func (r *row) bytes() []byte  { return r.take(r.uvarint()) }
func (r *row) string() string { return string(r.bytes()) }

// rest is what is left, and ends the row.
func (r *row) rest() []byte { return r.take(uint64(len(r.b))) }

func (r *row) bearer() string {
	i := r.byte()
	if i != bearerOther {
		if int(i) > len(bearers) {
			r.fail("unknown bearer")
			return ""
		}
		return bearers[i-1]
	}
	name := r.string()
	if slices.Contains(bearers, name) {
		r.fail("bearer spelt out")
	}
	return name
}

func (r *row) time() time.Time {
	u := r.uvarint()
	if u == 0 {
		return time.Time{}
	}
	return r.at(unzigzag(u - 1))
}

func (r *row) signed() int64 { return unzigzag(r.uvarint()) }

// at is a time that was read as Unix milliseconds. The zero time is never written as a number.
func (r *row) at(v int64) time.Time {
	if v < -millisMax || v > millisMax || atMillis(v).IsZero() {
		r.fail("time out of range")
		return time.Time{}
	}
	return atMillis(v)
}

func (r *row) position() Position {
	return Position{Known: true, Latitude: r.degrees(), Longitude: r.degrees(), Radius: int64(r.limited(math.MaxInt64))} //nolint:gosec // limited
}

func (r *row) degrees() int32 {
	v := r.signed()
	if v < math.MinInt32 || v > math.MaxInt32 {
		r.fail("number out of range")
		return 0
	}
	return int32(v)
}

// end is the error of the row, which must be used up.
func (r *row) end(what string) error {
	if r.err == nil && len(r.b) > 0 {
		r.err = fmt.Errorf("%w: %d bytes too many", ErrRow, len(r.b))
	}
	if r.err != nil {
		return fmt.Errorf("%s: %w", what, r.err)
	}
	return nil
}

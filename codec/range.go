package codec

import "fmt"

// A packed status is written by a range coder with fixed probabilities (G. N. N. Martin, "Range encoding", 1979), in the binary form that
// LZMA made common: the interval [low, low+width) is split by each decision, in proportion to the probabilities of its outcomes. A likely
// decision costs a small part of a bit. The likelier outcome has the lower part, so that what is likely altogether is at 0, which takes no
// byte. The bytes are a number in the last interval, read with zeros behind its end; of those the one with the fewest bytes, and of
// these the smallest, so that an encoding is canonical.

const (
	probBits  = 12 // probabilities are in 1/4096
	probHalf  = 1 << (probBits - 1)
	rangeLow  = 1 << 24 // width is kept at or above it
	rangeFull = 1<<32 - 1
	rawBits   = 8 // bits without a model are written so many at a time
)

// rangeEncoder appends to b from its length at the start on.
type rangeEncoder struct {
	b     []byte
	start int
	low   uint32
	width uint32
}

func newRangeEncoder(b []byte) rangeEncoder {
	return rangeEncoder{b: b, start: len(b), width: rangeFull}
}

// bit writes a decision whose zero has probability p/4096.
func (e *rangeEncoder) bit(p uint32, one bool) {
	if p < probHalf {
		p, one = 2*probHalf-p, !one
	}
	bound := e.width >> probBits * p
	if one {
		e.add(bound)
		e.width -= bound
	} else {
		e.width = bound
	}
	e.normalize()
}

// raw writes the low bits of v, the highest first, each as likely 0 as 1.
func (e *rangeEncoder) raw(v uint64, bits uint8) {
	for bits > 0 {
		n := min(bits, rawBits)
		bits -= n
		e.width >>= n
		e.add(uint32(v>>bits) & (1<<n - 1) * e.width) //nolint:gosec // the low bits are meant
		e.normalize()
	}
}

func (e *rangeEncoder) add(d uint32) {
	e.low += d
	if e.low < d {
		e.carry()
	}
}

// carry adds one to the bytes that are written. It ends within them: the interval is within [0, 1).
func (e *rangeEncoder) carry() {
	for i := len(e.b) - 1; i >= e.start; i-- {
		e.b[i]++
		if e.b[i] != 0 {
			return
		}
	}
}

func (e *rangeEncoder) normalize() {
	for e.width < rangeLow {
		e.b = append(e.b, byte(e.low>>24))
		e.low <<= 8
		e.width <<= 8
	}
}

// finish appends what is left of the shortest number in the interval and cuts its zeros.
func (e *rangeEncoder) finish() []byte {
	for n := 0; ; n++ {
		mask := uint64(1)<<(32-8*n) - 1
		v := (uint64(e.low) + mask) &^ mask
		if n < 4 && v-uint64(e.low) >= uint64(e.width) {
			continue
		}
		if v>>32 != 0 {
			e.carry()
		}
		for i := range n {
			e.b = append(e.b, byte(v>>(24-8*i)))
		}
		return e.b[:e.start+len(cutZeros(e.b[e.start:]))]
	}
}

// rangeDecoder reads what rangeEncoder wrote. code is how far the number is above the low end of the interval.
type rangeDecoder struct {
	b     []byte
	pos   int // bytes read; zeros follow the last
	code  uint32
	width uint32
	bad   bool
}

var errRange = fmt.Errorf("packed status: %w", ErrMalformed)

func newRangeDecoder(b []byte) rangeDecoder {
	d := rangeDecoder{b: b, width: rangeFull}
	for range 4 {
		d.next()
	}
	d.bad = d.code >= d.width
	return d
}

func (d *rangeDecoder) next() {
	d.code <<= 8
	if d.pos < len(d.b) {
		d.code |= uint32(d.b[d.pos])
	}
	d.pos++
}

func (d *rangeDecoder) bit(p uint32) bool {
	unlikely := p < probHalf
	if unlikely {
		p = 2*probHalf - p
	}
	bound := d.width >> probBits * p
	high := d.code >= bound
	if high {
		d.code -= bound
		d.width -= bound
	} else {
		d.width = bound
	}
	for d.width < rangeLow {
		d.width <<= 8
		d.next()
	}
	return high != unlikely
}

func (d *rangeDecoder) raw(bits uint8) uint64 {
	v := uint64(0)
	for bits > 0 {
		n := min(bits, rawBits)
		bits -= n
		d.width >>= n
		q := d.code / d.width
		if q >= 1<<n { // the sliver that the division of the interval left over
			d.bad, q = true, 0
		}
		d.code -= q * d.width
		for d.width < rangeLow {
			d.width <<= 8
			d.next()
		}
		v = v<<n | uint64(q)
	}
	return v
}

// end reports an encoding that the encoder would not have given: it is not the shortest number in the interval, or not the smallest of these.
func (d *rangeDecoder) end() error {
	read := d.pos - 4 // bytes that have left the register
	n := len(d.b)
	switch {
	case d.bad || n > d.pos || n > 0 && d.b[n-1] == 0:
		return errRange
	case n <= read:
		return nil // a whole number of the lowest byte that left: there is one at most
	}
	unit := uint64(1) << (32 - 8*(n-read))
	last := uint64(d.b[n-1])
	code, width := uint64(d.code), uint64(d.width)
	if code >= unit || code+(256-last)*unit < width {
		return errRange
	}
	return nil
}

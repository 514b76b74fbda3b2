package codec

import "encoding/binary"

// bitReader reads from the most significant bit of the first byte on. Behind the end there are zeros: trailing zero bytes are never sent.
type bitReader struct {
	b   []byte
	pos int // in bits
}

// read takes up to 57 bits: a word from the byte that they begin in always holds them.
func (r *bitReader) read(width uint8) uint64 {
	i, shift := r.pos/8, r.pos%8
	r.pos += int(width)
	return r.word(i) << shift >> (64 - width)
}

// word is the eight bytes from i on, with zeros behind the end.
func (r *bitReader) word(i int) uint64 {
	n := len(r.b)
	switch {
	case i+8 <= n:
		return binary.BigEndian.Uint64(r.b[i:])
	case i >= n:
		return 0
	case n >= 8:
		return binary.BigEndian.Uint64(r.b[n-8:]) << (8 * (i + 8 - n))
	}
	var w [8]byte
	copy(w[:], r.b[i:])
	return binary.BigEndian.Uint64(w[:])
}

func (r *bitReader) flag() bool { return r.read(1) == 1 }

// rest reports whether only the zero bits that fill up the last byte are left.
func (r *bitReader) rest() bool {
	if len(r.b) > (r.pos+7)/8 {
		return false
	}
	for r.pos < 8*len(r.b) {
		if r.flag() {
			return false
		}
	}
	return true
}

// bitWriter is the counterpart of bitReader.
type bitWriter struct {
	b   []byte
	pos int // bits used of the last byte, 0 if it is full
}

func (w *bitWriter) write(v uint64, width uint8) {
	for left := int(width); left > 0; {
		if w.pos == 0 {
			w.b = append(w.b, 0)
		}
		free := 8 - w.pos
		n := min(left, free)
		bits := byte(v >> (left - n) & (1<<n - 1))
		w.b[len(w.b)-1] |= bits << (free - n)
		w.pos = (w.pos + n) % 8
		left -= n
	}
}

func (w *bitWriter) flag(f bool) {
	if f {
		w.write(1, 1)
		return
	}
	w.write(0, 1)
}

package row

import "encoding/binary"

// A Reader takes things off the front of Rest. Once something does not fit it is Bad, has nothing left, and gives zeros.
type Reader struct {
	Rest []byte
	Bad  bool
}

// Fail makes the reader bad.
func (r *Reader) Fail() { r.Bad, r.Rest = true, nil }

// Done reports whether all was read, and nothing was missing.
func (r *Reader) Done() bool { return !r.Bad && len(r.Rest) == 0 }

// Take is the next n bytes, which alias the row.
func (r *Reader) Take(n uint64) []byte {
	if n > uint64(len(r.Rest)) {
		r.Fail()
		return nil
	}
	taken := r.Rest[:n]
	r.Rest = r.Rest[n:]
	return taken
}

// Byte is the next byte.
func (r *Reader) Byte() byte {
	if b := r.Take(1); b != nil {
		return b[0]
	}
	return 0
}

// Uint32 is the next 4 bytes, big-endian.
func (r *Reader) Uint32() uint32 {
	if b := r.Take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

// Varint is the next number of variable length with a sign.
func (r *Reader) Varint() int64 {
	v, n := binary.Varint(r.Rest)
	if n <= 0 {
		r.Fail()
		return 0
	}
	r.Rest = r.Rest[n:]
	return v
}

// Uvarint is the next number of variable length; one above most does not fit.
func (r *Reader) Uvarint(most uint64) uint64 {
	v, n := binary.Uvarint(r.Rest)
	if n <= 0 || v > most {
		r.Fail()
		return 0
	}
	r.Rest = r.Rest[n:]
	return v
}

// Text is a text of at most so many bytes with its length before it.
func (r *Reader) Text(most uint64) string { return string(r.Take(r.Uvarint(most))) }

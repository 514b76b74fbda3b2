package verdict

import (
	"encoding/binary"
	"fmt"
	"math"
)

// A flow writes values to bytes or reads them back, big-endian, so that one description serves both. After its first error it reads nothing.
type flow struct {
	b       []byte
	reading bool
	err     error
}

// A number is what a flow carries.
type number interface {
	~int | ~int64 | ~uint8 | ~uint16 | ~uint32 | ~uint64
}

// carry writes or reads numbers as so many bytes.
func carry[T number](f *flow, size int, values ...*T) {
	var word [8]byte
	for _, v := range values {
		if !f.reading {
			binary.BigEndian.PutUint64(word[:], uint64(*v))
			f.b = append(f.b, word[8-size:]...)
			continue
		}
		if b := f.take(size); b != nil {
			word = [8]byte{}
			copy(word[8-size:], b)
			*v = T(binary.BigEndian.Uint64(word[:]))
		}
	}
}

func (f *flow) floats(values ...*float64) {
	for _, v := range values {
		bits := math.Float64bits(*v)
		carry(f, 8, &bits)
		*v = math.Float64frombits(bits)
	}
}

func (f *flow) singles(values ...*float32) {
	for _, v := range values {
		bits := math.Float32bits(*v)
		carry(f, 4, &bits)
		*v = math.Float32frombits(bits)
	}
}

func (f *flow) flag(v *bool) {
	var b uint8
	if *v {
		b = 1
	}
	if carry(f, 1, &b); b > 1 {
		f.fail("a truth of %d", b)
	}
	*v = b == 1
}

// text carries bytes and their length, which has so many bytes.
func (f *flow) text(size int, v *[]byte) {
	n := len(*v)
	if carry(f, size, &n); !f.reading {
		f.b = append(f.b, *v...)
		return
	}
	*v = f.take(n)
}

// version carries the version of what follows: the newest is written, and those from 1 on are read.
func (f *flow) version(newest uint8) uint8 {
	got := newest
	if carry(f, 1, &got); got < 1 || got > newest {
		f.fail("version %d, want 1 to %d", got, newest)
	}
	return got
}

// length carries the length of a slice whose elements have at least so many bytes each.
func length[T any](f *flow, s *[]T, least int) {
	n := len(*s)
	if carry(f, 2, &n); !f.reading {
		return
	}
	if n*least > len(f.b) {
		f.fail("it ends early")
		n = 0
	}
	*s = make([]T, n)
}

func (f *flow) take(n int) []byte {
	if f.err != nil {
		return nil
	}
	if n > len(f.b) {
		f.fail("it ends early")
		return nil
	}
	b := f.b[:n:n]
	f.b = f.b[n:]
	return b
}

func (f *flow) fail(format string, args ...any) {
	if f.err == nil {
		f.err = fmt.Errorf(format+": %w", append(args, ErrSnapshot)...)
	}
}

// end is the error of reading something that must be read whole.
func (f *flow) end(what string) error {
	if f.err == nil && len(f.b) != 0 {
		f.fail("%d bytes too many", len(f.b))
	}
	if f.err != nil {
		return fmt.Errorf("%s: %w", what, f.err)
	}
	return nil
}

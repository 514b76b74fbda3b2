package codec

import (
	"encoding/binary"
	"fmt"
)

// A Splitter sends one message in fragments until a status says that all of them arrived. It is a pure machine: whoever drives it frames
// and sends what Missing names.
type Splitter struct {
	set     uint8
	size    int    // bytes of data in each fragment but the last
	whole   []byte // message and check
	there   []bool // by index: the other side has it
	last    uint16
	arrived int
}

// NewSplitter cuts a message, the plaintext of a frame of kind 3, into fragments whose plaintext has up to room bytes. One that fits into
// room is sent whole and refused here.
func NewSplitter(set uint8, message []byte, room int) (*Splitter, error) {
	if len(message) > FragmentedMax || len(message) <= room {
		return nil, fmt.Errorf("cut %d bytes to fit into %d: %w", len(message), room, ErrMalformed)
	}
	check := fragmentCheck(message)
	s := &Splitter{set: set, whole: append(append([]byte(nil), message...), check[:]...)}
	for heads := 2; heads <= 6; heads += 2 { // last and index have the same room: one byte, two or three
		s.size = room - 2 - heads
		if s.size <= 0 {
			break
		}
		n := (len(s.whole) + s.size - 1) / s.size
		if n <= map[int]int{2: 24, 4: 256, 6: FragmentsMax}[heads] {
			s.last, s.there = uint16(n-1), make([]bool, n) //nolint:gosec // limited
			return s, nil
		}
	}
	return nil, fmt.Errorf("cut %d bytes to fit into %d: too many fragments: %w", len(message), room, ErrMalformed)
}

// Set is the sender's name for the message.
func (s *Splitter) Set() uint8 { return s.set }

// Len is how many bytes the message has.
func (s *Splitter) Len() int { return len(s.whole) - checkLen }

// Message is the whole message. It belongs to the Splitter.
func (s *Splitter) Message() []byte { return s.whole[:s.Len()] }

// Fragments is their number.
func (s *Splitter) Fragments() int { return len(s.there) }

// Done reports whether all of them arrived.
func (s *Splitter) Done() bool { return s.arrived == len(s.there) }

// Missing appends the indices that are not known to have arrived, in rising order, up to most of them.
func (s *Splitter) Missing(dst []uint16, most int) []uint16 {
	for i, ok := range s.there {
		if most <= 0 {
			break
		}
		if !ok {
			dst = append(dst, uint16(i))
			most--
		}
	}
	return dst
}

// AppendPlaintext appends the plaintext of the fragment of an index.
func (s *Splitter) AppendPlaintext(dst []byte, index uint16) ([]byte, error) {
	if index > s.last {
		return dst, fmt.Errorf("fragment %d of 0 to %d: %w", index, s.last, ErrMalformed)
	}
	from := int(index) * s.size
	return AppendFragment(dst, &Fragment{Set: s.set, Last: s.last, Index: index, Data: s.whole[from:min(from+s.size, len(s.whole))]})
}

// Arrived notes that the frame of a fragment was acknowledged.
func (s *Splitter) Arrived(index uint16) {
	if int(index) < len(s.there) && !s.there[index] {
		s.there[index] = true
		s.arrived++
	}
}

// Take applies a status of the other side, which is the truth: it may have lost what it had. It reports false for one of another set.
func (s *Splitter) Take(st *FragmentStatus) bool {
	if st.Set != s.set {
		return false
	}
	s.arrived = 0
	for i := range s.there {
		if s.there[i] = st.Has(uint16(i)); s.there[i] {
			s.arrived++
		}
	}
	return true
}

// AppendState appends all that a Splitter is, for permanent memory.
func (s *Splitter) AppendState(dst []byte) []byte {
	dst = append(dst, s.set)
	dst = binary.BigEndian.AppendUint32(dst, uint32(s.size)) //nolint:gosec // limited
	dst = appendBools(dst, s.there)
	return append(dst, s.whole...)
}

// ParseSplitter is AppendState back.
func ParseSplitter(b []byte) (*Splitter, error) {
	broken := fmt.Errorf("state of a splitter: %w", ErrMalformed)
	if len(b) < 5 {
		return nil, broken
	}
	s := &Splitter{set: b[0], size: int(binary.BigEndian.Uint32(b[1:]))}
	there, rest, ok := parseBools(b[5:])
	if !ok || s.size <= 0 || len(there) < 2 || len(rest) > FragmentedMax+checkLen || len(there) != (len(rest)+s.size-1)/s.size {
		return nil, broken
	}
	s.there, s.whole, s.last = there, append([]byte(nil), rest...), uint16(len(there)-1) //nolint:gosec // limited
	for _, ok := range there {
		if ok {
			s.arrived++
		}
	}
	return s, nil
}

// appendBools appends their number and a bit each, lowest first.
func appendBools(dst []byte, v []bool) []byte {
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(v))) //nolint:gosec // limited
	at := len(dst)
	dst = append(dst, make([]byte, (len(v)+7)/8)...)
	for i, ok := range v {
		if ok {
			dst[at+i/8] |= 1 << (i % 8)
		}
	}
	return dst
}

func parseBools(b []byte) (v []bool, rest []byte, ok bool) {
	if len(b) < 2 {
		return nil, nil, false
	}
	n := int(binary.BigEndian.Uint16(b))
	size := (n + 7) / 8
	if n > FragmentsMax || len(b) < 2+size {
		return nil, nil, false
	}
	bits := b[2 : 2+size]
	if n%8 != 0 && bits[size-1]>>(n%8) != 0 {
		return nil, nil, false
	}
	v = make([]bool, n)
	for i := range v {
		v[i] = bits[i/8]>>(i%8)&1 == 1
	}
	return v, b[2+size:], true
}

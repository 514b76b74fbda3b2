package codec

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"time"
)

// AppendSet appends all that is known of one set, for permanent memory: of a message under way its fragments, of a complete one their
// hashes. It appends nothing for a set that is not known.
//
//	set u8 ‖ done u8 ‖ heard u64, Unix milliseconds ‖ last u16 ‖ bits ‖ for each bit that is set: hash 4, or length u16 and data
func (r *Reassembler) AppendSet(dst []byte, set uint8) []byte {
	s := r.find(set)
	if s == nil {
		return dst
	}
	done := byte(0)
	if s.done() {
		done = 1
	}
	dst = append(dst, s.id, done)
	dst = binary.BigEndian.AppendUint64(dst, uint64(s.heard.UnixMilli()))
	dst = binary.BigEndian.AppendUint16(dst, s.last)
	there := make([]bool, int(s.last)+1)
	for i := range there {
		there[i] = s.has(uint16(i))
	}
	dst = append(appendBools(dst, there), s.sums...)
	for i := range s.last + 1 {
		if data := s.parts[i]; data != nil {
			dst = binary.BigEndian.AppendUint16(dst, uint16(len(data)-1)) //nolint:gosec // 1 to 65,536
			dst = append(dst, data...)
		}
	}
	return dst
}

// AppendState appends all sets.
func (r *Reassembler) AppendState(dst []byte) []byte {
	for _, s := range r.sets {
		dst = r.AppendSet(dst, s.id)
	}
	return dst
}

// Load adds sets that AppendSet or AppendState wrote, in the place of those of the same names.
// After an error some may have been added.
func (r *Reassembler) Load(b []byte) error {
	for len(b) > 0 {
		s, rest, err := parseSet(b)
		if err != nil {
			return err
		}
		b = rest
		if old := r.find(s.id); old != nil {
			r.drop(old)
		}
		r.touch(s, s.heard)
		r.bound(nil, s)
	}
	return nil
}

func parseSet(b []byte) (*fragmentSet, []byte, error) {
	broken := fmt.Errorf("state of a set of fragments: %w", ErrMalformed)
	const fixed = 1 + 1 + 8 + 2
	if len(b) < fixed || b[1] > 1 {
		return nil, nil, broken
	}
	s := &fragmentSet{
		id: b[0], heard: time.UnixMilli(int64(binary.BigEndian.Uint64(b[2:]))).UTC(), last: binary.BigEndian.Uint16(b[10:]), //nolint:gosec // a bit pattern
	}
	there, rest, ok := parseBools(b[fixed:])
	if !ok || len(there) != int(s.last)+1 || s.last == 0 {
		return nil, nil, broken
	}
	if b[1] == 1 {
		n := checkLen * len(there)
		if slices.Contains(there, false) || len(rest) < n {
			return nil, nil, broken
		}
		s.sums = bytes.Clone(rest[:n])
		return s, rest[n:], nil
	}
	s.parts = make(map[uint16][]byte)
	for i, ok := range there {
		if !ok {
			continue
		}
		if rest, ok = s.parsePart(i, rest); !ok {
			return nil, nil, broken
		}
	}
	if n := s.count(); n == 0 || n == len(there) {
		return nil, nil, broken
	}
	return s, rest, nil
}

func (s *fragmentSet) parsePart(i int, b []byte) ([]byte, bool) {
	if len(b) < 2 {
		return nil, false
	}
	n := int(binary.BigEndian.Uint16(b)) + 1
	if len(b) < 2+n {
		return nil, false
	}
	f := Fragment{Set: s.id, Last: s.last, Index: uint16(i), Data: b[2 : 2+n]} //nolint:gosec // limited
	if f.check() != nil || !s.takes(&f) {
		return nil, false
	}
	s.put(&f)
	return b[2+n:], true
}

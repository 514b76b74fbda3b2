package codec

import (
	"crypto/sha256"
	"fmt"
)

// Limits of messages in fragments.
const (
	FragmentedMax = 64 << 10 // bytes of a message with its type
	FragmentsMax  = 2048     // fragments of one message
	checkLen      = 4        // bytes of SHA-256 behind the message, before it is cut
)

// A Fragment is a piece of a message that does not fit into a frame: the plaintext of a frame of kind 3, and 4 bytes of SHA-256 over it
// behind, cut into pieces of one size of which the last may be shorter.
//
//	set u8 ‖ last ‖ index ‖ data      last and index are CBOR unsigned integers
type Fragment struct {
	Set   uint8  // the sender's name for the message
	Last  uint16 // index of the last fragment, at least 1
	Index uint16
	Data  []byte // at least a byte
}

// AppendFragment appends the plaintext of a fragment.
func AppendFragment(dst []byte, f *Fragment) ([]byte, error) {
	if err := f.check(); err != nil {
		return dst, err
	}
	dst = append(dst, byte(MessageFragment), f.Set)
	dst = appendHead(dst, majorUnsigned, uint64(f.Last))
	dst = appendHead(dst, majorUnsigned, uint64(f.Index))
	return append(dst, f.Data...), nil
}

// DecodeFragment reads the body of a fragment. Data aliases it.
func DecodeFragment(body []byte) (Fragment, error) {
	if len(body) == 0 {
		return Fragment{}, fmt.Errorf("fragment: %w", ErrTruncated)
	}
	last, b, err := head(body[1:], majorUnsigned)
	if err != nil {
		return Fragment{}, fmt.Errorf("fragment: last: %w", err)
	}
	index, data, err := head(b, majorUnsigned)
	if err != nil {
		return Fragment{}, fmt.Errorf("fragment: index: %w", err)
	}
	if last >= FragmentsMax || index > last {
		return Fragment{}, fmt.Errorf("fragment %d of 0 to %d: %w", index, last, ErrMalformed)
	}
	f := Fragment{Set: body[0], Last: uint16(last), Index: uint16(index), Data: data} //nolint:gosec // at most last
	return f, f.check()
}

func (f *Fragment) check() error {
	switch {
	case f.Last == 0 || f.Last >= FragmentsMax || f.Index > f.Last:
		return fmt.Errorf("fragment %d of 0 to %d: %w", f.Index, f.Last, ErrMalformed)
	case len(f.Data) == 0:
		return fmt.Errorf("fragment of no bytes: %w", ErrTruncated)
	case f.Index < f.Last && len(f.Data)*int(f.Last) >= FragmentedMax+checkLen, len(f.Data) > FragmentedMax:
		return fmt.Errorf("fragment of %d bytes, the first of %d: %w", len(f.Data), f.Last, ErrMalformed)
	}
	return nil
}

// fragmentCheck is what stands behind a message before it is cut.
func fragmentCheck(message []byte) [checkLen]byte {
	sum := sha256.Sum256(message)
	return [checkLen]byte(sum[:])
}

// A FragmentStatus says what of a set arrived, so that the sender repeats only what is missing.
//
//	set u8 ‖ missing ‖ bitmap      missing is a CBOR unsigned integer
//
// Missing is the first index that is not there. Bit i of the bitmap, from the lowest of its first byte on, says that index missing + 1 + i
// is. Missing above the last index says that the message is complete; missing 0 and no bit that nothing is known of the set.
type FragmentStatus struct {
	Set     uint8
	Missing uint16
	Bitmap  []byte // without zero bytes at its end
}

// Has reports whether a fragment arrived.
func (s *FragmentStatus) Has(index uint16) bool {
	if index <= s.Missing {
		return index < s.Missing
	}
	i := int(index-s.Missing) - 1
	return i/8 < len(s.Bitmap) && s.Bitmap[i/8]>>(i%8)&1 == 1
}

// AppendFragmentStatus appends the plaintext of a fragment status.
func AppendFragmentStatus(dst []byte, s *FragmentStatus) ([]byte, error) {
	if err := s.check(); err != nil {
		return dst, err
	}
	dst = appendHead(append(dst, byte(MessageFragmentStatus), s.Set), majorUnsigned, uint64(s.Missing))
	return append(dst, s.Bitmap...), nil
}

// DecodeFragmentStatus reads the body of a fragment status. Bitmap aliases it.
func DecodeFragmentStatus(body []byte) (FragmentStatus, error) {
	if len(body) == 0 {
		return FragmentStatus{}, fmt.Errorf("fragment status: %w", ErrTruncated)
	}
	missing, bitmap, err := head(body[1:], majorUnsigned)
	if err != nil {
		return FragmentStatus{}, fmt.Errorf("fragment status: %w", err)
	}
	if missing > FragmentsMax {
		return FragmentStatus{}, fmt.Errorf("fragment status: missing %d: %w", missing, ErrMalformed)
	}
	s := FragmentStatus{Set: body[0], Missing: uint16(missing), Bitmap: bitmap}
	return s, s.check()
}

// check refuses a last byte of the bitmap of which no bit is for an index that there can be.
func (s *FragmentStatus) check() error {
	n := len(s.Bitmap)
	if s.Missing > FragmentsMax || n > 0 && s.Bitmap[n-1] == 0 || int(s.Missing)+8*n > FragmentsMax+6 {
		return fmt.Errorf("fragment status: missing %d, bitmap of %d bytes: %w", s.Missing, n, ErrMalformed)
	}
	return nil
}

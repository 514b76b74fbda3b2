package codec

import (
	"fmt"
	"time"
)

// BatchMax is the largest number of statuses in a batch; the smallest is 2.
const BatchMax = 257

// AppendBatch appends the plaintext of a batch: a count, then the statuses, oldest first, the first against the state s of the frame
// distance counters before, each next against the one before it. With distance 0 the batch needs no base, and what s holds is dropped. s becomes
// the state after the last status.
//
//	[distance 1] | statuses − 2, 1 byte | range code
func (t *Template) AppendBatch(dst []byte, slot, distance uint8, s *State, statuses []Status) ([]byte, Header, error) {
	if len(statuses) < 2 || len(statuses) > BatchMax || distance > 0 && !s.Known(t) {
		return dst, 0, fmt.Errorf("batch of %d statuses, want 2 to %d, or its base is not known: %w", len(statuses), BatchMax, ErrMalformed)
	}
	start := len(dst)
	dst, h, err := appendBase(dst, KindBatch, slot, distance)
	if err != nil {
		return dst, 0, err
	}
	if distance == 0 {
		s.reset(t)
	}
	// Zero bytes at the end are cut from the plaintext, so a count of 2 may go with them.
	r := newRangeEncoder(append(dst, byte(len(statuses)-2)))
	e := statusEncoder{sink: &r, t: t, s: s}
	for i := range statuses {
		if err := e.status(&statuses[i], 1); err != nil {
			return dst[:start], 0, fmt.Errorf("batch: status %d: %w", i, err)
		}
	}
	out := r.finish()
	return out[:start+len(cutZeros(out[start:]))], h, nil
}

// DecodeBatch reads the plaintext of a batch and returns its statuses, in the memory of dst as far as that goes. s is the state of its base,
// of no matter if the batch has none, and becomes that after the last status.
func (t *Template) DecodeBatch(dst []Status, s *State, h Header, plaintext []byte, ref time.Time) ([]Status, error) {
	distance, body, err := DeltaBase(h, plaintext)
	if err != nil {
		return dst, err
	}
	if h.Kind() != KindBatch || distance > 0 && !s.Known(t) {
		return dst, errNoBase
	}
	if distance == 0 {
		s.reset(t)
	}
	count := 2
	if len(body) > 0 {
		count += int(body[0])
		body = body[1:]
		if len(body) == 0 && count == 2 {
			return dst, errTrailingZero
		}
	}
	dst = dst[:0]
	d := statusDecoder{rangeDecoder: newRangeDecoder(body), t: t, s: s}
	for range count {
		if len(dst) < cap(dst) {
			dst = dst[:len(dst)+1]
		} else {
			dst = append(dst, Status{})
		}
		if d.status(&dst[len(dst)-1], 1, ref); d.bad {
			return dst, errRange
		}
	}
	return dst, d.end()
}

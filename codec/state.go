package codec

import (
	"encoding/binary"
	"fmt"
	"time"
)

// A State is what both sides know after a status: what the next delta can be counted from. The gateway stores it with each frame, a device
// holds the one of the status that was acknowledged last. The zero value knows nothing. It belongs to one template.
type State struct {
	time   int64 // as on air: in units of the template, modulo its window
	step   int64 // expected until the next status; 0: not known
	once   int64 // the step of the last status if it was not the expected one: seen twice, it becomes the expected one
	jitter int64 // last time's difference to the expected one
	timed  bool
	groups uint16 // presence of groups in the last status, by bit
	fields []fieldState

	scratch Status // for ReadKeyframe
}

// fieldState is one field in units of its steps, counted from its offset.
type fieldState struct {
	n        int64 // last value
	moved    int64 // what it moved by last
	seen     bool  // n is a value
	measured bool  // in the last status
}

// reset makes the state know nothing, in the shape of t.
func (s *State) reset(t *Template) {
	if cap(s.fields) < len(t.fields) {
		s.fields = make([]fieldState, len(t.fields))
	}
	s.fields = s.fields[:len(t.fields)]
	clear(s.fields)
	s.time, s.step, s.once, s.jitter, s.timed, s.groups = 0, int64(t.interval), 0, 0, false, 0
}

// Known reports whether the state is one of t that a delta can be counted from.
func (s *State) Known(t *Template) bool { return len(s.fields) == len(t.fields) && len(t.fields) > 0 }

// CopyFrom makes s equal to o, in memory of its own.
func (s *State) CopyFrom(o *State) {
	fields, scratch := s.fields[:0], s.scratch
	fields = append(fields, o.fields...)
	*s = *o
	s.fields, s.scratch = fields, scratch
}

// SetKeyframe makes the state that of a keyframe.
func (s *State) SetKeyframe(t *Template, k *Status) {
	s.reset(t)
	if s.timed = k.ClockValid; s.timed {
		s.time = int64(t.unit.field(k.Time)) //nolint:gosec // at most 20 bits
	}
	for i := range t.fields {
		v := k.Values[i]
		if v.State == NotMeasured {
			continue
		}
		s.fields[i] = fieldState{n: t.fields[i].steps(v), seen: true, measured: true}
		s.groups |= 1 << t.fields[i].Group
	}
}

// expected is the time at which a status is expected, distance statuses after this one, not yet modulo the window.
func (s *State) expected(distance int64) int64 { return s.time + s.step*distance }

// ReadKeyframe makes s the state after a keyframe, from its plaintext.
func (t *Template) ReadKeyframe(s *State, h Header, plaintext []byte) error {
	if err := t.DecodeKeyframe(&s.scratch, h, plaintext, time.Unix(0, 0)); err != nil {
		return err
	}
	s.SetKeyframe(t, &s.scratch)
	return nil
}

// move takes the time of a status and returns how much time has passed, in units of the template.
func (s *State) move(u TimeUnit, at uint64, distance int64) int64 {
	passed := int64(0)
	if s.timed {
		passed = u.between(uint64(s.time), at) //nolint:gosec // not negative
		if s.jitter = 0; s.step != 0 {
			s.jitter = u.between(u.modulo(s.expected(distance)), at)
		}
		s.learn(passed / distance)
	}
	s.time, s.timed = int64(at), true //nolint:gosec // at most 20 bits
	return passed
}

// drift lets time pass as expected for a status that is not sure of it, and returns how much that is.
func (s *State) drift(u TimeUnit, distance int64) int64 {
	s.time = int64(u.modulo(s.expected(distance))) //nolint:gosec // at most 20 bits
	return s.step * distance
}

// field is a time as it is on air.
func (u TimeUnit) field(t time.Time) uint64 { return u.modulo(floorDiv(t.Unix(), u.seconds())) }

// modulo is v modulo the window.
func (u TimeUnit) modulo(v int64) uint64 { return uint64(v) & (1<<u.width() - 1) } //nolint:gosec // the low bits are meant

// between is how much later b is than a, both on air, as a value of at least minus a quarter of the window and below three quarters: time goes
// forward, but for corrections of a clock.
func (u TimeUnit) between(a, b uint64) int64 {
	window := int64(1) << u.width()
	d := int64(u.modulo(int64(b) - int64(a))) //nolint:gosec // at most 20 bits
	if d >= window*3/4 {
		d -= window
	}
	return d
}

// floorDiv divides towards the earlier.
func floorDiv(a, b int64) int64 {
	q := a / b
	if q*b > a {
		q--
	}
	return q
}

// learn takes a new step for the expected one when it was seen twice: a gap comes once, another interval stays.
func (s *State) learn(step int64) {
	if s.step == 0 || step == s.once && step != 0 {
		s.step, s.once = step, 0
		return
	}
	if s.once = 0; step != s.step {
		s.once = step
	}
}

// predict is the value that a delta of field i is counted from, within the field's range. The fields before it are done.
func (t *Template) predict(s *State, i int, passed int64) int64 {
	f := &t.fields[i]
	n := s.fields[i].n
	switch f.Predictor {
	case PredictElapsed:
		n += f.elapsed(passed * t.unit.seconds())
	case PredictTrend:
		n += s.fields[i].moved
	case PredictZero:
		n = 0
	case PredictAlong:
		if before := &s.fields[i-1]; before.measured {
			n += before.moved
		}
	case PredictLast:
	}
	return min(max(n, 0), int64(f.top())) //nolint:gosec // at most 40 bits
}

// elapsed is a time in seconds as steps of a field that counts time, rounded down.
func (f *Field) elapsed(seconds int64) int64 {
	coef, scale := f.Scale.Coef, int64(1)
	for e := f.Scale.Exp; e < 0; e++ {
		scale *= 10
	}
	for e := f.Scale.Exp; e > 0; e-- {
		coef *= 10
	}
	return floorDiv(seconds*scale, coef)
}

// set takes the value of a field.
func (s *fieldState) set(f *Field, n, residual int64) {
	s.moved = n - s.n
	if f.Predictor == PredictElapsed || f.Predictor == PredictZero {
		s.moved = residual
	}
	if !s.seen {
		s.moved = 0
	}
	s.n, s.seen, s.measured = n, true, true
}

// stateVersion begins the stored form of a state.
const stateVersion = 1

// AppendState appends the state as it is stored: a version, varints, and a byte of flags for each field.
func AppendState(dst []byte, s *State) []byte {
	flags := byte(0)
	if s.timed {
		flags = 1
	}
	dst = append(dst, stateVersion, flags)
	for _, v := range [...]int64{s.time, s.step, s.once, s.jitter, int64(s.groups)} {
		dst = binary.AppendVarint(dst, v)
	}
	for i := range s.fields {
		f := &s.fields[i]
		flags := byte(0)
		if f.seen {
			flags = 1
		}
		if f.measured {
			flags |= 2
		}
		dst = append(dst, flags)
		if f.seen {
			dst = binary.AppendVarint(binary.AppendVarint(dst, f.n), f.moved)
		}
	}
	return dst
}

// ParseState reads a stored state of t into s, whose memory it uses again.
func ParseState(s *State, t *Template, b []byte) error {
	s.reset(t)
	if len(b) < 2 || b[0] != stateVersion || b[1] > 1 {
		return fmt.Errorf("state: %w", ErrMalformed)
	}
	s.timed = b[1] == 1
	var at int
	var groups int64
	s.time, at = varint(b, 2)
	s.step, at = varint(b, at)
	s.once, at = varint(b, at)
	s.jitter, at = varint(b, at)
	groups, at = varint(b, at)
	s.groups = uint16(groups) //nolint:gosec // what AppendState wrote
	for i := range s.fields {
		if at >= len(b) || b[at] > 3 {
			return fmt.Errorf("state: field %d: %w", i, ErrMalformed)
		}
		f := &s.fields[i]
		f.seen, f.measured = b[at]&1 != 0, b[at]&2 != 0
		if at++; f.seen {
			f.n, at = varint(b, at)
			f.moved, at = varint(b, at)
		}
	}
	if at != len(b) {
		return fmt.Errorf("state of %d fields: %w", len(s.fields), ErrMalformed)
	}
	return nil
}

// varint reads the varint of b that begins at a place, most have one byte or two, and returns where the next begins: behind the end of b if there
// is none.
func varint(b []byte, at int) (v int64, next int) {
	if at+1 < len(b) {
		low, high := uint64(b[at]), uint64(b[at+1])
		if low < 0x80 {
			return unzigzag(low), at + 1
		}
		if high < 0x80 {
			return unzigzag(high<<7 | low&0x7f), at + 2
		}
	}
	return longVarint(b, at)
}

func unzigzag(u uint64) int64 { return int64(u>>1) ^ -int64(u&1) }

func longVarint(b []byte, at int) (v int64, next int) {
	if at <= len(b) {
		if v, n := binary.Varint(b[at:]); n > 0 {
			return v, at + n
		}
	}
	return 0, len(b) + 1
}

package codec

import (
	"fmt"
	"math/bits"
	"time"
)

// DistanceMax is how many counters the base of a delta may lie back: the gateway keeps the states of so many frames at hand (SPEC §3.2).
const DistanceMax = 32

// distanceExplicit in the base bits of a header says that a byte with the distance begins the plaintext.
const distanceExplicit = 7

// statusDecoder reads statuses from a range code, each against the state that the one before it left. Decisions of one status, in order:
//
//	clock turned | time | a group's presence changed, for groups 1..G | fields of the groups present | rare block follows | rare block
type statusDecoder struct {
	rangeDecoder
	t *Template
	s *State
}

// DecodeDelta reads the plaintext of a delta into dst, whose memory it uses again. s is the state after the status that the delta is counted
// from, and becomes that after this one; after an error it is of no use. Times are completed as in a keyframe.
func (t *Template) DecodeDelta(dst *Status, s *State, h Header, plaintext []byte, ref time.Time) error {
	distance, body, err := DeltaBase(h, plaintext)
	if err != nil {
		return err
	}
	if distance == 0 || h.Kind() != KindDelta || !s.Known(t) {
		return errNoBase
	}
	d := statusDecoder{rangeDecoder: newRangeDecoder(body), t: t, s: s}
	d.status(dst, int64(distance), ref)
	return d.end()
}

var errNoBase = fmt.Errorf("delta without a base: %w", ErrMalformed)

// DeltaBase is how many counters before its own frame a delta or batch has its base, and the rest of the plaintext. A batch may have none: 0.
func DeltaBase(h Header, plaintext []byte) (distance uint8, body []byte, err error) {
	switch base := h.Base(); {
	case h.Kind() != KindDelta && h.Kind() != KindBatch:
		return 0, nil, fmt.Errorf("base of a %s: %w", h.Kind(), ErrMalformed)
	case base == 0 && h.Kind() == KindDelta:
		return 0, nil, errNoBase
	case base < distanceExplicit:
		return base, plaintext, nil
	case len(plaintext) == 0:
		return 0, nil, fmt.Errorf("distance of the base: %w", ErrTruncated)
	}
	if distance = plaintext[0]; distance < distanceExplicit || distance > DistanceMax {
		return 0, nil, fmt.Errorf("distance %d of the base: %w", distance, ErrMalformed)
	}
	return distance, plaintext[1:], nil
}

func (d *statusDecoder) decide(m *model, i int) bool { return d.bit(probabilities[m[i]]) }

// status reads one status; d.bad tells afterwards whether it is one.
func (d *statusDecoder) status(dst *Status, distance int64, ref time.Time) {
	t, s := d.t, d.s
	dst.AckAsked = false
	passed := d.time(dst, distance, ref)
	present := uint16(1)
	for g := uint8(1); g <= t.groups; g++ {
		changed := d.bit(probabilities[modelGroup])
		if changed != (s.groups>>g&1 == 1) {
			present |= 1 << g
		}
	}
	used := uint16(1)
	if cap(dst.Values) < len(t.fields) {
		dst.Values = make([]Value, len(t.fields))
	}
	dst.Values = dst.Values[:len(t.fields)]
	for i := range t.fields {
		f, fs := &t.fields[i], &s.fields[i]
		if present>>f.Group&1 == 0 {
			dst.Values[i], fs.measured = Value{}, false
			continue
		}
		if dst.Values[i] = d.field(i, passed); dst.Values[i].State != NotMeasured {
			used |= 1 << f.Group
		}
	}
	s.groups = present &^ 1
	d.bad = d.bad || present&^used != 0
	dst.Rare = d.rare()
}

func (d *statusDecoder) time(dst *Status, distance int64, ref time.Time) int64 {
	t, s := d.t, d.s
	m := t.timing.model()
	unsure := 0
	if !s.timed {
		unsure = 1
	}
	if d.decide(m, modelTurned+unsure) == s.timed {
		dst.Time, dst.ClockValid = time.Time{}, false
		return s.drift(t.unit, distance)
	}
	var at uint64
	if s.timed {
		r := d.residual(m, t.timing.Order, activity(s.jitter, t.timing.Spread), direction(s.jitter))
		if t.unit.between(0, t.unit.modulo(r)) != r {
			d.bad = true
		}
		at = t.unit.modulo(s.expected(distance) + r)
	} else {
		at = d.raw(t.unit.width())
	}
	passed := s.move(t.unit, at, distance)
	dst.Time, dst.ClockValid = t.completeTime(at, ref), true
	return passed
}

func (d *statusDecoder) field(i int, passed int64) Value {
	f, s, m := &d.t.fields[i], &d.s.fields[i], d.t.models[i]
	active := activity(s.moved, f.Coding.Spread)
	if s.measured && s.seen && d.neither(m, modelTurned, modelMoved+active) {
		n := d.t.predict(d.s, i, passed)
		s.set(f, n, 0)
		return f.value(n)
	}
	was := 1
	if s.measured {
		was = 0
	}
	if d.decide(m, modelTurned+was) == s.measured {
		s.measured = false
		return Value{}
	}
	var n, residual int64
	if s.seen {
		residual = d.residual(m, f.Coding.Order, active, direction(s.moved))
		n = d.t.predict(d.s, i, passed) + residual
	} else {
		n = int64(d.raw(f.Width)) //nolint:gosec // at most 40 bits
	}
	if n < 0 || n > int64(f.top()) { //nolint:gosec // at most 40 bits
		d.bad = true
		return Value{}
	}
	s.set(f, n, residual)
	return f.value(n)
}

// neither reads two decisions at once if both are 0, as they are most of the time, and else nothing.
func (d *statusDecoder) neither(m *model, i, j int) bool {
	p, q := probabilities[m[i]], probabilities[m[j]]
	width := d.width >> probBits * p
	if p < probHalf || q < probHalf || width < rangeLow {
		return false
	}
	if width = width >> probBits * q; width < rangeLow || d.code >= width {
		return false
	}
	d.width = width
	return true
}

// value is the value of n steps above the offset.
func (f *Field) value(n int64) Value {
	v := Value{Raw: f.Offset + n, State: Measured}
	if !f.Optional && n == int64(f.top()) { //nolint:gosec // at most 40 bits
		v.State = Saturated
	}
	return v
}

// residualMax bounds a residual: beyond it classes are refused.
const residualMax = 46 // bits

// residual reads a difference: whether there is one, its direction, its class, and which of the class's values it is. Class j of order k
// holds the magnitudes from 2^k × (2^j − 1) + 1 on, 2^(k+j) of them.
func (d *statusDecoder) residual(m *model, order uint8, active, way int) int64 {
	if !d.decide(m, modelMoved+active) {
		return 0
	}
	minus := d.decide(m, modelMinus+way)
	class := 0
	for d.decide(m, modelMore+active*moreClasses+min(class, moreClasses-1)) {
		if class++; class+int(order) >= residualMax {
			d.bad = true
			return 0
		}
	}
	width := uint8(class) + order
	rest := uint64(0)
	if class > 0 {
		width--
		if d.decide(m, modelHalf+min(class, halfClasses)-1) {
			rest = 1 << width
		}
	}
	rest |= d.raw(width)
	v := int64((uint64(1)<<class-1)<<order + rest + 1) //nolint:gosec // below 2^48
	if minus {
		return -v
	}
	return v
}

// rare reads the rare block, in the bits of a keyframe.
func (d *statusDecoder) rare() Rare {
	r := Rare{Present: d.bit(probabilities[modelRare])}
	if !r.Present {
		return r
	}
	r.VersionIndex = uint8(d.raw(6))
	if r.VersionIndex == versionExplicit {
		r.Build = uint32(d.raw(32)) //nolint:gosec // 32 bits
	}
	r.BootChanged, r.HasStep = d.raw(1) == 1, d.raw(1) == 1
	if r.HasStep {
		r.Step, r.StepCode = uint8(d.raw(4)), uint8(d.raw(8))
	}
	if r.HasPolicy = d.raw(1) == 1; r.HasPolicy {
		r.Policy = uint8(d.raw(8))
	}
	return r
}

// classOf gives the class of a magnitude above zero and which of its values it is.
func classOf(magnitude uint64, order uint8) (class int, rest uint64) {
	x := magnitude - 1
	class = bits.Len64(x>>order+1) - 1
	return class, x - (uint64(1)<<class-1)<<order
}

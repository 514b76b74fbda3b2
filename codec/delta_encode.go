package codec

import "fmt"

// A decisionSink takes the decisions of packed statuses: the range coder writes them, training counts them.
type decisionSink interface {
	decide(field, decision int, p uint32, one bool)
	raw(v uint64, bits uint8)
}

// timeField is the number of the time among the fields of a decisionSink, fixedField that of decisions with the same model everywhere.
const (
	timeField  = -1
	fixedField = -2
)

func (e *rangeEncoder) decide(_, _ int, p uint32, one bool) { e.bit(p, one) }

// statusEncoder is the counterpart of statusDecoder.
type statusEncoder struct {
	sink decisionSink
	t    *Template
	s    *State
}

// AppendDelta appends the plaintext of a delta and returns the header for it, of template slot 0 to 6. Its base is the status distance
// counters before it, 1 to DistanceMax, after which the state was s; s becomes the state after this status. A status that asks for an
// acknowledgement cannot be a delta: that is what keyframes are for.
func (t *Template) AppendDelta(dst []byte, slot, distance uint8, s *State, status *Status) ([]byte, Header, error) {
	if !s.Known(t) || distance == 0 {
		return dst, 0, errNoBase
	}
	start := len(dst)
	dst, h, err := appendBase(dst, KindDelta, slot, distance)
	if err != nil {
		return dst, 0, err
	}
	r := newRangeEncoder(dst)
	e := statusEncoder{sink: &r, t: t, s: s}
	if err := e.status(status, int64(distance)); err != nil {
		return dst[:start], 0, fmt.Errorf("delta: %w", err)
	}
	return r.finish(), h, nil
}

// appendBase writes the distance of the base where the header has no room for it.
func appendBase(dst []byte, k Kind, slot, distance uint8) ([]byte, Header, error) {
	if slot >= slotReserved || distance > DistanceMax {
		return dst, 0, fmt.Errorf("%s: slot %d, base %d counters back: %w", k, slot, distance, ErrMalformed)
	}
	if distance < distanceExplicit {
		return dst, MakeHeader(k, slot, distance), nil
	}
	return append(dst, distance), MakeHeader(k, slot, distanceExplicit), nil
}

func (e *statusEncoder) decide(field, decision int, m *model, one bool) {
	e.sink.decide(field, decision, probabilities[m[decision]], one)
}

func (e *statusEncoder) status(v *Status, distance int64) error {
	t, s := e.t, e.s
	if len(v.Values) != len(t.fields) || v.AckAsked {
		return fmt.Errorf("%d values for %d fields, acknowledgement asked %t: %w", len(v.Values), len(t.fields), v.AckAsked, ErrMalformed)
	}
	passed := e.time(v, distance)
	present := uint16(1)
	for i := range t.fields {
		if v.Values[i].State != NotMeasured {
			present |= 1 << t.fields[i].Group
		}
	}
	for g := uint8(1); g <= t.groups; g++ {
		e.sink.decide(fixedField, 0, probabilities[modelGroup], (present^s.groups)>>g&1 == 1)
	}
	for i := range t.fields {
		f, fs := &t.fields[i], &s.fields[i]
		if present>>f.Group&1 == 0 {
			fs.measured = false
			continue
		}
		if err := e.field(i, f, fs, v.Values[i], passed); err != nil {
			return err
		}
	}
	s.groups = present &^ 1
	return e.rare(&v.Rare)
}

func (e *statusEncoder) time(v *Status, distance int64) int64 {
	t, s := e.t, e.s
	m := t.timing.model()
	unsure := 0
	if !s.timed {
		unsure = 1
	}
	e.decide(timeField, modelTurned+unsure, m, v.ClockValid != s.timed)
	if !v.ClockValid {
		return s.drift(t.unit, distance)
	}
	at := t.unit.field(v.Time)
	if s.timed {
		r := t.unit.between(t.unit.modulo(s.expected(distance)), at)
		e.residual(timeField, m, t.timing.Order, activity(s.jitter, t.timing.Spread), direction(s.jitter), r)
	} else {
		e.sink.raw(at, t.unit.width())
	}
	return s.move(t.unit, at, distance)
}

func (e *statusEncoder) field(i int, f *Field, s *fieldState, v Value, passed int64) error {
	m := e.t.models[i]
	was := 1
	if s.measured {
		was = 0
	}
	e.decide(i, modelTurned+was, m, (v.State != NotMeasured) != s.measured)
	if v.State == NotMeasured {
		s.measured = false
		return nil
	}
	n := f.steps(v)
	if n < 0 || n > int64(f.top()) { //nolint:gosec // at most 40 bits
		return fmt.Errorf("field %q: %d steps: out of range: %w", f.Name, v.Raw, ErrMalformed)
	}
	residual := int64(0)
	if s.seen {
		residual = n - e.t.predict(e.s, i, passed)
		e.residual(i, m, f.Coding.Order, activity(s.moved, f.Coding.Spread), direction(s.moved), residual)
	} else {
		e.sink.raw(uint64(n), f.Width)
	}
	s.set(f, n, residual)
	return nil
}

func (e *statusEncoder) residual(field int, m *model, order uint8, active, way int, v int64) {
	e.decide(field, modelMoved+active, m, v != 0)
	if v == 0 {
		return
	}
	e.decide(field, modelMinus+way, m, v < 0)
	magnitude := uint64(max(v, -v)) //nolint:gosec // above zero
	class, rest := classOf(magnitude, order)
	for j := range class {
		e.decide(field, modelMore+active*moreClasses+min(j, moreClasses-1), m, true)
	}
	e.decide(field, modelMore+active*moreClasses+min(class, moreClasses-1), m, false)
	width := uint8(class) + order
	if class > 0 {
		width--
		e.decide(field, modelHalf+min(class, halfClasses)-1, m, rest>>width == 1)
		rest &= 1<<width - 1
	}
	e.sink.raw(rest, width)
}

func (e *statusEncoder) rare(r *Rare) error {
	e.sink.decide(fixedField, 1, probabilities[modelRare], r.Present)
	if !r.Present {
		return nil
	}
	if r.VersionIndex > versionExplicit || r.Step > 15 {
		return fmt.Errorf("version index %d, step %d: %w", r.VersionIndex, r.Step, ErrMalformed)
	}
	flag := func(f bool) {
		v := uint64(0)
		if f {
			v = 1
		}
		e.sink.raw(v, 1)
	}
	e.sink.raw(uint64(r.VersionIndex), 6)
	if r.VersionIndex == versionExplicit {
		e.sink.raw(uint64(r.Build), 32)
	}
	flag(r.BootChanged)
	flag(r.HasStep)
	if r.HasStep {
		e.sink.raw(uint64(r.Step), 4)
		e.sink.raw(uint64(r.StepCode), 8)
	}
	if flag(r.HasPolicy); r.HasPolicy {
		e.sink.raw(uint64(r.Policy), 8)
	}
	return nil
}

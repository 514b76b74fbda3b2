package codec

import (
	"fmt"
	"math"
	"time"
)

// frameID names a frame among those of a transmission.
type frameID struct {
	number  uint32
	counter uint64
}

// statusesShown bounds the statuses of a batch that are shown field by field.
const statusesShown = 16

// packed shows a delta or batch: where its base is, and what each field costs. The verdict is DecodeDelta's, or DecodeBatch's.
func (x *inspector) packed(t *Template, h Header, plaintext []byte, at int) []Part {
	distance, body, err := DeltaBase(h, plaintext)
	if err != nil {
		return []Part{brokenPart(plaintext, at, h.Kind().String(), err)}
	}
	var parts []Part
	if len(body) < len(plaintext) {
		parts = append(parts, bytesPart(plaintext[:1], at, "distance", fmt.Sprintf("the base is %d counters before", distance)))
	}
	var s State
	if missing := x.baseState(&s, t, distance); missing != "" {
		return append(parts, bytesPart(body, at+len(plaintext)-len(body), h.Kind().String(), missing))
	}
	var before State
	before.CopyFrom(&s)
	count := 1
	if h.Kind() == KindBatch {
		distance, count = 1, 2
		if len(body) > 0 {
			count += int(body[0])
			parts = append(parts, bytesPart(body[:1], at+len(plaintext)-len(body), "count", fmt.Sprintf("%d statuses", count)))
			body = body[1:]
		}
	}
	p := packedParts{
		statusDecoder: statusDecoder{rangeDecoder: newRangeDecoder(body), t: t, s: &s}, x: x, at: at + len(plaintext) - len(body), distance: int64(distance),
	}
	whole := bytesPart(body, p.at, "packed", byteCount(len(body)))
	whole.Parts = p.statuses(h.Kind(), count)
	if cost := p.cost(); !p.bad {
		whole.Meaning += fmt.Sprintf(" for %.1f bits", cost)
	}
	if err := x.verdict(t, h, plaintext, &before); err != nil {
		whole.Error = err.Error()
	} else if x.here != nil {
		x.learn(&before)
	}
	return append(parts, whole)
}

// verdict decodes on the state s.
func (x *inspector) verdict(t *Template, h Header, plaintext []byte, s *State) error {
	if h.Kind() == KindBatch {
		_, err := t.DecodeBatch(nil, s, h, plaintext, x.o.Reference)
		return err
	}
	return t.DecodeDelta(new(Status), s, h, plaintext, x.o.Reference)
}

// baseState makes s the state that a frame is counted from, or says what is missing.
func (x *inspector) baseState(s *State, t *Template, distance uint8) (missing string) {
	if distance == 0 {
		s.reset(t)
		return ""
	}
	base := x.o.Base
	missing = fmt.Sprintf("needs the status of %d counters before", distance)
	if x.here != nil {
		if x.here.counter < uint64(distance) {
			return fmt.Sprintf("its base is %d counters before the first", uint64(distance)-x.here.counter)
		}
		id := frameID{number: x.here.number, counter: x.here.counter - uint64(distance)}
		missing = fmt.Sprintf("needs the status of counter %d", id.counter)
		if known := x.states[id]; known != nil {
			base = known
		}
	}
	if base == nil || !base.Known(t) {
		return missing
	}
	s.CopyFrom(base)
	return ""
}

// learn keeps a state for the frames that follow in the transmission.
func (x *inspector) learn(s *State) {
	if x.states == nil {
		x.states = make(map[frameID]*State)
	}
	x.states[*x.here] = s
}

// packedParts goes through packed statuses as statusDecoder does, and notes what each step costs.
type packedParts struct {
	statusDecoder
	x        *inspector
	at       int // offset of the range code
	distance int64
	from     float64 // bits until the last part
	parts    []Part
}

// cost is how many bits have been decided: what the interval has lost of its width.
func (p *packedParts) cost() float64 { return 8*float64(p.pos) - math.Log2(float64(p.width)) }

func (p *packedParts) part(name, meaning string, from float64) Part {
	first := min(int(from), 8*len(p.b))
	cost := max(math.Round(1000*(p.cost()-from)), 1) / 1000 // the same on every machine
	return Part{Offset: p.at + first/8, Bit: first % 8, Cost: cost, Name: name, Meaning: meaning}
}

func (p *packedParts) note(name, meaning string) {
	if p.bad {
		meaning = "no such thing"
	}
	p.parts = append(p.parts, p.part(name, meaning, p.from))
	p.from = p.cost()
}

func (p *packedParts) statuses(k Kind, count int) []Part {
	if k == KindDelta {
		p.status()
		return p.parts
	}
	var all []Part
	for i := 0; i < count && !p.bad; i++ {
		from := p.from
		if i == statusesShown {
			for ; i < count && !p.bad; i++ {
				p.status()
			}
			all = append(all, p.part("others", fmt.Sprintf("statuses %d to %d", statusesShown+1, i), from))
			break
		}
		p.parts = nil
		p.status()
		one := p.part(fmt.Sprintf("status %d", i+1), "", from)
		one.Parts = p.parts
		all = append(all, one)
	}
	return all
}

// status is statusDecoder.status, step by step.
func (p *packedParts) status() {
	t, s := p.t, p.s
	var v Status
	known, expected := s.timed, t.unit.modulo(s.expected(p.distance))
	passed := p.time(&v, p.distance, time.Time{})
	switch {
	case !v.ClockValid:
		p.note("time", "unsure")
	case !known:
		p.note("time", p.x.timeMeaning(t, uint64(s.time))+", the first") //nolint:gosec // not negative
	default:
		late := t.unit.between(expected, uint64(s.time))                                     //nolint:gosec // not negative
		p.note("time", p.x.timeMeaning(t, uint64(s.time))+", "+against(late, "as expected")) //nolint:gosec // not negative
	}
	present := uint16(1)
	for g := uint8(1); g <= t.groups; g++ {
		if p.bit(probabilities[modelGroup]) != (s.groups>>g&1 == 1) {
			present |= 1 << g
		}
		p.note(fmt.Sprintf("group %d", g), map[bool]string{false: "absent", true: "present"}[present>>g&1 == 1])
	}
	for i := range t.fields {
		f, fs := &t.fields[i], &s.fields[i]
		if present>>f.Group&1 == 0 {
			fs.measured = false
			continue
		}
		seen, predicted := fs.seen, t.predict(s, i, passed)
		value := p.field(i, passed)
		switch meaning := f.meaning(value); {
		case value.State == NotMeasured:
			p.note(f.Name, meaning)
		case !seen:
			p.note(f.Name, meaning+", the first")
		default:
			p.note(f.Name, meaning+", "+against(fs.n-predicted, "as expected"))
		}
	}
	s.groups = present &^ 1
	r := p.rare()
	p.note("rare", rareMeaning(&r))
}

// against says how far a value is from what is expected.
func against(residual int64, none string) string {
	if residual == 0 {
		return none
	}
	return fmt.Sprintf("%+d", residual)
}

package entropy

import (
	"math/bits"
	"time"

	"github.com/godwit-gateway/godwit/codec"
)

// A Bound takes statuses of one device in the order of time and says what each would cost.
type Bound struct {
	t      *codec.Template
	m      *mixer
	unit   int64 // of time, in seconds
	times  [3]int64
	fields []past
	before int64 // residual of the field before, in this status
	moved  int64 // fields that moved in this status
	hour   int64
}

// past is what is known of a field: the last values that were measured, how they moved, and whether there was one in the last status.
type past struct {
	values   [3]int64
	moves    [2]int64
	measured bool
	known    int
}

// NewBound begins a bound for statuses of a template. Of the template it uses the steps of fields and which of them count time.
func NewBound(t *codec.Template) *Bound {
	b := &Bound{t: t, m: newMixer(), unit: 1, fields: make([]past, len(t.Fields()))}
	if t.Timing().Unit == codec.Minutes {
		b.unit = 60
	}
	return b
}

// Decisions of a residual, in the numbering of the mixer. Those of a class follow from its first on.
const (
	decideTurned = iota
	decideMoved
	decideMinus
	decideRare
	decideMore             // + class
	decideTop  = 64        // + class × 8 + what is known of the value: its upper bits
	decideTime = int16(-1) // the field of the time
	upperBits  = 3         // of a residual's place in its class that are predicted; others are noise
	classMax   = decideTop - decideMore
)

// Next is the cost of a status in bits, after those before it.
func (b *Bound) Next(s *codec.Status) float64 {
	start := b.m.bits
	b.m.guessed = true
	passed := b.time(s)
	b.before, b.moved = 0, 0
	for i := range b.fields {
		b.field(i, s.Values[i], passed)
	}
	b.m.decide(name{decideTime, decideRare}, nil, s.Rare.Present)
	if s.Rare.Present {
		b.m.plain(8) // version, boot and step as a template writes them
	}
	return b.m.bits - start
}

// Guessed reports whether the last status was just the one that was held for the likeliest before.
func (b *Bound) Guessed() bool { return b.m.guessed }

// time codes the time by its distance to what the last step makes expect, and returns how many seconds have passed.
func (b *Bound) time(s *codec.Status) int64 {
	now := s.Time.Unix() / b.unit
	step := b.times[0] - b.times[1]
	passed := now - b.times[0]
	b.hour = int64(s.Time.Hour())
	last := b.times[0] * b.unit % int64(24*time.Hour/time.Second) / 3600
	odd := (b.times[0] - b.times[1]) - (b.times[1] - b.times[2])
	b.residual(decideTime, passed-step, []int64{bucket(step), last, bucket(odd), bucket(odd)<<8 | bucket(step)})
	b.times = [3]int64{now, b.times[0], b.times[1]}
	return passed * b.unit
}

func (b *Bound) field(i int, v codec.Value, passed int64) {
	p := &b.fields[i]
	contexts := b.contexts(p)
	measured := v.State != codec.NotMeasured
	was := int64(0)
	if p.measured {
		was = 1
	}
	b.m.decide(name{int16(i), decideTurned}, append([]int64{was}, contexts...), measured) //nolint:gosec // at most 60 fields
	p.measured = measured
	if !measured {
		return
	}
	f := &b.t.Fields()[i]
	n := v.Raw - f.Offset
	predicted := p.values[0]
	if f.Predictor == codec.PredictElapsed {
		predicted += int64(float64(passed) / scaleOf(f))
	}
	r := n - predicted
	b.residual(int16(i), r, contexts) //nolint:gosec // at most 60 fields
	if p.known > 0 {
		p.moves = [2]int64{r, p.moves[0]}
	}
	p.values = [3]int64{n, p.values[0], p.values[1]}
	p.known++
	b.before = r
	if r != 0 {
		b.moved++
	}
}

func scaleOf(f *codec.Field) float64 {
	one := *f
	return one.Float(codec.Value{Raw: 1, State: codec.Measured})
}

// contexts are what the residual of a field may depend on.
func (b *Bound) contexts(p *past) []int64 {
	d1, d2 := p.moves[0], p.moves[1]
	return []int64{
		bucket(d1),
		bucket(d1)<<8 | bucket(d2),
		bucket(b.before),
		bucket(b.before)<<8 | bucket(d1),
		b.hour,
		p.values[0] >> 3,
		b.moved,
		size(d1)<<8 | size(b.before)<<4 | size(d2),
		p.values[0],
		d1,
	}
}

// residual codes a difference by its sign, its class and its place in the class.
func (b *Bound) residual(field int16, r int64, contexts []int64) {
	decide := func(decision int, contexts []int64, one bool) {
		b.m.decide(name{field, int16(decision)}, contexts, one) //nolint:gosec // below classMax × 16
	}
	decide(decideMoved, contexts, r != 0)
	if r == 0 {
		return
	}
	decide(decideMinus, contexts, r < 0)
	magnitude := uint64(max(r, -r)) //nolint:gosec // not negative
	class := bits.Len64(magnitude) - 1
	for j := range class {
		decide(decideMore+min(j, classMax-1), contexts, true)
	}
	decide(decideMore+min(class, classMax-1), contexts, false)
	known := 1
	for i := class - 1; i >= 0; i-- {
		if class-i > upperBits {
			b.m.plain(float64(i + 1))
			return
		}
		one := magnitude>>i&1 == 1
		decide(decideTop+class*8+known-1, contexts, one)
		known *= 2
		if one {
			known++
		}
	}
}

// bucket is a difference by sign and order of magnitude.
func bucket(d int64) int64 {
	if d < 0 {
		return 128 + int64(bits.Len64(uint64(-d)))
	}
	return int64(bits.Len64(uint64(d)))
}

// size is a difference in four classes.
func size(d int64) int64 {
	switch d = max(d, -d); {
	case d == 0:
		return 0
	case d <= 3:
		return 1
	case d <= 15:
		return 2
	default:
		return 3
	}
}

package session

import (
	"fmt"
	"slices"

	"github.com/godwit-gateway/godwit/codec"
)

// A Bearer is how a network bills a message, in bytes of payload.
type Bearer struct {
	Quantum int // billed are multiples of it; 0 or 1: each byte
	Minimum int // billed at least
	Maximum int // carried by one message; 0: any number
}

// Billed is what a payload is billed for.
func (b Bearer) Billed(n int) int {
	if b.Quantum > 1 {
		n = (n + b.Quantum - 1) / b.Quantum * b.Quantum
	}
	return max(n, b.Minimum)
}

// Deadbands are the least changes worth sending, in steps of a field, by field id.
type Deadbands map[uint8]uint32

// Hold gives the values that are sent for those that were measured: a field that moved by less than its deadband from what was sent before keeps
// that value, so that it costs nothing, and what is sent is never further from the truth than the deadband. It is for fields that are predicted
// by their last value: others move when nothing is sent. dst may be nil.
func (d Deadbands) Hold(dst []codec.Value, t *codec.Template, before, now []codec.Value) []codec.Value {
	dst = append(dst[:0], now...)
	if len(before) != len(now) {
		return dst // nothing was sent before
	}
	for i := range t.Fields() {
		f := &t.Fields()[i]
		band, ok := d[f.ID]
		if !ok || f.Predictor != codec.PredictLast || now[i].State != codec.Measured || before[i].State != codec.Measured {
			continue
		}
		if moved := now[i].Raw - before[i].Raw; max(moved, -moved) < int64(band) {
			dst[i] = before[i]
		}
	}
	return dst
}

// A Base is what a status is counted from, as the sender remembers it.
type Base struct {
	State    codec.State
	Values   []codec.Value // as sent
	Distance uint8         // counters back
}

// A Filler gives statuses the form that costs least on a bearer.
type Filler struct {
	Template  *codec.Template
	Slot      uint8
	Deadbands Deadbands
	Bearer    Bearer
	Overhead  int // bytes of payload besides the plaintext
}

// Filled is the plaintext of a frame, and what is to be remembered of it.
type Filled struct {
	Plaintext []byte
	Header    codec.Header
	Base      Base // for those that come later; its distance is theirs to say
	Readings  int  // statuses in the frame
}

// Frame makes the frame of a status: counted from base, or whole if that is nil or a keyframe is wanted. Readings that were measured before and
// not sent, oldest first, go with it as far as they cost nothing: those nearest to the status, in a batch, while the bill stays the same. A
// keyframe that is wanted goes alone.
func (f *Filler) Frame(base *Base, keyframe bool, backlog []codec.Status, status *codec.Status) (Filled, error) {
	best, err := f.single(base, keyframe, status)
	if err != nil {
		return best, err
	}
	if size := f.Overhead + len(best.Plaintext); f.Bearer.Maximum > 0 && size > f.Bearer.Maximum {
		return best, fmt.Errorf("status of %d bytes, want up to %d: %w", size, f.Bearer.Maximum, codec.ErrMalformed)
	}
	if keyframe {
		return best, nil
	}
	bill := f.bill(&best)
	list := append(slices.Clone(backlog), *status)
	for n := 2; n <= min(len(list), codec.BatchMax); n++ {
		more, err := f.batch(base, list[len(list)-n:])
		if err != nil {
			return best, err
		}
		if f.bill(&more) > bill || f.Bearer.Maximum > 0 && f.Overhead+len(more.Plaintext) > f.Bearer.Maximum {
			break
		}
		best = more
	}
	return best, nil
}

func (f *Filler) bill(b *Filled) int { return f.Bearer.Billed(f.Overhead + len(b.Plaintext)) }

// single is a keyframe or a delta.
func (f *Filler) single(base *Base, keyframe bool, status *codec.Status) (out Filled, err error) {
	out.Readings = 1
	if base == nil || keyframe {
		out.Base.Values = slices.Clone(status.Values)
		if out.Plaintext, out.Header, err = f.Template.AppendKeyframe(nil, f.Slot, status); err != nil {
			return out, err
		}
		out.Base.State.SetKeyframe(f.Template, status)
		return out, nil
	}
	delta := *status
	delta.AckAsked = false
	delta.Values = f.Deadbands.Hold(nil, f.Template, base.Values, status.Values)
	out.Base.Values = delta.Values
	out.Base.State.CopyFrom(&base.State)
	out.Plaintext, out.Header, err = f.Template.AppendDelta(nil, f.Slot, base.Distance, &out.Base.State, &delta)
	return out, err
}

// batch is several statuses, of which the last is the one that is due.
func (f *Filler) batch(base *Base, list []codec.Status) (out Filled, err error) {
	statuses := make([]codec.Status, len(list))
	distance := uint8(0)
	if base != nil {
		distance = base.Distance
		out.Base.Values = base.Values
		out.Base.State.CopyFrom(&base.State)
	}
	for i := range list {
		statuses[i] = list[i]
		statuses[i].AckAsked = false
		statuses[i].Values = f.Deadbands.Hold(nil, f.Template, out.Base.Values, list[i].Values)
		out.Base.Values = statuses[i].Values
	}
	out.Readings = len(list)
	out.Plaintext, out.Header, err = f.Template.AppendBatch(nil, f.Slot, distance, &out.Base.State, statuses)
	return out, err
}

package codec

import (
	"fmt"
	"time"
)

// versionExplicit is the version index that says that a build hash follows.
const versionExplicit = 63

// A Rare is what changes seldom: it stands behind one flag bit.
type Rare struct {
	Present      bool
	VersionIndex uint8  // into the product's release table, 0 to 62; 63: Build says
	Build        uint32 // first four bytes of the build's hash
	BootChanged  bool   // restarted since the last status
	HasStep      bool   // an update is under way
	Step         uint8  // update step, 0 to 15
	StepCode     uint8  // its result code
	HasPolicy    bool   // it says which policy is in force: a receipt
	Policy       uint8  // low 8 bits of that policy's revision
}

// A Status is the content of a status frame. Values stand in the order of the template's fields.
type Status struct {
	Time       time.Time // when it was taken; zero if the device is not sure of its clock
	ClockValid bool
	AckAsked   bool
	Values     []Value
	Rare       Rare
}

// DecodeKeyframe reads the plaintext of a keyframe into dst, whose memory it uses again. The time on air is modulo a window; it is
// completed to the only time in the window that ends an hour after ref, which is the network's time stamp, or else the time of receipt.
//
//	clock 1 | time 20 or 16 if clock | presence of groups 1..G | fields | rare flag 1 | rare block
//
// All bits are written from the most significant on; zero bits fill up the last byte, and zero bytes at the end are not sent. An encoding
// that AppendKeyframe would not give is refused.
func (t *Template) DecodeKeyframe(dst *Status, h Header, plaintext []byte, ref time.Time) error {
	r := bitReader{b: plaintext}
	dst.AckAsked = h.Base() == 1
	dst.ClockValid, dst.Time = r.flag(), time.Time{}
	if dst.ClockValid {
		dst.Time = t.completeTime(r.read(t.unit.width()), ref)
	}
	present := uint64(1) // group 0 is always there
	for g := uint8(1); g <= t.groups; g++ {
		present |= r.read(1) << g
	}
	if cap(dst.Values) < len(t.fields) {
		dst.Values = make([]Value, len(t.fields))
	}
	dst.Values = dst.Values[:len(t.fields)]
	used := uint64(1)
	for i := range t.fields {
		f := &t.fields[i]
		dst.Values[i] = Value{}
		if present>>f.Group&1 == 0 {
			continue
		}
		dst.Values[i] = f.read(&r)
		if dst.Values[i].State != NotMeasured {
			used |= 1 << f.Group
		}
	}
	dst.Rare = readRare(&r)
	if present&^used != 0 {
		return fmt.Errorf("keyframe: a group is present and empty: %w", ErrMalformed)
	}
	if !r.rest() || len(plaintext) > 0 && plaintext[len(plaintext)-1] == 0 {
		return fmt.Errorf("keyframe of %d bytes: %w", len(plaintext), ErrMalformed)
	}
	return nil
}

func (f *Field) read(r *bitReader) Value {
	if f.Optional {
		if !r.flag() {
			return Value{}
		}
		return Value{Raw: f.Offset + int64(r.read(f.Width)), State: Measured} //nolint:gosec // at most 40 bits
	}
	n := r.read(f.Width)
	if n > f.top() {
		return Value{}
	}
	return f.value(int64(n)) //nolint:gosec // at most 40 bits
}

func readRare(r *bitReader) Rare {
	rare := Rare{Present: r.flag()}
	if !rare.Present {
		return rare
	}
	rare.VersionIndex = uint8(r.read(6))
	if rare.VersionIndex == versionExplicit {
		rare.Build = uint32(r.read(32)) //nolint:gosec // 32 bits
	}
	rare.BootChanged, rare.HasStep = r.flag(), r.flag()
	if rare.HasStep {
		rare.Step, rare.StepCode = uint8(r.read(4)), uint8(r.read(8))
	}
	if rare.HasPolicy = r.flag(); rare.HasPolicy {
		rare.Policy = uint8(r.read(8))
	}
	return rare
}

// completeTime finds the time that field stands for: congruent to it modulo the window, and in (ref + 1 h - window, ref + 1 h].
func (t *Template) completeTime(field uint64, ref time.Time) time.Time {
	latest := ref.Unix() + 3600
	if t.unit == Minutes {
		latest /= 60
	}
	back := int64(t.unit.modulo(latest - int64(field))) //nolint:gosec // at most 20 bits each
	return time.Unix((latest-back)*t.unit.seconds(), 0).UTC()
}

// AppendKeyframe appends the plaintext of a keyframe and returns the header for it, of template slot 0 to 6.
func (t *Template) AppendKeyframe(dst []byte, slot uint8, s *Status) ([]byte, Header, error) {
	if slot >= slotReserved || len(s.Values) != len(t.fields) {
		return dst, 0, fmt.Errorf("keyframe: slot %d, %d values for %d fields: %w", slot, len(s.Values), len(t.fields), ErrMalformed)
	}
	w := bitWriter{b: dst}
	w.flag(s.ClockValid)
	if s.ClockValid {
		w.write(t.unit.field(s.Time), t.unit.width())
	}
	present := uint64(1)
	for i := range t.fields {
		if s.Values[i].State != NotMeasured {
			present |= 1 << t.fields[i].Group
		}
	}
	for g := uint8(1); g <= t.groups; g++ {
		w.flag(present>>g&1 == 1)
	}
	for i := range t.fields {
		f := &t.fields[i]
		if present>>f.Group&1 == 0 {
			continue
		}
		if err := f.write(&w, s.Values[i]); err != nil {
			return dst, 0, err
		}
	}
	if err := writeRare(&w, &s.Rare); err != nil {
		return dst, 0, err
	}
	base := uint8(0)
	if s.AckAsked {
		base = 1
	}
	start := len(dst)
	return w.b[:start+len(cutZeros(w.b[start:]))], MakeHeader(KindKeyframe, slot, base), nil
}

// steps is a measured value as it is on air, counted from the offset.
func (f *Field) steps(v Value) int64 {
	if v.State == Saturated {
		return int64(f.top()) //nolint:gosec // at most 40 bits
	}
	return v.Raw - f.Offset
}

func (f *Field) write(w *bitWriter, v Value) error {
	n := f.steps(v)
	if v.State != NotMeasured && (n < 0 || uint64(n) > f.top()) {
		return fmt.Errorf("keyframe: field %q: %d steps: out of range: %w", f.Name, v.Raw, ErrMalformed)
	}
	if f.Optional {
		w.flag(v.State != NotMeasured)
		if v.State == NotMeasured {
			return nil
		}
		w.write(uint64(n), f.Width) //nolint:gosec // checked above
		return nil
	}
	if v.State == NotMeasured {
		w.write(1<<f.Width-1, f.Width)
		return nil
	}
	w.write(uint64(n), f.Width) //nolint:gosec // checked above
	return nil
}

func writeRare(w *bitWriter, r *Rare) error {
	w.flag(r.Present)
	if !r.Present {
		return nil
	}
	if r.VersionIndex > versionExplicit || r.Step > 15 {
		return fmt.Errorf("keyframe: version index %d, step %d: %w", r.VersionIndex, r.Step, ErrMalformed)
	}
	w.write(uint64(r.VersionIndex), 6)
	if r.VersionIndex == versionExplicit {
		w.write(uint64(r.Build), 32)
	}
	w.flag(r.BootChanged)
	w.flag(r.HasStep)
	if r.HasStep {
		w.write(uint64(r.Step), 4)
		w.write(uint64(r.StepCode), 8)
	}
	if w.flag(r.HasPolicy); r.HasPolicy {
		w.write(uint64(r.Policy), 8)
	}
	return nil
}

package codec_test

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/godwit-gateway/godwit/codec"
)

// evolve changes a status as the world does: most values stay or move a little, some jump, appear or vanish.
func evolve(t *rapid.T, tm *codec.Template, s *codec.Status, ref time.Time) (in, want codec.Status) {
	if rapid.IntRange(0, 9).Draw(t, "anew") == 0 {
		in, want = drawStatus(t, tm, ref)
		in.AckAsked, want.AckAsked = false, false
		return in, want
	}
	in = *s
	in.AckAsked = false
	in.Values = slices.Clone(s.Values)
	in.Rare = drawRare(t)
	unit := time.Second
	if tm.Timing().Unit == codec.Minutes {
		unit = time.Minute
	}
	if in.ClockValid {
		in.Time = in.Time.Add(time.Duration(rapid.Int64Range(-5, 5).Draw(t, "later")) * unit)
		latest, window := ref.Add(time.Hour).Truncate(unit), time.Duration(1<<20)*unit
		if unit == time.Minute {
			window = 1 << 16 * unit
		}
		if in.Time.After(latest) || in.Time.Before(latest.Add(unit-window)) {
			in.Time = latest
		}
	}
	for i := range in.Values {
		f := &tm.Fields()[i]
		v := &in.Values[i]
		n := v.Raw - f.Offset
		switch rapid.IntRange(0, 6).Draw(t, "change") {
		case 0:
			*v = codec.Value{}
		case 1:
			*v = codec.Value{State: codec.Measured, Raw: f.Offset + rapid.Int64Range(0, top(f)).Draw(t, "n")}
		case 2, 3:
			if v.State != codec.NotMeasured {
				*v = codec.Value{State: codec.Measured, Raw: f.Offset + min(max(n+rapid.Int64Range(-40, 40).Draw(t, "move"), 0), top(f))}
			}
		}
		if v.State != codec.NotMeasured && !f.Optional && v.Raw == f.Offset+top(f) {
			v.State = codec.Saturated
		}
	}
	return in, in
}

// F-130, F-133: a chain of statuses, each against any earlier one, comes out as it went in, in one encoding, and both sides hold the same state.
func TestDeltaRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tm := drawTemplate(t)
		ref := time.Unix(rapid.Int64Range(1<<30, 1<<33).Draw(t, "reference"), 0).UTC()
		in, last := drawStatus(t, tm, ref)
		device, gateway := []codec.State{{}}, []codec.State{{}}
		device[0].SetKeyframe(tm, &in) // a device may hold another value for "at or above" than the highest
		gateway[0].SetKeyframe(tm, &last)
		for range rapid.IntRange(1, 8).Draw(t, "statuses") {
			in, want := evolve(t, tm, &last, ref)
			distance := rapid.IntRange(1, len(device)).Draw(t, "distance")
			var at, here codec.State
			at.CopyFrom(&device[len(device)-distance])
			plaintext, h, err := tm.AppendDelta(nil, 3, uint8(distance), &at, &in)
			if err != nil {
				t.Fatal(err)
			}
			here.CopyFrom(&gateway[len(gateway)-distance])
			got := codec.Status{AckAsked: true}
			if err := tm.DecodeDelta(&got, &here, h, plaintext, ref); err != nil {
				t.Fatalf("%x: %v", plaintext, err)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Fatalf("%x: %s", plaintext, d)
			}
			sameState(t, tm, &at, &here)
			refusesChanges(t, tm, &gateway[len(gateway)-distance], h, plaintext, ref)
			device, gateway, last = append(device, at), append(gateway, here), want
		}
	})
}

// sameState compares two states by what is stored of them, and reads that back.
func sameState(t *rapid.T, tm *codec.Template, a, b *codec.State) {
	x, y := codec.AppendState(nil, a), codec.AppendState(nil, b)
	if !bytes.Equal(x, y) {
		t.Fatalf("state %x at the device, %x at the gateway", x, y)
	}
	var back codec.State
	if err := codec.ParseState(&back, tm, x); err != nil || !bytes.Equal(codec.AppendState(nil, &back), x) {
		t.Fatalf("state %x reads back as %x, %v", x, codec.AppendState(nil, &back), err)
	}
}

// refusesChanges flips a bit and cuts: what is read then encodes as it was read, or is refused.
func refusesChanges(t *rapid.T, tm *codec.Template, base *codec.State, h codec.Header, plaintext []byte, ref time.Time) {
	changed := slices.Clone(plaintext)
	if len(changed) > 0 {
		changed[rapid.IntRange(0, len(changed)-1).Draw(t, "byte")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
	}
	for _, b := range [][]byte{changed, plaintext[:len(plaintext)/2], append(slices.Clone(plaintext), 1)} {
		checkCanonical(t, tm, base, h, b, ref)
	}
}

type failer interface {
	Fatalf(format string, args ...any)
}

// checkCanonical decodes a delta or batch and, if that succeeds, encodes it again to the same bytes.
func checkCanonical(t failer, tm *codec.Template, base *codec.State, h codec.Header, b []byte, ref time.Time) bool {
	var here, again codec.State
	here.CopyFrom(base)
	again.CopyFrom(base)
	distance, _, err := codec.DeltaBase(h, b)
	if err != nil || h.Slot() == 7 {
		return false
	}
	if h.Kind() == codec.KindBatch {
		list, err := tm.DecodeBatch(nil, &here, h, b, ref)
		if err != nil {
			return false
		}
		if out, h2, err := tm.AppendBatch(nil, h.Slot(), distance, &again, list); err != nil || h2 != h || !bytes.Equal(out, b) {
			t.Fatalf("%x encodes anew as %x, %v", b, out, err)
		}
		return true
	}
	var s codec.Status
	if err := tm.DecodeDelta(&s, &here, h, b, ref); err != nil {
		return false
	}
	if out, h2, err := tm.AppendDelta(nil, h.Slot(), distance, &again, &s); err != nil || h2 != h || !bytes.Equal(out, b) {
		t.Fatalf("%x encodes anew as %x, %v: %+v", b, out, err, s)
	}
	return true
}

// F-134: a batch comes out as it went in, with a base and without, and leaves both sides with the same state.
func TestBatchRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tm := drawTemplate(t)
		ref := time.Unix(rapid.Int64Range(1<<30, 1<<33).Draw(t, "reference"), 0).UTC()
		_, last := drawStatus(t, tm, ref)
		var device, gateway codec.State
		distance := uint8(0)
		if rapid.Bool().Draw(t, "based") {
			distance = uint8(rapid.IntRange(1, codec.DistanceMax).Draw(t, "distance"))
			device.SetKeyframe(tm, &last)
		}
		gateway.CopyFrom(&device)
		base := device
		base.CopyFrom(&device)
		var in, want []codec.Status
		for range rapid.IntRange(2, 6).Draw(t, "statuses") {
			i, w := evolve(t, tm, &last, ref)
			in, want, last = append(in, i), append(want, w), w
		}
		plaintext, h, err := tm.AppendBatch(nil, 6, distance, &device, in)
		if err != nil {
			t.Fatal(err)
		}
		got, err := tm.DecodeBatch(make([]codec.Status, 0, 3), &gateway, h, plaintext, ref)
		if err != nil {
			t.Fatalf("%x: %v", plaintext, err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("%x: %s", plaintext, d)
		}
		sameState(t, tm, &device, &gateway)
		refusesChanges(t, tm, &base, h, plaintext, ref)
	})
}

// Nothing new costs no byte, a step of one field one.
func TestDeltaSizes(t *testing.T) {
	tm := buoy(t)
	ref := testReference()
	s := codec.Status{Time: ref, ClockValid: true, Values: make([]codec.Value, len(tm.Fields()))}
	for i := range tm.Fields() {
		if f := &tm.Fields()[i]; !f.Optional {
			s.Values[i] = codec.Value{State: codec.Measured, Raw: f.Offset + 9}
		}
	}
	var base codec.State
	base.SetKeyframe(tm, &s)
	hour := func() codec.Status {
		next := s
		next.Values = slices.Clone(s.Values)
		next.Time = next.Time.Add(time.Hour)
		return next
	}
	var at codec.State
	at.CopyFrom(&base)
	same := hour()
	first, _, err := tm.AppendDelta(nil, 0, 1, &at, &same)
	if err != nil {
		t.Fatal(err)
	}
	s = same
	again := hour()
	second, _, err := tm.AppendDelta(nil, 0, 1, &at, &again)
	if err != nil || len(second) != 0 {
		t.Errorf("nothing new is %x (the hour before, which taught the interval, %x): %v", second, first, err)
	}
	s = again
	moved := hour()
	moved.Values[0].Raw++
	if third, _, err := tm.AppendDelta(nil, 0, 1, &at, &moved); err != nil || len(third) != 1 {
		t.Errorf("a step of one field is %x: %v", third, err)
	}
}

func fuzzBase(tm *codec.Template, known bool, ref time.Time) *codec.State {
	s := codec.Status{Time: ref.Add(-time.Hour), ClockValid: known, Values: make([]codec.Value, len(tm.Fields()))}
	for i := range tm.Fields() {
		if f := &tm.Fields()[i]; known || i%2 == 0 {
			s.Values[i] = codec.Value{State: codec.Measured, Raw: f.Offset + min(7, top(f))}
		}
	}
	var base codec.State
	base.SetKeyframe(tm, &s)
	return &base
}

// Whatever the template, the state and the bytes: what is taken is the one encoding of it, and costs no more than a template can ask for.
func FuzzDecodeDelta(f *testing.F) {
	for _, tm := range []*codec.Template{buoy(f), plainTemplate(f), wideTemplate(f), coded(f), trained(f), elapsed(f)} {
		for _, known := range []bool{true, false} {
			for _, b := range [][]byte{nil, {1}, {0x80}, {0xff, 0xff, 0xff, 0xff, 1}, {7, 3, 9}, {32, 0xfe, 0x10, 0x7f, 0x55, 0xaa, 3}} {
				for _, h := range []byte{0x01, 0x07, 0x80, 0x97} {
					f.Add(tm.Canonical(), h, known, []byte(nil), b)
				}
			}
		}
	}
	for _, v := range seeds(f, "delta", "batch") {
		f.Add(v.hex(f, "template"), v.hex(f, "header")[0], true, v.input, v.input)
	}
	for _, v := range seeds(f, "template") { // edges of what a template may be
		f.Add(v.input, byte(0x01), true, []byte{0x80}, []byte{0xff, 0x55, 0xaa, 0x33, 0x0f, 0xf1})
		f.Add(v.input, byte(0x80), false, []byte(nil), []byte{1, 0xff, 0x55, 0xaa, 0x33, 0x0f, 0xf1, 0x77, 0x88, 0x99})
	}
	ref := testReference()
	f.Fuzz(func(t *testing.T, canonical []byte, header byte, known bool, before, b []byte) {
		tm, err := codec.ParseTemplate(canonical)
		if err != nil {
			return
		}
		base := fuzzBase(tm, known, ref)
		var moved codec.State
		moved.CopyFrom(base)
		if _, err := decodePacked(tm, &moved, 0x02, before, ref); len(before) > 0 && err == nil {
			base = &moved
		}
		h := codec.Header(header)
		taken := checkCanonical(t, tm, base, h, b, ref)
		o := codec.InspectOptions{Base: base, Reference: ref}
		if h.Slot() < 7 && (h.Kind() == codec.KindDelta || h.Kind() == codec.KindBatch) {
			o.Templates[h.Slot()] = tm
			parts := codec.InspectPlaintext(h, b, &o)
			checkCover(t, parts, 0, len(b))
			if last := &parts[len(parts)-1]; (last.Error == "") != taken {
				t.Fatalf("taken: %t, the inspector's verdict: %q", taken, last.Error)
			}
		}
		var stored codec.State
		if err := codec.ParseState(&stored, tm, codec.AppendState(nil, base)); err != nil || codec.StateText(tm, &stored) != codec.StateText(tm, base) {
			t.Fatalf("stored as %s, %v", codec.StateText(tm, &stored), err)
		}
	})
}

package codec_test

import (
	"bytes"
	"fmt"
	"math/big"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/godwit-gateway/godwit/codec"
)

// drawField draws any field that a template takes.
func drawField(t *rapid.T, id int) codec.Field {
	f := codec.Field{
		ID:        uint8(id),
		Name:      fmt.Sprintf("f%d", id),
		Unit:      rapid.SampledFrom([]string{"", "m", "°C", "m/s"}).Draw(t, "unit"),
		Scale:     codec.Decimal{Coef: rapid.Int64Range(1, 1_000_000).Draw(t, "coef"), Exp: int8(rapid.IntRange(-12, 12).Draw(t, "exp"))},
		Offset:    rapid.Int64Range(-1<<40, 1<<40).Draw(t, "offset"),
		Width:     uint8(rapid.IntRange(1, codec.WidthMax).Draw(t, "width")),
		Optional:  rapid.Bool().Draw(t, "optional"),
		Group:     uint8(rapid.IntRange(0, codec.GroupsMax).Draw(t, "group")),
		Predictor: rapid.SampledFrom([]codec.Predictor{codec.PredictLast, codec.PredictTrend, codec.PredictZero, codec.PredictAlong}).Draw(t, "predictor"),
		Coding: codec.Coding{
			Order: uint8(rapid.IntRange(0, 15).Draw(t, "order")), Spread: uint8(rapid.IntRange(0, 30).Draw(t, "spread")),
			Model: drawModel(t),
		},
	}
	if id == 0 && f.Predictor == codec.PredictAlong {
		f.Predictor = codec.PredictLast // there is none to move along with
	}
	f.Optional = f.Optional || f.Width == 1
	if f.Scale.Exp >= -3 && f.Scale.Exp <= 6 && rapid.Bool().Draw(t, "elapsed") {
		f.Predictor = codec.PredictElapsed
	}
	return f
}

func drawTemplate(t *rapid.T) *codec.Template {
	fields := make([]codec.Field, rapid.SampledFrom([]int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 60}).Draw(t, "fields"))
	for i := range fields {
		fields[i] = drawField(t, i)
	}
	tm, err := codec.NewTemplate(codec.Timing{
		Unit: rapid.SampledFrom([]codec.TimeUnit{codec.Seconds, codec.Minutes}).Draw(t, "time unit"), Interval: rapid.Uint32Range(0, 366*24*3600).Draw(t, "interval"),
		Coding: codec.Coding{
			Order: uint8(rapid.IntRange(0, 15).Draw(t, "time order")), Spread: uint8(rapid.IntRange(0, 30).Draw(t, "time spread")), Model: drawModel(t),
		},
	}, fields)
	if err != nil {
		t.Fatal(err)
	}
	return tm
}

// top is the largest n that means a value (SPEC §3).
func top(f *codec.Field) int64 {
	if f.Optional {
		return 1<<f.Width - 1
	}
	return 1<<f.Width - 2
}

// drawStatus draws a status and what must come out of it: the highest code says "at or above", of an optional field it is a value like others.
func drawStatus(t *rapid.T, tm *codec.Template, ref time.Time) (in, want codec.Status) {
	window, unit := int64(1<<20), int64(1)
	if tm.Timing().Unit == codec.Minutes {
		window, unit = 1<<16*60, 60
	}
	in.ClockValid = rapid.Bool().Draw(t, "clock")
	in.AckAsked = rapid.Bool().Draw(t, "ack asked")
	if in.ClockValid {
		latest := (ref.Unix() + 3600) / unit
		in.Time = time.Unix((latest-rapid.Int64Range(0, window/unit-1).Draw(t, "age"))*unit, 0).UTC()
	}
	want = in
	for i := range tm.Fields() {
		f := &tm.Fields()[i]
		v := codec.Value{State: rapid.SampledFrom([]codec.ValueState{codec.NotMeasured, codec.Measured, codec.Saturated}).Draw(t, "state")}
		if v.State == codec.Measured {
			v.Raw = f.Offset + rapid.Int64Range(0, top(f)).Draw(t, "n")
		}
		in.Values = append(in.Values, v)
		switch {
		case v.State == codec.Saturated:
			v.Raw = f.Offset + top(f)
			if f.Optional {
				v.State = codec.Measured
			}
		case v.State == codec.Measured && v.Raw == f.Offset+top(f) && !f.Optional:
			v.State = codec.Saturated
		}
		want.Values = append(want.Values, v)
	}
	in.Rare = drawRare(t)
	want.Rare = in.Rare
	return in, want
}

func drawRare(t *rapid.T) codec.Rare {
	r := codec.Rare{Present: rapid.Bool().Draw(t, "rare")}
	if !r.Present {
		return r
	}
	r.VersionIndex = uint8(rapid.IntRange(0, 63).Draw(t, "version"))
	if r.VersionIndex == 63 {
		r.Build = rapid.Uint32().Draw(t, "build")
	}
	r.BootChanged, r.HasStep = rapid.Bool().Draw(t, "boot"), rapid.Bool().Draw(t, "has step")
	if r.HasStep {
		r.Step, r.StepCode = uint8(rapid.IntRange(0, 15).Draw(t, "step")), rapid.Uint8().Draw(t, "code")
	}
	if r.HasPolicy = rapid.Bool().Draw(t, "has policy"); r.HasPolicy {
		r.Policy = rapid.Uint8().Draw(t, "policy")
	}
	return r
}

// F-031, F-032, F-033, F-035: whatever the template, a status comes out as it went in, and its plaintext is the only one for it.
func TestKeyframeRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tm := drawTemplate(t)
		ref := time.Unix(rapid.Int64Range(1<<30, 1<<33).Draw(t, "reference"), 0).UTC()
		in, want := drawStatus(t, tm, ref)
		slot := uint8(rapid.IntRange(0, 6).Draw(t, "slot"))
		b, h, err := tm.AppendKeyframe([]byte{0xaa}, slot, &in)
		if err != nil || b[0] != 0xaa || h.Slot() != slot {
			t.Fatalf("%x %x: %v", b, h, err)
		}
		got := codec.Status{Values: make([]codec.Value, 40), Rare: codec.Rare{Present: true}} // memory of another frame
		if err := tm.DecodeKeyframe(&got, h, b[1:], ref); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatal(d)
		}
		if again, _, err := tm.AppendKeyframe(nil, slot, &got); err != nil || !bytes.Equal(again, b[1:]) {
			t.Fatalf("encodes anew as %x, %v, was %x", again, err, b[1:])
		}
	})
}

// F-030: a template is read back from its canonical form alone.
func TestTemplateRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tm := drawTemplate(t)
		got, err := codec.ParseTemplate(tm.Canonical())
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(tm.Fields(), got.Fields()); d != "" || got.Hash() != tm.Hash() || got.Timing().Unit != tm.Timing().Unit {
			t.Fatal(d)
		}
		b := bytes.Clone(tm.Canonical())
		i := rapid.IntRange(0, len(b)-1).Draw(t, "byte")
		b[i] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		if other, err := codec.ParseTemplate(b); err == nil && other.Hash() == tm.Hash() {
			t.Fatalf("%x has the name of %x", b, tm.Canonical())
		}
	})
}

// A decimal is exact: it is compared as a fraction.
func TestAppendDecimalIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := drawField(t, 1)
		raw := f.Offset + rapid.Int64Range(0, top(&f)).Draw(t, "n")
		text := string(codec.AppendDecimal([]byte("x"), &f, raw))[1:]
		got, ok := new(big.Rat).SetString(text)
		want := new(big.Rat).SetInt64(raw)
		want.Mul(want, new(big.Rat).SetInt64(f.Scale.Coef))
		ten := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(f.Scale.Exp, -f.Scale.Exp))), nil))
		if f.Scale.Exp < 0 {
			ten.Inv(ten)
		}
		if want.Mul(want, ten); !ok || got.Cmp(want) != 0 {
			t.Fatalf("%q, want %s", text, want.RatString())
		}
	})
}

// F-031: whatever the sensor says, the field takes it; and what a field says it reads back.
func TestQuantize(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := drawField(t, 1)
		v := f.Quantize(rapid.Float64().Draw(t, "value"))
		if n := v.Raw - f.Offset; v.State == codec.NotMeasured || n < 0 || n > top(&f) {
			t.Fatalf("%+v", v)
		}
		v = codec.Value{Raw: f.Offset + rapid.Int64Range(0, top(&f)).Draw(t, "n"), State: codec.Measured}
		if v.Raw == f.Offset+top(&f) && !f.Optional {
			v.State = codec.Saturated
		}
		if got := f.Quantize(f.Float(v)); got != v {
			t.Fatalf("%+v, want %+v", got, v)
		}
	})
}

// F-025: the counter below 2^40 with these low bits that is nearest to the one after the highest; of two, the larger.
func TestCompleteCounterAgainstSearch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		width := rapid.SampledFrom([]uint8{8, 16}).Draw(t, "bits")
		highest := rapid.OneOf(
			rapid.Uint64Range(0, 1<<18), rapid.Uint64Range(0, codec.CounterMax), rapid.Uint64Range(codec.CounterMax-1<<18, codec.CounterMax),
		).Draw(t, "highest")
		low := rapid.Uint64Range(0, 1<<width-1).Draw(t, "low")
		window := int64(1) << width
		next := int64(highest) + 1
		best := int64(-1)
		for k := next/window - 2; k <= next/window+2; k++ {
			c := k*window + int64(low)
			if c < 0 || c > codec.CounterMax {
				continue
			}
			if d := max(c-next, next-c); best < 0 || d <= max(best-next, next-best) {
				best = c
			}
		}
		if got := codec.CompleteCounter(low, width, highest, true); int64(got) != best {
			t.Fatalf("completed to %d, nearest is %d", got, best)
		}
		if got := codec.CompleteCounter(low, width, highest, false); got != low {
			t.Fatalf("with nothing seen: %d", got)
		}
		if got := codec.CompleteCounter(highest, 40, 0, true); got != highest {
			t.Fatalf("a whole counter: %d", got)
		}
	})
}

// F-003, F-004, F-023: items of any form stand one behind the other, and are told apart again.
func TestSequenceOfItems(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var all []byte
		want := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) codec.Item {
			switch form := rapid.SampledFrom([]codec.Form{codec.FormSealed, codec.FormAddressed, codec.FormOpen}).Draw(t, "form"); form {
			case codec.FormOpen:
				b, err := codec.AppendOpen(nil, &codec.Open{Fields: map[int64]any{rapid.Int64().Draw(t, "key"): rapid.String().Draw(t, "text")}})
				if err != nil {
					t.Fatal(err)
				}
				return codec.Item{Form: form, Raw: b[1:], Content: b[1:]}
			default:
				it := codec.Item{Form: form, Content: rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "content")}
				if form == codec.FormAddressed {
					it.CID = rapid.Uint32().Draw(t, "cid")
					sealed := codec.Item{Form: codec.FormSealed, Content: it.Content}
					it.Raw = codec.AppendAddressed(nil, it.CID, refEnvelope(&sealed))
					return it
				}
				it.Raw = refEnvelope(&it)
				return it
			}
		}), 1, codec.ItemsMax).Draw(t, "items")
		for i := range want {
			all = append(all, want[i].Raw...)
		}
		var got []codec.Item
		for rest := all; len(rest) > 0; {
			it, tail, err := codec.NextItem(rest)
			if err != nil {
				t.Fatalf("item %d: %v", len(got), err)
			}
			got, rest = append(got, it), tail
		}
		if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
			t.Fatal(d)
		}
	})
}

// Covers says what the bitmap says.
func TestAckCovers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := codec.Ack{Counter: rapid.Uint64Range(0, 100).Draw(t, "counter"), Bitmap: rapid.Uint32().Draw(t, "bitmap")}
		for c := range uint64(140) {
			want := c == a.Counter
			for i := range uint64(32) {
				want = want || a.Bitmap>>i&1 == 1 && c+1+i == a.Counter
			}
			if a.Covers(c) != want {
				t.Fatalf("%d: %t", c, !want)
			}
		}
	})
}

// drawModel draws the probabilities of a field, or none for the usual ones.
func drawModel(t *rapid.T) []byte {
	if rapid.Bool().Draw(t, "untrained") {
		return nil
	}
	return rapid.SliceOfN(rapid.ByteRange(0, 63), codec.ModelLen, codec.ModelLen).Draw(t, "model")
}

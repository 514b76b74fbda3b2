package session_test

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/codec/session"
)

func fillTemplate(t interface{ Fatal(...any) }) *codec.Template {
	tenth := codec.Decimal{Coef: 1, Exp: -1}
	tm, err := codec.NewTemplate(codec.Timing{Interval: 600}, []codec.Field{
		{ID: 1, Name: "battery", Scale: tenth, Width: 8},
		{ID: 2, Name: "air", Scale: tenth, Offset: -400, Width: 10, Optional: true},
		{ID: 3, Name: "wave", Scale: tenth, Width: 8, Optional: true, Group: 1},
		{ID: 4, Name: "uptime", Scale: codec.Decimal{Coef: 60}, Width: 16, Predictor: codec.PredictElapsed},
		{ID: 5, Name: "tide", Scale: tenth, Width: 12, Predictor: codec.PredictTrend},
	})
	if err != nil {
		t.Fatal(err)
	}
	return tm
}

var fillStart = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)

// readings are statuses that wander.
func readings(t *rapid.T, tm *codec.Template, n int) []codec.Status {
	list := make([]codec.Status, n)
	level := make([]int64, len(tm.Fields()))
	for i := range level {
		level[i] = rapid.Int64Range(20, 200).Draw(t, "level")
	}
	for k := range list {
		list[k] = codec.Status{Time: fillStart.Add(time.Duration(k) * 10 * time.Minute), ClockValid: true, Values: make([]codec.Value, len(level))}
		for i := range level {
			f := &tm.Fields()[i]
			level[i] = min(max(level[i]+rapid.Int64Range(-6, 6).Draw(t, "step"), 0), 250)
			if f.Optional && rapid.IntRange(0, 9).Draw(t, "broken") == 0 {
				continue
			}
			list[k].Values[i] = codec.Value{Raw: f.Offset + level[i], State: codec.Measured}
		}
	}
	return list
}

func bands(t *rapid.T) session.Deadbands {
	return rapid.MapOf(rapid.Uint8Range(1, 6), rapid.Uint32Range(0, 12)).Draw(t, "deadbands")
}

// F-067: what is sent is measured where the truth is, nearer to it than the deadband, and the truth itself where no deadband holds: for a field without
// one, for one that counts time or has a trend, and where it moved enough.
func TestDeadbandsBoundTheError(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tm := fillTemplate(t)
		d := bands(t)
		var sent []codec.Value
		for _, r := range readings(t, tm, 30) {
			before := sent
			sent = d.Hold(nil, tm, before, r.Values)
			for i := range sent {
				f, truth := &tm.Fields()[i], r.Values[i]
				off := max(sent[i].Raw-truth.Raw, truth.Raw-sent[i].Raw)
				switch {
				case sent[i].State != truth.State:
					t.Fatalf("%s: state %d for %d", f.Name, sent[i].State, truth.State)
				case off > 0 && (off >= int64(d[f.ID]) || f.Predictor != codec.PredictLast):
					t.Fatalf("%s: %d sent for %d with a deadband of %d", f.Name, sent[i].Raw, truth.Raw, d[f.ID])
				case before != nil && before[i].State == codec.Measured && truth.State == codec.Measured && f.Predictor == codec.PredictLast &&
					max(before[i].Raw-truth.Raw, truth.Raw-before[i].Raw) < int64(d[f.ID]) && sent[i] != before[i]:
					t.Fatalf("%s: %d sent after %d for %d with a deadband of %d", f.Name, sent[i].Raw, before[i].Raw, truth.Raw, d[f.ID])
				}
			}
		}
	})
}

// F-135: a frame holds the status that is due and the readings before it, as many as cost nothing more; it decodes to what was sent of them.
func TestFillsWhatIsPaidFor(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tm := fillTemplate(t)
		f := session.Filler{
			Template: tm, Deadbands: bands(t), Overhead: rapid.IntRange(8, 22).Draw(t, "overhead"),
			Bearer: session.Bearer{Quantum: rapid.SampledFrom([]int{0, 1, 10, 50, 140}).Draw(t, "quantum"), Minimum: rapid.IntRange(0, 60).Draw(t, "minimum"), Maximum: 140},
		}
		list := readings(t, tm, rapid.IntRange(1, 40).Draw(t, "readings"))
		var base *session.Base
		var from codec.State
		if rapid.Bool().Draw(t, "base") {
			base = &session.Base{Values: list[0].Values, Distance: rapid.Uint8Range(1, 32).Draw(t, "distance")}
			base.State.SetKeyframe(tm, &list[0])
			from.CopyFrom(&base.State)
		}
		keyframe := rapid.Bool().Draw(t, "keyframe")
		last := len(list) - 1
		got, err := f.Frame(base, keyframe, list[:last], &list[last])
		if err != nil {
			t.Fatal(err)
		}
		alone, err := f.Frame(base, keyframe, nil, &list[last])
		if err != nil || alone.Readings != 1 {
			t.Fatal(alone.Readings, err)
		}
		size := func(r session.Filled) int { return f.Overhead + len(r.Plaintext) }
		if size(got) > 140 || f.Bearer.Billed(size(got)) > f.Bearer.Billed(size(alone)) {
			t.Fatalf("%d bytes for %d readings, alone %d", size(got), got.Readings, size(alone))
		}
		decoded := make([]codec.Status, 1)
		ref := list[last].Time
		switch got.Header.Kind() {
		case codec.KindKeyframe:
			err = tm.DecodeKeyframe(&decoded[0], got.Header, got.Plaintext, ref)
		case codec.KindDelta:
			err = tm.DecodeDelta(&decoded[0], &from, got.Header, got.Plaintext, ref)
		default:
			decoded, err = tm.DecodeBatch(nil, &from, got.Header, got.Plaintext, ref)
		}
		if err != nil || len(decoded) != got.Readings {
			t.Fatalf("%d of %d readings: %v", len(decoded), got.Readings, err)
		}
		if keyframe != (got.Header.Kind() == codec.KindKeyframe) && base != nil {
			t.Fatalf("keyframe wanted %t, got kind %d", keyframe, got.Header.Kind())
		}
		for k := range decoded {
			truth := &list[len(list)-len(decoded)+k]
			if !decoded[k].Time.Equal(truth.Time) {
				t.Fatalf("reading %d of %s, want %s", k, decoded[k].Time, truth.Time)
			}
			for i, v := range decoded[k].Values {
				want := truth.Values[i]
				if band := int64(f.Deadbands[tm.Fields()[i].ID]); v.State != want.State || v.Raw != want.Raw && max(v.Raw-want.Raw, want.Raw-v.Raw) >= band {
					t.Fatalf("reading %d, field %d: %+v, want %+v within %d", k, i, v, want, band)
				}
			}
		}
		for i, v := range got.Base.Values {
			if v != decoded[len(decoded)-1].Values[i] {
				t.Fatalf("remembers %+v of field %d, sent %+v", v, i, decoded[len(decoded)-1].Values[i])
			}
		}
	})
}

// A text message is paid for whole: it takes an hour and more of readings at the price of one. Where each byte is billed nothing goes along.
func TestFillOfBearers(t *testing.T) {
	tm := fillTemplate(t)
	list := make([]codec.Status, 60)
	for k := range list {
		list[k] = codec.Status{Time: fillStart.Add(time.Duration(k) * 10 * time.Minute), ClockValid: true, Values: []codec.Value{
			{Raw: 120, State: codec.Measured},
			{Raw: int64(-20 + k%3), State: codec.Measured},
			{Raw: int64(10 + k%2), State: codec.Measured},
			{Raw: int64(k * 10), State: codec.Measured},
			{Raw: int64(100 + 2*k), State: codec.Measured},
		}}
	}
	last := len(list) - 1
	for _, tt := range []struct {
		name        string
		bearer      session.Bearer
		least, most int
	}{
		{"text message", session.Bearer{Quantum: 140, Maximum: 140}, 50, 60},
		{"credits of 50 bytes", session.Bearer{Quantum: 50, Maximum: 340}, 6, 40},
		{"at least 32 bytes", session.Bearer{Minimum: 32, Maximum: 1200}, 2, 12},
		{"by the byte", session.Bearer{Maximum: 1200}, 1, 1},
	} {
		f := session.Filler{Template: tm, Bearer: tt.bearer, Overhead: 11}
		got, err := f.Frame(nil, false, list[:last], &list[last])
		if err != nil || got.Readings < tt.least || got.Readings > tt.most {
			t.Errorf("%s: %d readings in %d bytes, want %d to %d; %v", tt.name, got.Readings, len(got.Plaintext), tt.least, tt.most, err)
		}
		if tt.bearer.Quantum == 0 {
			continue
		}
		// With deadbands as wide as the noise, more fits.
		f.Deadbands = session.Deadbands{2: 3, 3: 2}
		quiet, err := f.Frame(nil, false, list[:last], &list[last])
		if err != nil || quiet.Readings < got.Readings || quiet.Readings == got.Readings && len(quiet.Plaintext) >= len(got.Plaintext) {
			t.Errorf("%s: with deadbands %d readings in %d bytes, without %d in %d; %v", tt.name, quiet.Readings, len(quiet.Plaintext), got.Readings, len(got.Plaintext), err)
		}
	}
	// What is paid for anyway may be more than a message carries.
	small := session.Filler{Template: tm, Bearer: session.Bearer{Minimum: 200, Maximum: 60}, Overhead: 11}
	if got, err := small.Frame(nil, false, list[:last], &list[last]); err != nil || got.Readings < 2 || len(got.Plaintext)+small.Overhead > 60 {
		t.Errorf("%d readings in %d bytes, %v", got.Readings, len(got.Plaintext)+small.Overhead, err)
	}
	f := session.Filler{Template: tm, Bearer: session.Bearer{Maximum: 20}, Overhead: 11}
	if _, err := f.Frame(nil, false, nil, &list[0]); !errors.Is(err, codec.ErrMalformed) {
		t.Errorf("larger than the bearer carries: %v", err)
	}
}

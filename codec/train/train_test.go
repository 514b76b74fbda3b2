package train_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/codec/train"
)

// wander is an hourly reading that stays within a range and moves by up to so many steps.
func wander(seed uint64, n int, step float64, moves int) []train.Row {
	rng := rand.New(rand.NewPCG(seed, 1))
	rows := make([]train.Row, n)
	x := 100.0
	for i := range rows {
		x = min(max(x+float64(rng.IntN(2*moves+1)-moves), 0), 200)
		rows[i] = train.Row{Time: 1_700_000_000 + int64(i)*3600, Values: []float64{math.Round(x) * step}}
	}
	return rows
}

func open(name string) train.Draft {
	return train.Draft{
		AnyUnit: true, AnyInterval: true,
		Fields: []train.Field{{Field: codec.Field{ID: 1, Name: name}, AnyScale: true, AnyOffset: true, AnyWidth: true}},
	}
}

func size(t *testing.T, tm *codec.Template, rows []train.Row) float64 {
	t.Helper()
	statuses := train.Statuses(tm, rows)
	var s codec.State
	s.SetKeyframe(tm, &statuses[0])
	bytes := 0
	for i := 1; i < len(statuses); i++ {
		b, _, err := tm.AppendDelta(nil, 0, 1, &s, &statuses[i])
		if err != nil {
			t.Fatal(err)
		}
		bytes += len(b)
	}
	return float64(bytes) / float64(len(statuses)-1)
}

func TestResolve(t *testing.T) {
	nan := math.NaN()
	for _, tc := range []struct {
		name     string
		values   []float64
		elapsed  bool
		exp      int8
		low, top float64 // the range must hold these
		offset   int64   // not below
	}{
		{"whole", []float64{3, 17, 250}, false, 0, 0, 400, 0},
		{"tenths", []float64{-3.1, nan, 17.5}, false, -1, -20, 30, -300},
		{"single precision", []float64{float64(float32(21.3)), float64(float32(-4.7)), float64(float32(0.1))}, false, -1, -10, 40, -500},
		{"noise of arithmetic", []float64{0.1 + 0.2, 0.4, 0.7}, false, -1, 0, 1, -10},
		{"far too fine", []float64{69.88083514, 71.22022706}, false, -6, 69, 72, 0},
		{"wide", []float64{0, 1e9 + 0.123456}, false, -1, 0, 1e9, 0},
		{"never measured", []float64{nan, nan}, false, 0, 0, 1, -8},
		{"counts time", []float64{0, 3600}, true, 0, 0, 14000, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var rows []train.Row
			for i, v := range tc.values {
				rows = append(rows, train.Row{Time: int64(i) * 600, Values: []float64{v}})
			}
			d := open("x")
			if tc.elapsed {
				d.Fields[0].Predictor = codec.PredictElapsed
			}
			d, err := train.Resolve(d, rows)
			if err != nil {
				t.Fatal(err)
			}
			f := d.Fields[0].Field
			if f.Scale.Exp != tc.exp || f.Offset < tc.offset {
				t.Errorf("scale %d e%d, offset %d", f.Scale.Coef, f.Scale.Exp, f.Offset)
			}
			for _, v := range []float64{tc.low, tc.top} {
				if q := f.Quantize(v); q.State != codec.Measured || math.Abs(f.Float(q)-v) > math.Pow10(int(f.Scale.Exp)) {
					t.Errorf("%g becomes %g (%d), field %+v", v, f.Float(q), q.State, f)
				}
			}
			if d.Timing.Unit != codec.Minutes || d.Timing.Interval != 10 {
				t.Errorf("timing %+v", d.Timing)
			}
		})
	}
}

func TestTrainedIsSmaller(t *testing.T) {
	for _, tc := range []struct {
		name  string
		moves int
	}{{"still", 1}, {"lively", 6}, {"noisy", 60}} {
		t.Run(tc.name, func(t *testing.T) {
			rows := wander(7, 3000, 0.1, tc.moves)
			d, err := train.Resolve(open("x"), rows)
			if err != nil {
				t.Fatal(err)
			}
			plain, err := codec.NewTemplate(d.Timing, []codec.Field{d.Fields[0].Field})
			if err != nil {
				t.Fatal(err)
			}
			tm, report, err := train.FromRows(open("x"), rows[:1200])
			if err != nil {
				t.Fatal(err)
			}
			trained, untrained := size(t, tm, rows[1200:]), size(t, plain, rows[1200:])
			ideal := math.Log2(float64(2*tc.moves + 1))
			if trained > untrained || report.Bits() > 1.15*ideal+0.2 || trained > report.Bits()/8+0.6 {
				t.Errorf("%.2f bytes trained, %.2f untrained; %.2f bits reported, %.2f are ideal", trained, untrained, report.Bits(), ideal)
			}
			again, _, err := train.FromRows(open("x"), rows[:1200])
			if err != nil || again.Hash() != tm.Hash() {
				t.Errorf("the same rows give %x and %x, %v", tm.Hash(), again.Hash(), err)
			}
		})
	}
}

// A trend is found where the values have one, and time that a field counts costs next to nothing.
func TestPredictors(t *testing.T) {
	d := open("ramp")
	d.Fields = append(d.Fields, train.Field{
		Field:    codec.Field{ID: 2, Name: "uptime", Unit: "s", Predictor: codec.PredictElapsed, Scale: codec.Decimal{Coef: 60}},
		AnyWidth: true,
	})
	var rows []train.Row
	for i := range 500 {
		at := int64(i)*600 + int64(i%7)
		rows = append(rows, train.Row{Time: at, Values: []float64{float64(i * (1 + i/250) * 5), float64(at)}})
	}
	tm, report, err := train.FromRows(d, rows)
	if err != nil {
		t.Fatal(err)
	}
	f := tm.Fields()
	if f[0].Predictor != codec.PredictTrend || f[1].Predictor != codec.PredictElapsed || report.Fields[0] > 0.3 || report.Fields[1] > 0.6 {
		t.Errorf("predictors %d, %d; %v bits", f[0].Predictor, f[1].Predictor, report.Fields)
	}
}

// What moves as the field before it does is found, and what has nothing to do with its last value; neither where chance makes it seem so.
func TestPredictorsOfOtherKinds(t *testing.T) {
	d := train.Draft{AnyUnit: true, AnyInterval: true}
	for i, name := range []string{"above", "below", "openings", "apart"} {
		f := train.Field{Field: codec.Field{ID: uint8(i + 1), Name: name}, AnyScale: true, AnyOffset: true, AnyWidth: true}
		d.Fields = append(d.Fields, f)
	}
	rng := rand.New(rand.NewPCG(8, 3))
	var rows []train.Row
	above, apart := 500.0, 500.0
	for i := range 1500 {
		above += math.Round(rng.NormFloat64() * 8)
		apart += math.Round(rng.NormFloat64() * 8)
		openings := math.Floor(rng.ExpFloat64() * 2)
		rows = append(rows, train.Row{Time: int64(i) * 600, Values: []float64{above, above - 40 + math.Round(rng.NormFloat64()), openings, apart}})
	}
	tm, report, err := train.FromRows(d, rows)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []codec.Predictor{codec.PredictLast, codec.PredictAlong, codec.PredictZero, codec.PredictLast} {
		if f := tm.Fields()[i]; f.Predictor != want {
			t.Errorf("%s: predictor %d, want %d; %v bits", f.Name, f.Predictor, want, report.Fields)
		}
	}
}

// Whatever the rows are, what is trained on some of them encodes all of them.
func TestAnyRowsCanBeEncoded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) train.Row {
			return train.Row{Time: rapid.Int64Range(0, 1<<32).Draw(t, "time"), Values: []float64{
				rapid.OneOf(rapid.Just(math.NaN()), rapid.Float64Range(-1e9, 1e9), rapid.Float64Range(0, 1)).Draw(t, "value"),
			}}
		}), 2, 12)
		rows := draw.Draw(t, "rows")
		tm, _, err := train.FromRows(open("x"), rows)
		if err != nil {
			t.Fatal(err)
		}
		statuses := train.Statuses(tm, append(rows, draw.Draw(t, "more")...))
		var at codec.State
		b, h, err := tm.AppendBatch(nil, 0, 0, &at, statuses)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tm.DecodeBatch(nil, &at, h, b, statuses[len(statuses)-1].Time); err != nil {
			t.Fatal(err)
		}
	})
}

// What no template can say is refused, and by name: a value that stands for a missing one may be as large as numbers are.
func TestResolveRefuses(t *testing.T) {
	for _, tc := range []struct {
		name  string
		value float64
		scale codec.Decimal // none: open
	}{
		{name: "of an unmeasured value", value: 9.96921e36},
		{name: "beyond 127 digits", value: 1e200},
		{name: "the largest", value: math.MaxFloat64},
		{name: "the lowest", value: -math.MaxFloat64},
		{name: "endless in steps", value: 1e308, scale: codec.Decimal{Coef: 1, Exp: -12}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := open("x")
			if tc.scale.Coef > 0 {
				d.Fields[0].AnyScale, d.Fields[0].Scale = false, tc.scale
			}
			rows := []train.Row{{Values: []float64{1}}, {Time: 60, Values: []float64{tc.value}}}
			if d, err := train.Resolve(d, rows); !errors.Is(err, train.ErrRows) || !strings.Contains(err.Error(), `"x"`) {
				t.Errorf("%+v, %v", d.Fields[0].Field, err)
			}
		})
	}
}

func TestReadTable(t *testing.T) {
	const text = "\ufeffwhen, a ,word,b\n2024-01-01 00:10:00,1.5,x,\n2024-01-01T00:20,NA,y,7\n1704069000,3,z,8\n"
	table, err := train.ReadTable(strings.NewReader(text), "")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Join(table.Names, ",") != "a,b" || fmt.Sprint(table.Skipped) != `[column "word" is not of numbers: line 2 has "x"]` || len(table.Rows) != 3 {
		t.Fatalf("%+v", table)
	}
	for i, at := range []int64{1704067800, 1704068400, 1704069000} {
		if table.Rows[i].Time != at {
			t.Errorf("row %d at %d, want %d", i, table.Rows[i].Time, at)
		}
	}
	for _, when := range []string{
		"1704067200", "1704067200123", "1.7040672e9", "2024-01-01T00:00:00Z", "2024-01-01 02:00:00+02:00", "2024-01-01 00:00:00.999", "2024-01-01 00:00:00 UTC",
		"2024-01-01T01:00:00+0100", "2024-01-01 00:00Z", "2024-01-01T00:00Z", "2024-01-01", "1/1/2024 00:00", "2024/01/01 00:00:00",
		"1704067200123456", "1704067200123456789", "1/1/2024 12:00:00 AM", "01/01/2024 12:00 AM", "01.01.2024 00:00", "1.1.2024 00:00:00", "Mon Jan  1 00:00:00 2024",
	} {
		if one, err := train.ReadTable(strings.NewReader("t,a\n"+when+",1\n"), ""); err != nil || one.Rows[0].Time != 1704067200 {
			t.Errorf("%s: %+v, %v", when, one, err)
		}
	}
	if missing := table.Match([]string{"b", "c", "a"}); strings.Join(missing, ",") != "c" {
		t.Errorf("missing %v", missing)
	}
	if r := table.Rows[2]; r.Values[0] != 8 || !math.IsNaN(r.Values[1]) || r.Values[2] != 3 || !math.IsNaN(table.Rows[0].Values[0]) {
		t.Errorf("%+v", table.Rows)
	}
	for _, tc := range []struct{ text, want string }{
		{"", "line of names"},
		{"t,a\n", "no rows"},
		{"t,a\n1,2\nyesterday,3\n", "line 3"},
		{"t,a\n1,2,3\n", "line 2: 3 cells"},
		{"t,a\n1,\"2\n", "line 2"},
		{"t,a\n1704067200123456789012,2\n", "line 2"},
	} {
		if _, err := train.ReadTable(strings.NewReader(tc.text), ""); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%q: %v, want %q", tc.text, err, tc.want)
		}
	}
	for _, separator := range []string{";", "\t"} {
		if table, err := train.ReadTable(strings.NewReader(strings.ReplaceAll("\ufeffwhen;a;b\n60;1;2\n120;3;\n", ";", separator)), ""); err != nil || len(table.Names) != 2 || len(table.Rows) != 2 {
			t.Errorf("cells parted by %q: %+v, %v", separator, table, err)
		}
	}
	if table, err := train.ReadTable(strings.NewReader("t;a;b\n60;-1,5;2.5\n"), ""); err != nil || table.Rows[0].Values[0] != -1.5 || table.Rows[0].Values[1] != 2.5 {
		t.Errorf("decimal commas: %+v, %v", table, err)
	}
	if table, err := train.ReadTable(strings.NewReader("t,a;b,c\n60,1,\n"), ""); err != nil || table.Names[0] != "a;b" || fmt.Sprint(table.Skipped) != `[column "c" is empty]` {
		t.Errorf("%+v, %v", table, err)
	}
	if _, err := train.ReadTable(strings.NewReader("t,a\n1,2\n"), "when"); err == nil {
		t.Error("a time column that is not there is taken")
	}
}

// Whatever a file holds: it is refused, or gives a template that can say each of its rows.
func FuzzReadTable(f *testing.F) {
	for _, text := range []string{
		"t,a\n0,1\n60,2\n", "t,a,b\n2024-01-01 00:10,NA,-9999\n2024-01-01 00:20,1e-9,7\n", "t,a\n1e14,1e200\n-5,-1e308\n", "t,a\n0,9.9e36\n1,\"1\"\n",
		"\ufefft;a\n1;2\n", "t,,\n1/2/2006 15:04,0.1,3e9\n1704069000123,0.30000000000000004,17179869185\n",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		table, err := train.ReadTable(bytes.NewReader(text), "")
		if err != nil {
			return
		}
		d := train.Draft{AnyUnit: true, AnyInterval: true}
		for i := range table.Names {
			d.Fields = append(d.Fields, train.Field{Field: codec.Field{ID: uint8(i), Name: fmt.Sprint(i)}, AnyScale: true, AnyOffset: true, AnyWidth: true})
		}
		if len(d.Fields) == 0 || len(d.Fields) > codec.FieldsMax {
			return
		}
		if d, err = train.Resolve(d, table.Rows); err != nil {
			return
		}
		fields := make([]codec.Field, len(d.Fields))
		for i := range fields {
			fields[i] = d.Fields[i].Field
		}
		tm, err := codec.NewTemplate(d.Timing, fields)
		if err != nil {
			t.Fatal(err)
		}
		statuses := train.Statuses(tm, table.Rows)
		for i := range statuses {
			if _, _, err := tm.AppendKeyframe(nil, 0, &statuses[i]); err != nil {
				t.Fatal(err)
			}
		}
	})
}

package config_test

import (
	"fmt"
	"maps"
	"math"
	"strings"
	"testing"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/codec/train"
	"github.com/godwit-gateway/godwit/gateway/config"
	"github.com/godwit-gateway/godwit/gateway/hub"
)

const pump = `# A pump.
name = "pump" # its name
time_unit = "minutes"

[[field]]
id = 1
name = "flow"      # of water
deadband = "0.2"
scale = "0.1"
min = "-5"
bits = 10
order = 3          # by hand

[[field]]
id = 2
name = "uptime"
predictor = "elapsed"

# The end.
`

func TestProductKeys(t *testing.T) {
	model := strings.Repeat("20", codec.ModelLen)
	text := strings.Replace(pump, "time_unit", "interval = \"90m\"\ntime_unit", 1) + "bits = 20\nmodel = \"" + model + "\"\nspread = 4\n[timing]\norder = 2\n"
	p, problems := config.ParseProduct("pump.toml", text)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	f := p.Template.Fields()
	if timing := p.Template.Timing(); timing.Interval != 90 || timing.Unit != codec.Minutes || timing.Coding.Order != 2 {
		t.Errorf("timing %+v", timing)
	}
	if f[0].Coding.Order != 3 || f[1].Predictor != codec.PredictElapsed || f[1].Coding.Spread != 4 || len(f[1].Coding.Model) != codec.ModelLen {
		t.Errorf("fields %+v", f)
	}
	if want := map[string]int64{"flow": 2}; !maps.Equal(p.Deadbands, want) {
		t.Errorf("deadbands %v, want %v", p.Deadbands, want)
	}
	without, _ := config.ParseProduct("pump.toml", strings.Replace(text, `deadband = "0.2"`, "", 1))
	if without.Template.Hash() != p.Template.Hash() {
		t.Error("a deadband changes the template")
	}
}

func TestProductMistakes(t *testing.T) {
	for _, tc := range []struct{ from, to, want string }{
		{"order = 3", "order = 16", "pump.toml:12: field[0].order: 16 is not within 0 to 15 (godwit template train"},
		{"order = 3", "spread = 31", "pump.toml:12: field[0].spread: 31"},
		{"order = 3", `model = "2021"`, "pump.toml:12: field[0].model: want 47 bytes"},
		{"order = 3", `model = "` + strings.Repeat("40", codec.ModelLen) + `"`, "each below 64"},
		{`"elapsed"`, `"guess"`, `pump.toml:17: field[1].predictor: "guess" is not a predictor (last, elapsed, trend, zero or along)`},
		{`"0.2"`, `"0.25"`, "pump.toml:8: field[0].deadband: 0.25 is not a multiple of the scale"},
		{`"0.2"`, `"-1"`, "pump.toml:8: field[0].deadband"},
		{"scale = \"0.1\"\nmin = \"-5\"", "scale = \"0.000000001\"\nmin = \"18446744074\"", "pump.toml:10: field[0].min: 18446744074 is not a multiple of the scale"},
		{"time_unit", "interval = \"90s\"\ntime_unit", "pump.toml:3: interval: 1m30s is not a whole number of minutes"},
		{"time_unit", "interval = 5\ntime_unit", "pump.toml:3: interval: want a duration"},
		{"order = 3", "ordr = 3", `is it "order"`},
	} {
		_, problems := config.ParseProduct("pump.toml", strings.Replace(pump, tc.from, tc.to, 1))
		if !strings.Contains(fmt.Sprint(problems), tc.want) {
			t.Errorf("%s: %v, want %q", tc.to, problems, tc.want)
		}
	}
}

// What training finishes keeps the file's comments and hand-made keys, and is the template that was trained.
func TestFinish(t *testing.T) {
	_, draft, problems := config.ParseDraft("pump.toml", pump)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	var rows []train.Row
	for i := range 300 {
		rows = append(rows, train.Row{Time: int64(i) * 3600, Values: []float64{math.Round(10*math.Sin(float64(i))) / 10, float64(i * 3600)}})
	}
	tm, _, err := train.FromRows(draft, rows)
	if err != nil {
		t.Fatal(err)
	}
	text, err := config.Finish("pump.toml", pump, tm)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"# A pump.\n", `name = "pump" # its name`, `interval = "1h"`, "[timing]\norder", `deadband = "0.2"`, "# of water", "# by hand", "# The end.\n", `predictor = "elapsed"`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	p, problems := config.ParseProduct("pump.toml", text)
	if len(problems) > 0 || p.Template.Hash() != tm.Hash() {
		t.Errorf("%v: %x, want %x", problems, p.Template.Hash(), tm.Hash())
	}
	if again, err := config.Finish("pump.toml", text, tm); err != nil || again != text {
		t.Errorf("a finished file changes: %v\n%s", err, again)
	}
	inline := "name = \"pump\"\nfield = [{id = 1, name = \"flow\", bits = 4}, {id = 2, name = \"uptime\", bits = 4}]\n"
	if _, err := config.Finish("pump.toml", inline, tm); err == nil {
		t.Error("fields in one line are taken")
	}
}

// A draft may name a deadband where training is still to choose the scale; it is held to the scale that was chosen.
func TestDraftWithDeadbandAndNoScale(t *testing.T) {
	const draft = "name = \"tank\"\n[[field]]\nid = 1\nname = \"level\"\ndeadband = \"0.2\"\n"
	for _, tc := range []struct {
		deadband string
		steps    int64
		want     string
	}{{"0.2", 2, ""}, {"0.25", 0, "0.25 is not a multiple of the scale"}, {"-1", 0, "not a decimal number"}, {"0", 0, "not a multiple"}} {
		text := strings.Replace(draft, "0.2", tc.deadband, 1)
		p, err := trained(text, func(i int) float64 { return float64(i%7) / 10 })
		switch {
		case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)):
			t.Errorf("%s: %v, want %q", tc.deadband, err, tc.want)
		case tc.want == "" && (err != nil || p.Deadbands["level"] != tc.steps):
			t.Errorf("%s: %v, %v", tc.deadband, p.Deadbands, err)
		}
	}
	// A product that is finished counts in whole numbers where it names no scale.
	if _, problems := config.ParseProduct("tank.toml", draft+"bits = 4\n"); !strings.Contains(fmt.Sprint(problems), "multiple of the scale") {
		t.Errorf("a deadband below the step of a product is taken: %v", problems)
	}
}

// trained finishes a draft of one field from what a function gives.
func trained(text string, value func(i int) float64) (p hub.Product, err error) {
	_, draft, problems := config.ParseDraft("tank.toml", text)
	if len(problems) > 0 {
		return p, problems
	}
	var rows []train.Row
	for i := range 100 {
		rows = append(rows, train.Row{Time: int64(i) * 3600, Values: []float64{value(i)}})
	}
	tm, _, err := train.FromRows(draft, rows)
	if err != nil {
		return p, err
	}
	finished, err := config.Finish("tank.toml", text, tm)
	if err != nil {
		return p, err
	}
	if p, problems = config.ParseProduct("tank.toml", finished); len(problems) > 0 {
		return p, problems
	}
	return p, nil
}

// What training chooses for large and small numbers can be written into the product file and read back as the same template.
func TestFinishNumbersOfAnySize(t *testing.T) {
	for _, unit := range []float64{1e-6, 0.5, 1, 1e6, 1e9, 1e12, 1e15, 1e18, -1e18, 1e20} {
		p, err := trained("name = \"tank\"\n[[field]]\nid = 1\nname = \"level\"\n", func(i int) float64 { return unit * float64(i*i%97) })
		if err != nil {
			t.Errorf("steps of %g: %v", unit, err)
			continue
		}
		f := &p.Template.Fields()[0]
		if got, want := f.Float(f.Quantize(unit*96)), unit*96; math.Abs(got-want) > math.Abs(want)*1e-6 {
			t.Errorf("%g became %g", want, got)
		}
	}
}

func TestProductDecimals(t *testing.T) {
	for _, tc := range []struct {
		scale, min string
		want       codec.Decimal
		offset     int64
		mistake    string
	}{
		{"0.1", "-5", codec.Decimal{Coef: 1, Exp: -1}, -50, ""},
		{"0.10", "-5", codec.Decimal{Coef: 10, Exp: -2}, -50, ""},
		{"1e3", "-5e4", codec.Decimal{Coef: 1, Exp: 3}, -50, ""},
		{"25e-3", "0.05", codec.Decimal{Coef: 25, Exp: -3}, 2, ""},
		{"1e12", "3e12", codec.Decimal{Coef: 1, Exp: 12}, 3, ""},
		{"0.000000000001", "0", codec.Decimal{Coef: 1, Exp: -12}, 0, ""},
		{"1000000", "1099511627776000000", codec.Decimal{Coef: 1_000_000}, 1 << 40, ""},
		{"1e13", "0", codec.Decimal{}, 0, "scale"},
		{"0.0000000000001", "0", codec.Decimal{}, 0, "scale"},
		{"1e", "0", codec.Decimal{}, 0, "scale"},
		{"e3", "0", codec.Decimal{}, 0, "scale"},
		{"1e1e1", "0", codec.Decimal{}, 0, "scale"},
		{"1e999", "0", codec.Decimal{}, 0, "scale"},
		{"1e-12", "-9223372036854775808", codec.Decimal{}, 0, "min"},
		{"1e-12", "9e12", codec.Decimal{}, 0, "min"},
	} {
		p, problems := config.ParseProduct("p.toml", fmt.Sprintf("name = \"p\"\n[[field]]\nid = 1\nname = \"a\"\nscale = %q\nmin = %q\nbits = 8\n", tc.scale, tc.min))
		if tc.mistake != "" {
			if !strings.Contains(fmt.Sprint(problems), "field[0]."+tc.mistake) {
				t.Errorf("scale %s, min %s: %v, want a mistake in %s", tc.scale, tc.min, problems, tc.mistake)
			}
			continue
		}
		if len(problems) > 0 {
			t.Errorf("scale %s, min %s: %v", tc.scale, tc.min, problems)
			continue
		}
		if f := p.Template.Fields()[0]; f.Scale != tc.want || f.Offset != tc.offset {
			t.Errorf("scale %s, min %s: %+v, %d", tc.scale, tc.min, f.Scale, f.Offset)
		}
	}
}

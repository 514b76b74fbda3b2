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

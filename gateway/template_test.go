package main_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const tankDraft = `# the tank behind the barn
name = "tank"
time_unit = "seconds"

[[field]]
id = 1
name = "level"        # over the sensor
unit = "m"
deadband = "0.1"
scale = "0.1"

[[field]]
id = 2
name = "uptime"
unit = "s"
scale = "1"
bits = 24
predictor = "elapsed"
`

// tank writes a draft and data for it, and returns where they are.
func tank(t *testing.T) (dir, draft, data string) {
	t.Helper()
	dir = t.TempDir()
	draft, data = filepath.Join(dir, "tank.toml"), filepath.Join(dir, "data.csv")
	var rows strings.Builder
	rows.WriteString("time,level,colour,uptime\n")
	for i := range 200 {
		level := fmt.Sprintf("%.1f", 5+float64(i%9)/10)
		if i == 50 {
			level = "" // not measured
		}
		fmt.Fprintf(&rows, "%d,%s,3,%d\n", 1_700_000_000+3600*i, level, 100+3600*i)
	}
	write(t, draft, tankDraft)
	write(t, data, rows.String())
	return dir, draft, data
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func decode(t *testing.T, text string, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), v); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
}

// Training fills in what the draft leaves out and keeps the rest of the file; the result is the product that show, hash, lint and diff see.
func TestTemplateTrain(t *testing.T) {
	dir, draft, data := tank(t)
	trained := filepath.Join(dir, "trained.toml")
	var r struct {
		Product, Hash          string
		Rows, Trained, Clipped int
		Missing                []string `json:"fields_without_column"`
		Skipped                []string `json:"columns_without_field"`
		Size                   map[string]any
	}
	decode(t, godwit(t, 0, "template", "train", data, "--product", draft, "--train", "50%", "--out", trained, "-o", "json"), &r)
	if r.Product != "tank" || r.Rows != 200 || r.Trained != 100 || r.Clipped != 0 || len(r.Missing) != 0 || strings.Join(r.Skipped, ",") != "colour" {
		t.Errorf("%+v", r)
	}
	text, err := os.ReadFile(trained)
	if err != nil {
		t.Fatal(err)
	}
	contains(t, string(text), "# the tank behind the barn", "# over the sensor", `deadband = "0.1"`, `interval = "1h"`, "model = \"", "bits = ", `predictor = "elapsed"`)
	contains(t, godwit(t, 0, "template", "hash", trained), r.Hash+"  tank")
	if out := godwit(t, 0, "template", "lint", trained); strings.TrimSpace(out) != "" {
		t.Errorf("training left something to remark: %s", out)
	}
	contains(t, godwit(t, 0, "template", "lint", trained, "-o", "json"), "[]")
	contains(t, godwit(t, 1, "template", "lint", draft), "bits")
	contains(t, godwit(t, 0, "template", "train", data, "--product", draft), "model = \"", "godwit", "entropy", "OF-JSON")

	// What it was trained from once more gives the same; the product may be written over.
	godwit(t, 0, "template", "train", data, "--product", trained, "--train", "50%", "--out", trained)
	contains(t, godwit(t, 0, "template", "hash", trained), r.Hash)
}

// Data that a field's range does not hold, and fields without data, are told; what cannot be trained is refused.
func TestTemplateTrainTells(t *testing.T) {
	dir, draft, data := tank(t)
	narrow := filepath.Join(dir, "narrow.toml")
	write(t, narrow, strings.Replace(tankDraft, "scale = \"0.1\"\n", "scale = \"0.1\"\nmin = \"5.4\"\nbits = 5\n", 1)+"\n[[field]]\nid = 3\nname = \"wind\"\nscale = \"1\"\nbits = 4\n")
	wide := filepath.Join(dir, "wide.csv")
	write(t, wide, "time,level\n1700000000,99\n1700003600,99\n1700007200,99\n1700010800,5.5\n1700014400,5.6\n1700018000,5.6\n")
	contains(t, godwit(t, 0, "template", "train", wide, "--product", narrow, "--train", "100%"),
		`field "wind" has no column of numbers`, `field "uptime" has no column of numbers`, "3 values are beyond their field's range")
	for want, args := range map[string][]string{
		"--train 0%":    {data, "--product", draft, "--train", "0%"},
		"--train 101%":  {data, "--product", draft, "--train", "101%"},
		"--train x":     {data, "--product", draft, "--train", "x"},
		"--train NaN":   {data, "--product", draft, "--train", "NaN"},
		"--product":     {data},
		"no such file":  {filepath.Join(dir, "ghost"), "--product", draft},
		"no column of ": {data, "--product", filepath.Join("config", "products", "buoy-demo.toml")},
	} {
		contains(t, godwit(t, 2, append([]string{"template", "train"}, args...)...), want)
	}
	short, bad := filepath.Join(dir, "short.csv"), filepath.Join(dir, "bad.csv")
	write(t, short, "time,level\n1700000000,5\n1700003600,5.1\n")
	write(t, bad, "time,level\nyesterday,5\n")
	contains(t, godwit(t, 1, "template", "train", short, "--product", draft), "0 rows to train on")
	twice, typo := filepath.Join(dir, "twice.csv"), filepath.Join(dir, "typo.csv")
	rows := strings.Repeat("1700000000,5,5\n", 10)
	write(t, twice, "time,level,level\n"+rows)
	write(t, typo, "time,level,uptime\n"+rows+"1700000000,5o,5\n")
	contains(t, godwit(t, 1, "template", "train", twice, "--product", draft), `two columns are named "level"`)
	contains(t, godwit(t, 0, "template", "train", typo, "--product", draft), `column "level" is not of numbers: line 12 has "5o"`, `field "level" has no column of numbers`)
	contains(t, godwit(t, 0, "template", "train", typo, "--product", draft), "-            100.0%") // there are no batches of 24
	contains(t, godwit(t, 1, "template", "train", bad, "--product", draft), "bad.csv", "yesterday")
	contains(t, godwit(t, 1, "template", "train", data, "--product", draft, "--out", filepath.Join(dir, "no", "such.toml")), "write the product")
}

// show says of each field what a status can hold of it.
func TestTemplateShow(t *testing.T) {
	contains(t, godwit(t, 0, "template", "show", "buoy-demo"), "wind_speed", "m/s", "MODEL", "hash", "every ")
	var v struct {
		Product, Hash string
		TimeUnit      string `json:"time_unit"`
		Interval      int
		Fields        []struct {
			ID                          int
			Name, Unit, Scale, Min, Max string
			Bits                        int
			Optional                    bool
			Group                       int
			Predictor, Model, Deadband  string
		}
	}
	decode(t, godwit(t, 0, "template", "show", "buoy-demo", "-o", "json"), &v)
	f := v.Fields[0]
	if v.Product != "buoy-demo" || v.TimeUnit != "seconds" || len(v.Fields) != 11 || f.Name != "battery" || f.Scale != "0.05" || f.Min != "9" ||
		f.Max != "15.3" || f.Bits != 7 || f.Optional {
		t.Errorf("%+v", v)
	}
	contains(t, godwit(t, 0, "template", "hash", "buoy-demo"), v.Hash)
	contains(t, godwit(t, 2, "template", "show", "ghost"), "buoy-demo, truck-demo")
	dir, _, _ := tank(t)
	bad := filepath.Join(dir, "bad.toml")
	write(t, bad, "name = \"bad\"\nsong = 1\n[[field]]\nid = 1\nname = \"a\"\nscale = \"0\"\nbits = 4\n")
	for _, command := range []string{"show", "hash", "lint", "c"} {
		contains(t, godwit(t, 1, "template", command, bad), bad+":2:", "song", bad+":6:", "scale", "2 mistakes")
	}
}

// lint tells what costs bytes though it is allowed, of all files, and all mistakes.
func TestTemplateLint(t *testing.T) {
	dir, _, _ := tank(t)
	product := filepath.Join(dir, "p.toml")
	write(t, product, "name = \"p\"\n[[field]]\nid = 1\nname = \"uptime\"\nunit = \"s\"\nscale = \"1\"\nbits = 9\n")
	contains(t, godwit(t, 0, "template", "lint", product), product+":", "no interval", `field "uptime" has no model`, "elapsed")
	bad := filepath.Join(dir, "bad.toml")
	write(t, bad, "name = \"bad\"\n[[field]]\nid = 900\nname = \"a\"\nscale = \"1\"\nbits = 99\n")
	contains(t, godwit(t, 1, "template", "lint", bad, product), bad+":3:", bad+":6:", "no interval", "2 mistakes")
	write(t, product, "name = \"p\"\ninterval = \"1h\"\n[[field]]\nid = 1\nname = \"a\"\nscale = \"1\"\nbits = 9\n")
	contains(t, godwit(t, 0, "template", "lint", product), "the time has no model")
}

// diff names every property in which two templates differ, and ends with 1; a deadband or a release makes no difference.
func TestTemplateDiff(t *testing.T) {
	dir, _, _ := tank(t)
	const base = "name = \"p\"\ninterval = \"1h\"\n[[field]]\nid = 1\nname = \"a\"\nunit = \"m\"\nscale = \"1\"\nbits = 9\n"
	from, to := filepath.Join(dir, "from.toml"), filepath.Join(dir, "to.toml")
	write(t, from, base)
	for what, change := range map[string][2]string{
		"time unit":          {"name = \"p\"", "name = \"p\"\ntime_unit = \"minutes\""},
		"interval":           {"1h", "2h"},
		"time.order":         {"[[field]]", "[timing]\norder = 2\n[[field]]"},
		"time.spread":        {"[[field]]", "[timing]\nspread = 2\n[[field]]"},
		"time.model":         {"[[field]]", "[timing]\nmodel = \"" + strings.Repeat("11", 47) + "\"\n[[field]]"},
		"field[0].id":        {"id = 1", "id = 2"},
		"field[0].name":      {`"a"`, `"b"`},
		"field[0].unit":      {`"m"`, `"km"`},
		"field[0].scale":     {`scale = "1"`, `scale = "0.1"`},
		"field[0].min":       {"bits", "min = \"-3\"\nbits"},
		"field[0].bits":      {"bits = 9", "bits = 8"},
		"field[0].optional":  {"bits", "optional = true\nbits"},
		"field[0].group":     {"bits", "group = 1\nbits"},
		"field[0].predictor": {"bits", "predictor = \"trend\"\nbits"},
		"field[0].order":     {"bits", "order = 3\nbits"},
		"field[0].spread":    {"bits", "spread = 3\nbits"},
		"field[0].model":     {"bits", "model = \"" + strings.Repeat("11", 47) + "\"\nbits"},
		"field[1].name":      {"bits = 9\n", "bits = 9\n[[field]]\nid = 7\nname = \"c\"\nscale = \"1\"\nbits = 2\n"},
	} {
		write(t, to, strings.Replace(base, change[0], change[1], 1))
		contains(t, godwit(t, 1, "template", "diff", from, to), what, "differ")
		var list []struct{ What, From, To string }
		out := godwit(t, 1, "template", "diff", from, to, "-o", "json")
		text, _, _ := strings.Cut(out, "\ngodwit: ")
		decode(t, text, &list)
		found := false
		for _, d := range list {
			found = found || d.What == what && d.From != d.To
		}
		if !found {
			t.Errorf("%s is not in %+v", what, list)
		}
	}
	write(t, to, strings.Replace(base, "bits", "deadband = \"3\"\nbits", 1)+"[releases]\n1 = \"2.0.0\"\n")
	if out := godwit(t, 0, "template", "diff", from, to); strings.TrimSpace(out) != "" {
		t.Errorf("no difference, but: %s", out)
	}
	// One number, written in two ways, is two templates.
	write(t, to, strings.Replace(base, `scale = "1"`, `scale = "1.0"`, 1))
	contains(t, godwit(t, 1, "template", "diff", from, to), "field[0].scale", "1e0", "10e-1")
	contains(t, godwit(t, 2, "template", "diff", from, "ghost"), "ghost")
	contains(t, godwit(t, 2, "template", "diff", from), "<to>")
}

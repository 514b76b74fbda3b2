package scenario_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/godwit-gateway/godwit/gateway/config"
	"github.com/godwit-gateway/godwit/simulator/device"
	"github.com/godwit-gateway/godwit/simulator/scenario"
	"github.com/godwit-gateway/godwit/transports"
)

const small = `
[[link]]
name = "sms"
network = "sms"
[[group]]
name = "a"
product = "buoy-demo"
link = "sms"
`

// Every key of the reference is read, and does what it says.
func TestReference(t *testing.T) {
	s, err := scenario.Parse("dir/reference.toml", scenario.Reference, nil)
	if err != nil {
		t.Fatal(err)
	}
	w := &s.Setup
	if s.Name != "reference" || s.Currency != "USD" || w.Seed != 1 || w.Length != 240*time.Hour || w.Stream != 90*24*time.Hour || len(w.Products) != 3 || len(w.Links) != 2 || len(w.Groups) != 2 {
		t.Errorf("%s: %+v", s.Name, w)
	}
	if !w.Start.Equal(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("begins %s", w.Start)
	}
	if n := len(w.Incidents); n != 5 || w.Incidents[4].Factor != 4 { // an outage on day 2, 6 and 10, the offer, and attention
		t.Errorf("%d incidents: %+v", n, w.Incidents)
	}
	sms, buoys, trucks := &w.Links[0], &w.Groups[0], &w.Groups[1]
	if sms.Bearer != transports.SMS || !sms.Keeps || !sms.Metered || sms.Limits.PerMessage != 140 {
		t.Errorf("link %+v", sms)
	}
	if buoys.Count != 2 || buoys.First != 1000 || buoys.Region != "coast" || buoys.Up.Loss != 0.1 || buoys.Device.Power == nil || buoys.Device.Power.Panel != 10 || len(buoys.Device.Thresholds) != 1 {
		t.Errorf("buoys %+v", buoys)
	}
	if buoys.Up.Tariff.Price != 190_000 || buoys.Down.Tariff.Price != 0 {
		t.Errorf("the group's own network: %+v", buoys.Up.Tariff)
	}
	if !buoys.Device.Retires.Equal(w.Start.Add(9 * 24 * time.Hour)) {
		t.Errorf("retires %s", buoys.Device.Retires)
	}
	if trucks.First != 1002 || trucks.Device.Power != nil || trucks.Device.Interval != 30*time.Minute || trucks.Device.Owner != device.OwnerAgrees {
		t.Errorf("trucks %+v", trucks)
	}
}

// What a table does not name stays as the network has it; radio is for both directions, up and down for one.
func TestOverrides(t *testing.T) {
	s, err := scenario.Parse("f.toml", strings.Replace(small, "[[group]]", `[link.radio]
loss = 0.5
[link.up]
pauses = ["7s"]
[link.down]
loss = 0.25
tariff = { price = "0.000001" }
[[group]]`, 1), nil)
	if err != nil {
		t.Fatal(err)
	}
	g := s.Setup.Groups[0]
	if g.Up.Loss != 0.5 || g.Down.Loss != 0.25 || g.Up.Pauses != [8]time.Duration{7 * time.Second} || g.Down.Tariff.Price != 1 || g.Down.Tariff.Unit != 140 {
		t.Errorf("up %+v\ndown %+v", g.Up, g.Down)
	}
	if g.Up.SizeMax != 140 || g.Device.UplinkMax != 140 || !g.Up.Reports || g.Down.Validity != 7*24*time.Hour {
		t.Errorf("lost what the network has: %+v", g.Up)
	}
}

// Mistakes are told all at once, each with its line.
func TestMistakes(t *testing.T) {
	release := "[[release]]\nproduct = \"buoy-demo\"\nversion = \"2\"\n"
	roll := "[[rollout]]\nname = \"r\"\nproduct = \"buoy-demo\"\nversion = \"2\"\n"
	planned, look := "currency = \"EUR\"\n"+small+"[schedule]\nbudget = \"5\"\n", "[[incident]]\nkind = \"attention\"\n"
	product := "[[product]]\nname = \"p\"\n[[product.field]]\nid = 1\nname = \"level\"\nbits = 99\n"
	for _, tc := range []struct{ name, text, want string }{
		{"no TOML", "a = ", "f.toml:1"},
		{"nothing", "", "link: there is none"},
		{"no group", strings.Split(small, "[[group]]")[0], "group: there is none"},
		{"key", "lengt = \"1d\"\n" + small, `f.toml:1: lengt: is not a known key; is it "length"?`},
		{"type", "length = 3\n" + small, "f.toml:1: length: want a duration in quotes"},
		{"length", "length = \"1m\"\n" + small, "f.toml:1: length: 1m0s is not within an hour and ten years"},
		{"sample", "length = \"10d\"\nsample = \"1s\"\n" + small, "f.toml:2: sample"},
		{"seed", "seed = -1\n" + small, "f.toml:1: seed: -1"},
		{"keep", "keep = \"-1h\"\n" + small, "f.toml:1: keep"},
		{"link as table", "[link]\nname = \"x\"\n", "f.toml:1: link: want tables in double brackets"},
		{"network", strings.Replace(small, `"sms"`+"\n[", `"smoke"`+"\n[", 1), `f.toml:4: link[0].network: no such network as "smoke"`},
		{"twice", small + "[[link]]\nname = \"sms\"\n", `link[1].name: there is a link "sms" already`},
		{"ack", small + "[[link]]\nname = \"b\"\nack = \"maybe\"\n", `f.toml:11: link[1].ack: "maybe" is not a policy (never, asked or always)`},
		{"radio", strings.Replace(small, "[[group]]", "[link.radio]\nloss = 2.0\n[[group]]", 1), "loss is 2, want a probability"},
		{"radio key", strings.Replace(small, "[[group]]", "[link.up]\nlos = 0.1\n[[group]]", 1), `f.toml:6: link[0].up.los: is not a known key; is it "loss"?`},
		{"radio no table", strings.Replace(small, "[[group]]", "up = 1\n[[group]]", 1), "f.toml:5: link[0].up: want a table"},
		{"money", strings.Replace(small, "[[group]]", "[link.up]\ntariff = { price = \"cheap\" }\n[[group]]", 1), `"cheap" is not an amount of money`},
		{"pauses", strings.Replace(small, "[[group]]", "[link.up]\npauses = [\"0s\"]\n[[group]]", 1), "pauses above zero"},
		{"product", strings.Replace(small, "buoy-demo", "ghost", 1), `f.toml:7: group[0].product: there is no product "ghost"`},
		{"field", product + small, "f.toml:6: product[0].field[0].bits: 99 is not within 0 to 40"},
		{"product file", "[[product]]\nfile = \"p.toml\"\n" + small, "f.toml:2: product[0].file: there are no files"},
		{"link of group", strings.Replace(small, `link = "sms"`, `link = "none"`, 1), `f.toml:8: group[0].link: there is no link "none"`},
		{"count", small + "count = 0\n", "f.toml:9: group[0].count: 0 devices"},
		{"numbers", small + "first = 5\n[[group]]\nname = \"b\"\nproduct = \"buoy-demo\"\nlink = \"sms\"\nfirst = 5\n", "f.toml:14: group[1].first: another group has numbers from 5 on"},
		{"device", small + "counter_bits = 9\n", "counter of 9 bits"},
		{"owner", small + "owner = \"nobody\"\n", `f.toml:9: group[0].owner: "nobody" is no owner`},
		{"power", small + "power = \"coal\"\n", `f.toml:9: group[0].power: "coal" is no battery`},
		{"battery", small + "[group.battery]\npanel = 1.0\n", "f.toml:9: group[0].battery: it changes the battery that power names"},
		{"alarm", small + "[[group.alarm]]\nfield = \"depth\"\ncode = 1\n", `f.toml:10: group[0].alarm[0].field: product buoy-demo has no field "depth"`},
		{"attrition", small + "attrition = -1.0\n", "f.toml:9: group[0].attrition"},
		{"retires", small + "retires = \"1000d\"\n", "f.toml:9: group[0].retires"},
		{"too small", small + "[group.radio]\nsize_max = 60\n", "the first frame of a device has"},
		{"kind", small + "[[incident]]\nkind = \"flood\"\n", `f.toml:10: incident[0].kind: "flood" is no kind of incident`},
		{"at", small + "[[incident]]\nkind = \"outage\"\nat = \"99d\"\n", "f.toml:11: incident[0].at: 2376h0m0s"},
		{"share", small + "[[incident]]\nkind = \"outage\"\nshare = 2.0\n", "f.toml:11: incident[0].share"},
		{"whom", small + "[[incident]]\nkind = \"outage\"\ngroup = \"z\"\n", `f.toml:11: incident[0].group: there is no group "z"`},
		{"every", small + "[[incident]]\nkind = \"outage\"\nevery = \"1s\"\n", "f.toml:11: incident[0].every: 1s repeats it more than"},
		{"release of nothing", small + "[[release]]\nproduct = \"ghost\"\nversion = \"2\"\n", `f.toml:10: release[0].product: there is no product "ghost"`},
		{"release without a version", small + "[[release]]\nproduct = \"buoy-demo\"\n", "release[0].version: is missing"},
		{"release that is likelier than sure", small + release + "[release.mishaps]\nloop = 1.5\n", "mishap with likelihood 1.5"},
		{"release key", small + release + "[release.mishaps]\nbrik_install = 0.5\n", `is it "brick_install"?`},
		{"rollout of no release", small + "[[rollout]]\nname = \"r\"\nproduct = \"buoy-demo\"\nversion = \"2\"\n", "is no release"},
		{"rollout without a name", small + release + strings.Replace(roll, `"r"`, `""`, 1), `rollout 1 is called ""`},
		{"rollout to a group", small + release + roll + "groups = [\"z\"]\n", `f.toml:16: rollout[0].groups: there is no group "z"`},
		{"rollout over a link", small + release + roll + "links = [\"z\"]\n", `there is no link "z"`},
		{"half a rollout", small + release + roll + "[[rollout.wave]]\nshare = 0.5\n", "the last wave has the share 0.5"},
		{"rollout after the end", small + release + roll + "at = \"99d\"\n", "f.toml:16: rollout[0].at"},
		{"offer", small + "[[incident]]\nkind = \"offer\"\n", "incident[0].version: is missing"},
		{"attention without an end", planned + look + "at = \"1d\"\n", "incident[0].for: is missing"},
		{"little attention", planned + look + "for = \"1d\"\nfactor = 0.5\n", "f.toml:15: incident[0].factor: 0.5 is out of range"},
		{"law", planned + "law = \"bands\"\n", `schedule.law: "bands" is no law`},
		{"class without a table", planned + "law = \"class\"\n", "schedule.class: the law class wants intervals"},
		{"class of no link", planned + "class = { sms = \"6h\", sat = \"1d\" }\n", `schedule.class.sat: there is no link "sat"`},
		{"class too short", planned + "class = { sms = \"1ms\" }\n", "schedule.class.sms: 1ms is no interval"},
		{"class of other links", strings.Replace(planned, "[[group]]", "[[link]]\nname = \"b\"\n[[group]]", 1) + "class = { sms = \"6h\" }\n", `there is no interval for link "b"`},
		{"attention without a schedule", small + look + "for = \"1d\"\n", "f.toml:10: incident[0].kind: attention makes devices speak more often"},
		{"factor of an outage", small + "[[incident]]\nkind = \"outage\"\nfactor = 2.0\n", "f.toml:11: incident[0].factor: is of attention only"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := scenario.Parse("f.toml", tc.text, nil)
			var problems config.FileErrors
			if !errors.As(err, &problems) || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v\nwant %s", err, tc.want)
			}
		})
	}
}

// Products may lie in files next to the scenario.
func TestProductFile(t *testing.T) {
	files := fstest.MapFS{
		"p.toml":   {Data: []byte("name = \"p\"\n[[field]]\nid = 1\nname = \"level\"\nscale = \"0.1\"\nbits = 8\n")},
		"bad.toml": {Data: []byte("name = \"p\"\n[[field]]\nid = 1\n")},
	}
	text := "[[product]]\nfile = \"p.toml\"\n" + strings.Replace(small, "buoy-demo", "p", 1)
	s, err := scenario.Parse("f.toml", text, files)
	if err != nil || s.Setup.Products[0].Name != "p" {
		t.Fatalf("%v", err)
	}
	for file, want := range map[string]string{"bad.toml": "bad.toml:", "none.toml": "none.toml", "../x.toml": "x.toml"} {
		if _, err := scenario.Parse("f.toml", strings.Replace(text, "p.toml", file, 1), files); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", file, err)
		}
	}
	dir := t.TempDir()
	for name, f := range files {
		if err := os.WriteFile(filepath.Join(dir, name), f.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "f.toml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := scenario.Load(filepath.Join(dir, "f.toml")); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"ghost", filepath.Join(dir, "ghost.toml")} {
		if _, err := scenario.Load(name); !errors.Is(err, scenario.ErrUnknown) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A shorter and smaller scenario tells the same story.
func TestScale(t *testing.T) {
	s, err := scenario.Parse("f.toml", scenario.Reference, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Last(24*time.Hour), s.Scale(2)); err != nil {
		t.Fatal(err)
	}
	w := &s.Setup
	if w.Incidents[0].At != 24*time.Hour/5 || w.Incidents[0].For != 6*time.Hour || w.Sample != 6*time.Minute || s.Pace() != w.Sample {
		t.Errorf("%+v, sample %s", w.Incidents[0], w.Sample)
	}
	if w.Groups[0].Count != 4 || w.Groups[1].Count != 6 || w.Groups[1].First != 1004 || w.Validate() != nil {
		t.Errorf("%d and %d devices, the second from %d on, %v", w.Groups[0].Count, w.Groups[1].Count, w.Groups[1].First, w.Validate())
	}
	if err := s.Scale(0.001); err != nil || w.Groups[0].Count != 1 {
		t.Errorf("%d devices, %v", w.Groups[0].Count, err)
	}
	w.Sample = 0
	if s.Pace() != 6*time.Minute {
		t.Errorf("a pace of %s", s.Pace())
	}
	for _, err := range []error{s.Scale(0), s.Scale(-1), s.Scale(1e12), s.Last(time.Second), s.Last(1e6 * time.Hour)} {
		if !errors.Is(err, scenario.ErrScale) {
			t.Errorf("got %v", err)
		}
	}
}

// Every scenario that comes with the program has a story and says what it shows.
func TestBuiltIn(t *testing.T) {
	names := scenario.Names()
	if len(names) < 6 {
		t.Errorf("only %v", names)
	}
	for _, name := range names {
		s, err := scenario.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		text, err := scenario.Text(name)
		if err != nil || !strings.HasPrefix(text, "# ") || s.Story == "" || s.Look == "" || s.Title == name || len(s.Setup.Incidents) == 0 {
			t.Errorf("%s has no story: %v", name, err)
		}
	}
}

// FuzzParse holds that no file makes the parser panic, and that what it takes can be played.
func FuzzParse(f *testing.F) {
	f.Add(scenario.Reference)
	f.Add(small)
	for _, name := range scenario.Names() {
		text, err := scenario.Text(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := scenario.Parse("f.toml", text, nil)
		if err == nil && s.Setup.Validate() != nil {
			t.Errorf("taken, and cannot be played: %v", s.Setup.Validate())
		}
	})
}

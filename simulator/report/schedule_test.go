package report_test

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/godwit-gateway/godwit/simulator/report"
	"github.com/godwit-gateway/godwit/simulator/scenario"
	"github.com/godwit-gateway/godwit/simulator/world"
)

const classes = `
length = "4d"
currency = "EUR"
[schedule]
law = "LAW"
every = "12h"
class = { text = "3h" }
[[link]]
name = "text"
network = "sms"
[[link]]
name = "net"
network = "cellular"
[[group]]
name = "tanks"
count = 4
product = "buoy-demo"
link = "text"
interval = "6h"
[[group]]
name = "trucks"
count = 4
product = "buoy-demo"
link = "net"
interval = "6h"
`

// With the law class devices run what the table says for their link, or what is said for those that it does not name. Whatever the law is, the report has what
// that would cost, beside what one frame a day would.
func TestClassTable(t *testing.T) {
	for law, want := range map[string]map[string]float64{
		"class": {"tanks_last": 3 * 3600, "trucks_last": 12 * 3600}, "fixed": {"tanks_last": 12 * 3600, "trucks_last": 12 * 3600},
	} {
		s, err := scenario.Parse("class.toml", strings.Replace(classes, "LAW", law, 1), nil)
		if err != nil {
			t.Fatal(err)
		}
		s.Setup.Sample = s.Pace()
		r := report.New(&s.Setup)
		s.Setup.Watch = r
		result, err := world.Run(t.Context(), s.Setup)
		if err != nil {
			t.Fatal(err)
		}
		var object bytes.Buffer
		if err := r.Report(report.About{Scenario: s.Name, Currency: s.Currency}, result, nil).WriteJSON(&object); err != nil {
			t.Fatal(err)
		}
		got := facts(t, object.Bytes())
		for key, v := range want {
			if math.Abs(got[key]-v) > 0.02*v { // a median of a histogram
				t.Errorf("%s: %s is %v, want %v", law, key, got[key], v)
			}
		}
		// Eight text messages a day, and two frames over the net, which cost next to nothing.
		if class, fixed := got["class"], got["fixed_24h"]; class <= 7.9*fixed || class >= 8*fixed {
			t.Errorf("%s: by class table %v, once a day %v", law, class, fixed)
		}
	}
}

// facts are those of the schedule.
func facts(t *testing.T, object []byte) map[string]float64 {
	t.Helper()
	var o struct {
		Sections []struct {
			Key   string
			Facts []struct {
				Key   string
				Value float64
			}
		}
	}
	if err := json.Unmarshal(object, &o); err != nil {
		t.Fatal(err)
	}
	got := make(map[string]float64)
	for _, s := range o.Sections {
		for _, f := range s.Facts {
			if s.Key == "schedule" {
				got[f.Key] = f.Value
			}
		}
	}
	return got
}

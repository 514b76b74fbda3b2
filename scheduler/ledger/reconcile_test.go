package ledger_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/godwit-gateway/godwit/scheduler"
	"github.com/godwit-gateway/godwit/scheduler/ledger"
	"github.com/godwit-gateway/godwit/scheduler/tariff"
)

// reconcile compares lists whose records name their devices alike.
func reconcile(ours, theirs []ledger.Record, o ledger.Comparison) ledger.Reconciliation {
	r := ledger.NewReconciler(theirs, o)
	devices := make(map[string][]ledger.Record)
	for _, one := range ours {
		devices[one.ID] = append(devices[one.ID], one)
	}
	for _, id := range slices.Sorted(maps.Keys(devices)) {
		r.Device(devices[id], id)
	}
	return r.Result()
}

const provided = "\ufeffIMEI;When;Way;Bytes;Cost\n" +
	"300234010000001;2026-11-15 13:00:30;MO;10;0,16\n" +
	"300234010000001;2026-11-15 14:00:00;MO;20;0,32\n" +
	"300234010000001;2026-11-15 15:00:00;MO;10;0,17\n" +
	"300234010000002;2026-11-15 13:00:00;MT;10;0,16\n"

var columns = ledger.Columns{
	ID: "IMEI", Time: "When", Billed: "Bytes", Price: "Cost", Direction: "Way", MO: "MO", MT: "MT", Layout: time.DateTime,
	Zone: time.FixedZone("", 3600), Comma: ';', Decimal: ",",
}

func TestReconcile(t *testing.T) {
	theirs, err := ledger.ReadRecords(strings.NewReader(provided), &columns)
	if err != nil {
		t.Fatal(err)
	}
	mo := func(hour int, bytes int64, micros scheduler.Micros) ledger.Record {
		return ledger.Record{ID: "300234010000001", Time: noon.Add(time.Duration(hour) * time.Hour), Direction: tariff.MO, Billed: bytes, Micros: micros}
	}
	ours := []ledger.Record{mo(3, 10, 160_000), mo(0, 10, 160_000), mo(1, 10, 160_000), mo(2, 10, 160_000)}
	r := reconcile(ours, theirs, ledger.Comparison{Tolerance: time.Minute})
	var got []string
	for _, d := range r.Differences {
		got = append(got, d.What)
	}
	// The first agree; 14:00 there is 13:00 UTC with other bytes; 15:00 with another price; ours of 15:00 UTC is not billed; MT is not known.
	if d := cmp.Diff([]string{ledger.OtherBytes, ledger.OtherPrice, ledger.MissingThere, ledger.MissingHere}, got); d != "" || r.Matched != 1 {
		t.Errorf("%d matched (-want +got):\n%s", r.Matched, d)
	}
	if r.Ours.Micros != 640_000 || r.Theirs.Micros != 810_000 || r.Differences[0].Theirs.Line != 3 {
		t.Errorf("%+v", r)
	}
	if r := reconcile(theirs, theirs, ledger.Comparison{}); r.Matched != len(theirs) || len(r.Differences) != 0 {
		t.Errorf("records differ from themselves: %+v", r)
	}
	// Two of the same size within the tolerance are paired in their order, not crosswise.
	a, b := mo(0, 10, 1), mo(1, 10, 2)
	if r := reconcile([]ledger.Record{b, a}, []ledger.Record{a, b}, ledger.Comparison{Tolerance: 3 * time.Hour}); r.Matched != 2 {
		t.Errorf("%+v", r)
	}
	// A month's ends: what is paired across them counts, what is alone beyond them does not.
	from, to := noon.Add(time.Hour), noon.Add(3*time.Hour)
	edge := mo(1, 10, 160_000)
	edge.Time = edge.Time.Add(-30 * time.Second)
	r = reconcile([]ledger.Record{edge, mo(2, 10, 160_000), mo(5, 10, 160_000)}, []ledger.Record{mo(1, 10, 160_000), mo(0, 10, 1), mo(3, 10, 1)},
		ledger.Comparison{Tolerance: time.Minute, From: from, To: to})
	if r.Matched != 1 || r.MissingThere != 1 || r.MissingHere != 0 || r.Outside != 2 || r.Ours.Records != 2 || r.Theirs.Records != 1 {
		t.Errorf("within bounds: %+v", r)
	}
	// Sums of days, of a provider who tells neither bytes nor directions.
	day := []ledger.Record{{ID: "300234010000001", Time: noon.Add(-5 * time.Hour), Micros: 640_000}, {ID: "x", Time: noon, Micros: 1}}
	r = reconcile(ours, day, ledger.Comparison{Daily: time.UTC, Most: 1})
	if r.Matched != 1 || r.MissingHere != 1 || len(r.Differences) != 1 || r.Ours.Billed != 40 || r.Ours.Records != 1 {
		t.Errorf("by day: %+v", r)
	}
	// One device under two names, one after the other.
	two := ledger.NewReconciler([]ledger.Record{{ID: "a", Time: noon}, {ID: "b", Time: noon.Add(time.Hour)}, {ID: "c", Time: noon}}, ledger.Comparison{Most: 1})
	two.Device([]ledger.Record{{ID: "a", Time: noon}, {ID: "b", Time: noon.Add(time.Hour)}}, "a", "b", "1001")
	if r := two.Result(); r.Matched != 2 || r.MissingHere != 1 {
		t.Errorf("two names: %+v", r)
	}
	// By day it is one sum, though a datagram came from each of two places.
	moved := ledger.NewReconciler([]ledger.Record{{ID: "sim", Time: noon, Micros: 3}}, ledger.Comparison{Daily: time.UTC, Most: 1})
	moved.Device([]ledger.Record{{ID: "192.0.2.1:9", Time: noon.Add(-time.Hour), Micros: 1}, {ID: "192.0.2.1:10", Time: noon, Micros: 2}}, "1001", "sim")
	if r := moved.Result(); r.Matched != 1 || len(r.Differences) != 0 {
		t.Errorf("moved within a day: %+v", r)
	}
	days := ledger.Daily(append(theirs, theirs[0]), columns.Zone)
	if len(days) != 2 || days[0].Billed != 50 || days[0].Micros != 810_000 || days[0].Time.Hour() != 12 {
		t.Errorf("by day: %+v", days)
	}
}

func TestReadRecordsMistakes(t *testing.T) {
	text := provided + ";2026-11-15 13:00:00;MO;1;1\nx;yesterday;MO;1;1\nx;2026-11-15 13:00:00;UP;1;1\nx;2026-11-15 13:00:00;MO;-1;1\nx;2026-11-15 13:00:00;MO;1;dear\nx;1\n" +
		"x;2026-11-15 13:00:00;MO;1;1\n"
	list, err := ledger.ReadRecords(strings.NewReader(text), &columns)
	if !errors.Is(err, ledger.ErrRecords) || len(list) != 5 {
		t.Fatalf("%d records, %v", len(list), err)
	}
	for i, line := range strings.Split(err.Error(), "\n") {
		if want := []string{"line 6: there is no device", `line 7: "yesterday"`, `line 8: "UP"`, `line 9: "-1"`, `line 10: "dear"`, "line 11: wrong number"}[i]; !strings.Contains(line, want) {
			t.Errorf("%s, want %s", line, want)
		}
	}
	other := columns
	other.ID, other.Price = "ICCID", "Price"
	if _, err := ledger.ReadRecords(strings.NewReader(provided), &other); !errors.Is(err, ledger.ErrRecords) || strings.Count(err.Error(), "no column") != 2 {
		t.Errorf("columns that are not there: %v", err)
	}
	unix := ledger.Columns{ID: "id", Time: "t", Billed: "kb", Unit: 1000, Layout: "unix"}
	list, err = ledger.ReadRecords(strings.NewReader("id,t,kb\na,1795000000,3\n"), &unix)
	if err != nil || len(list) != 1 || list[0].Billed != 3000 || list[0].Time.Unix() != 1795000000 {
		t.Errorf("%+v, %v", list, err)
	}
}

func FuzzReadRecords(f *testing.F) {
	f.Add(provided)
	f.Add("IMEI;When;Way;Bytes;Cost\n\"")
	f.Fuzz(func(t *testing.T, text string) {
		list, err := ledger.ReadRecords(strings.NewReader(text), &columns)
		if err != nil && !errors.Is(err, ledger.ErrRecords) {
			t.Fatal(err)
		}
		for _, r := range list {
			if r.ID == "" || r.Billed < 0 || r.Line < 2 {
				t.Fatalf("%+v", r)
			}
		}
		if r := reconcile(list, list, ledger.Comparison{}); r.Matched != len(list) || len(r.Differences) != 0 {
			t.Fatalf("%d records differ from themselves: %+v", len(list), r.Differences)
		}
	})
}

func TestRunaway(t *testing.T) {
	var samples []ledger.Sample
	for n := range uint32(20) {
		samples = append(samples, ledger.Sample{Device: n + 1, Product: "buoy", Micros: 1000 + scheduler.Micros(n*10), Interval: time.Hour})
	}
	samples = append(samples,
		ledger.Sample{Device: 66, Product: "buoy", Micros: 5000, Interval: time.Hour}, ledger.Sample{Device: 67, Product: "buoy", Micros: 9000},
		ledger.Sample{Device: 70, Product: "alone", Micros: 9_000_000})
	found := ledger.Runaway{}.Find(samples)
	if len(found) != 2 || found[0].Device != 67 || found[1].Device != 66 {
		t.Fatalf("%+v", found)
	}
	// The median is 1105, 5000 are 4.52 times as much: the next quarter of an hour above 4.52 hours is proposed.
	if f := found[1]; f.Median != 1105 || f.Interval != 4*time.Hour+45*time.Minute || found[0].Interval != 0 || f.Score < 20 {
		t.Errorf("%+v", found)
	}
	if found := (ledger.Runaway{Least: 6000}).Find(samples); len(found) != 1 {
		t.Errorf("what is not worth a thought is found: %+v", found)
	}
	// Devices that are all alike make no runaway of one that costs a little more.
	alike := make([]ledger.Sample, 10)
	for i := range alike {
		alike[i] = ledger.Sample{Device: uint32(i), Product: "buoy", Micros: 1000, Interval: time.Hour}
	}
	alike[3].Micros = 1300
	if found := (ledger.Runaway{}).Find(alike); len(found) != 0 {
		t.Errorf("%+v", found)
	}
	for i := range alike {
		alike[i].Micros = 0
	}
	alike[3].Micros = 1_000_000
	if found := (ledger.Runaway{}).Find(alike); len(found) != 1 || found[0].Interval != 30*24*time.Hour {
		t.Errorf("of a product that costs nothing: %+v", found)
	}
}

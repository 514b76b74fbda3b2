package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/codec/train"
	"github.com/godwit-gateway/godwit/gateway/config"
)

// measured is the data of a command line.
func measured(t *testing.T, args string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if code := run(strings.Fields("data "+args), &stdout, &stderr); code != 0 {
		t.Fatalf("exit code %d: %s", code, &stderr)
	}
	return stdout.String()
}

// The same seed gives the same data, another seed other data; a sensor that failed leaves its cell empty.
func TestData(t *testing.T) {
	const args = "--product buoy-demo --devices 2 --statuses 3000 --changes 0 --seed "
	text := measured(t, args+"7")
	if text != measured(t, args+"7") || text == measured(t, args+"8") {
		t.Error("the seed does not decide")
	}
	table, err := train.ReadTable(strings.NewReader(text), "time")
	if err != nil {
		t.Fatal(err)
	}
	if len(table.Rows) != 6000 || len(table.Names) != 11 || len(table.Skipped) != 0 || !strings.Contains(text, ",,") {
		t.Errorf("%d rows of %q, passed over %v", len(table.Rows), table.Names, table.Skipped)
	}
	for i := range table.Rows[1:] {
		if d := table.Rows[i+1].Time - table.Rows[i].Time; d < 3598 || d > 3602 {
			t.Fatalf("row %d is %d s after the one before it", i+1, d)
		}
	}
}

// bytesPerStatus is the mean length of the deltas of the statuses, each against the one before it.
func bytesPerStatus(t *testing.T, tpl *codec.Template, statuses []codec.Status) float64 {
	t.Helper()
	var state codec.State
	var buf []byte
	state.SetKeyframe(tpl, &statuses[0])
	total := 0
	for i := range statuses[1:] {
		var err error
		if buf, _, err = tpl.AppendDelta(buf[:0], 0, 1, &state, &statuses[i+1]); err != nil {
			t.Fatal(err)
		}
		total += len(buf)
	}
	return float64(total) / float64(len(statuses)-1)
}

// The products that the program brings are trained: on weather and roads that they have not seen they are as small as a template that has, and
// far smaller than without models.
func TestProductsAreTrained(t *testing.T) {
	for _, tc := range []struct {
		product  string
		interval time.Duration
		most     float64 // bytes of the mean status
	}{{"buoy-demo", time.Hour, 8.2}, {"truck-demo", 5 * time.Minute, 4.6}} {
		t.Run(tc.product, func(t *testing.T) {
			p, err := config.BuiltIn(tc.product)
			if err != nil {
				t.Fatal(err)
			}
			if timing := p.Template.Timing(); time.Duration(timing.Interval)*time.Second != tc.interval {
				t.Errorf("interval %d s", timing.Interval)
			}
			table, err := train.ReadTable(strings.NewReader(measured(t, "--product "+tc.product+" --interval "+tc.interval.String()+" --devices 4 --statuses 500 --seed 99")), "time")
			if err != nil {
				t.Fatal(err)
			}
			statuses := train.Statuses(p.Template, table.Rows)
			draft := train.Draft{Timing: codec.Timing{Unit: p.Template.Timing().Unit, Interval: p.Template.Timing().Interval}}
			plain := make([]codec.Field, len(p.Template.Fields()))
			for i := range plain {
				plain[i] = p.Template.Fields()[i]
				plain[i].Coding, plain[i].Predictor = codec.Coding{}, codec.PredictLast
				draft.Fields = append(draft.Fields, train.Field{Field: plain[i]})
			}
			without, err := codec.NewTemplate(codec.Timing{Unit: draft.Timing.Unit}, plain)
			if err != nil {
				t.Fatal(err)
			}
			seen, _, err := train.Train(draft, [][]codec.Status{statuses})
			if err != nil {
				t.Fatal(err)
			}
			got, before, least := bytesPerStatus(t, p.Template, statuses), bytesPerStatus(t, without, statuses), bytesPerStatus(t, seen, statuses)
			t.Logf("bytes per status: %.2f, %.2f without models, %.2f trained on the same", got, before, least)
			if got > tc.most || got > 0.9*before || got > 1.05*least {
				t.Errorf("bytes per status: %.2f, want up to %.2f, 90 %% of %.2f, and 105 %% of %.2f", got, tc.most, before, least)
			}
		})
	}
}

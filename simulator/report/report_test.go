package report_test

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/simulator/report"
	"github.com/godwit-gateway/godwit/simulator/scenario"
	"github.com/godwit-gateway/godwit/simulator/world"
)

// played is a report of the reference scenario, which has something of everything, and of its error.
func played(t *testing.T, failed error) *report.Report {
	t.Helper()
	s, err := scenario.Parse("all.toml", scenario.Reference, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Last(2 * 24 * time.Hour); err != nil {
		t.Fatal(err)
	}
	s.Setup.Sample = s.Pace()
	r := report.New(&s.Setup)
	looks := 0
	r.Progress = func(_ time.Time, share float64, _ uint64) {
		if looks++; share < 0 || share > 1 {
			t.Errorf("share %v", share)
		}
	}
	s.Setup.Watch = r
	result, err := world.Run(t.Context(), s.Setup)
	if err != nil || looks == 0 {
		t.Fatalf("%d looks, %v", looks, err)
	}
	return r.Report(report.About{Scenario: s.Name, Title: "A <b> & c", Story: "once", Look: "here", Currency: s.Currency, Seed: 1, Build: "b", Repeat: "again"}, result, failed)
}

// told is the JSON, as doc.go describes it.
type told struct {
	Schema   int
	Verdict  string
	Error    string
	Result   world.Result
	Sections []struct {
		Key   string
		Facts []struct {
			Key, Name, Unit string
			Value           *float64
		}
		Figures []struct {
			Key, Title string
			Columns    []struct{ Key, Unit string }
			Rows       []struct {
				Name   string
				At     *float64
				Values []*float64
			}
		}
	}
}

// The page, its pictures and the JSON say the same, and the page needs nothing else.
func TestReport(t *testing.T) {
	r := played(t, nil)
	var page, object, text bytes.Buffer
	if err := errors.Join(r.WriteHTML(&page), r.WriteJSON(&object), r.WriteText(&text)); err != nil {
		t.Fatal(err)
	}
	var o told
	d := json.NewDecoder(&object)
	if err := d.Decode(&o); err != nil {
		t.Fatal(err)
	}
	var want []string
	var keys, figures []string
	for _, s := range o.Sections {
		keys = append(keys, s.Key)
		for _, f := range s.Facts {
			if f.Key == "" || f.Unit == "" || !strings.Contains(text.String(), f.Name) || !strings.Contains(page.String(), "<dt>"+f.Name) {
				t.Errorf("fact %s of %s: %+v", f.Key, s.Key, f)
			}
		}
		for _, f := range s.Figures {
			figures = append(figures, s.Key+"/"+f.Key)
			for _, row := range f.Rows {
				if (row.Name == "") == (row.At == nil) || len(row.Values) != len(f.Columns) {
					t.Fatalf("row %+v of %s/%s with %d columns", row, s.Key, f.Key, len(f.Columns))
				}
				for _, v := range row.Values {
					if v != nil {
						want = append(want, strconv.FormatFloat(*v, 'g', -1, 64))
					}
				}
			}
		}
	}
	if all := []string{"versions", "staleness", "delays", "losses", "traffic", "money", "power", "life", "backlog", "schedule", "presence", "rollouts", "silence", "incidents"}; !slices.Equal(keys, all) {
		t.Errorf("sections %v, want %v", keys, all)
	}
	if !slices.Contains(figures, "schedule/attention") { // of the buoys that operators look at
		t.Errorf("figures %v", figures)
	}
	var got []string
	for _, m := range regexp.MustCompile(`<data value="([^"]*)">`).FindAllStringSubmatch(page.String(), -1) {
		got = append(got, strings.ReplaceAll(m[1], "&#43;", "+"))
	}
	if !slices.Equal(got, want) {
		t.Errorf("%d numbers in tables, %d in JSON, or others", len(got), len(want))
	}
	pictures(t, page.String())
	if strings.Contains(page.String(), "http://") && strings.Count(page.String(), "http") != strings.Count(page.String(), "http://www.w3.org/2000/svg") || strings.Contains(page.String(), "src=") {
		t.Error("the page refers to something else")
	}
	if !strings.Contains(page.String(), "A &lt;b&gt; &amp; c") || o.Schema != report.Schema || o.Verdict != report.VerdictHeld || o.Result.Frames == 0 {
		t.Errorf("%+v", o)
	}
}

// pictures checks that each picture is well-formed, has no number that is none, and marks what went wrong where it is over time.
func pictures(t *testing.T, page string) {
	t.Helper()
	all := regexp.MustCompile(`(?s)<svg .*?</svg>`).FindAllString(page, -1)
	if len(all) < 2*12 {
		t.Fatalf("%d pictures", len(all))
	}
	marked := 0
	for _, svg := range all {
		if strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") {
			t.Errorf("not a number in %.300s", svg)
		}
		for d := xml.NewDecoder(strings.NewReader(svg)); ; {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%v in %.300s", err, svg)
			}
		}
		overTime := strings.Contains(svg, "over time")
		if has := strings.Contains(svg, `class="mark"`); has != overTime {
			t.Errorf("marked %v: %.200s", has, svg)
		} else if has {
			marked++
		}
	}
	if marked < 2*8 {
		t.Errorf("%d pictures over time", marked)
	}
}

// A world that broke, or that was not played to its end, says so everywhere.
func TestVerdicts(t *testing.T) {
	for _, tc := range []struct {
		err     error
		verdict string
		class   string
		says    string
	}{
		{fmt.Errorf("%w: lost <one>", world.ErrBroken), report.VerdictBroken, "verdict broken", "lost"},
		{context.Canceled, report.VerdictEnded, "verdict early", "Ended early"},
		{errors.Join(context.Canceled, world.ErrBroken), report.VerdictBroken, "verdict broken", "broken"},
	} {
		t.Run(tc.verdict, func(t *testing.T) {
			r := report.New(&world.Setup{Start: time.Unix(0, 0), Length: time.Hour}).Report(report.About{Title: "t"}, nil, tc.err)
			var page, object, text bytes.Buffer
			if err := errors.Join(r.WriteHTML(&page), r.WriteJSON(&object), r.WriteText(&text)); err != nil {
				t.Fatal(err)
			}
			var o told
			if err := json.Unmarshal(object.Bytes(), &o); err != nil || o.Verdict != tc.verdict {
				t.Errorf("verdict %q, %v", o.Verdict, err)
			}
			if !strings.Contains(page.String(), tc.class) || !strings.Contains(text.String(), tc.says) {
				t.Errorf("page or text do not say so: %s", &text)
			}
		})
	}
}

package chart_test

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/godwit-gateway/godwit/simulator/report/chart"
)

// texts checks that a picture is well-formed, holds no number that is none, and returns the texts that it shows.
func texts(t interface {
	Helper()
	Fatalf(format string, args ...any)
}, svg string,
) []string {
	t.Helper()
	if strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") {
		t.Fatalf("not a number in %s", svg)
	}
	var shown []string
	inside := ""
	for d := xml.NewDecoder(strings.NewReader(svg)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return shown
		}
		if err != nil {
			t.Fatalf("%v in %s", err, svg)
		}
		switch token := token.(type) {
		case xml.StartElement:
			inside = token.Name.Local
		case xml.CharData:
			if inside == "text" {
				shown = append(shown, string(token))
			}
		case xml.EndElement:
			inside = ""
		}
	}
}

// Whatever the figures are, the picture is well-formed and has an axis.
func TestAnyFigures(t *testing.T) {
	figure := rapid.OneOf(rapid.Float64Range(-10, 1e9), rapid.SampledFrom([]float64{0, math.NaN(), 1e-9, 1e17, math.Copysign(0, -1)}))
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 12).Draw(t, "places")
		c := chart.Chart{
			About: `a "<b>" & c`, Stacked: rapid.Bool().Draw(t, "stacked"),
			X: chart.Axis{Quantity: rapid.SampledFrom([]chart.Quantity{chart.Moment, chart.Duration, chart.Count}).Draw(t, "x"), Log: rapid.Bool().Draw(t, "log x")},
			Y: chart.Axis{Quantity: rapid.SampledFrom([]chart.Quantity{chart.Count, chart.Share, chart.Bytes, chart.Duration, chart.Money}).Draw(t, "y"), Log: rapid.Bool().Draw(t, "log y")},
		}
		if c.X.Quantity == chart.Moment {
			c.X.Log = false
		}
		for i := range rapid.IntRange(0, 4).Draw(t, "series") {
			s := chart.Series{Name: strings.Repeat("<n>", i), Colour: i, Dash: i % 3}
			for k := range n {
				s.X = append(s.X, 1.7e9+float64(k)*rapid.Float64Range(1, 1e6).Draw(t, "step"))
				s.Y = append(s.Y, figure.Draw(t, "y"))
			}
			if rapid.Bool().Draw(t, "band") {
				s.Low = make([]float64, n)
			}
			c.Series = append(c.Series, s)
		}
		c.Marks = []chart.Mark{{At: 1.7e9 + 10, Until: figure.Draw(t, "until"), Label: "1", Title: "<&>"}}
		texts(t, c.SVG(rapid.SampledFrom([]int{360, 780}).Draw(t, "width")))
		if keys := c.Legend(); len(keys) > len(c.Series) {
			t.Fatalf("%d keys of %d series", len(keys), len(c.Series))
		}
		b := chart.Bars{X: c.Y, Names: []string{"<a>", "b"}, Parts: []chart.Part{{Name: "p", Values: []float64{math.Abs(zero(figure.Draw(t, "bar"))), 0}}}}
		b.X.Log = false
		texts(t, b.SVG(360))
	})
}

func zero(v float64) float64 {
	if math.IsNaN(v) {
		return 0
	}
	return v
}

// Axes have round labels.
func TestLabels(t *testing.T) {
	const day, begin = 86400.0, 1_767_225_600.0 // 1 January 2026
	for _, tc := range []struct {
		name string
		x, y chart.Axis
		from float64
		to   float64
		most float64
		want []string
	}{
		{"days", chart.Axis{Quantity: chart.Moment}, chart.Axis{Label: "n"}, begin, begin + 10*day, 24, []string{"n", "0", "5", "10", "15", "20", "25", "1 Jan", "3 Jan", "11 Jan"}},
		{"hours", chart.Axis{Quantity: chart.Moment}, chart.Axis{Quantity: chart.Share}, begin, begin + day, 1, []string{"0 %", "20 %", "100 %", "1 Jan", "03:00", "12:00", "2 Jan"}},
		{"months", chart.Axis{Quantity: chart.Moment}, chart.Axis{Quantity: chart.Bytes}, begin, begin + 365*day, 3e6, []string{"0 B", "1 MB", "3 MB", "Jan 2026", "Mar", "Nov"}},
		{"years", chart.Axis{Quantity: chart.Moment}, chart.Axis{Quantity: chart.Money}, begin, begin + 3660*day, 3, []string{"0.00", "3.00", "Jan 2026", "Jan 2036"}},
		{"logarithm of time", chart.Axis{Quantity: chart.Duration, Log: true, Label: "delay"}, chart.Axis{Quantity: chart.Duration}, 0.5, 2 * day, 7200, []string{"0 s", "30 min", "2 h", "100 ms", "10 s", "10 min", "7 d", "delay"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := chart.Chart{X: tc.x, Y: tc.y, Series: []chart.Series{{Name: "s", X: []float64{tc.from, tc.to}, Y: []float64{0, tc.most}}}}
			shown := strings.Join(texts(t, c.SVG(780)), "|") + "|"
			for _, want := range tc.want {
				if !strings.Contains("|"+shown, "|"+want+"|") {
					t.Errorf("no %q in %s", want, shown)
				}
			}
		})
	}
}

// Labels of series and marks keep apart from each other.
func TestApart(t *testing.T) {
	c := chart.Chart{X: chart.Axis{Quantity: chart.Moment}}
	for i := range 5 {
		c.Series = append(c.Series, chart.Series{Name: "alike", Colour: i, X: []float64{0, 86400}, Y: []float64{1, 1 + float64(i)/1000}})
	}
	for i := range 100 {
		c.Marks = append(c.Marks, chart.Mark{At: float64(i) * 100, Label: "m"})
	}
	svg := c.SVG(780)
	if n := strings.Count(svg, ">m<"); n < 5 || n > 60 {
		t.Errorf("%d labels of marks", n)
	}
	var places []float64
	for d := xml.NewDecoder(strings.NewReader(svg)); ; {
		token, err := d.Token()
		if err != nil {
			break
		}
		var label struct {
			Class string  `xml:"class,attr"`
			Y     float64 `xml:"y,attr"`
		}
		if e, ok := token.(xml.StartElement); ok && e.Name.Local == "text" {
			if err := d.DecodeElement(&label, &e); err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(label.Class, "of ") {
				places = append(places, label.Y)
			}
		}
	}
	if len(places) != 5 {
		t.Fatalf("labels at %v", places)
	}
	for i := 1; i < len(places); i++ {
		if places[i]-places[i-1] < 12 {
			t.Errorf("labels at %v", places)
		}
	}
}

func TestFormat(t *testing.T) {
	for _, tc := range []struct {
		q    chart.Quantity
		v    float64
		want string
	}{
		{chart.Count, 0, "0"},
		{chart.Count, 12345, "12345"},
		{chart.Count, 1234567, "1.23 M"},
		{chart.Count, 2.5, "2.5"},
		{chart.Count, math.NaN(), "–"},
		{chart.Share, 0.1234, "12.3 %"},
		{chart.Share, 1, "100 %"},
		{chart.Bytes, 999, "999 B"},
		{chart.Bytes, 1500, "1.5 kB"},
		{chart.Duration, 0, "0 s"},
		{chart.Duration, 0.25, "250 ms"},
		{chart.Duration, 90, "1.5 min"},
		{chart.Duration, 3 * 86400, "3 d"},
		{chart.Duration, 59.99, "1 min"},
		{chart.Moment, 1_767_225_600, "1 Jan 2026 00:00"},
		{chart.Money, 1.5, "1.50"},
		{chart.Duration, math.Inf(1), "–"},
		{chart.Duration, 1e-5, "0.01 ms"},
	} {
		if got := tc.q.Format(tc.v); got != tc.want {
			t.Errorf("%v of %s: %q, want %q", tc.v, tc.q.Unit(), got, tc.want)
		}
	}
}

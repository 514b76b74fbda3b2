package report

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/godwit-gateway/godwit/simulator/report/chart"
	"github.com/godwit-gateway/godwit/simulator/world"
)

// The types below are the JSON of doc.go.
type (
	reportJSON struct {
		Schema   int           `json:"schema"`
		Scenario string        `json:"scenario"`
		Title    string        `json:"title"`
		Story    string        `json:"story"`
		Look     string        `json:"look"`
		Seed     uint64        `json:"seed"`
		Repeat   string        `json:"repeat"`
		Build    string        `json:"build"`
		Currency string        `json:"currency,omitempty"`
		Begin    time.Time     `json:"begin"`
		End      time.Time     `json:"end"`
		Verdict  string        `json:"verdict"`
		Error    string        `json:"error,omitempty"`
		Result   *world.Result `json:"result,omitempty"`
		Sections []sectionJSON `json:"sections"`
	}
	sectionJSON struct {
		Key     string       `json:"key"`
		Title   string       `json:"title"`
		Facts   []factJSON   `json:"facts"`
		Figures []figureJSON `json:"figures"`
	}
	factJSON struct {
		Key   string   `json:"key"`
		Name  string   `json:"name"`
		Unit  string   `json:"unit"`
		Value *float64 `json:"value"`
	}
	figureJSON struct {
		Key     string       `json:"key"`
		Title   string       `json:"title"`
		Head    columnJSON   `json:"head"`
		Columns []columnJSON `json:"columns"`
		Rows    []rowJSON    `json:"rows"`
	}
	columnJSON struct {
		Key   string `json:"key"`
		Title string `json:"title"`
		Unit  string `json:"unit,omitempty"`
	}
	rowJSON struct {
		Name   string     `json:"name,omitempty"`
		At     *float64   `json:"at,omitempty"`
		Values []*float64 `json:"values"`
	}
)

// WriteJSON writes the report as one object.
func (r *Report) WriteJSON(w io.Writer) error {
	o := reportJSON{
		Schema: Schema, Scenario: r.Scenario, Title: r.Title, Story: r.Story, Look: r.Look, Seed: r.Seed, Repeat: r.Repeat, Build: r.Build, Currency: r.Currency,
		Begin: r.Begin, End: r.End, Verdict: r.Verdict, Error: r.Error, Result: r.Result, Sections: []sectionJSON{},
	}
	for i := range r.Sections {
		s := &r.Sections[i]
		section := sectionJSON{Key: s.Key, Title: s.Title, Facts: []factJSON{}, Figures: []figureJSON{}}
		for _, f := range s.Facts {
			section.Facts = append(section.Facts, factJSON{f.Key, f.Name, r.unit(f.Quantity), number(f.Value)})
		}
		for k := range s.Figures {
			section.Figures = append(section.Figures, r.figureJSON(&s.Figures[k]))
		}
		o.Sections = append(o.Sections, section)
	}
	if err := json.NewEncoder(w).Encode(&o); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

func (r *Report) figureJSON(f *Figure) figureJSON {
	o := figureJSON{Key: f.Key, Title: f.Title, Head: columnJSON{Key: f.Table.Head.Key, Title: f.Table.Head.Title}, Columns: []columnJSON{}, Rows: []rowJSON{}}
	if !f.Table.Named {
		o.Head.Unit = r.unit(f.Table.Head.Quantity)
	}
	for _, c := range f.Table.Columns {
		o.Columns = append(o.Columns, columnJSON{c.Key, c.Title, r.unit(c.Quantity)})
	}
	for _, row := range f.Table.Rows {
		line := rowJSON{Name: row.Name, Values: make([]*float64, len(row.Values))}
		if !f.Table.Named {
			line.At = number(row.At)
		}
		for i, v := range row.Values {
			line.Values[i] = number(v)
		}
		o.Rows = append(o.Rows, line)
	}
	return o
}

func (r *Report) unit(q chart.Quantity) string {
	if q == chart.Money && r.Currency != "" {
		return r.Currency
	}
	return q.Unit()
}

// precision is how many significant digits numbers have: more than histograms know, and enough for a time in Unix seconds.
const precision = 12

// number is a figure for machines, nil if it is none.
func number(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	if v != 0 {
		p := math.Pow10(precision - 1 - int(math.Floor(math.Log10(math.Abs(v)))))
		if rounded := math.Round(v*p) / p; !math.IsNaN(rounded) && !math.IsInf(rounded, 0) {
			v = rounded
		}
	}
	return &v
}

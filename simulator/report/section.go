package report

import (
	"github.com/godwit-gateway/godwit/simulator/report/chart"
)

// A Part gathers something of a world. It implements those of Sender, Taker, Teller, Acknowledger and Looker that it needs.
type Part interface {
	// Section tells what was gathered; false: it has nothing to say.
	Section() (Section, bool)
}

// A Section is a chapter of a report.
type Section struct {
	Key, Title string
	Text       string // what is to be seen
	Facts      []Fact
	Figures    []Figure
}

// A Fact is a single number worth to be known.
type Fact struct {
	Key, Name string
	Quantity  chart.Quantity
	Value     float64
}

// A Figure is a table, and a picture of it if there is one.
type Figure struct {
	Key, Title string
	Text       string
	Table      Table
	Picture    Picture
}

// A Picture can be drawn for a width in pixels.
type Picture interface {
	SVG(width int) string
	Legend() []chart.Key
}

// A Table has rows of numbers.
type Table struct {
	Head    Column // of the names of rows, or of their places on an axis
	Named   bool   // rows have names
	Columns []Column
	Rows    []Row
}

// A Column is what the numbers below it are.
type Column struct {
	Key, Title string
	Quantity   chart.Quantity
}

// A Row is a name or a place, and a number for each column; NaN is none.
type Row struct {
	Name   string
	At     float64
	Values []float64
}

// series is a column over the places of the rows.
func (t *Table) series(column, colour int) chart.Series {
	s := chart.Series{Name: t.Columns[column].Title, Colour: colour, X: make([]float64, len(t.Rows)), Y: make([]float64, len(t.Rows))}
	for i := range t.Rows {
		s.X[i], s.Y[i] = t.Rows[i].At, t.Rows[i].Values[column]
	}
	return s
}

// over is a chart of the table over time, with a series for each of the columns, or for all if none is named.
func (t *Table) over(about string, y chart.Axis, stacked bool, columns ...int) *chart.Chart {
	if len(columns) == 0 {
		for i := range t.Columns {
			columns = append(columns, i)
		}
	}
	c := &chart.Chart{About: about, X: chart.Axis{Quantity: chart.Moment}, Y: y, Stacked: stacked}
	for i, column := range columns {
		c.Series = append(c.Series, t.series(column, i))
	}
	return c
}

// when is the head of a table over time.
func when() Column { return Column{Key: "at", Title: "Time (UTC)", Quantity: chart.Moment} }

// shares at which distributions are told.
var shares = []float64{0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.999, 1}

// distribution is a table of quantiles and its picture: which share of all has come by which figure.
func distribution(names []string, of []*histogram, quantity chart.Quantity, about, label string) (Table, *chart.Chart) {
	t := Table{Head: Column{Key: "share", Title: "Share of all", Quantity: chart.Share}}
	c := &chart.Chart{About: about, X: chart.Axis{Label: label, Quantity: quantity, Log: true}, Y: chart.Axis{Label: "share of all", Quantity: chart.Share, From: 0, To: 1}}
	for _, share := range shares {
		t.Rows = append(t.Rows, Row{At: share})
	}
	for i, h := range of {
		if h.count == 0 {
			continue
		}
		t.Columns = append(t.Columns, Column{Key: names[i], Title: names[i], Quantity: quantity})
		s := chart.Series{Name: names[i], Colour: i}
		for k, share := range shares {
			v := h.quantile(share)
			t.Rows[k].Values = append(t.Rows[k].Values, v)
			s.X, s.Y = append(s.X, v), append(s.Y, share)
		}
		if i < drawnMost {
			c.Series = append(c.Series, s)
		}
	}
	return t, c
}

// drawnMost is how many groups a picture shows apart; the tables have all.
const drawnMost = 6

package report

import (
	_ "embed" // page.html
	"fmt"
	"html/template"
	"io"
	"strconv"

	"github.com/godwit-gateway/godwit/simulator/report/chart"
)

//go:embed page.html
var pageText string

// widePage is the narrowest window, in pixels, in which pictures are shown in their wide form.
const widePage = 700

// page is a report as the template sees it.
type page struct {
	*Report

	Style template.CSS
	Wide  int
	Class string
}

// cell is a number of a table, for people and for machines.
type cell struct{ Text, Value string }

type line struct {
	Name  string
	Cells []cell
}

// key is a line of a legend.
type key struct {
	Swatch template.HTML
	Name   string
}

// WriteHTML writes the report as one page that needs nothing else.
func (r *Report) WriteHTML(w io.Writer) error {
	t, err := template.New("page").Funcs(template.FuncMap{"show": r.Show, "draw": draw, "rows": r.rows, "legend": legend}).Parse(pageText)
	if err != nil {
		return fmt.Errorf("page of the report: %w", err)
	}
	p := page{Report: r, Style: template.CSS(chart.Style), Wide: widePage} //nolint:gosec // a constant
	switch r.Verdict {
	case VerdictBroken:
		p.Class = "broken"
	case VerdictEnded:
		p.Class = "early"
	}
	if err := t.Execute(w, p); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

// draw gives a picture to the page as it is: package chart escapes every text in it.
func draw(p Picture, width int) template.HTML {
	return template.HTML(p.SVG(width)) //nolint:gosec // see above
}

func legend(p Picture) []key {
	chartLegend := p.Legend()
	if len(chartLegend) < 2 {
		return nil
	}
	area := true
	if c, ok := p.(*chart.Chart); ok {
		area = c.Stacked
	}
	keys := make([]key, len(chartLegend))
	for i, k := range chartLegend {
		keys[i] = key{template.HTML(k.Swatch(area)), k.Name} //nolint:gosec // made of numbers
	}
	return keys
}

func (r *Report) rows(t Table) []line {
	lines := make([]line, len(t.Rows))
	for i, row := range t.Rows {
		lines[i].Name = row.Name
		if !t.Named {
			lines[i].Name = t.Head.Quantity.Format(row.At)
		}
		for k, v := range row.Values {
			c := cell{Text: r.Show(t.Columns[k].Quantity, v)}
			if n := number(v); n != nil {
				c.Value = strconv.FormatFloat(*n, 'g', -1, 64)
			}
			lines[i].Cells = append(lines[i].Cells, c)
		}
	}
	return lines
}

package report

import (
	"time"

	"github.com/godwit-gateway/godwit/simulator/report/chart"
)

// rates are sums of several series, by stretch of time.
type rates struct {
	frame  *Frame
	series []string
	bins   [bins][]float64
}

func newRates(f *Frame, series []string) rates {
	r := rates{frame: f, series: series}
	for i := range r.bins {
		r.bins[i] = make([]float64, len(series))
	}
	return r
}

func (r *rates) add(at time.Time, series int, v float64) { r.bins[r.frame.Bin(at)][series] += v }

// table shows what each series comes to in a day.
func (r *rates) table(q chart.Quantity) Table {
	t := Table{Head: when()}
	for _, name := range r.series {
		t.Columns = append(t.Columns, Column{Key: name, Title: name, Quantity: q})
	}
	for i := range r.frame.Played() {
		row := Row{At: r.frame.Middle(i)}
		for _, v := range r.bins[i] {
			row.Values = append(row.Values, v*r.frame.perDay())
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

package report

import (
	"slices"
	"time"

	"github.com/godwit-gateway/godwit/simulator/report/chart"
	"github.com/godwit-gateway/godwit/simulator/world"
)

// power is how full batteries are, by group.
type power struct {
	frame *Frame
	now   []*histogram
	table Table
}

// powerShares are the quantiles that are kept of each group.
var powerShares = []struct {
	key, title string
	share      float64
}{{"p5", "5 %", 0.05}, {"p50", "median", 0.5}, {"p95", "95 %", 0.95}}

func newPower(f *Frame) *power {
	p := &power{frame: f, now: make([]*histogram, len(f.Groups))}
	p.table.Head = when()
	for i, g := range f.Groups {
		p.now[i] = new(histogram)
		for _, q := range powerShares {
			p.table.Columns = append(p.table.Columns, Column{Key: g + "_" + q.key, Title: g + ", " + q.title, Quantity: chart.Share})
		}
	}
	return p
}

// Look implements Looker.
func (p *power) Look(_ time.Time, g *world.Glance) { p.now[g.Group].add(g.Charge) }

// Looked implements Looker.
func (p *power) Looked(at time.Time, _ world.View) {
	row := Row{At: float64(at.Unix())}
	for _, h := range p.now {
		for _, q := range powerShares {
			row.Values = append(row.Values, h.quantile(q.share))
		}
		h.reset()
	}
	p.table.Rows = append(p.table.Rows, row)
}

// Section implements Part.
func (p *power) Section() (Section, bool) {
	if len(p.table.Rows) == 0 || !slices.Contains(p.frame.Power, true) {
		return Section{}, false
	}
	c := &chart.Chart{About: "charge of batteries over time by group", X: chart.Axis{Quantity: chart.Moment}, Y: chart.Axis{Label: "charge", Quantity: chart.Share, From: 0, To: 1}}
	s := Section{Key: "power", Title: "Batteries", Text: "What is left in the batteries of groups whose batteries can be empty: the median of each group, and the room between the emptiest and the fullest twentieth."}
	last := p.table.Rows[len(p.table.Rows)-1]
	for i, g := range p.frame.Groups {
		if !p.frame.Power[i] || len(c.Series) == 2*drawnMost {
			continue
		}
		n := len(powerShares)
		band, line := p.table.series(i*n+2, i), p.table.series(i*n+1, i)
		band.Low = p.table.series(i*n, i).Y
		band.Name, line.Name = g, g
		c.Series = append(c.Series, band, line)
		s.Facts = append(s.Facts, Fact{Key: g + "_p5", Name: g + ": a twentieth had less charge at the end than", Quantity: chart.Share, Value: last.Values[i*n]})
	}
	s.Figures = []Figure{{Key: "over_time", Title: "Over time", Table: p.table, Picture: c}}
	return s, true
}

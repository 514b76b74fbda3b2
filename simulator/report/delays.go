package report

import (
	"math"
	"time"

	"github.com/godwit-gateway/godwit/simulator/report/chart"
	"github.com/godwit-gateway/godwit/simulator/world"
	"github.com/godwit-gateway/godwit/transports"
)

// delays are the times from the making of a frame to its being taken for the first time, by link.
type delays struct {
	frame *Frame
	whole []*histogram // by link
	bin   int          // that is gathered
	now   []*histogram
	rows  []Row
}

func newDelays(f *Frame) *delays {
	p := &delays{frame: f, whole: make([]*histogram, len(f.Links)), now: make([]*histogram, len(f.Links))}
	for i := range p.whole {
		p.whole[i], p.now[i] = new(histogram), new(histogram)
	}
	return p
}

// Taken implements Taker.
func (p *delays) Taken(at time.Time, on world.Line, made time.Time, _ int, s transports.Settlement) {
	if s != transports.Stored {
		return
	}
	for b := p.frame.Bin(at); p.bin < b; p.bin++ {
		p.flush()
	}
	d := max(0, at.Sub(made).Seconds())
	p.whole[on.Link].add(d)
	p.now[on.Link].add(d)
}

// flush makes a row of what was gathered.
func (p *delays) flush() {
	row := Row{At: p.frame.Middle(p.bin)}
	for _, h := range p.now {
		row.Values = append(row.Values, h.quantile(0.5), h.quantile(0.95))
		h.reset()
	}
	p.rows = append(p.rows, row)
}

// Section implements Part.
func (p *delays) Section() (Section, bool) {
	taken := uint64(0)
	for _, h := range p.whole {
		taken += h.count
	}
	if taken == 0 {
		return Section{}, false
	}
	s := Section{Key: "delays", Title: "Delays", Text: "From the making of a frame, which for a status is its measuring, to its being safe on the gateway's disk: with all tries and waits in between."}
	t := Table{Head: Column{Key: "link", Title: "Link"}, Named: true, Columns: []Column{{Key: "frames", Title: "Frames"}}}
	for _, c := range []string{"mean", "p50", "p95", "p99", "max"} {
		t.Columns = append(t.Columns, Column{Key: c, Title: c, Quantity: chart.Duration})
	}
	for i, h := range p.whole {
		t.Rows = append(t.Rows, Row{Name: p.frame.Links[i], Values: []float64{float64(h.count), h.mean(), h.quantile(0.5), h.quantile(0.95), h.quantile(0.99), h.quantile(1)}})
		s.Facts = append(s.Facts,
			Fact{Key: p.frame.Links[i] + "_p50", Name: p.frame.Links[i] + ": median", Quantity: chart.Duration, Value: h.quantile(0.5)},
			Fact{Key: p.frame.Links[i] + "_p99", Name: p.frame.Links[i] + ": 99 %", Quantity: chart.Duration, Value: h.quantile(0.99)})
	}
	d, cdf := distribution(p.frame.Links, p.whole, chart.Duration, "distribution of delays by link", "delay")
	over := Table{Head: when(), Rows: p.rows}
	for _, l := range p.frame.Links {
		over.Columns = append(over.Columns, Column{Key: l + "_p50", Title: l + ", median", Quantity: chart.Duration}, Column{Key: l + "_p95", Title: l + ", 95 %", Quantity: chart.Duration})
	}
	c := over.over("delays over time by link", chart.Axis{Label: "delay", Quantity: chart.Duration, Log: true}, false)
	for i := range c.Series {
		c.Series[i].Colour, c.Series[i].Dash = i/2, i%2
	}
	s.Figures = []Figure{
		{Key: "links", Title: "By link", Table: t},
		{Key: "distribution", Title: "Distribution", Text: "The share of frames that were taken within a time.", Table: d, Picture: cdf},
	}
	if len(p.rows) > 1 {
		s.Figures = append(s.Figures, Figure{Key: "over_time", Title: "Over time", Text: "Of the frames that were taken in each stretch of time.", Table: over, Picture: c})
	}
	return s, true
}

// share is a part of a whole, NaN of nothing.
func share(part, whole float64) float64 {
	if whole == 0 {
		return math.NaN()
	}
	return part / whole
}

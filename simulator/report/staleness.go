package report

import (
	"math"
	"time"

	"github.com/godwit-gateway/godwit/simulator/device"
	"github.com/godwit-gateway/godwit/simulator/report/chart"
	"github.com/godwit-gateway/godwit/simulator/world"
)

// staleness is how long ago the gateway heard devices that are at work.
type staleness struct {
	frame *Frame
	now   []*histogram // by group, of the sample that is taken
	end   []*histogram // and of the last one
	mute  float64      // devices at work that were never heard, in the sample that is taken
	never float64      // and in the last one
	table Table
}

func newStaleness(f *Frame) *staleness {
	p := &staleness{frame: f, now: make([]*histogram, len(f.Groups)), end: make([]*histogram, len(f.Groups))}
	p.table.Head = when()
	for i, g := range f.Groups {
		p.now[i], p.end[i] = new(histogram), new(histogram)
		p.table.Columns = append(p.table.Columns,
			Column{Key: g + "_p50", Title: g + ", median", Quantity: chart.Duration}, Column{Key: g + "_p95", Title: g + ", 95 %", Quantity: chart.Duration},
			Column{Key: g + "_max", Title: g + ", longest", Quantity: chart.Duration})
	}
	return p
}

// Look implements Looker.
func (p *staleness) Look(at time.Time, g *world.Glance) {
	switch {
	case g.State != device.Working:
	case g.Heard.IsZero():
		p.mute++
	default:
		p.now[g.Group].add(max(0, at.Sub(g.Heard).Seconds()))
	}
}

// Looked implements Looker.
func (p *staleness) Looked(at time.Time, v world.View) {
	row := Row{At: float64(at.Unix())}
	for i, h := range p.now {
		if v.GatewayUp() {
			row.Values = append(row.Values, h.quantile(0.5), h.quantile(0.95), h.quantile(1))
			p.now[i], p.end[i] = p.end[i], h
		} else {
			row.Values = append(row.Values, math.NaN(), math.NaN(), math.NaN())
		}
		p.now[i].reset()
	}
	p.table.Rows = append(p.table.Rows, row)
	p.never, p.mute = p.mute, 0
}

// Section implements Part.
func (p *staleness) Section() (Section, bool) {
	if len(p.table.Rows) == 0 {
		return Section{}, false
	}
	c := p.table.over("time since devices were heard, over time", chart.Axis{Label: "since last heard", Quantity: chart.Duration, Log: true}, false)
	kept := c.Series[:0]
	for i := range c.Series {
		if group, kind := i/3, i%3; kind < 2 && group < drawnMost {
			c.Series[i].Colour, c.Series[i].Dash = group, kind
			kept = append(kept, c.Series[i])
		}
	}
	c.Series = kept
	s := Section{
		Key: "staleness", Title: "How old the gateway's picture is", Text: "The time since the gateway last heard each device that is at work. While the gateway is down there is a gap.",
		Figures: []Figure{{Key: "over_time", Title: "Over time", Table: p.table, Picture: c}},
	}
	t, cdf := distribution(p.frame.Groups, p.end, chart.Duration, "distribution of the time since devices were heard, at the last sample", "since last heard")
	if len(t.Columns) > 0 {
		s.Figures = append(s.Figures, Figure{Key: "at_the_end", Title: "At the last sample", Text: "The share of devices that were heard within a time.", Table: t, Picture: cdf})
	}
	for i, g := range p.frame.Groups {
		if i < drawnMost {
			s.Facts = append(s.Facts, Fact{Key: g + "_p95", Name: g + ": 95 % were heard within", Quantity: chart.Duration, Value: p.end[i].quantile(0.95)})
		}
	}
	s.Facts = append(s.Facts, Fact{Key: "never", Name: "devices at work that the gateway never heard", Value: p.never})
	return s, true
}

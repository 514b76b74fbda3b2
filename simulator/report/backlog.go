package report

import (
	"math"
	"time"

	"github.com/godwit-gateway/godwit/simulator/report/chart"
	"github.com/godwit-gateway/godwit/simulator/world"
)

// backlog is what waits: frames at devices, and events at the gateway. It also knows when the gateway was down.
type backlog struct {
	pending float64
	down    float64 // samples
	table   Table
}

func newBacklog(*Frame) *backlog {
	p := new(backlog)
	p.table = Table{Head: when(), Columns: []Column{
		{Key: "devices", Title: "frames at devices"}, {Key: "outbox", Title: "events at the gateway"}, {Key: "up", Title: "gateway up"},
	}}
	return p
}

// Look implements Looker.
func (p *backlog) Look(_ time.Time, g *world.Glance) { p.pending += float64(g.Pending) }

// Looked implements Looker.
func (p *backlog) Looked(at time.Time, v world.View) {
	row := Row{At: float64(at.Unix()), Values: []float64{p.pending, math.NaN(), 0}}
	if v.GatewayUp() {
		row.Values[1], row.Values[2] = float64(v.Unpublished()), 1
	} else {
		p.down++
	}
	p.table.Rows = append(p.table.Rows, row)
	p.pending = 0
}

// Section implements Part.
func (p *backlog) Section() (Section, bool) {
	if len(p.table.Rows) == 0 {
		return Section{}, false
	}
	most := [2]float64{}
	for _, r := range p.table.Rows {
		for i := range most {
			most[i] = max(most[i], zeroOr(r.Values[i]))
		}
	}
	c := p.table.over("what waits at devices and at the gateway over time", chart.Axis{Label: "frames, events"}, false, 0, 1)
	c.Series[1].Dash = 1
	return Section{
		Key: "backlog", Title: "What waits", Text: "Frames that devices keep until they are acknowledged, and events that the gateway has on disk and not yet on the stream. While the gateway is down there is a gap.",
		Facts: []Fact{
			{Key: "devices_max", Name: "most frames kept by devices", Value: most[0]},
			{Key: "outbox_max", Name: "most events kept by the gateway", Value: most[1]},
			{Key: "down", Name: "of the samples found the gateway down", Quantity: chart.Share, Value: p.down / float64(len(p.table.Rows))},
		},
		Figures: []Figure{{Key: "over_time", Title: "Over time", Table: p.table, Picture: c}},
	}, true
}

func zeroOr(v float64) float64 {
	if math.IsNaN(v) {
		return 0
	}
	return v
}

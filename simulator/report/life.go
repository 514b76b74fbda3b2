package report

import (
	"time"

	"github.com/godwit-gateway/godwit/simulator/device"
	"github.com/godwit-gateway/godwit/simulator/report/chart"
	"github.com/godwit-gateway/godwit/simulator/world"
)

// states are in the order of their values.
var states = []device.State{device.Working, device.Flat, device.Dead, device.Retired, device.Away}

// life counts devices by whether they are at work.
type life struct {
	now   []float64
	table Table
}

func newLife(*Frame) *life {
	p := &life{now: make([]float64, len(states))}
	p.table = Table{Head: when()}
	for _, s := range states {
		p.table.Columns = append(p.table.Columns, Column{Key: s.String(), Title: s.String()})
	}
	return p
}

// Look implements Looker.
func (p *life) Look(_ time.Time, g *world.Glance) {
	p.now[g.State]++
}

// Looked implements Looker.
func (p *life) Looked(at time.Time, _ world.View) {
	p.table.Rows = append(p.table.Rows, Row{At: float64(at.Unix()), Values: append([]float64(nil), p.now...)})
	clear(p.now)
}

// Section implements Part.
func (p *life) Section() (Section, bool) {
	if len(p.table.Rows) == 0 {
		return Section{}, false
	}
	s := Section{Key: "life", Title: "Devices at work", Text: "Flat: switched off until the battery is charged. Dead: broken, or a cell that is empty. Retired: taken out of service as planned. Away: switched off for a while.", Figures: []Figure{
		{Key: "over_time", Title: "Over time", Table: p.table, Picture: p.table.over("devices by state over time", chart.Axis{Label: "devices"}, true)},
	}}
	last := p.table.Rows[len(p.table.Rows)-1]
	for i, c := range p.table.Columns {
		s.Facts = append(s.Facts, Fact{Key: c.Key, Name: c.Title + " at the end", Value: last.Values[i]})
	}
	return s, true
}

package report

import (
	"time"

	"github.com/godwit-gateway/godwit/simulator/radio"
	"github.com/godwit-gateway/godwit/simulator/report/chart"
	"github.com/godwit-gateway/godwit/simulator/world"
	"github.com/godwit-gateway/godwit/transports"
)

// money is what networks charge, by group.
type money struct {
	frame  *Frame
	groups []bill
	rates  rates
}

// bill is in units of the currency.
type bill struct{ up, down, stored float64 }

func newMoney(f *Frame) *money {
	return &money{frame: f, groups: make([]bill, len(f.Groups)), rates: newRates(f, f.Groups)}
}

// Billed implements Payer.
func (p *money) Billed(at time.Time, on world.Line, up bool, cost radio.Micros) {
	v := float64(cost) / 1e6
	if up {
		p.groups[on.Group].up += v
	} else {
		p.groups[on.Group].down += v
	}
	p.rates.add(at, on.Group, v)
}

// Taken implements Taker.
func (p *money) Taken(_ time.Time, on world.Line, _ time.Time, _ int, s transports.Settlement) {
	if s == transports.Stored {
		p.groups[on.Group].stored++
	}
}

// Section implements Part.
func (p *money) Section() (Section, bool) {
	total := 0.0
	days := p.frame.last.Sub(p.frame.Begin).Hours() / 24
	t := Table{Head: Column{Key: "group", Title: "Group"}, Named: true, Columns: []Column{
		{Key: "up", Title: "From devices", Quantity: chart.Money},
		{Key: "down", Title: "To devices", Quantity: chart.Money},
		{Key: "per_stored", Title: "Per frame stored", Quantity: chart.Money},
		{Key: "per_month", Title: "Per device and 30 days", Quantity: chart.Money},
	}}
	bars := &chart.Bars{About: "money by group", X: chart.Axis{Quantity: chart.Money}, Names: p.frame.Groups, Parts: []chart.Part{{Name: "from devices", Colour: 0}, {Name: "to devices", Colour: 2}}}
	s := Section{Key: "money", Title: "Money", Text: "What the networks charge by their tariffs, for what arrived and where they do so also for what did not."}
	for i, name := range p.frame.Groups {
		b := &p.groups[i]
		total += b.up + b.down
		perMonth := share((b.up+b.down)*30/float64(p.frame.Count[i]), days)
		t.Rows = append(t.Rows, Row{Name: name, Values: []float64{b.up, b.down, share(b.up+b.down, b.stored), perMonth}})
		bars.Parts[0].Values, bars.Parts[1].Values = append(bars.Parts[0].Values, b.up), append(bars.Parts[1].Values, b.down)
		if i < drawnMost {
			s.Facts = append(s.Facts, Fact{Key: name + "_per_month", Name: name + ": per device and 30 days", Quantity: chart.Money, Value: perMonth})
		}
	}
	if total == 0 {
		return Section{}, false
	}
	s.Facts = append([]Fact{{Key: "total", Name: "in all", Quantity: chart.Money, Value: total}}, s.Facts...)
	over := p.rates.table(chart.Money)
	s.Figures = []Figure{
		{Key: "groups", Title: "By group", Table: t, Picture: bars},
		{Key: "over_time", Title: "Over time", Table: over, Picture: over.over("money a day by group over time", chart.Axis{Label: "a day", Quantity: chart.Money}, true)},
	}
	return s, true
}

package report

import (
	"time"

	"github.com/godwit-gateway/godwit/simulator/device"
	"github.com/godwit-gateway/godwit/simulator/radio"
	"github.com/godwit-gateway/godwit/simulator/report/chart"
	"github.com/godwit-gateway/godwit/simulator/world"
)

// schedule is what the gateway's schedule spends, and which intervals devices run.
type schedule struct {
	frame  *Frame
	budget float64     // of a month; 0: none
	class  []float64   // by link: seconds between statuses in the class table that it is compared with; nil: none
	spent  [][]float64 // by month of the world and link
	up     []float64   // by link: money for what devices sent, and how many frames that was
	frames []float64
	now    []*histogram // by group: intervals in the sample that is taken
	table  Table        // of them over time
	with   *attention
}

func newSchedule(f *Frame, budget float64, class []float64) *schedule {
	p := &schedule{frame: f, budget: budget, class: class, up: make([]float64, len(f.Links)), frames: make([]float64, len(f.Links)), with: newAttention(f.Groups)}
	p.table.Head = when()
	for _, g := range f.Groups {
		p.now = append(p.now, new(histogram))
		p.table.Columns = append(p.table.Columns, Column{Key: g, Title: g, Quantity: chart.Duration})
	}
	return p
}

// classOf is the class table of a world, in seconds by link: all its rules have the same.
func classOf(s *world.Setup) (list []float64) {
	if rules := s.Schedule.Core.Rules; len(rules) > 0 {
		for _, every := range rules[0].Policy.Class {
			list = append(list, float64(every))
		}
	}
	return list
}

// month counts calendar months (UTC) from the beginning on.
func (p *schedule) month(at time.Time) int {
	a, b := p.frame.Begin.UTC(), at.UTC()
	return 12*(b.Year()-a.Year()) + int(b.Month()-a.Month())
}

// begins is when a month does, or the world if that is later.
func (p *schedule) begins(month int) time.Time {
	b := p.frame.Begin.UTC()
	at := time.Date(b.Year(), b.Month()+time.Month(month), 1, 0, 0, 0, 0, time.UTC)
	if at.Before(b) {
		return b
	}
	return at
}

// Billed implements Payer.
func (p *schedule) Billed(at time.Time, on world.Line, up bool, cost radio.Micros) {
	v := float64(cost) / 1e6
	for p.month(at) >= len(p.spent) {
		p.spent = append(p.spent, make([]float64, len(p.frame.Links)))
	}
	p.spent[p.month(at)][on.Link] += v
	if up {
		p.up[on.Link] += v
	}
}

// Sent implements Sender.
func (p *schedule) Sent(_ time.Time, on world.Line, _, try int, join bool) {
	if !join && try <= 1 {
		p.frames[on.Link]++
	}
}

// Look implements Looker.
func (p *schedule) Look(at time.Time, g *world.Glance) {
	p.with.look(at, g)
	if g.State == device.Working {
		p.now[g.Group].add(g.Every.Seconds())
	}
}

// Looked implements Looker.
func (p *schedule) Looked(at time.Time, _ world.View) {
	row := Row{At: float64(at.Unix())}
	for _, h := range p.now {
		row.Values = append(row.Values, h.quantile(0.5))
		h.reset()
	}
	p.table.Rows = append(p.table.Rows, row)
}

// baselines are schedules that people use instead, whose cost is told beside what was spent.
type baselines struct{ fixed, class float64 }

// daily is what the fleet would cost in a day with a frame of each device, and with as many as the class table says.
func (p *schedule) daily() (sum baselines) {
	for g, n := range p.frame.Count {
		l := p.frame.LinkOf[g]
		if p.frames[l] == 0 {
			continue
		}
		each := float64(n) * p.up[l] / p.frames[l]
		sum.fixed += each
		if l < len(p.class) {
			sum.class += each * (24 * time.Hour).Seconds() / p.class[l]
		}
	}
	return sum
}

// months is the table of what was spent.
func (p *schedule) months() (t Table, total float64, others baselines) {
	t = Table{Head: Column{Key: "month", Title: "Month"}, Named: true}
	for _, l := range p.frame.Links {
		t.Columns = append(t.Columns, Column{Key: l, Title: l, Quantity: chart.Money})
	}
	t.Columns = append(t.Columns, Column{Key: "all", Title: "In all", Quantity: chart.Money}, Column{Key: "budget", Title: "Budget", Quantity: chart.Money},
		Column{Key: "fixed_24h", Title: "Once a day each", Quantity: chart.Money})
	if p.class != nil {
		t.Columns = append(t.Columns, Column{Key: "class", Title: "By class table", Quantity: chart.Money})
	}
	daily := p.daily()
	for m, links := range p.spent {
		from, to := p.begins(m), p.begins(m+1)
		row := Row{Name: from.Format("2006-01"), Values: append([]float64(nil), links...)}
		if p.frame.last.Before(to) {
			to = p.frame.last
		}
		all, days := 0.0, to.Sub(from).Hours()/24
		for _, v := range links {
			all += v
		}
		total, others.fixed, others.class = total+all, others.fixed+daily.fixed*days, others.class+daily.class*days
		row.Values = append(row.Values, all, p.budget, daily.fixed*days)
		if p.class != nil {
			row.Values = append(row.Values, daily.class*days)
		}
		t.Rows = append(t.Rows, row)
	}
	return t, total, others
}

// Section implements Part.
func (p *schedule) Section() (Section, bool) {
	if len(p.table.Rows) == 0 {
		return Section{}, false
	}
	t, total, others := p.months()
	names := make([]string, 0, len(t.Rows))
	bars := &chart.Bars{About: "money by month and link", X: chart.Axis{Quantity: chart.Money}}
	for i, l := range p.frame.Links {
		part := chart.Part{Name: l, Colour: i}
		for _, row := range t.Rows {
			part.Values = append(part.Values, row.Values[i])
		}
		bars.Parts = append(bars.Parts, part)
	}
	for _, row := range t.Rows {
		names = append(names, row.Name)
	}
	bars.Names = names
	s := Section{
		Key: "schedule", Title: "Schedule",
		Text: "What networks charge by calendar month, the budget of a whole one, and what it would be if each device sent one frame a day at the price that frames had on its link. Intervals are those that devices run.",
		Facts: []Fact{
			{Key: "spent", Name: "spent", Quantity: chart.Money, Value: total},
			{Key: "budget", Name: "budget of a month", Quantity: chart.Money, Value: p.budget},
			{Key: "fixed_24h", Name: "one frame a day of each would cost", Quantity: chart.Money, Value: others.fixed},
		},
	}
	if p.class != nil {
		s.Text += " By class table is the same with the intervals that the scenario has for each link."
		s.Facts = append(s.Facts, Fact{Key: "class", Name: "intervals by class table would cost", Quantity: chart.Money, Value: others.class})
	}
	first, last := p.table.Rows[0], p.table.Rows[len(p.table.Rows)-1]
	c := p.table.over("median interval by group over time", chart.Axis{Label: "between statuses", Quantity: chart.Duration, Log: true}, false)
	c.Series = c.Series[:min(len(c.Series), drawnMost)]
	for i, g := range p.frame.Groups {
		if i < drawnMost {
			s.Facts = append(s.Facts, Fact{Key: g + "_first", Name: g + ": interval at the beginning", Quantity: chart.Duration, Value: first.Values[i]},
				Fact{Key: g + "_last", Name: g + ": interval at the end", Quantity: chart.Duration, Value: last.Values[i]})
		}
	}
	if len(t.Rows) > 0 {
		s.Figures = append(s.Figures, Figure{Key: "months", Title: "By month", Table: t, Picture: bars})
	}
	s.Figures = append(s.Figures, Figure{Key: "intervals", Title: "Intervals", Text: "The median of each group.", Table: p.table, Picture: c})
	if f, ok := p.with.figure(); ok {
		s.Figures = append(s.Figures, f)
	}
	return s, true
}

package report

import (
	"time"

	"github.com/godwit-gateway/godwit/simulator/device"
	"github.com/godwit-gateway/godwit/simulator/report/chart"
	"github.com/godwit-gateway/godwit/simulator/world"
)

// attention is what it does that operators look at devices: how often those speak, and how old is what is known of them, beside others of their group.
type attention struct {
	groups []string
	with   []attended // by group
	others []attended
}

// attended sums looks at devices.
type attended struct {
	every histogram // s
	looks float64
	age   float64 // s
}

func (a *attended) look(at time.Time, g *world.Glance) {
	a.every.add(g.Every.Seconds())
	a.looks++
	a.age += at.Sub(g.Heard).Seconds()
}

func newAttention(groups []string) *attention {
	return &attention{groups: groups, with: make([]attended, len(groups)), others: make([]attended, len(groups))}
}

// look counts a device that works and was heard.
func (a *attention) look(at time.Time, g *world.Glance) {
	switch {
	case g.State != device.Working || g.Heard.IsZero():
	case g.Taken.Attended:
		a.with[g.Group].look(at, g)
	default:
		a.others[g.Group].look(at, g)
	}
}

// figure tells of the groups of which some had attention; ok is false if none had.
func (a *attention) figure() (f Figure, ok bool) {
	f = Figure{
		Key: "attention", Title: "Attention", Text: "Devices while operators look at them, and all others of their group: how often they speak, and the mean age of what is known of them.",
		Table: Table{Head: Column{Key: "group", Title: "Group"}, Named: true, Columns: []Column{
			{Key: "looks", Title: "Looks"},
			{Key: "interval", Title: "Interval, median", Quantity: chart.Duration},
			{Key: "age", Title: "Age, mean", Quantity: chart.Duration},
			{Key: "interval_else", Title: "Interval without", Quantity: chart.Duration},
			{Key: "age_else", Title: "Age without", Quantity: chart.Duration},
		}},
	}
	for g, name := range a.groups {
		with, others := &a.with[g], &a.others[g]
		if with.looks == 0 {
			continue
		}
		f.Table.Rows = append(f.Table.Rows, Row{Name: name, Values: []float64{
			with.looks, with.every.quantile(0.5), share(with.age, with.looks), others.every.quantile(0.5), share(others.age, others.looks),
		}})
	}
	return f, len(f.Table.Rows) > 0
}

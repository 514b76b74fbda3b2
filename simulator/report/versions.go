package report

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/godwit-gateway/godwit/simulator/report/chart"
	"github.com/godwit-gateway/godwit/simulator/world"
)

// versions counts the devices by their firmware: as it is, and as the gateway knows it.
type versions struct {
	times  []float64
	actual []map[string]int // by sample
	known  []map[string]int
}

func newVersions(*Frame) *versions { return &versions{} }

// Names for what is no version.
const (
	unheard = "not heard yet"
	blind   = "the gateway is down"
)

// Look implements Looker.
func (p *versions) Look(at time.Time, g *world.Glance) {
	if t := float64(at.Unix()); len(p.times) == 0 || p.times[len(p.times)-1] != t {
		p.times = append(p.times, t)
		p.actual, p.known = append(p.actual, make(map[string]int)), append(p.known, make(map[string]int))
	}
	last := len(p.times) - 1
	p.actual[last][g.Version]++
	p.known[last][cmp.Or(g.Known, unheard)]++
}

// Looked implements Looker.
func (p *versions) Looked(_ time.Time, v world.View) {
	if last := len(p.times) - 1; last >= 0 && !v.GatewayUp() {
		p.known[last] = map[string]int{blind: p.known[last][unheard]}
	}
}

// versionsShown is how many versions have a colour of their own; the rarest are told together.
const versionsShown = chart.Colours - 3

// table is a table with a column for each version, the most frequent ones by their order, others together.
func (p *versions) table(counts []map[string]int, names []string) Table {
	t := Table{Head: when()}
	others := false
	shown := slices.Clone(names)
	if len(shown) > versionsShown {
		shown, others = shown[:versionsShown], true
	}
	for _, n := range shown {
		t.Columns = append(t.Columns, Column{Key: n, Title: n})
	}
	special := []string{}
	for _, n := range []string{unheard, blind} {
		if slices.ContainsFunc(counts, func(c map[string]int) bool { return c[n] > 0 }) {
			special = append(special, n)
		}
	}
	if others {
		t.Columns = append(t.Columns, Column{Key: "others", Title: "others"})
	}
	for _, n := range special {
		t.Columns = append(t.Columns, Column{Key: n, Title: n})
	}
	for i, count := range counts {
		row := Row{At: p.times[i]}
		rest := 0.0
		for _, n := range count {
			rest += float64(n)
		}
		for _, n := range shown {
			row.Values = append(row.Values, float64(count[n]))
			rest -= float64(count[n])
		}
		for _, n := range special {
			rest -= float64(count[n])
		}
		if others {
			row.Values = append(row.Values, rest)
		}
		for _, n := range special {
			row.Values = append(row.Values, float64(count[n]))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// Section implements Part.
func (p *versions) Section() (Section, bool) {
	if len(p.times) == 0 {
		return Section{}, false
	}
	total := make(map[string]int)
	for _, counts := range [][]map[string]int{p.actual, p.known} {
		for _, c := range counts {
			for n, k := range c {
				total[n] += k
			}
		}
	}
	delete(total, unheard)
	delete(total, blind)
	names := slices.SortedFunc(maps.Keys(total), func(a, b string) int { return cmp.Or(cmp.Compare(total[b], total[a]), cmp.Compare(a, b)) })
	slices.Sort(names[:min(len(names), versionsShown)])
	s := Section{Key: "versions", Title: "Versions", Text: "What the devices run, and what the gateway takes them to run: it learns of a change when it hears of it."}
	devices := chart.Axis{Label: "devices"}
	for _, f := range []struct {
		key, title string
		counts     []map[string]int
	}{{"actual", "As they are", p.actual}, {"known", "As the gateway knows them", p.known}} {
		t := p.table(f.counts, names)
		c := t.over("devices by version over time, "+f.title, devices, true)
		for i := range c.Series {
			switch c.Series[i].Name {
			case unheard:
				c.Series[i].Colour = unheardColour
			case blind:
				c.Series[i].Colour = blindColour
			}
		}
		s.Figures = append(s.Figures, Figure{Key: f.key, Title: f.title, Table: t, Picture: c})
	}
	last := len(p.times) - 1
	behind := 0
	for n, k := range p.actual[last] {
		behind += max(0, k-p.known[last][n])
	}
	s.Facts = []Fact{
		{Key: "versions", Name: "versions at the end", Value: float64(len(p.actual[last]))},
		{Key: "behind", Name: "devices whose version the gateway does not know", Value: float64(behind)},
	}
	if p.known[last][blind] > 0 {
		s.Facts[1].Value = math.NaN()
	}
	return s, true
}

// Colours of what is not known: grey, and a dark yellow.
const (
	unheardColour = 6
	blindColour   = 7
)

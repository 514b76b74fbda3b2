package report

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/godwit-gateway/godwit/gateway/rollout"
	"github.com/godwit-gateway/godwit/simulator/device"
	"github.com/godwit-gateway/godwit/simulator/report/chart"
	"github.com/godwit-gateway/godwit/simulator/world"
)

// rollouts is what became of the rollouts: as the gateway says, and as it is.
type rollouts struct {
	products []string // of groups
	of       map[rollout.ID]*campaign
	glances  map[uint32]truth // of the sample that is taken
}

// truth is what a device runs and what updates did to it.
type truth struct {
	product, version string
	happened         []device.Happening
}

// campaign is one rollout.
type campaign struct {
	last     rollout.Summary
	adoption Table
	verdict  Table
	funnel   []rollout.FunnelStep
	fates    map[string]map[string]float64 // devices by what happened to them, and by where they are said to stand
	report   rollout.Report
	lost     [2]float64 // devices that the update ended: when it halted first, and now
	halted   time.Time
}

func newRollouts(s *world.Setup) *rollouts {
	p := &rollouts{of: make(map[rollout.ID]*campaign), glances: make(map[uint32]truth)}
	for i := range s.Groups {
		p.products = append(p.products, s.Groups[i].Product)
	}
	return p
}

// Look implements Looker.
func (p *rollouts) Look(_ time.Time, g *world.Glance) {
	p.glances[g.Number] = truth{p.products[g.Group], g.Version, g.Happened}
}

// Looked implements Looker.
func (p *rollouts) Looked(_ time.Time, v world.View) {
	v.Rollouts(func(now time.Time, m *rollout.Machine) {
		for _, s := range m.List() {
			if s.Started.IsZero() {
				continue
			}
			c := p.of[s.ID]
			if c == nil {
				c = newCampaign()
				p.of[s.ID] = c
			}
			c.look(now, m, &s, p.glances)
		}
	})
	clear(p.glances)
}

func newCampaign() *campaign {
	c := &campaign{fates: make(map[string]map[string]float64)}
	c.adoption = Table{Head: when(), Columns: []Column{
		{Key: "confirmed", Title: "confirmed"},
		{Key: "progress", Title: "in progress"},
		{Key: "ended", Title: "declined, failed, rolled back"},
		{Key: "unknown", Title: "not heard of"},
		{Key: "really", Title: "really run it, all of the product"},
	}}
	c.verdict = Table{Head: when()}
	return c
}

// look takes a sample.
func (c *campaign) look(now time.Time, m *rollout.Machine, s *rollout.Summary, glances map[uint32]truth) {
	c.last = *s
	at := float64(now.Unix())
	really := 0.0
	for _, g := range glances {
		if g.product == s.Spec.Product && g.version == s.Spec.Version {
			really++
		}
	}
	if points, err := m.Adoption(now, s.ID, now, max(now.Sub(s.Started), time.Hour)); err == nil && len(points) > 0 {
		a := points[len(points)-1]
		c.adoption.Rows = append(c.adoption.Rows, Row{At: at, Values: []float64{float64(a.Confirmed), float64(a.Progress), float64(a.Ended), float64(a.Unknown), really}})
	}
	if r, err := m.Report(now, s.ID); err == nil {
		c.report = r
		c.weigh(at, &r)
	}
	if f, err := m.Funnel(now, s.ID); err == nil {
		c.funnel = f
	}
	clear(c.fates)
	devices, err := m.Devices(now, s.ID, func(*rollout.DeviceView) bool { return true })
	if err != nil {
		return
	}
	c.lost[1] = 0
	for i := range devices {
		what := fate(glances[devices[i].Number].happened, s.Spec.Version)
		if what == device.Bricked.String() || what == device.Drained.String() {
			c.lost[1]++
		}
		if c.fates[what] == nil {
			c.fates[what] = make(map[string]float64)
		}
		c.fates[what][devices[i].Standing.String()]++
	}
	if c.halted.IsZero() {
		if i := slices.IndexFunc(s.Notes, func(n rollout.Note) bool { return n.What == "rollout.halt" }); i >= 0 {
			c.halted, c.lost[0] = s.Notes[i].Time, c.lost[1]
		}
	}
}

// weigh keeps the evidence.
func (c *campaign) weigh(at float64, r *rollout.Report) {
	if len(c.verdict.Columns) == 0 {
		for _, e := range r.Evidence {
			c.verdict.Columns = append(c.verdict.Columns, Column{Key: "evidence", Title: e.Of})
		}
		for i := range c.verdict.Columns {
			c.verdict.Columns[i].Key = fmt.Sprintf("evidence_%d", i+1)
		}
		c.verdict.Columns = append(c.verdict.Columns, Column{Key: "silent", Title: "silent"}, Column{Key: "usual", Title: "usual without the update"})
	}
	row := Row{At: at}
	for _, e := range r.Evidence {
		row.Values = append(row.Values, max(e.Value, 1e-3))
	}
	row.Values = append(row.Values, float64(r.Silent), r.Usual)
	if len(row.Values) == len(c.verdict.Columns) {
		c.verdict.Rows = append(c.verdict.Rows, row)
	}
}

// fates in the order in which one stands over another.
var fatesByWeight = []device.What{
	device.Bricked, device.Drained, device.Draining, device.Looping, device.RolledBack, device.Late, device.LogLost, device.Updated, device.Failed, device.Declined, device.Deferred,
}

// untouched is a device to which the update did nothing.
const untouched = "nothing"

// fate is the gravest that an update to a version did to a device.
func fate(happened []device.Happening, version string) string {
	for _, what := range fatesByWeight {
		if slices.ContainsFunc(happened, func(h device.Happening) bool { return h.What == what && h.Version == version }) {
			return what.String()
		}
	}
	return untouched
}

// marks are what was done to the rollout.
func (c *campaign) marks() []chart.Mark {
	short := map[string]string{"rollout.start": "start", "wave.open": "wave", "rollout.halt": "halt", "rollout.override": "on", "rollout.stop": "stop", "rollout.pause": "pause", "rollout.resume": "on", "rollout.complete": "end"}
	var marks []chart.Mark
	for _, n := range c.last.Notes {
		if label, ok := short[n.What]; ok {
			marks = append(marks, chart.Mark{At: float64(n.Time.Unix()), Label: label, Title: fmt.Sprintf("%s by %s, %s: %s", n.What, n.Actor.Name, chart.Moment.Format(float64(n.Time.Unix())), n.Remark)})
		}
	}
	return marks
}

// matrix is what happened to devices against where they are said to stand.
func (c *campaign) matrix() Table {
	t := Table{Head: Column{Key: "happened", Title: "What the update did"}, Named: true}
	columns := make(map[string]bool)
	for _, row := range c.fates {
		for k := range row {
			columns[k] = true
		}
	}
	names := slices.Sorted(maps.Keys(columns))
	for _, n := range names {
		t.Columns = append(t.Columns, Column{Key: n, Title: n})
	}
	for _, what := range slices.Sorted(maps.Keys(c.fates)) {
		row := Row{Name: what}
		for _, n := range names {
			row.Values = append(row.Values, c.fates[what][n])
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// survival is for how long after the update devices were heard.
func (c *campaign) survival() Table {
	t := Table{Head: Column{Key: "after", Title: "After the update"}, Named: true, Columns: []Column{
		{Key: "share", Title: "Share still heard"},
		{Key: "low", Title: "with 95 % at least"},
		{Key: "high", Title: "and at most"},
		{Key: "at_risk", Title: "Devices seen so long"},
		{Key: "silent", Title: "Of these, silent then"},
	}}
	for _, s := range c.report.Survival {
		t.Rows = append(t.Rows, Row{Name: fmt.Sprintf("%d h", s.Hours), Values: []float64{s.Share, s.Low, s.High, float64(s.AtRisk), float64(s.Silent)}})
	}
	return t
}

// steps is the funnel, and its picture.
func (c *campaign) steps() (Table, *chart.Bars) {
	t := Table{Head: Column{Key: "step", Title: "Step"}, Named: true, Columns: []Column{
		{Key: "reached", Title: "Came so far"}, {Key: "here", Title: "Are there"}, {Key: "silent", Title: "Of these, silent"}, {Key: "median", Title: "There for, median", Quantity: chart.Duration},
	}}
	b := &chart.Bars{About: "devices by the step that they came to", Parts: []chart.Part{{Name: "went on", Colour: 0}, {Name: "are there", Colour: 1}, {Name: "are there and silent", Colour: 2}}}
	for _, f := range c.funnel {
		t.Rows = append(t.Rows, Row{Name: f.Step, Values: []float64{float64(f.Reached), float64(f.Here), float64(f.Silent), f.Median.Seconds()}})
		b.Names = append(b.Names, f.Step)
		for i, v := range []int{f.Reached - f.Here, f.Here - f.Silent, f.Silent} {
			b.Parts[i].Values = append(b.Parts[i].Values, float64(max(v, 0)))
		}
	}
	return t, b
}

// Section implements Part.
func (p *rollouts) Section() (Section, bool) {
	s := Section{Key: "rollouts", Title: "Rollouts", Text: "What the gateway says of its rollouts, and what really happened. Confirmed is only who was heard to run the release for a while; who was not heard of is neither success nor failure."}
	for _, id := range slices.Sorted(maps.Keys(p.of)) {
		c := p.of[id]
		if len(c.adoption.Rows) > 0 {
			c.section(&s, id)
		}
	}
	return s, len(s.Figures) > 0
}

// section adds a rollout.
func (c *campaign) section(s *Section, id rollout.ID) {
	key := func(k string) string { return fmt.Sprintf("%s_%d", k, id) }
	name := func(k string) string { return fmt.Sprintf("%s: %s", c.last.Spec.Name, k) }
	last := c.adoption.Rows[len(c.adoption.Rows)-1].Values
	halts := 0.0
	for _, n := range c.last.Notes {
		if n.What == "rollout.halt" {
			halts++
		}
	}
	s.Facts = append(
		s.Facts,
		Fact{Key: key("confirmed"), Name: name("confirmed at the end"), Value: last[0]},
		Fact{Key: key("unknown"), Name: name("not heard of at the end"), Value: last[3]},
		Fact{Key: key("really"), Name: name("really run it at the end, in or outside of the rollout"), Value: last[4]},
		Fact{Key: key("lost"), Name: name("devices that the update ended"), Value: c.lost[1]},
		Fact{Key: key("halts"), Name: name("halts"), Value: halts},
	)
	if !c.halted.IsZero() {
		s.Facts = append(
			s.Facts,
			Fact{Key: key("halted_after"), Name: name("halted after"), Quantity: chart.Duration, Value: c.halted.Sub(c.last.Started).Seconds()},
			Fact{Key: key("lost_by_halt"), Name: name("devices that it had ended by then, at the next look"), Value: c.lost[0]},
		)
	}
	adoption := c.adoption.over("devices of the rollout over time: "+c.last.Spec.Name, chart.Axis{Label: "devices that were sent an offer"}, true, 0, 1, 2, 3)
	adoption.Marks = c.marks()
	s.Figures = append(s.Figures, Figure{Key: key("adoption"), Title: name("adoption"), Text: c.report.Line, Table: c.adoption, Picture: adoption})
	if len(c.verdict.Rows) > 0 {
		n := len(c.verdict.Columns) - 2
		columns := make([]int, n)
		for i := range columns {
			columns[i] = i
		}
		verdict := c.verdict.over("evidence that the update does harm, over time: "+c.last.Spec.Name, chart.Axis{Label: "times likelier if it does harm", Log: true}, false, columns...)
		verdict.Marks = c.marks()
		s.Figures = append(s.Figures, Figure{Key: key("verdict"), Title: name("evidence of harm"), Text: c.report.Verdict, Table: c.verdict, Picture: verdict})
	}
	if t := c.survival(); len(t.Rows) > 0 {
		s.Figures = append(s.Figures, Figure{
			Key: key("survival"), Title: name("still heard after the update"), Table: t,
			Text: "The product-limit estimate: devices that were not seen for as long yet are left out from then on. Silent is who is not heard for longer than hardly any living device.",
		})
	}
	table, bars := c.steps()
	s.Figures = append(
		s.Figures,
		Figure{Key: key("funnel"), Title: name("steps"), Table: table, Picture: bars},
		Figure{Key: key("fates"), Title: name("what happened, and where the gateway says that devices stand"), Table: c.matrix()},
	)
}

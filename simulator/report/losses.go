package report

import (
	"math"
	"time"

	"github.com/godwit-gateway/godwit/simulator/report/chart"
	"github.com/godwit-gateway/godwit/simulator/world"
	"github.com/godwit-gateway/godwit/transports"
)

// losses counts what became of what was sent, by link.
type losses struct {
	frame *Frame
	links []fates
	bins  [bins]fates // of all links
}

// fates are counts of what happened to payloads.
type fates struct {
	first, repeats, joins           float64 // transmissions
	stored, duplicate, held, turned float64 // what the gateway said
	acknowledged                    float64 // frames
}

func (f *fates) sent() float64    { return f.first + f.repeats + f.joins }
func (f *fates) arrived() float64 { return f.stored + f.duplicate + f.held + f.turned }

// missing is what was sent and did not arrive, as far as can be told: copies that a network makes by itself hide as many.
func (f *fates) missing() float64 { return math.Max(0, f.sent()-f.arrived()) }

func newLosses(f *Frame) *losses { return &losses{frame: f, links: make([]fates, len(f.Links))} }

func (p *losses) count(at time.Time, link int, add func(*fates)) {
	add(&p.links[link])
	add(&p.bins[p.frame.Bin(at)])
}

// Sent implements Sender.
func (p *losses) Sent(at time.Time, on world.Line, _, try int, join bool) {
	p.count(at, on.Link, func(f *fates) {
		switch {
		case join:
			f.joins++
		case try > 1:
			f.repeats++
		default:
			f.first++
		}
	})
}

// Taken implements Taker.
func (p *losses) Taken(at time.Time, on world.Line, _ time.Time, _ int, s transports.Settlement) {
	p.count(at, on.Link, func(f *fates) {
		switch s {
		case transports.Stored:
			f.stored++
		case transports.Duplicate:
			f.duplicate++
		case transports.Quarantined:
			f.held++
		default:
			f.turned++
		}
	})
}

// Acknowledged implements Acknowledger.
func (p *losses) Acknowledged(at time.Time, group int, _ uint32, frames int) {
	p.count(at, p.frame.LinkOf[group], func(f *fates) { f.acknowledged += float64(frames) })
}

// Section implements Part.
func (p *losses) Section() (Section, bool) {
	var all fates
	t := Table{Head: Column{Key: "link", Title: "Link"}, Named: true}
	for _, c := range [][2]string{
		{"frames", "Frames sent"},
		{"repeats", "Repeats"},
		{"joins", "Joins"},
		{"stored", "Stored"},
		{"duplicate", "Duplicates"},
		{"quarantined", "Quarantined"},
		{"answered", "Answered or turned away"},
		{"missing", "Did not arrive"},
		{"acknowledged", "Acknowledged to devices"},
		{"never", "Frames not stored by the end"},
	} {
		t.Columns = append(t.Columns, Column{Key: c[0], Title: c[1]})
	}
	bars := &chart.Bars{About: "what became of transmissions by link", X: chart.Axis{}, Names: p.frame.Links}
	parts := []chart.Part{{Name: "stored", Colour: 2}, {Name: "duplicates", Colour: 5}, {Name: "quarantined, answered or turned away", Colour: 4}, {Name: "did not arrive", Colour: 1}}
	for i := range p.links {
		f := &p.links[i]
		never := math.Max(0, f.first-f.stored)
		t.Rows = append(t.Rows, Row{Name: p.frame.Links[i], Values: []float64{
			f.first, f.repeats, f.joins, f.stored, f.duplicate, f.held, f.turned, f.missing(), f.acknowledged, never,
		}})
		for k, v := range []float64{f.stored, f.duplicate, f.held + f.turned, f.missing()} {
			parts[k].Values = append(parts[k].Values, v)
		}
		all.add(f)
	}
	if all.sent() == 0 {
		return Section{}, false
	}
	bars.Parts = parts
	over := Table{Head: when(), Columns: []Column{
		{Key: "missing", Title: "did not arrive", Quantity: chart.Share}, {Key: "repeats", Title: "repeats", Quantity: chart.Share}, {Key: "duplicates", Title: "duplicates", Quantity: chart.Share},
	}}
	for i := range p.frame.Played() {
		f := &p.bins[i]
		over.Rows = append(over.Rows, Row{At: p.frame.Middle(i), Values: []float64{share(f.missing(), f.sent()), share(f.repeats, f.sent()), share(f.duplicate, f.arrived())}})
	}
	return Section{
		Key: "losses", Title: "Losses and repeats",
		Text: "What became of each transmission. One that did not arrive was lost on the air or expired; on links without a network that keeps it, the device repeats it until the gateway acknowledges. Copies that a network makes by itself hide as many losses.",
		Facts: []Fact{
			{Key: "sent", Name: "transmissions", Value: all.sent()},
			{Key: "stored", Name: "frames stored", Value: all.stored},
			{Key: "missing_share", Name: "of the transmissions did not arrive", Quantity: chart.Share, Value: share(all.missing(), all.sent())},
			{Key: "duplicates", Name: "duplicates, all recognised", Value: all.duplicate},
			{Key: "never", Name: "frames not stored by the end", Value: math.Max(0, all.first-all.stored)},
		},
		Figures: []Figure{
			{Key: "links", Title: "By link", Table: t, Picture: bars},
			{Key: "over_time", Title: "Over time", Table: over, Picture: over.over("shares of transmissions that did not arrive or were repeats, and of arrivals that were duplicates, over time", chart.Axis{Label: "share", Quantity: chart.Share}, false)},
		},
	}, true
}

func (f *fates) add(o *fates) {
	f.first, f.repeats, f.joins = f.first+o.first, f.repeats+o.repeats, f.joins+o.joins
	f.stored, f.duplicate, f.held, f.turned = f.stored+o.stored, f.duplicate+o.duplicate, f.held+o.held, f.turned+o.turned
	f.acknowledged += o.acknowledged
}

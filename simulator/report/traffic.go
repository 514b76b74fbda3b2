package report

import (
	"time"

	"github.com/godwit-gateway/godwit/simulator/report/chart"
	"github.com/godwit-gateway/godwit/simulator/world"
	"github.com/godwit-gateway/godwit/transports"
)

// traffic counts bytes by link and direction.
type traffic struct {
	frame *Frame
	links []bytesOf
	sizes []*histogram // of frames, by link
	rates rates
}

// bytesOf are the bytes of a link.
type bytesOf struct{ first, repeats, joins, down, stored float64 }

func (b *bytesOf) all() float64 { return b.first + b.repeats + b.joins + b.down }

func newTraffic(f *Frame) *traffic {
	p := &traffic{frame: f, links: make([]bytesOf, len(f.Links)), sizes: make([]*histogram, len(f.Links)), rates: newRates(f, f.Links)}
	for i := range p.sizes {
		p.sizes[i] = new(histogram)
	}
	return p
}

// Sent implements Sender.
func (p *traffic) Sent(at time.Time, on world.Line, bytes, try int, join bool) {
	l, n := &p.links[on.Link], float64(bytes)
	p.rates.add(at, on.Link, n)
	switch {
	case join:
		l.joins += n
	case try > 1:
		l.repeats += n
	default:
		l.first += n
		p.sizes[on.Link].add(n)
	}
}

// Told implements Teller.
func (p *traffic) Told(at time.Time, on world.Line, bytes int) {
	p.links[on.Link].down += float64(bytes)
	p.rates.add(at, on.Link, float64(bytes))
}

// Taken implements Taker.
func (p *traffic) Taken(_ time.Time, on world.Line, _ time.Time, _ int, s transports.Settlement) {
	if s == transports.Stored {
		p.links[on.Link].stored++
	}
}

// Section implements Part.
func (p *traffic) Section() (Section, bool) {
	s := Section{Key: "traffic", Title: "Bytes on air", Text: "Payload bytes in both directions, without what a network adds to them. A frame is mostly a status."}
	t := Table{Head: Column{Key: "link", Title: "Link"}, Named: true}
	for _, c := range [][2]string{
		{"frame_mean", "Bytes of a frame, mean"},
		{"frame_p95", "95 %"},
		{"first", "From devices, first tries"},
		{"repeats", "Repeats"},
		{"joins", "Joins"},
		{"down", "To devices"},
		{"per_stored", "All bytes per frame stored"},
	} {
		t.Columns = append(t.Columns, Column{Key: c[0], Title: c[1], Quantity: chart.Bytes})
	}
	bars := &chart.Bars{About: "bytes by link", X: chart.Axis{Quantity: chart.Bytes}, Names: p.frame.Links, Parts: []chart.Part{
		{Name: "first tries", Colour: 0}, {Name: "repeats", Colour: 1}, {Name: "joins", Colour: 3}, {Name: "to devices", Colour: 2},
	}}
	total := 0.0
	for i, name := range p.frame.Links {
		l := &p.links[i]
		total += l.all()
		t.Rows = append(t.Rows, Row{Name: name, Values: []float64{
			p.sizes[i].mean(), p.sizes[i].quantile(0.95), l.first, l.repeats, l.joins, l.down, share(l.all(), l.stored),
		}})
		for k, v := range []float64{l.first, l.repeats, l.joins, l.down} {
			bars.Parts[k].Values = append(bars.Parts[k].Values, v)
		}
		s.Facts = append(s.Facts, Fact{Key: name + "_per_stored", Name: name + ": bytes on air per frame stored", Quantity: chart.Bytes, Value: share(l.all(), l.stored)})
	}
	if total == 0 {
		return Section{}, false
	}
	s.Facts = append([]Fact{{Key: "bytes", Name: "bytes on air", Quantity: chart.Bytes, Value: total}}, s.Facts...)
	over := p.rates.table(chart.Bytes)
	s.Figures = []Figure{
		{Key: "links", Title: "By link", Table: t, Picture: bars},
		{Key: "over_time", Title: "Over time", Table: over, Picture: over.over("bytes a day by link over time", chart.Axis{Label: "bytes a day", Quantity: chart.Bytes}, true)},
	}
	return s, true
}

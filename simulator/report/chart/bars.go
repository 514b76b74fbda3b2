package chart

import (
	"fmt"
	"math"
)

// Bars shows amounts as bars from left to right, one for each name, each of parts behind one another.
type Bars struct {
	About string
	X     Axis
	Names []string
	Parts []Part
}

// A Part is one colour of all bars.
type Part struct {
	Name   string
	Colour int
	Values []float64 // as many as there are names
}

// SVG draws the bars for a width in pixels.
func (b *Bars) SVG(width int) string {
	const bar, step = 16.0, 42.0
	totals, most := make([]float64, len(b.Names)), 0.0
	room := 0.0 // for the totals
	for i := range b.Names {
		for k := range b.Parts {
			totals[i] += b.Parts[k].Values[i]
		}
		most = math.Max(most, totals[i])
		room = math.Max(room, widthOf(b.X.Quantity.Format(totals[i])))
	}
	var c canvas
	bottom := step * float64(len(b.Names))
	height := bottom + 2*letter + gap
	right := float64(width) - room - 2*gap
	s := b.X.scaleOf(0, most, int(right/85))
	s.a, s.b = 0, right
	c.open(float64(width), height, b.About)
	for _, t := range s.ticks {
		x := s.at(t.at)
		c.line("rule", x, 0, x, bottom+4)
		c.text("tick", "middle", math.Max(x, widthOf(t.label)/2), bottom+letter+gap, t.label)
	}
	for i, name := range b.Names {
		y := step * float64(i)
		c.text("label", "start", 0, y+letter+4, cut(name, float64(width)))
		done := 0.0
		for k := range b.Parts {
			part := &b.Parts[k]
			v := part.Values[i]
			x := s.at(done)
			c.rect("area "+colour(part.Colour), x, y+letter+10, s.at(done+v)-x, bar, fmt.Sprintf("%s, %s: %s", name, part.Name, b.X.Quantity.Format(v)))
			done += v
		}
		c.text("tick", "start", s.at(done)+gap, y+letter+10+bar-4, b.X.Quantity.Format(totals[i]))
	}
	return c.close()
}

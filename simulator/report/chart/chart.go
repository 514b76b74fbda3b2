package chart

import (
	"cmp"
	"math"
	"slices"
	"strconv"
)

// A Chart shows series over an axis, as lines or as areas upon each other.
type Chart struct {
	About   string // what is to be seen, for those who cannot see it
	X, Y    Axis
	Stacked bool
	Series  []Series
	Marks   []Mark // on the horizontal axis
}

// A Series is a line, or an area. X must rise.
type Series struct {
	Name   string
	Colour int
	Dash   int // 0 solid, 1 dashed, 2 dotted
	X, Y   []float64
	Low    []float64 // with it the room down to there is filled; as long as Y, or nil
}

// A Mark is a moment, or a while if Until is after it.
type Mark struct {
	At, Until float64
	Label     string // short
	Title     string // shown on pointing at it
}

// plot is a chart with places.
type plot struct {
	canvas

	chart               *Chart
	x, y                scale
	left, right         float64
	top, bottom, height float64
	lower               []float64 // of the area that is drawn next
}

// SVG draws the chart for a width in pixels.
func (c *Chart) SVG(width int) string {
	p := plot{chart: c, height: 280, top: 2*letter + gap, right: float64(width) - gap}
	if len(c.Marks) > 0 {
		p.top += markLabel
	}
	if width < narrow {
		p.height = 250
	}
	p.bottom = p.height - 2*letter
	if c.X.Label != "" {
		p.bottom -= letter + gap
	}
	p.y = c.Y.scaleOf(c.rangeY(), c.highest(), int((p.bottom-p.top)/40))
	p.y.a, p.y.b = p.bottom, p.top
	for _, t := range p.y.ticks {
		p.left = math.Max(p.left, widthOf(t.label)+2*gap)
	}
	labels := []label(nil)
	if width >= narrow && len(c.Series) > 1 {
		labels = p.labels()
		room := 0.0
		for _, l := range labels {
			room = math.Max(room, widthOf(l.s.Name))
		}
		p.right -= math.Min(room, 150) + gap
	}
	from, to := c.rangeX()
	p.x = c.X.scaleOf(from, to, int((p.right-p.left)/85))
	p.x.a, p.x.b = p.left, p.right
	p.open(float64(width), p.height, c.About)
	p.axes()
	if c.Stacked {
		p.areas()
	} else {
		p.lines()
	}
	p.marks()
	p.names(labels, float64(width)-gap)
	return p.close()
}

func (c *Chart) rangeX() (from, to float64) {
	from, to = math.Inf(1), math.Inf(-1)
	for i := range c.Series {
		for _, x := range c.Series[i].X {
			from, to = math.Min(from, x), math.Max(to, x)
		}
	}
	return from, to
}

// rangeY is the least figure: zero, but on a logarithmic axis the least above it.
func (c *Chart) rangeY() float64 {
	if !c.Y.Log {
		return 0
	}
	least := math.Inf(1)
	for i := range c.Series {
		for _, y := range slices.Concat(c.Series[i].Y, c.Series[i].Low) {
			if y > 0 {
				least = math.Min(least, y)
			}
		}
	}
	return least
}

func (c *Chart) highest() float64 {
	most := math.Inf(-1)
	if !c.Stacked {
		for i := range c.Series {
			for _, y := range c.Series[i].Y {
				if !math.IsNaN(y) {
					most = math.Max(most, y)
				}
			}
		}
		return most
	}
	for k := range c.places() {
		sum := 0.0
		for i := range c.Series {
			if y := c.Series[i].Y[k]; !math.IsNaN(y) {
				sum += y
			}
		}
		most = math.Max(most, sum)
	}
	return most
}

// places is how many places areas have: as many as the first of them.
func (c *Chart) places() int {
	if len(c.Series) == 0 {
		return 0
	}
	return len(c.Series[0].X)
}

func (p *plot) axes() {
	for _, t := range p.y.ticks {
		y := p.y.at(t.at)
		p.line("rule", p.left, y, p.right, y)
		p.text("tick", "end", p.left-gap, y+4, t.label)
	}
	p.text("name", "start", 0, letter, p.chart.Y.Label)
	end := math.Inf(-1) // of the label before
	for _, t := range p.x.ticks {
		x := p.x.at(t.at)
		p.line("rule", x, p.bottom, x, p.bottom+4)
		half := widthOf(t.label) / 2
		if at := math.Max(math.Min(x, p.right+gap-half), half); at-half > end+gap {
			p.text("tick", "middle", at, p.bottom+letter+gap, t.label)
			end = at + half
		}
	}
	if p.chart.X.Label != "" {
		p.text("name", "end", p.right, p.bottom+2*letter+2*gap, p.chart.X.Label)
	}
}

// points are a line in pixels.
func (p *plot) points(x, y []float64) [][2]float64 {
	out := make([][2]float64, len(x))
	for i := range x {
		out[i] = [2]float64{p.x.at(x[i]), p.y.at(y[i])}
	}
	return out
}

func (p *plot) lines() {
	for i := range p.chart.Series {
		s := &p.chart.Series[i]
		if s.Low != nil {
			p.area("band "+colour(s.Colour), p.points(s.X, s.Y), p.points(s.X, s.Low), s.Name)
		}
	}
	for i := range p.chart.Series {
		if s := &p.chart.Series[i]; s.Low == nil {
			p.path("line "+colour(s.Colour)+" d"+strconv.Itoa(s.Dash), p.points(s.X, s.Y))
		}
	}
}

func (p *plot) areas() {
	p.lower = make([]float64, p.chart.places())
	for i := range p.chart.Series {
		s := &p.chart.Series[i]
		upper := make([]float64, len(p.lower))
		for k := range upper {
			upper[k] = p.lower[k] + s.Y[k]
		}
		p.area("area "+colour(s.Colour), p.points(s.X, upper), p.points(s.X, p.lower), s.Name)
		for k := range upper {
			if !math.IsNaN(upper[k]) {
				p.lower[k] = upper[k]
			}
		}
	}
}

// marks are lines down through the picture, with a label where there is room for it.
func (p *plot) marks() {
	marks := slices.Clone(p.chart.Marks)
	slices.SortStableFunc(marks, func(a, b Mark) int { return cmp.Compare(a.At, b.At) })
	end := math.Inf(-1)
	for _, m := range marks {
		if m.At < p.x.from || m.At > p.x.to {
			continue
		}
		x := p.x.at(m.At)
		if m.Until > m.At {
			p.rect("span", x, p.top, p.x.at(math.Min(m.Until, p.x.to))-x, p.bottom-p.top, m.Title)
		}
		p.line("mark", x, p.top, x, p.bottom)
		if x-widthOf(m.Label)/2 > end {
			p.text("no", "middle", x, p.top-gap, m.Label)
			end = x + widthOf(m.Label)/2
		}
	}
}

// label is the name of a series at its last figure.
type label struct {
	y float64
	s *Series
}

// labels are those of lines, and of the areas that are high enough for one at their end, apart from each other.
func (p *plot) labels() []label {
	var list []label
	below := 0.0
	for i := range p.chart.Series {
		s := &p.chart.Series[i]
		y := lastOf(s.Y)
		if math.IsNaN(y) || s.Low != nil {
			continue
		}
		l := label{p.y.at(y), s}
		if p.chart.Stacked {
			l.y = p.y.at(below + y/2)
			high := p.y.at(below) - p.y.at(below+y)
			below += y
			if high < letter {
				continue
			}
		}
		list = append(list, l)
	}
	slices.SortStableFunc(list, func(a, b label) int { return cmp.Compare(a.y, b.y) })
	const apart = letter + 1
	for i := range list { // down from the top, then up from the bottom
		list[i].y = math.Max(list[i].y, p.top+4)
		if i > 0 {
			list[i].y = math.Max(list[i].y, list[i-1].y+apart)
		}
	}
	limit := p.bottom
	for i := len(list) - 1; i >= 0; i-- {
		list[i].y = math.Min(list[i].y, limit)
		limit = list[i].y - apart
	}
	return list
}

// names writes labels beside the figures.
func (p *plot) names(labels []label, right float64) {
	for _, l := range labels {
		p.text("of "+colour(l.s.Colour), "start", p.right+gap, l.y+4, cut(l.s.Name, right-p.right-gap))
	}
}

// lastOf is the last figure that is a number.
func lastOf(y []float64) float64 {
	for i := len(y) - 1; i >= 0; i-- {
		if !math.IsNaN(y[i]) {
			return y[i]
		}
	}
	return math.NaN()
}

package chart

import (
	"encoding/xml"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Sizes in pixels.
const (
	letter    = 12  // height of a text
	letterEm  = 7.0 // and the most that a letter of it takes in the mean
	narrow    = 500 // below it there is no room for labels beside the figures
	gap       = 6
	markLabel = 16 // room for the number of a mark
)

// Colours is how many colours there are; those beyond are used again.
const Colours = 8

// Style is the CSS of pictures and of [Swatch]: text, axes, and eight colours after Okabe and Ito that differ for all kinds of colour vision.
const Style = `:root{--s0:#0072b2;--s1:#d55e00;--s2:#009e73;--s3:#cc79a7;--s4:#e69f00;--s5:#56b4e9;--s6:#6b6b6b;--s7:#8a6d00;--ink:#1b1b1b;--soft:#5c5c5c;--rule:#dcdcdc;--mark:#7a3b8f}
@media (prefers-color-scheme:dark){:root{--s0:#4fa8e0;--s1:#ff8c42;--s2:#2fc49a;--s3:#e59cc5;--s4:#f2bd3d;--s5:#9ad3f5;--s6:#a8a8a8;--s7:#d8c15a;--ink:#ececec;--soft:#a9a9a9;--rule:#3a3a3a;--mark:#cf9be2}}
.c0{--c:var(--s0)}.c1{--c:var(--s1)}.c2{--c:var(--s2)}.c3{--c:var(--s3)}.c4{--c:var(--s4)}.c5{--c:var(--s5)}.c6{--c:var(--s6)}.c7{--c:var(--s7)}
svg text{font-size:12px;fill:var(--ink)}svg .tick,svg .name{fill:var(--soft)}svg .rule{stroke:var(--rule);fill:none}svg .line{stroke:var(--c);fill:none;stroke-width:1.8;stroke-linejoin:round}
svg .d1{stroke-dasharray:6 3}svg .d2{stroke-dasharray:2 3}svg .area{fill:var(--c);fill-opacity:.85}svg .band{fill:var(--c);fill-opacity:.2}svg .of{fill:var(--c)}
svg .mark{stroke:var(--mark);stroke-dasharray:3 3;fill:none}svg .span{fill:var(--mark);fill-opacity:.14}svg .no{fill:var(--mark);font-size:11px}
`

// canvas is a picture that is being drawn.
type canvas struct{ svg strings.Builder }

func (c *canvas) open(width, height float64, about string) {
	fmt.Fprintf(&c.svg, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %s %s" width="%s" height="%s" role="img" aria-label="%s">`,
		px(width), px(height), px(width), px(height), escape(about))
}

func (c *canvas) close() string {
	c.svg.WriteString("</svg>")
	return c.svg.String()
}

func (c *canvas) line(class string, x1, y1, x2, y2 float64) {
	fmt.Fprintf(&c.svg, `<path class="%s" d="M%s %sL%s %s"/>`, class, px(x1), px(y1), px(x2), px(y2))
}

func (c *canvas) rect(class string, x, y, width, height float64, about string) {
	fmt.Fprintf(&c.svg, `<rect class="%s" x="%s" y="%s" width="%s" height="%s"><title>%s</title></rect>`, class, px(x), px(y), px(math.Max(width, 0)), px(math.Max(height, 0)), escape(about))
}

// text writes a text that begins, has its middle, or ends at a place.
func (c *canvas) text(class, anchor string, x, y float64, s string) {
	fmt.Fprintf(&c.svg, `<text class="%s" text-anchor="%s" x="%s" y="%s">%s</text>`, class, anchor, px(x), px(y), escape(s))
}

// path draws a line through points; NaN is a gap.
func (c *canvas) path(class string, points [][2]float64) {
	var d strings.Builder
	pen := "M"
	for _, p := range points {
		if math.IsNaN(p[1]) {
			pen = "M"
			continue
		}
		d.WriteString(pen + px(p[0]) + " " + px(p[1]))
		pen = "L"
	}
	if d.Len() > 0 {
		fmt.Fprintf(&c.svg, `<path class="%s" d="%s"/>`, class, d.String())
	}
}

// area fills what lies between two lines over the same places.
func (c *canvas) area(class string, upper, lower [][2]float64, about string) {
	var d strings.Builder
	for begin := 0; begin < len(upper); {
		if math.IsNaN(upper[begin][1]) || math.IsNaN(lower[begin][1]) {
			begin++
			continue
		}
		end := begin
		for end < len(upper) && !math.IsNaN(upper[end][1]) && !math.IsNaN(lower[end][1]) {
			end++
		}
		pen := "M"
		for _, p := range upper[begin:end] {
			d.WriteString(pen + px(p[0]) + " " + px(p[1]))
			pen = "L"
		}
		for i := end - 1; i >= begin; i-- {
			d.WriteString("L" + px(lower[i][0]) + " " + px(lower[i][1]))
		}
		d.WriteString("Z")
		begin = end
	}
	if d.Len() > 0 {
		fmt.Fprintf(&c.svg, `<path class="%s" d="%s"><title>%s</title></path>`, class, d.String(), escape(about))
	}
}

// px writes a place to a tenth of a pixel.
func px(v float64) string {
	return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64)
}

func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a builder takes everything
	return b.String()
}

// widthOf is the room that a text takes at most.
func widthOf(s string) float64 { return letterEm * float64(len([]rune(s))) }

// cut shortens a text to a room.
func cut(s string, room float64) string {
	r := []rune(s)
	if most := int(room / letterEm); len(r) > most {
		return string(r[:max(most-1, 0)]) + "…"
	}
	return s
}

func colour(i int) string { return "c" + strconv.Itoa(i%Colours) }

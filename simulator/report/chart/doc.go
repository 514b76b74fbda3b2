// Package chart draws figures as SVG: lines and stacked areas over time or another axis, and bars. It is pure: the same figures give the same picture.
//
// A picture is drawn for a width in pixels, so that its letters are of one size on a wide page and on a phone. Colours are classes, c0 to c7: [Style]
// gives them values that people with any colour vision can tell apart, for light and for dark pages. What cannot be drawn, a value that is not a
// number or lies on a logarithmic axis at or below zero, is a gap or lies on the edge.
package chart

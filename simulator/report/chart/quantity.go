package chart

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// A Quantity is what a number counts.
type Quantity uint8

// Quantities. Shares are from 0 to 1, durations in seconds, moments in Unix seconds, and money in units of a currency.
const (
	Count Quantity = iota
	Share
	Bytes
	Duration
	Moment
	Money
)

// Unit names the unit that numbers are in, for machines.
func (q Quantity) Unit() string {
	switch q {
	case Share:
		return "share"
	case Bytes:
		return "bytes"
	case Duration:
		return "seconds"
	case Moment:
		return "unix seconds"
	case Money:
		return "money"
	case Count:
	}
	return "count"
}

// Format writes a number for people: "1.2 kB", "3 h", "97 %". What is not a number is a dash.
func (q Quantity) Format(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "–"
	}
	switch q {
	case Share:
		return digits(100*v, 3) + " %"
	case Bytes:
		return scaled(v, 1000, []string{" B", " kB", " MB", " GB", " TB"})
	case Duration:
		return formatSeconds(v)
	case Moment:
		return time.Unix(int64(v), 0).UTC().Format("2 Jan 2006 15:04")
	case Money:
		return strconv.FormatFloat(v, 'f', 2, 64)
	case Count:
	}
	if v == math.Trunc(v) && math.Abs(v) < 1e5 {
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return scaled(v, 1000, []string{"", " k", " M", " G", " T"})
}

// scaled writes a number with the largest of its units that it reaches.
func scaled(v, step float64, units []string) string {
	i := 0
	for ; i < len(units)-1 && math.Abs(v) >= step*0.9995; i++ {
		v /= step
	}
	return digits(v, 3) + units[i]
}

// digits writes a number with up to n significant digits.
func digits(v float64, n int) string {
	if v == 0 {
		return "0"
	}
	decimals := max(0, n-1-int(math.Floor(math.Log10(math.Abs(v)))))
	s := strconv.FormatFloat(v, 'f', min(decimals, 6), 64)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}

// spans are the units of time, the longest first.
var spans = []struct {
	seconds float64
	name    string
}{{365 * 86400, " y"}, {86400, " d"}, {3600, " h"}, {60, " min"}, {1, " s"}, {1e-3, " ms"}}

func formatSeconds(v float64) string {
	if v == 0 {
		return "0 s"
	}
	for _, s := range spans {
		if math.Abs(v) >= s.seconds*0.9995 {
			return digits(v/s.seconds, 3) + s.name
		}
	}
	return digits(v*1e3, 2) + " ms"
}

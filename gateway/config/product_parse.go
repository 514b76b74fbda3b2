package config

import (
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/codec/train"
	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/gateway/hub"
)

// ParseProduct reads a product file. The file's name is for the problems.
func ParseProduct(file, text string) (hub.Product, FileErrors) {
	ps := &problems{file: file, lines: scanLines(text)}
	p, draft := ps.product(text, false)
	ps.template("", 0, &p, &draft)
	return p, ps.list
}

// template finishes a product whose fields are all decided, if nothing was wrong with it since there were so many problems.
func (ps *problems) template(path string, before int, p *hub.Product, draft *train.Draft) {
	for i := range draft.Fields {
		if key := join(path, fmt.Sprintf("field[%d].bits", i)); draft.Fields[i].AnyWidth && !slices.ContainsFunc(ps.list, func(p Problem) bool { return p.Key == key }) {
			ps.add(key, "bits = 7; godwit template train chooses it", "it is missing, or 0")
		}
	}
	if len(ps.list) > before {
		return
	}
	fields := make([]codec.Field, len(draft.Fields))
	for i := range fields {
		fields[i] = draft.Fields[i].Field
	}
	t, err := codec.NewTemplate(draft.Timing, fields)
	if err != nil {
		for one := range strings.SplitSeq(err.Error(), "\n") {
			ps.add(join(path, "field"), "", "%s", one)
		}
		return
	}
	p.Template = t
}

// ParseDraft reads a product file that training is to finish: without scale, min or bits in a field, and without an interval, they are open.
func ParseDraft(file, text string) (hub.Product, train.Draft, FileErrors) {
	ps := &problems{file: file, lines: scanLines(text)}
	p, draft := ps.product(text, true)
	if len(ps.list) == 0 && len(draft.Fields) == 0 {
		ps.add("field", `[[field]] with id = 1, name = "battery"`, "there are no fields")
	}
	draft.AnyInterval = draft.Timing.Interval == 0
	return p, draft, ps.list
}

// product reads a product file but for what only a template can check. What an open one leaves out is for training to choose.
func (ps *problems) product(text string, open bool) (hub.Product, train.Draft) {
	tree := make(map[string]any)
	if !ps.parse(text, tree) {
		return hub.Product{}, train.Draft{}
	}
	return ps.productOf("", tree, open)
}

// productOf is product for a table.
func (ps *problems) productOf(path string, table map[string]any, open bool) (hub.Product, train.Draft) {
	pf := productFile{TimeUnit: "seconds"}
	ps.decode(path, table, &pf)
	p := hub.Product{Name: pf.Name, Releases: make(map[uint8]string), Deadbands: make(map[string]int64)}
	if !fleet.ValidToken(pf.Name) {
		ps.add(join(path, "name"), "1 to 32 of A-Z a-z 0-9 _ -", "%q cannot name a product", pf.Name)
	}
	for _, index := range slices.Sorted(maps.Keys(pf.Releases)) {
		n, err := strconv.ParseUint(index, 10, 8)
		if version := pf.Releases[index]; err != nil || version == "" || len(version) > 32 {
			ps.add(join(path, "releases"), `1 = "2.4.0"`, "%s = %q: want an index of 0 to 255 and a version", index, version)
			continue
		}
		p.Releases[uint8(n)] = pf.Releases[index]
	}
	draft := train.Draft{Timing: ps.timing(path, &pf)}
	for i := range pf.Fields {
		path := join(path, fmt.Sprintf("field[%d]", i))
		f := ps.field(path, &pf.Fields[i])
		if steps, ok := ps.deadband(path+".deadband", pf.Fields[i].Deadband, f.Scale, open && f.AnyScale); ok {
			p.Deadbands[f.Name] = steps
		}
		draft.Fields = append(draft.Fields, f)
	}
	return p, draft
}

func (ps *problems) timing(path string, pf *productFile) codec.Timing {
	t := codec.Timing{Coding: ps.coding(join(path, "timing"), pf.Timing.Order, pf.Timing.Spread, pf.Timing.Model)}
	ps.oneOf(join(path, "time_unit"), pf.TimeUnit, "seconds", "minutes")
	unit := time.Second
	if pf.TimeUnit == "minutes" {
		t.Unit, unit = codec.Minutes, time.Minute
	}
	if pf.Interval < 0 || pf.Interval > 366*24*time.Hour || pf.Interval%unit != 0 {
		ps.add(join(path, "interval"), `interval = "1h"`, "%s is not a whole number of %s up to 366 days", pf.Interval, pf.TimeUnit)
		return t
	}
	t.Interval = uint32(pf.Interval / unit) //nolint:gosec // at most a year of seconds
	return t
}

// coding reads how differences are written.
func (ps *problems) coding(path string, order, spread int, model string) codec.Coding {
	c := codec.Coding{}
	for _, n := range []struct {
		key   string
		value int
		most  int
		into  *uint8
	}{{"order", order, 15, &c.Order}, {"spread", spread, 30, &c.Spread}} {
		if n.value < 0 || n.value > n.most {
			ps.add(path+"."+n.key, "godwit template train chooses it", "%d is not within 0 to %d", n.value, n.most)
			continue
		}
		*n.into = uint8(n.value) //nolint:gosec // checked above
	}
	if model == "" {
		return c
	}
	b, err := hex.DecodeString(model)
	bad := err != nil || len(b) != codec.ModelLen
	for _, index := range b {
		bad = bad || int(index) >= codec.ModelIndexes
	}
	if bad {
		ps.add(path+".model", "godwit template train writes it; without it the default serves", "want %d bytes in hexadecimal, each below %d", codec.ModelLen, codec.ModelIndexes)
		return c
	}
	c.Model = b
	return c
}

var predictors = map[string]codec.Predictor{
	"": codec.PredictLast, "last": codec.PredictLast, "elapsed": codec.PredictElapsed, "trend": codec.PredictTrend, "zero": codec.PredictZero,
	"along": codec.PredictAlong,
}

func (ps *problems) field(path string, pf *productField) train.Field {
	f := train.Field{AnyScale: pf.Scale == "", AnyOffset: pf.Min == "", AnyWidth: pf.Bits == 0}
	f.AnyOffset = f.AnyOffset && f.AnyWidth // bits without min begin at 0
	f.Name, f.Unit, f.Optional, f.Scale = pf.Name, pf.Unit, pf.Optional, codec.Decimal{Coef: 1}
	for _, n := range []struct {
		key   string
		value int
		most  int
		into  *uint8
	}{{"id", pf.ID, 255, &f.ID}, {"bits", pf.Bits, 40, &f.Width}, {"group", pf.Group, 8, &f.Group}} {
		if n.value < 0 || n.value > n.most {
			ps.add(path+"."+n.key, "", "%d is not within 0 to %d", n.value, n.most)
			continue
		}
		*n.into = uint8(n.value) //nolint:gosec // checked above
	}
	predictor, ok := predictors[pf.Predictor]
	if f.Predictor = predictor; !ok {
		ps.add(path+".predictor", "last, elapsed, trend, zero or along", "%q is not a predictor", pf.Predictor)
	}
	f.Coding = ps.coding(path, pf.Order, pf.Spread, pf.Model)
	if pf.Scale != "" {
		var err error
		if f.Scale, err = parseDecimal(pf.Scale); err != nil || f.Scale.Coef <= 0 {
			ps.add(path+".scale", `"0.01"`, "%q is not a positive decimal number", pf.Scale)
			f.Scale = codec.Decimal{Coef: 1}
			return f
		}
	}
	if pf.Min != "" {
		m, err := parseDecimal(pf.Min)
		if err != nil {
			ps.add(path+".min", `"-40"`, "%q is not a decimal number", pf.Min)
			return f
		}
		steps, ok := quotient(m, f.Scale)
		if !ok {
			ps.add(path+".min", "", "%s is not a multiple of the scale %s", pf.Min, pf.Scale)
		}
		f.Offset, f.AnyScale = steps, false
	}
	return f
}

// deadband reads a change that need not be reported, in steps of a scale: of none if that is still to be chosen.
func (ps *problems) deadband(key, text string, scale codec.Decimal, anyScale bool) (int64, bool) {
	if text == "" {
		return 0, false
	}
	d, err := parseDecimal(text)
	if err != nil || d.Coef < 0 {
		ps.add(key, `deadband = "0.2"`, "%q is not a decimal number above zero", text)
		return 0, false
	}
	if anyScale && d.Coef > 0 {
		return 0, false
	}
	steps, ok := quotient(d, scale)
	if !ok || steps == 0 {
		ps.add(key, "changes below a step are never reported", "%s is not a multiple of the scale", text)
		return 0, false
	}
	return steps, true
}

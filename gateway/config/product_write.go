package config

import (
	"encoding/hex"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/godwit-gateway/godwit/codec"
)

// Finish writes a template into the product file that its draft is from. Comments, order and all other keys stay.
func Finish(file, text string, t *codec.Template) (string, error) {
	parts := splitTables(text)
	timing := t.Timing()
	unit := time.Second
	if timing.Unit == codec.Minutes {
		unit = time.Minute
	}
	interval := keyValue{key: "interval"}
	if timing.Interval > 0 {
		interval.value = strconv.Quote(shortDuration(time.Duration(timing.Interval) * unit))
	}
	parts[0].set(interval)
	times, fields := -1, []int(nil)
	for i := range parts {
		switch {
		case parts[i].header == "timing":
			times = i
		case strings.HasPrefix(parts[i].header, "field["):
			fields = append(fields, i)
		}
	}
	if len(fields) != len(t.Fields()) {
		return "", fmt.Errorf("%s: write each field as a table of its own, [[field]]", file)
	}
	for n, i := range fields {
		parts[i].finishField(&t.Fields()[n])
	}
	if times < 0 {
		times = fields[0]
		table := tomlTable{header: "timing", lines: []string{"[timing]", ""}}
		parts = append(parts[:times], append([]tomlTable{table}, parts[times:]...)...)
	}
	parts[times].set(codingKeys(timing.Coding)...)
	var all []string
	for _, p := range parts {
		all = append(all, p.lines...)
	}
	out := strings.Join(all, "\n")
	p, problems := ParseProduct(file, out)
	if len(problems) > 0 {
		return "", fmt.Errorf("the finished file: %w", problems)
	}
	if p.Template.Hash() != t.Hash() {
		return "", fmt.Errorf("%s: write keys in the plain form, one a line", file)
	}
	return out, nil
}

// shortDuration is a duration without zeros at its end: 1h, not 1h0m0s.
func shortDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-2]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-2]
	}
	return s
}

// keyValue is an assignment; without a value it is taken out.
type keyValue struct {
	key, value string
	keep       bool // what the file has stays
}

func codingKeys(c codec.Coding) []keyValue {
	model := ""
	if len(c.Model) > 0 {
		model = strconv.Quote(hex.EncodeToString(c.Model))
	}
	return []keyValue{
		{key: "order", value: strconv.Itoa(int(c.Order))}, {key: "spread", value: strconv.Itoa(int(c.Spread))}, {key: "model", value: model},
	}
}

func (p *tomlTable) finishField(f *codec.Field) {
	keys := []keyValue{
		{key: "scale", value: `"` + decimalOf(f, 1) + `"`, keep: true},
		{key: "min", value: `"` + decimalOf(f, f.Offset) + `"`, keep: true},
		{key: "bits", value: strconv.Itoa(int(f.Width)), keep: true},
		{key: "predictor", value: `"` + f.Predictor.String() + `"`},
	}
	p.set(append(keys, codingKeys(f.Coding)...)...)
}

// decimalOf is the value of steps of a field's scale, in the form that parseDecimal reads as this very scale.
func decimalOf(f *codec.Field, steps int64) string {
	if f.Scale.Exp <= 0 {
		return string(codec.AppendDecimal(nil, f, steps))
	}
	return fmt.Sprintf("%de%d", steps*f.Scale.Coef, f.Scale.Exp)
}

// tomlTable is the lines of a table of a file, its header first. The first table has no header.
type tomlTable struct {
	header string // "field[0]"
	lines  []string
}

func splitTables(text string) []tomlTable {
	tables := []tomlTable{{}}
	counts := make(map[string]int)
	for line := range strings.SplitSeq(text, "\n") {
		if m := headerLine.FindStringSubmatch(line); m != nil {
			name := plainKey(m[2])
			if m[1] == "[[" {
				n := counts[name]
				counts[name]++
				name += "[" + strconv.Itoa(n) + "]"
			}
			tables = append(tables, tomlTable{header: name})
		}
		last := &tables[len(tables)-1]
		last.lines = append(last.lines, line)
	}
	return tables
}

// afterValue is what follows a value on its line.
var afterValue = regexp.MustCompile(`\s+#[^"']*$`)

// set changes keys in their places, and adds those that the table lacks behind its last key.
func (p *tomlTable) set(keys ...keyValue) {
	for _, k := range keys {
		p.setOne(k)
	}
}

func (p *tomlTable) setOne(k keyValue) {
	end := 0
	if p.header != "" {
		end = 1
	}
	for i, line := range p.lines {
		m := keyLine.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		if end = i + 1; plainKey(m[1]) != k.key {
			continue
		}
		switch {
		case k.keep:
		case k.value == "":
			p.lines = append(p.lines[:i], p.lines[i+1:]...)
		default:
			p.lines[i] = k.key + " = " + k.value + afterValue.FindString(line)
		}
		return
	}
	if k.value != "" {
		p.lines = append(p.lines[:end], append([]string{k.key + " = " + k.value}, p.lines[end:]...)...)
	}
}

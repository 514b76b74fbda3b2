package main

import (
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/godwit-gateway/godwit/codec"
)

type templateCCmd struct {
	Product string `arg:"" help:"Product file, or name of a built-in product."`
	Name    string `help:"What the names in C begin with; by default the product's name." placeholder:"NAME"`
}

// Help shows an example.
func (templateCCmd) Help() string {
	return `Prints a header for firmware that uses codec/c: the template as a struct godwit_template, an enum with the index of each
field in the values of a status, and the ids of the fields.

Example:
  godwit template c buoy.toml > buoy.h
  godwit template c buoy.toml --name tank > tank.h`
}

// Run prints.
func (c *templateCCmd) Run(e *env) error {
	p, err := readProduct(c.Product)
	if err != nil {
		return err
	}
	name := cName(p.Name)
	if c.Name != "" {
		if name = cName(c.Name); name != c.Name {
			return fmt.Errorf("%w: --name %s: want letters, digits and _, and no digit first", errUsage, c.Name)
		}
	}
	v := view(&p)
	text := cHeader(&v, p.Template, name)
	if e.cli.Output == "json" {
		return e.print(map[string]string{"product": p.Name, "hash": v.Hash, "c": text}, "", nil)
	}
	_, err = fmt.Fprint(e.stdout, text)
	return written(err)
}

// cName makes a name of C of any text.
func cName(text string) string {
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, text)
	if name == "" || name[0] >= '0' && name[0] <= '9' {
		name = "_" + name
	}
	if name[0] == '_' { // such names are the compiler's
		name = "t" + name
	}
	return name
}

// cComment is text that cannot end a comment, nor look like the beginning of one.
func cComment(text string) string {
	return strings.NewReplacer("*/", "* /", "/*", "/ *", "\n", " ", "\r", " ").Replace(text)
}

// cFields are the constants for the fields, all different: what is not a letter or a digit became the same sign.
func cFields(t *codec.Template, name string) []string {
	seen := make(map[string]bool)
	list := make([]string, len(t.Fields()))
	for i := range t.Fields() {
		f := &t.Fields()[i]
		one := strings.ToUpper(name + "_" + strings.TrimPrefix(cName(f.Name), "t_"))
		if seen[one] || one == strings.ToUpper(name)+"_FIELDS" || one == strings.ToUpper(name)+"_H" {
			one = fmt.Sprintf("%s_%d", one, f.ID)
		}
		seen[one], list[i] = true, one
	}
	return list
}

// cModels are the different models of a template and how a name each is written.
type cModels struct {
	name  string
	text  strings.Builder
	names map[string]string
}

func (m *cModels) use(c codec.Coding) string {
	if len(c.Model) == 0 {
		return "NULL"
	}
	key := string(c.Model)
	if n, ok := m.names[key]; ok {
		return n
	}
	n := fmt.Sprintf("%s_model_%d", m.name, len(m.names))
	m.names[key] = n
	fmt.Fprintf(&m.text, "static const uint8_t %s[%d] = {", n, len(c.Model))
	for i, b := range c.Model {
		if i%20 == 0 {
			m.text.WriteString("\n\t")
		} else {
			m.text.WriteString(" ")
		}
		fmt.Fprintf(&m.text, "%d,", b)
	}
	m.text.WriteString("\n};\n")
	return n
}

// coding is what godwit_coding has of a coding.
func (m *cModels) coding(c codec.Coding) string {
	return fmt.Sprintf(".model = %s, .order = %d, .spread = %d", m.use(c), c.Order, c.Spread)
}

// cRise says how fast a field of predictor 1 rises: by so many steps in so many units of time. No time that passes is as long as 2^31 - 1 of these, so that is
// as good as any greater number.
func cRise(unit codec.TimeUnit, f *codec.Field) (rise, per int64) {
	if f.Predictor != codec.PredictElapsed {
		return 0, 0
	}
	rise, per = 1, f.Scale.Coef
	if unit == codec.Minutes {
		rise = 60
	}
	for e := f.Scale.Exp; e < 0; e++ {
		rise *= 10
	}
	for e := f.Scale.Exp; e > 0; e-- {
		per *= 10
	}
	a, b := rise, per
	for b != 0 {
		a, b = b, a%b
	}
	return rise / a, min(per/a, math.MaxInt32)
}

// cHeader is the template in C, for the structs of codec/c/godwit.h.
func cHeader(v *templateView, t *codec.Template, name string) string {
	models := cModels{name: name, names: make(map[string]string)}
	constants := cFields(t, name)
	upper := strings.ToUpper(name)
	var enum, fields strings.Builder
	ids := make([]string, len(constants))
	groups := 0
	for i := range t.Fields() {
		f, shown := &t.Fields()[i], &v.Fields[i]
		unit := ""
		if f.Unit != "" {
			unit = " " + f.Unit
		}
		fmt.Fprintf(&enum, "\t%s, /* %s */\n", constants[i],
			cComment(fmt.Sprintf("%s: steps of %s%s, %s to %s%s", f.Name, shown.Scale, unit, shown.Min, shown.Max, unit)))
		ids[i] = strconv.Itoa(int(f.ID))
		rise, per := cRise(t.Timing().Unit, f)
		optional := 0
		if f.Optional {
			optional = 1
		}
		groups = max(groups, int(f.Group))
		fmt.Fprintf(&fields, "\t{.offset = %d, .per = %d, .rise = %d, .group = %d, .predictor = %d, .coding = {%s, .width = %d, .optional = %d}},\n",
			f.Offset, per, rise, f.Group, f.Predictor, models.coding(f.Coding), f.Width, optional)
	}
	timing := t.Timing()
	times, unit, width := models.coding(timing.Coding), 1, 20
	if timing.Unit == codec.Minutes {
		unit, width = 60, 16
	}
	hash := t.Hash()
	var b strings.Builder
	fmt.Fprintf(&b, "/* The template of product %s, hash %s. Made by godwit template c: change the product file, not this. */\n", cComment(v.Product), hex.EncodeToString(hash[:]))
	fmt.Fprintf(&b, "#ifndef %s_H\n#define %s_H\n\n#include \"godwit.h\"\n\n", upper, upper)
	fmt.Fprintf(&b, "/* Where the values of a status stand, each in steps from 0, or GODWIT_NONE. */\nenum {\n%s\t%s_FIELDS\n};\n\n", &enum, upper)
	fmt.Fprintf(&b, "/* The ids of the fields, by which a policy names them. */\nstatic const uint8_t %s_ids[%s_FIELDS] = {%s};\n\n", name, upper, strings.Join(ids, ", "))
	if models.text.Len() > 0 {
		fmt.Fprintf(&b, "%s\n", &models.text)
	}
	fmt.Fprintf(&b, "static const struct godwit_field %s_fields[%s_FIELDS] = {\n%s};\n\n", name, upper, &fields)
	fmt.Fprintf(&b, "static const struct godwit_template %s_template = {\n\t.fields = %s_fields, .count = %s_FIELDS, .groups = %d, .unit = %d, .interval = %d, .time = {%s, .width = %d},\n\t.hash = {",
		name, name, upper, groups, unit, timing.Interval, times, width)
	for i, x := range hash {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "0x%02x", x)
	}
	b.WriteString("},\n};\n\n#endif\n")
	return b.String()
}

package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/gateway/config"
	"github.com/godwit-gateway/godwit/gateway/hub"
)

type templateLintCmd struct {
	Files []string `arg:"" help:"Product files." type:"existingfile"`
}

// Help shows an example.
func (templateLintCmd) Help() string {
	return `Prints all mistakes with their lines, and exits with 1 if there are any. What is allowed but costs bytes is
printed as a remark.

Example:
  godwit template lint products/*.toml`
}

// Run checks.
func (c *templateLintCmd) Run(e *env) error {
	var mistakes config.FileErrors
	remarks := []map[string]string{}
	for _, name := range c.Files {
		text, err := os.ReadFile(name)
		if err != nil {
			return fmt.Errorf("read the product: %w", err)
		}
		p, problems := config.ParseProduct(name, string(text))
		if mistakes = append(mistakes, problems...); len(problems) > 0 {
			continue
		}
		for _, r := range lintRemarks(&p) {
			remarks = append(remarks, map[string]string{"file": name, "remark": r})
		}
	}
	err := e.print(remarks, "", func(row func(...any)) {
		for _, r := range remarks {
			row(r["file"]+":", r["remark"])
		}
	})
	if len(mistakes) > 0 {
		return mistakes
	}
	return err
}

// lintRemarks is what could be better of a product.
func lintRemarks(p *hub.Product) (list []string) {
	if t := p.Template.Timing(); t.Interval == 0 {
		list = append(list, "no interval: the first deltas after each keyframe spell their time out")
	} else if len(t.Coding.Model) == 0 {
		list = append(list, "the time has no model: godwit template train chooses one")
	}
	for i := range p.Template.Fields() {
		f := &p.Template.Fields()[i]
		if len(f.Coding.Model) == 0 {
			list = append(list, fmt.Sprintf("field %q has no model: godwit template train chooses one", f.Name))
		}
		if f.Unit == "s" && f.Predictor != codec.PredictElapsed {
			list = append(list, fmt.Sprintf("field %q counts seconds: if it grows with the clock, set predictor = \"elapsed\"", f.Name))
		}
	}
	return list
}

type templateDiffCmd struct {
	From string `arg:"" help:"Product file, or name of a built-in product."`
	To   string `arg:"" help:"Product file, or name of a built-in product."`
}

// Help shows an example.
func (templateDiffCmd) Help() string {
	return `Prints what differs in the templates, field by field in their order. Any difference makes another template. The exit
code is 0 if there is none, and 1 otherwise.

Example:
  godwit template diff buoy-2025.toml buoy.toml`
}

// difference is one that is printed.
type difference struct {
	What string `json:"what"`
	From string `json:"from"`
	To   string `json:"to"`
}

var errDiffer = errors.New("the templates differ")

// Run compares.
func (c *templateDiffCmd) Run(e *env) error {
	from, err := readProduct(c.From)
	if err != nil {
		return err
	}
	to, err := readProduct(c.To)
	if err != nil {
		return err
	}
	a, b := view(&from), view(&to)
	list := diffViews(&a, &b)
	err = e.print(list, "", func(row func(...any)) {
		for _, d := range list {
			row(d.What, d.From, d.To)
		}
	})
	if err == nil && a.Hash != b.Hash {
		return errDiffer
	}
	return err
}

func diffViews(a, b *templateView) []difference {
	list := []difference{}
	compare := func(what string, x, y any) {
		if s, t := fmt.Sprint(x), fmt.Sprint(y); s != t {
			list = append(list, difference{what, s, t})
		}
	}
	compare("time unit", a.TimeUnit, b.TimeUnit)
	compare("interval", a.Interval, b.Interval)
	compareCodings(compare, "time", a.Timing, b.Timing)
	for i := range max(len(a.Fields), len(b.Fields)) {
		x, y := fieldView{}, fieldView{}
		if i < len(a.Fields) {
			x = a.Fields[i]
		}
		if i < len(b.Fields) {
			y = b.Fields[i]
		}
		name := fmt.Sprintf("field[%d]", i)
		compare(name+".id", x.ID, y.ID)
		compare(name+".name", x.Name, y.Name)
		compare(name+".unit", x.Unit, y.Unit)
		if x.Scale == y.Scale && x.written != y.written {
			compare(name+".scale", fmt.Sprintf("%de%d", x.written.Coef, x.written.Exp), fmt.Sprintf("%de%d", y.written.Coef, y.written.Exp))
		} else {
			compare(name+".scale", x.Scale, y.Scale)
		}
		compare(name+".min", x.Min, y.Min)
		compare(name+".bits", x.Bits, y.Bits)
		compare(name+".optional", x.Optional, y.Optional)
		compare(name+".group", x.Group, y.Group)
		compare(name+".predictor", x.Predictor, y.Predictor)
		compareCodings(compare, name, x.codingView, y.codingView)
	}
	return list
}

func compareCodings(compare func(what string, x, y any), name string, x, y codingView) {
	compare(name+".order", x.Order, y.Order)
	compare(name+".spread", x.Spread, y.Spread)
	compare(name+".model", x.Model, y.Model)
}

package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/gateway/config"
	"github.com/godwit-gateway/godwit/gateway/hub"
)

type templateCmd struct {
	Train templateTrainCmd `cmd:"" help:"Choose scales, ranges and codings of a product from data."`
	Show  templateShowCmd  `cmd:"" help:"Show the template of a product."`
	Hash  templateHashCmd  `cmd:"" help:"Print the hash that names a product's template."`
	Lint  templateLintCmd  `cmd:"" help:"Check product files."`
	Diff  templateDiffCmd  `cmd:"" help:"Compare the templates of two products."`
	C     templateCCmd     `cmd:"" name:"c" help:"Print the template of a product as a header for firmware in C."`
}

// readProduct reads a product file, or takes the product of that name which comes with the program.
func readProduct(name string) (hub.Product, error) {
	text, err := os.ReadFile(name)
	if errors.Is(err, os.ErrNotExist) {
		p, err := config.BuiltIn(name)
		if err != nil {
			return p, fmt.Errorf("%w: no such file, and %w", errUsage, err)
		}
		return p, nil
	}
	if err != nil {
		return hub.Product{}, fmt.Errorf("read the product: %w", err)
	}
	p, problems := config.ParseProduct(name, string(text))
	if len(problems) > 0 {
		return p, problems
	}
	return p, nil
}

type templateShowCmd struct {
	Product string `arg:"" help:"Product file, or name of a built-in product."`
}

// Help shows an example.
func (templateShowCmd) Help() string {
	return `Shows what the template says of times and of each field: range, bits in a keyframe, and how deltas write it.

Example:
  godwit template show buoy.toml
  godwit template show buoy-demo -o json`
}

// fieldView is a field as it is printed.
type fieldView struct {
	ID        uint8  `json:"id"`
	Name      string `json:"name"`
	Unit      string `json:"unit"`
	Scale     string `json:"scale"`
	Min       string `json:"min"`
	Max       string `json:"max"`
	Bits      uint8  `json:"bits"`
	Optional  bool   `json:"optional"`
	Group     uint8  `json:"group"`
	Predictor string `json:"predictor"`
	codingView
	Deadband string `json:"deadband,omitempty"` // a policy: not part of the template

	written codec.Decimal // the scale: 0.1 and 0.10 are one number and two templates
}

type codingView struct {
	Order  uint8  `json:"order"`
	Spread uint8  `json:"spread"`
	Model  string `json:"model"`
}

// templateView is a template as it is printed.
type templateView struct {
	Product  string      `json:"product"`
	Hash     string      `json:"hash"`
	Bytes    int         `json:"bytes"` // of its canonical form
	TimeUnit string      `json:"time_unit"`
	Interval uint32      `json:"interval"` // in time units
	Timing   codingView  `json:"timing"`
	Fields   []fieldView `json:"fields"`
}

func viewCoding(c codec.Coding) codingView {
	return codingView{Order: c.Order, Spread: c.Spread, Model: hex.EncodeToString(c.Model)}
}

func hashOf(t *codec.Template) string {
	h := t.Hash()
	return hex.EncodeToString(h[:])
}

func view(p *hub.Product) templateView {
	t := p.Template
	timing := t.Timing()
	v := templateView{
		Product: p.Name, Hash: hashOf(t), Bytes: len(t.Canonical()), TimeUnit: "seconds", Interval: timing.Interval, Timing: viewCoding(timing.Coding),
	}
	if timing.Unit == codec.Minutes {
		v.TimeUnit = "minutes"
	}
	for i := range t.Fields() {
		f := &t.Fields()[i]
		top := int64(1)<<f.Width - 1
		if !f.Optional {
			top-- // all ones mean "not measured"
		}
		one := fieldView{
			ID: f.ID, Name: f.Name, Unit: f.Unit, Bits: f.Width, Optional: f.Optional, Group: f.Group, codingView: viewCoding(f.Coding),
			Scale: string(codec.AppendDecimal(nil, f, 1)), Min: string(codec.AppendDecimal(nil, f, f.Offset)), Max: string(codec.AppendDecimal(nil, f, f.Offset+top)),
			Predictor: f.Predictor.String(), written: f.Scale,
		}
		if steps, ok := p.Deadbands[f.Name]; ok {
			one.Deadband = string(codec.AppendDecimal(nil, f, steps))
		}
		v.Fields = append(v.Fields, one)
	}
	return v
}

func trained(model string) string {
	if model == "" {
		return "default"
	}
	return "trained"
}

// Run shows.
func (c *templateShowCmd) Run(e *env) error {
	p, err := readProduct(c.Product)
	if err != nil {
		return err
	}
	v := view(&p)
	return e.print(v, "ID NAME UNIT SCALE MIN MAX BITS OPTIONAL GROUP PREDICTOR ORDER SPREAD MODEL DEADBAND", func(row func(...any)) {
		for _, f := range v.Fields {
			row(f.ID, f.Name, f.Unit, f.Scale, f.Min, f.Max, f.Bits, f.Optional, f.Group, f.Predictor, f.Order, f.Spread, trained(f.Model), f.Deadband)
		}
		row("", "time", v.TimeUnit, "", "", "", "", "", "", fmt.Sprintf("every %d", v.Interval), v.Timing.Order, v.Timing.Spread, trained(v.Timing.Model))
		row("")
		row("product", v.Product)
		row("hash", v.Hash)
		row("template", fmt.Sprintf("%d B", v.Bytes))
	})
}

type templateHashCmd struct {
	Products []string `arg:"" help:"Product files, or names of built-in products."`
}

// Help shows an example.
func (templateHashCmd) Help() string {
	return `The hash is the first 8 bytes of SHA-256 over the template's canonical form. Devices name their templates by it.

Example:
  godwit template hash buoy.toml truck-demo`
}

// Run prints hashes.
func (c *templateHashCmd) Run(e *env) error {
	list := make([]map[string]string, 0, len(c.Products))
	for _, name := range c.Products {
		p, err := readProduct(name)
		if err != nil {
			return err
		}
		list = append(list, map[string]string{"file": name, "product": p.Name, "hash": hashOf(p.Template)})
	}
	return e.print(list, "", func(row func(...any)) {
		for _, one := range list {
			row(one["hash"], one["product"], one["file"])
		}
	})
}

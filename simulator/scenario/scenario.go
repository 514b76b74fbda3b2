package scenario

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/godwit-gateway/godwit/gateway/config"
	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/simulator/world"
)

// A Scenario is a world with a story.
type Scenario struct {
	Name     string // of its file, without the ending
	Title    string
	Story    string // what happens, and why one would play it
	Look     string // what the report shows of it
	Currency string // of all its prices

	Setup world.Setup
}

// Bounds of what can be asked for.
const (
	samplesUsual = 240
	samplesMax   = 2000
	lengthMax    = 10 * 366 * 24 * time.Hour
	repeatsMax   = 1000
)

// parser reads one file.
type parser struct {
	doc   *config.Document
	files fs.FS // next to the scenario, for product files; nil: there are none
	setup world.Setup
}

// Parse reads a scenario. Its name is that of its file, for the problems; files are those next to it, for the product files that it names, nil if
// there are none. The error of a bad file is of type config.FileErrors: every mistake with its line.
func Parse(name, text string, files fs.FS) (*Scenario, error) {
	doc, err := config.ParseDocument(name, text, "godwit-sim run --keys lists all keys")
	if err != nil {
		return nil, fmt.Errorf("scenario: %w", err)
	}
	p := &parser{doc: doc, files: files}
	f := file{Length: 30 * 24 * time.Hour, Seed: 1}
	doc.Bind("", without(doc.Tree, "product", "link", "group", "incident", "schedule", "release", "rollout"), &f)
	p.frame(&f)
	p.products()
	links := p.links()
	p.schedule(f.Currency, links, p.groups(links))
	p.releases()
	p.rollouts()
	p.incidents()
	if doc.Err() == nil {
		doc.AddAll("", p.setup.Validate())
	}
	if err := doc.Err(); err != nil {
		return nil, fmt.Errorf("scenario: %w", err)
	}
	s := &Scenario{
		Name: strings.TrimSuffix(path.Base(name), ".toml"), Title: f.Title, Story: flow(f.Story), Look: flow(f.Look), Currency: f.Currency,
		Setup: p.setup,
	}
	if s.Title == "" {
		s.Title = s.Name
	}
	return s, nil
}

// flow is a text without the ends of lines that a file needs; empty lines part its paragraphs.
func flow(text string) string {
	var paragraphs []string
	for p := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		paragraphs = append(paragraphs, strings.Join(strings.Fields(p), " "))
	}
	return strings.Join(paragraphs, "\n\n")
}

// frame is what holds for the world as a whole.
func (p *parser) frame(f *file) {
	if f.Seed < 0 {
		p.doc.Add("seed", "", "%d is below zero", f.Seed)
	}
	if f.Length < time.Hour || f.Length > lengthMax {
		p.doc.Add("length", `length = "30d"`, "%s is not within an hour and ten years", f.Length)
		f.Length = time.Hour
	}
	if f.Sample != 0 && (f.Sample < 0 || f.Length/f.Sample > samplesMax) {
		p.doc.Add("sample", "sample = "+quick(f.Length/samplesUsual), "%s gives more than %d samples", f.Sample, samplesMax)
	}
	for _, d := range []struct {
		key   string
		value time.Duration
	}{{"publish", f.Publish}, {"keep", f.Keep}, {"stream", f.Stream}} {
		if d.value < 0 {
			p.doc.Add(d.key, "", "%s is below zero", d.value)
		}
	}
	p.setup = world.Setup{
		Seed: uint64(max(f.Seed, 0)), Start: f.Start, Length: f.Length, Sample: f.Sample, Publish: f.Publish, Keep: f.Keep, Stream: f.Stream, Chaos: f.Chaos,
	}
	switch zone, _ := f.Start.Zone(); {
	case f.Start.IsZero():
		p.setup.Start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	case strings.HasSuffix(zone, "-local"): // written without a zone, and the machine's must not matter
		year, month, day := f.Start.Date()
		p.setup.Start = time.Date(year, month, day, f.Start.Hour(), f.Start.Minute(), f.Start.Second(), 0, time.UTC)
	default:
		p.setup.Start = f.Start.UTC()
	}
}

// tables are those of an array of tables.
func (p *parser) tables(key string) []map[string]any {
	v, ok := p.doc.Tree[key]
	if !ok {
		return nil
	}
	tables, ok := v.([]map[string]any)
	if !ok {
		p.doc.Add(key, "[["+key+"]]", "want tables in double brackets")
	}
	return tables
}

// without is a table without some of its keys.
func without(table map[string]any, keys ...string) map[string]any {
	rest := maps.Clone(table)
	for _, k := range keys {
		delete(rest, k)
	}
	return rest
}

// products reads those that the file has or names.
func (p *parser) products() {
	for i, table := range p.tables("product") {
		key := fmt.Sprintf("product[%d]", i)
		var product hub.Product
		if name, ok := table["file"]; ok {
			product = p.productFile(key, table, name)
		} else {
			product = p.doc.Product(key, table)
		}
		if product.Template == nil {
			continue // it was told why
		}
		if p.product(product.Name) != nil {
			p.doc.Add(key+".name", "", "there is a product %q already", product.Name)
			continue
		}
		p.setup.Products = append(p.setup.Products, product)
	}
}

func (p *parser) productFile(key string, table map[string]any, name any) hub.Product {
	file, ok := name.(string)
	if !ok || len(table) > 1 {
		p.doc.Add(key+".file", `file = "tank.toml" and nothing else`, "want the name of a product file")
		return hub.Product{}
	}
	if p.files == nil {
		p.doc.Add(key+".file", "", "there are no files next to this scenario")
		return hub.Product{}
	}
	text, err := fs.ReadFile(p.files, path.Clean(file))
	if err != nil {
		p.doc.Add(key+".file", "a file in the scenario's folder or below it", "%s", err)
		return hub.Product{}
	}
	product, problems := config.ParseProduct(file, string(text))
	if len(problems) > 0 {
		p.doc.AddAll(key+".file", problems)
	}
	return product
}

// product finds one by its name, among those of the file and then those that the gateway brings. Nil: there is none.
func (p *parser) product(name string) *hub.Product {
	find := func(q hub.Product) bool { return q.Name == name }
	if i := slices.IndexFunc(p.setup.Products, find); i >= 0 {
		return &p.setup.Products[i]
	}
	if product, err := config.BuiltIn(name); err == nil {
		p.setup.Products = append(p.setup.Products, product)
		return &p.setup.Products[len(p.setup.Products)-1]
	}
	return nil
}

func (p *parser) incidents() {
	kinds := make([]string, 0, len(world.Kinds()))
	for _, k := range world.Kinds() {
		kinds = append(kinds, k[0])
	}
	for i, table := range p.tables("incident") {
		path := fmt.Sprintf("incident[%d]", i)
		var t incidentTable
		p.doc.Bind(path, table, &t)
		if !slices.Contains(kinds, t.Kind) {
			p.doc.Add(path+".kind", strings.Join(kinds, ", "), "%q is no kind of incident", t.Kind)
		}
		if t.At < 0 || t.At > p.setup.Length || t.For < 0 {
			p.doc.Add(path+".at", "", "%s, for %s, is not within the length of %s", t.At, t.For, p.setup.Length)
		}
		if !(t.Share >= 0 && t.Share <= 1) {
			p.doc.Add(path+".share", "", "%v is not within 0 and 1", t.Share)
		}
		p.refers(path, &t)
		if t.Kind == "offer" && t.Version == "" {
			p.doc.Add(path+".version", `version = "1.1.0"`, "is missing")
		}
		p.attention(path, &t)
		if t.Every < 0 || t.Every > 0 && (p.setup.Length-t.At)/t.Every >= repeatsMax {
			p.doc.Add(path+".every", "", "%s repeats it more than %d times", t.Every, repeatsMax)
			continue
		}
		for at := t.At; at <= p.setup.Length; at += t.Every {
			p.setup.Incidents = append(p.setup.Incidents, world.Incident{Kind: t.Kind, At: at, For: t.For, Group: t.Group, Link: t.Link, Share: t.Share, Version: t.Version, Factor: t.Factor})
			if t.Every == 0 {
				break
			}
		}
	}
}

// attention checks that operators give some only where it means something, and for how long.
func (p *parser) attention(path string, t *incidentTable) {
	if t.Kind != world.Attention {
		if t.Factor != 0 {
			p.doc.Add(path+".factor", "", "is of attention only")
		}
		return
	}
	if t.Factor == 0 {
		t.Factor = 5
	}
	if !(t.Factor >= 1 && t.Factor <= hub.AttentionMax) {
		p.doc.Add(path+".factor", "1 to 1000", "%v is out of range", t.Factor)
	}
	if t.For < time.Second {
		p.doc.Add(path+".for", `for = "7d"`, "is missing: until when devices have attention")
	}
	if _, ok := p.doc.Tree["schedule"]; !ok {
		p.doc.Add(path+".kind", "[schedule]", "attention makes devices speak more often, and there is no schedule")
	}
}

// refers reports groups and links that an incident names and that are not there.
func (p *parser) refers(path string, t *incidentTable) {
	if t.Group != "" && !slices.ContainsFunc(p.setup.Groups, func(g world.Group) bool { return g.Name == t.Group }) {
		p.doc.Add(path+".group", "", "there is no group %q", t.Group)
	}
	if t.Link != "" && !slices.ContainsFunc(p.setup.Links, func(l world.Link) bool { return l.Name == t.Link }) {
		p.doc.Add(path+".link", "", "there is no link %q", t.Link)
	}
}

package config

import (
	"embed"
	"encoding"
	"fmt"
	"io/fs"
	"path"
	"reflect"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // zones of billing do not depend on the machine

	"github.com/godwit-gateway/godwit/scheduler/tariff"
)

//go:embed tariffs/*.toml
var exampleTariffs embed.FS

// tariffFile is a file of tariffs as it is written.
type tariffFile struct {
	Tariffs []tariff.Tariff `toml:"tariff"`
}

// loadTariffs makes the book of the tariffs: those of the configuration, and the examples whose names it does not have.
func (ps *problems) loadTariffs(c *Config) {
	ps.checkTariffs(c.Tariffs)
	list := make([]*tariff.Tariff, 0, len(c.Tariffs))
	own := make(map[string]bool)
	for i := range c.Tariffs {
		list, own[c.Tariffs[i].Name] = append(list, &c.Tariffs[i]), true
	}
	for _, t := range ps.examples() {
		if !own[t.Name] {
			list = append(list, t)
		}
	}
	book, err := tariff.NewBook(list)
	if err != nil {
		for line := range strings.SplitSeq(err.Error(), "\n") {
			ps.add("tariff", "set valid_from and valid_until", "%s", line)
		}
	}
	c.Book = book
}

// examples are the tariffs that come with the program.
func (ps *problems) examples() (list []*tariff.Tariff) {
	names, err := fs.Glob(exampleTariffs, "tariffs/*.toml")
	if err != nil {
		panic("config: " + err.Error()) // the pattern is ours
	}
	for _, name := range names {
		text, err := fs.ReadFile(exampleTariffs, name)
		if err != nil {
			panic("config: " + err.Error()) // it is in the program
		}
		tariffs, problems := ParseTariffs("(built in) "+path.Base(name), string(text))
		ps.list = append(ps.list, problems...)
		for i := range tariffs {
			list = append(list, &tariffs[i])
		}
	}
	return list
}

// ParseTariffs reads a file of tariffs, tables as the configuration has them too. The file's name is for the problems.
func ParseTariffs(file, text string) ([]tariff.Tariff, FileErrors) {
	ps := &problems{file: file, lines: scanLines(text), known: "godwit config default lists all keys"}
	tree := make(map[string]any)
	if !ps.parse(text, tree) {
		return nil, ps.list
	}
	var f tariffFile
	ps.decode("", tree, &f)
	ps.checkTariffs(f.Tariffs)
	return f.Tariffs, ps.list
}

// checkTariffs looks at the values, and finds the zones.
func (ps *problems) checkTariffs(list []tariff.Tariff) {
	for i := range list {
		t, path := &list[i], fmt.Sprintf("tariff[%d]", i)
		zone, err := time.LoadLocation(t.TimeZone)
		if err != nil || t.TimeZone == "Local" {
			ps.add(path+".time_zone", `"Europe/Berlin"; UTC if there is none`, "%q is no time zone", t.TimeZone)
		}
		t.Zone = zone
		err = t.Validate()
		if err == nil {
			continue
		}
		for line := range strings.SplitSeq(err.Error(), "\n") {
			key, text, _ := strings.Cut(line, " ")
			// What could not be read was told already, and is not what it would be.
			if !slices.ContainsFunc(ps.list, func(p Problem) bool { return p.Key == path+"."+key }) {
				ps.add(path+"."+key, "", "%s", text)
			}
		}
	}
}

// checkLinkTariff finds the tariff of a link.
func (ps *problems) checkLinkTariff(c *Config, path, name string) {
	if name != "" && len(c.Book.Versions(name)) == 0 {
		ps.add(path+".tariff", "known are "+strings.Join(c.Book.Names(), ", "), "there is no tariff %q", name)
	}
}

// Examples is the book of the tariffs that come with the program.
func Examples() (*tariff.Book, error) {
	c, ps := &Config{}, &problems{lines: scanLines("")}
	ps.loadTariffs(c)
	return c.Book, ps.err()
}

var textType = reflect.TypeFor[encoding.TextUnmarshaler]()

// textHook reads what types read themselves from text: money, dates, words. A number is no money: how much it is, only the quotes tell.
func textHook(_, to reflect.Type, v any) (any, error) {
	if !reflect.PointerTo(to).Implements(textType) || reflect.TypeOf(v) == to {
		return v, nil
	}
	s, ok := v.(string)
	if day, isTime := v.(time.Time); isTime {
		s, ok = day.Format(time.DateOnly), true
	}
	if !ok {
		return nil, fmt.Errorf("want a text in quotes, not %v", v)
	}
	into := reflect.New(to)
	if err := into.Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(s)); err != nil { //nolint:errcheck // it implements it
		return nil, err
	}
	return into.Elem().Interface(), nil
}

package config

import (
	"errors"
	"strings"

	"github.com/BurntSushi/toml"

	"github.com/godwit-gateway/godwit/gateway/hub"
)

// A Document is a TOML file of another kind that is read as strictly as a configuration: unknown keys are mistakes, and all mistakes are
// told at once with their lines.
type Document struct {
	Tree map[string]any // what the file says; tables of an array are []map[string]any

	ps *problems
}

// ParseDocument reads a file. Its name is for the problems; known is the hint for a key that is not known. The error is of type FileErrors.
func ParseDocument(file, text, known string) (*Document, error) {
	d := &Document{Tree: make(map[string]any), ps: &problems{file: file, lines: scanLines(text), known: known}}
	if !d.ps.parse(text, d.Tree) {
		return nil, d.ps.err()
	}
	return d, nil
}

// parse reads TOML into a tree. False: it is none, and the problem is noted.
func (ps *problems) parse(text string, tree map[string]any) bool {
	_, err := toml.Decode(text, &tree)
	if err == nil {
		return true
	}
	problem := Problem{File: ps.file, Text: err.Error()}
	var pe toml.ParseError
	if errors.As(err, &pe) {
		problem = Problem{File: ps.file, Line: pe.Position.Line, Key: pe.LastKey, Text: pe.Message, Hint: "TOML, https://toml.io"}
	}
	ps.list = append(ps.list, problem)
	return false
}

// Bind fills a struct from a table. Path is the table's own, "" for the whole file; fields are named by their tags, toml:"key". What the
// table does not name stays as it is.
func (d *Document) Bind(path string, table map[string]any, into any) { d.ps.decode(path, table, into) }

// Add adds a mistake at a key, such as "group[0].count". The hint may be "".
func (d *Document) Add(key, hint, format string, args ...any) { d.ps.add(key, hint, format, args...) }

// AddAll adds each line of an error as a mistake at a key.
func (d *Document) AddAll(key string, err error) {
	if err == nil {
		return
	}
	for line := range strings.SplitSeq(err.Error(), "\n") {
		d.ps.add(key, "", "%s", line)
	}
}

// Product reads a table that says what a product file says.
func (d *Document) Product(path string, table map[string]any) hub.Product {
	before := len(d.ps.list)
	p, draft := d.ps.productOf(path, table, false)
	d.ps.template(path, before, &p, &draft)
	return p
}

// Err is nil if there are no mistakes, and otherwise of type FileErrors.
func (d *Document) Err() error { return d.ps.err() }

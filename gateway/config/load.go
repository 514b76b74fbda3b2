package config

import (
	_ "embed" // default.toml
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
)

// Default is the reference configuration: every key with its default and a comment.
//
//go:embed default.toml
var Default string

// A Source says where a configuration comes from. Later ones win: file, environment, options.
type Source struct {
	Path    string   // of the file
	Text    string   // in the place of the file's content, for tests; "": read Path
	Environ []string // "GODWIT_NATS__MODE=external", as os.Environ gives them; others are passed over
	Set     []string // "nats.mode=external"
}

// EnvPrefix begins the names of variables that are read.
const EnvPrefix = "GODWIT_"

// otherVariables are those that are not about the configuration: the command line's, and those of the project's tests.
var otherVariables = []string{"GODWIT_CONFIG", "GODWIT_API", "GODWIT_TOKEN", "GODWIT_FORGED", "GODWIT_KILLS", "GODWIT_SMS_KILLS", "GODWIT_SAT_KILLS", "GODWIT_REQUIRE_GAMMU", "GODWIT_FAULTS"}

// Load reads, binds and checks a configuration. The error is of type FileErrors if it is the configuration's fault.
func Load(s Source) (*Config, error) {
	if s.Text == "" && s.Path != "" {
		b, err := os.ReadFile(s.Path)
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				return nil, FileErrors{{File: s.Path, Text: "there is no such file", Hint: "godwit config default > " + s.Path}}
			}
			return nil, fmt.Errorf("read the configuration: %w", err)
		}
		s.Text = string(b)
	}
	if s.Path == "" {
		s.Path = "configuration"
	}
	ps := &problems{file: s.Path, lines: scanLines(s.Text), origins: make(map[string]string), known: "godwit config default lists all keys"}
	tree := make(map[string]any)
	if !ps.parse(s.Text, tree) {
		return nil, ps.err()
	}
	for _, v := range s.Environ {
		name, value, _ := strings.Cut(v, "=")
		key, ok := strings.CutPrefix(name, EnvPrefix)
		if !ok || slices.Contains(otherVariables, name) {
			continue
		}
		if !strings.Contains(key, "__") {
			ps.from(name, "two underscores stand for each dot of a key, as in GODWIT_NATS__MODE", "the variable is not known")
			continue
		}
		ps.override(tree, strings.ToLower(strings.ReplaceAll(key, "__", ".")), value, "variable "+name)
	}
	for _, v := range s.Set {
		key, value, ok := strings.Cut(v, "=")
		if !ok {
			ps.from("option --set "+v, "--set nats.mode=external", "it has no value")
			continue
		}
		ps.override(tree, strings.TrimSpace(key), value, "option --set "+key)
	}
	c := defaults()
	ps.bind(c, tree)
	ps.check(c)
	if err := ps.err(); err != nil {
		return nil, err
	}
	return c, nil
}

// spelled is a number, or true or false, that came without quotes as an option or a variable. Where the key wants a text, as an account or an amount of
// money, it is its spelling that counts.
type spelled struct {
	text  string
	value any
}

// override puts a value into the tree. It is read as TOML; what is none is a text, so that paths and names need no quotes.
func (ps *problems) override(tree map[string]any, path, value, from string) {
	var v struct{ V any }
	if _, err := toml.Decode("v = "+value, &v); err != nil {
		v.V = value
	}
	switch v.V.(type) {
	case int64, float64, bool:
		v.V = spelled{strings.TrimSpace(value), v.V}
	}
	keys := strings.Split(path, ".")
	for _, key := range keys[:len(keys)-1] {
		if tree[key] == nil {
			tree[key] = make(map[string]any)
		}
		next, ok := tree[key].(map[string]any)
		if !ok {
			ps.add("", "set it in the file", "%s: %s is not a table", from, key)
			return
		}
		tree = next
	}
	if slices.Contains(keys, "") {
		ps.add("", "table.key", "%s: an empty key", from)
		return
	}
	tree[keys[len(keys)-1]] = v.V
	ps.origins[path] = from
}

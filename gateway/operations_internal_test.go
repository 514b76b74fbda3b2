package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// TestOperationsCommands: the table of commands in OPERATIONS.md names every command of the program, and no other.
func TestOperationsCommands(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("docs", "OPERATIONS.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, table, ok := strings.Cut(string(text), "\n| command | does |\n")
	if !ok {
		t.Fatal("OPERATIONS.md has no table of commands")
	}
	table, _, _ = strings.Cut(table, "\n\n")
	var named []string
	for _, line := range strings.Split(table, "\n")[1:] {
		group := ""
		for i, quoted := range strings.Split(strings.Split(line, " | ")[0], "`") {
			if i%2 == 0 {
				continue
			}
			command := strings.TrimPrefix(quoted, "godwit ")
			if group == "" || strings.Contains(command, " ") {
				group, _, _ = strings.Cut(command, " ")
			} else {
				command = group + " " + command
			}
			named = append(named, command)
		}
	}
	parser, err := kong.New(new(cli))
	if err != nil {
		t.Fatal(err)
	}
	leaves := parser.Model.Leaves(true)
	for _, leaf := range leaves {
		if command := commandPath(leaf); !slices.Contains(named, command) {
			t.Errorf("OPERATIONS.md does not name godwit %s", command)
		}
	}
	for _, command := range named {
		if !slices.ContainsFunc(leaves, func(n *kong.Node) bool { return commandPath(n) == command }) {
			t.Errorf("OPERATIONS.md names godwit %s, which there is not", command)
		}
	}
}

// TestOperationsCommandsParse: what the document tells people to type is understood.
func TestOperationsCommandsParse(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("docs", "OPERATIONS.md"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	_, text, _ = bytes.Cut(text, []byte("\n## Configuration\n")) // before it are tables, with commands cut short
	typed := regexp.MustCompile("(?m)`(godwit [a-z][^`]*)`|^ *(godwit [a-z][^#|>\n]*)").FindAllSubmatch(text, -1)
	if len(typed) < 40 {
		t.Fatalf("%d commands were found", len(typed))
	}
	key := filepath.Join(dir, "buoys.key")
	if err := os.WriteFile(key, []byte(strings.Repeat("5a", 32)), 0o600); err != nil {
		t.Fatal(err)
	}
	words := strings.NewReplacer("/mnt/backup/2027-03-01", dir, "/var/lib/godwit", dir, "buoys.key", key)
	for _, m := range typed {
		line := strings.TrimSpace(words.Replace(string(m[1]) + string(m[2])))
		parser, err := kong.New(new(cli))
		if err != nil {
			t.Fatal(err)
		}
		named := func(n *kong.Node) bool { return "godwit "+commandPath(n) == line } // spoken of, not typed
		if slices.ContainsFunc(parser.Model.Leaves(true), named) {
			continue
		}
		if _, err := parser.Parse(strings.Fields(line)[1:]); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
}

// commandPath is a command as it is typed, without flags and arguments.
func commandPath(n *kong.Node) string {
	var path []string
	for ; n != nil && n.Type == kong.CommandNode; n = n.Parent {
		path = append([]string{n.Name}, path...)
	}
	return strings.Join(path, " ")
}

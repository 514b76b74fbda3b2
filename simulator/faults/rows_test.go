package faults_test

import (
	"go/ast"
	"go/build/constraint"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/godwit-gateway/godwit/simulator/faults"
)

// rowsMax is how many rows the matrix has.
const rowsMax = 36

func TestRowsAreWhole(t *testing.T) {
	rows := faults.Rows()
	if len(rows) != rowsMax {
		t.Fatalf("%d rows, want %d", len(rows), rowsMax)
	}
	for i, r := range rows {
		if r.Number != i+1 {
			t.Errorf("row %d is where row %d belongs", r.Number, i+1)
		}
		if r.Fault == "" || r.Expected == "" {
			t.Errorf("row %d does not say what is done and what is expected", r.Number)
		}
		if (len(r.Tests) == 0) == (r.Waiting == "") {
			t.Errorf("row %d: want either tests or what is waited for", r.Number)
		}
		seen := map[string]bool{}
		for _, g := range r.Tests {
			if len(g.Names) == 0 || !slices.Contains([]faults.Kind{faults.Simulated, faults.Loopback, faults.Process}, g.Kind) {
				t.Errorf("row %d: %s has no tests, or kind %q", r.Number, g.Package, g.Kind)
			}
			for _, name := range g.Names {
				if seen[g.Package+" "+name] {
					t.Errorf("row %d names %s of %s twice", r.Number, name, g.Package)
				}
				seen[g.Package+" "+name] = true
			}
		}
	}
}

// TestRowsNameTests holds the matrix to the tree: each test that it names is there, under the tags that it names.
func TestRowsNameTests(t *testing.T) {
	root, err := faults.FindSource(".")
	if err != nil {
		t.Fatal(err)
	}
	there := map[string][]string{}
	for _, r := range faults.Rows() {
		for _, g := range r.Tests {
			key := g.Package + " " + g.Tags
			if _, ok := there[key]; !ok {
				there[key] = tests(t, filepath.Join(root, filepath.FromSlash(g.Package)), strings.Split(g.Tags, ","))
			}
			for _, name := range g.Names {
				if !slices.Contains(there[key], name) {
					t.Errorf("row %d: %s has no test %s with tags %q", r.Number, g.Package, name, g.Tags)
				}
			}
		}
	}
}

// tests are the test functions of a folder that are built with the tags, on any system.
func tests(t *testing.T, dir string, tags []string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, text, parser.SkipObjectResolution|parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		if !built(t, parsed, tags) {
			continue
		}
		for _, d := range parsed.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && strings.HasPrefix(f.Name.Name, "Test") && f.Name.Name != "TestMain" {
				names = append(names, f.Name.Name)
			}
		}
	}
	return names
}

// built reports whether the tags meet what the file asks for.
func built(t *testing.T, file *ast.File, tags []string) bool {
	t.Helper()
	for _, group := range file.Comments {
		if group.Pos() > file.Package {
			break
		}
		for _, line := range group.List {
			if !constraint.IsGoBuild(line.Text) {
				continue
			}
			expr, err := constraint.Parse(line.Text)
			if err != nil {
				t.Fatal(err)
			}
			return expr.Eval(func(tag string) bool { return slices.Contains(tags, tag) || tag == "linux" || tag == "unix" })
		}
	}
	return true
}

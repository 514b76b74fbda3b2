package main_test

import (
	"bufio"
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// root is the top of the tree, seen from this folder.
const root = ".."

// linesMax is the longest that a file of code may grow before it is split.
const linesMax = 500

// walk calls visit for each file of the tree that git would keep.
func walk(t *testing.T, visit func(path string, content []byte)) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); path != root && strings.HasPrefix(name, ".") {
				return filepath.SkipDir
			}
			return nil
		}
		switch filepath.Ext(path) {
		case ".go", ".md", ".toml", ".cddl":
		default:
			return nil
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		visit(path, content)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestTidyFiles(t *testing.T) {
	open := regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|XX` + `X)\b`)
	walk(t, func(path string, content []byte) {
		if filepath.Ext(path) != ".go" {
			return
		}
		if n := bytes.Count(content, []byte{'\n'}); n > linesMax && !strings.HasSuffix(path, "_test.go") {
			t.Errorf("%s has %d lines: split it, %d is the most", path, n, linesMax)
		}
		lines := bufio.NewScanner(bytes.NewReader(content))
		for n := 1; lines.Scan(); n++ {
			if open.Match(lines.Bytes()) {
				t.Errorf("%s:%d leaves something open: %s", path, n, strings.TrimSpace(lines.Text()))
			}
		}
	})
}

func TestTidyPackages(t *testing.T) {
	folders := map[string]bool{} // folder of Go files -> has a doc.go
	walk(t, func(path string, content []byte) {
		if filepath.Ext(path) != ".go" {
			return
		}
		dir := filepath.Dir(path)
		if filepath.Base(path) == "doc.go" {
			folders[dir] = true
			if !bytes.HasPrefix(content, []byte("// ")) {
				t.Errorf("%s does not begin with the package's comment", path)
			}
			return
		}
		if _, ok := folders[dir]; !ok {
			folders[dir] = false
		}
	})
	for dir, documented := range folders {
		if !documented {
			t.Errorf("%s has no doc.go", dir)
		}
	}
}

// TestTidyLinks follows every relative link of the documents.
func TestTidyLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#\s]+)(#[^)]*)?\)`)
	walk(t, func(path string, content []byte) {
		if filepath.Ext(path) != ".md" {
			return
		}
		for _, m := range link.FindAllSubmatch(content, -1) {
			target := string(m[1])
			if strings.Contains(target, "://") {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(path), target)); err != nil {
				t.Errorf("%s: broken link %s", path, target)
			}
		}
	})
}

// TestTidyMetrics holds OPERATIONS.md to its promise: it names every metric of the gateway, and no other.
func TestTidyMetrics(t *testing.T) {
	name := regexp.MustCompile(`\bgodwit_[a-z0-9_]*[a-z0-9]\b`)
	series := regexp.MustCompile(`_(bucket|sum|count)$`) // of a histogram
	operations, err := os.ReadFile(filepath.Join("docs", "OPERATIONS.md"))
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]bool{}
	for _, m := range name.FindAllString(string(operations), -1) {
		documented[series.ReplaceAllString(m, "")] = false
	}
	walk(t, func(path string, content []byte) {
		if filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") || !strings.Contains(filepath.ToSlash(path), "gateway/metrics/") {
			return
		}
		for _, m := range name.FindAllString(string(content), -1) {
			if _, ok := documented[m]; !ok {
				t.Errorf("%s: metric %s is not in OPERATIONS.md", path, m)
			}
			documented[m] = true
		}
	})
	for m, exists := range documented {
		if !exists {
			t.Errorf("OPERATIONS.md names %s, which no code has", m)
		}
	}
}

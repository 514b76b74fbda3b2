package faults_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/godwit-gateway/godwit/simulator/faults"
)

// tree is a source tree with a package for each way that tests can go.
func tree(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod": "module github.com/godwit-gateway/godwit\n\ngo 1.26\n",
		"mixed/mixed_test.go": `package mixed

import (
	"os"
	"testing"
)

func TestGood(*testing.T) {}

func TestGoodAsWell(t *testing.T) { t.Run("within", func(*testing.T) {}) }

func TestLong(t *testing.T) {
	if os.Getenv("` + faults.Variable + `") != "1" {
		t.Fatal("the variable is not set")
	}
}

func TestBad(t *testing.T) { t.Error("two is not three") }

func TestSkipped(t *testing.T) { t.Skip("it needs root") }

func TestPartlySkipped(t *testing.T) {
	t.Run("here", func(*testing.T) {})
	t.Run("elsewhere", func(t *testing.T) { t.Skip("no loop devices") })
}
`,
		"tagged/tagged_test.go": "//go:build special\n\npackage tagged\n\nimport \"testing\"\n\nfunc TestTagged(*testing.T) {}\n",
		"broken/broken_test.go": "package broken\n\nimport \"testing\"\n\nfunc TestBroken(*testing.T) { undefined() }\n",
		"ended/ended_test.go":   "package ended\n\nimport (\n\t\"os\"\n\t\"testing\"\n)\n\nfunc TestEnds(*testing.T) { os.Exit(3) }\n",
	} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func row(number int, pkg, tags string, names ...string) faults.Row {
	return faults.Row{Number: number, Tests: []faults.Tests{{Package: pkg, Tags: tags, Names: names}}}
}

// TestRun runs real tests and sees what comes of their rows.
func TestRun(t *testing.T) {
	two := row(6, "mixed", "", "TestGood")
	two.Tests = append(two.Tests, faults.Tests{Package: "tagged", Tags: "special", Names: []string{"TestTagged"}})
	rows := []faults.Row{
		row(1, "mixed", "", "TestGood", "TestGoodAsWell", "TestLong"),
		row(2, "mixed", "", "TestGood", "TestBad"),
		row(3, "mixed", "", "TestSkipped"),
		row(4, "mixed", "", "TestGood", "TestPartlySkipped"),
		{Number: 5, Waiting: "the link is not built"},
		two,
		row(7, "mixed", "", "TestGone"),
		row(8, "tagged", "", "TestTagged"),
		row(9, "broken", "", "TestBroken"),
		row(10, "ended", "", "TestEnds"),
		row(11, "nowhere", "", "TestNothing"),
	}
	want := []struct {
		verdict faults.Verdict
		why     string
		output  string
	}{
		{faults.Passed, "", ""},
		{faults.Failed, "mixed TestBad failed", "two is not three"},
		{faults.Impossible, "mixed TestSkipped: it needs root", ""},
		{faults.Impossible, "mixed TestPartlySkipped/elsewhere: no loop devices", ""},
		{faults.Waiting, "the link is not built", ""},
		{faults.Passed, "", ""},
		{faults.Failed, "mixed TestGone did not run", ""},
		{faults.Failed, "tagged TestTagged did not run", ""},
		{faults.Failed, "broken TestBroken did not run", "undefined"},
		{faults.Failed, "ended TestEnds", ""},
		{faults.Failed, "nowhere TestNothing did not run", "nowhere"},
	}
	var begun []string
	m := faults.Matrix{Source: tree(t), Begin: func(what string) { begun = append(begun, what) }}
	outcomes, err := m.Run(t.Context(), rows)
	if err != nil {
		t.Fatal(err)
	}
	for i, o := range outcomes {
		why, output := strings.Join(o.Why, "\n"), strings.Join(o.Output, "\n")
		if o.Number != rows[i].Number || o.Verdict != want[i].verdict || !strings.Contains(why, want[i].why) || !strings.Contains(output, want[i].output) {
			t.Errorf("row %d: %s, %q, output:\n%s", o.Number, o.Verdict, why, output)
		}
	}
	if got, want := faults.Count(outcomes), (faults.Counts{Passed: 2, Failed: 6, Waiting: 1, Impossible: 2}); got != want {
		t.Errorf("counts %+v, want %+v", got, want)
	}
	if len(begun) != 6 || !slices.IsSorted(begun) { // each package with its tags once
		t.Errorf("begun: %q", begun)
	}
}

func TestRunEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	m := faults.Matrix{Source: tree(t)}
	if _, err := m.Run(ctx, []faults.Row{row(1, "mixed", "", "TestGood")}); !errors.Is(err, context.Canceled) {
		t.Errorf("Run = %v, want context.Canceled", err)
	}
}

func TestFindSource(t *testing.T) {
	root := tree(t)
	for _, dir := range []string{root, filepath.Join(root, "mixed")} {
		if got, err := faults.FindSource(dir); err != nil || got != root {
			t.Errorf("FindSource(%s) = %s, %v", dir, got, err)
		}
	}
	if _, err := faults.FindSource(t.TempDir()); !errors.Is(err, faults.ErrSource) {
		t.Errorf("FindSource outside = %v, want ErrSource", err)
	}
}

//go:build e2e

package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// A row is one call of a command and what has to come of it.
type row struct {
	args  string // words after the name of the program; $NAME is replaced by a word that the test knows
	code  int
	out   string // part of the standard output
	err   string // part of the standard error
	stdin string
}

// outcome is what a call left.
type outcome struct {
	code        int
	out, errout string
}

// call runs a program to its end.
func call(t *testing.T, name, stdin string, args ...string) outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute) // a benchmark among them, perhaps under the race detector
	defer cancel()
	cmd := exec.CommandContext(ctx, program(t, name), args...)
	cmd.Stdin = strings.NewReader(stdin)
	// What a developer has set for a gateway of his own is not for this one.
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "GODWIT_") })
	var out, errout bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errout
	err := cmd.Run()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		t.Fatalf("%s %s: %v", name, strings.Join(args, " "), err)
	}
	if ctx.Err() != nil {
		t.Fatalf("%s %s did not end\n%s%s", name, strings.Join(args, " "), &out, &errout)
	}
	return outcome{cmd.ProcessState.ExitCode(), out.String(), errout.String()}
}

// words replaces $NAME by the words of a table.
type words map[string]string

var word = regexp.MustCompile(`\$[A-Z0-9]+`)

func (w words) split(t *testing.T, args string) []string {
	t.Helper()
	list := strings.Fields(args)
	for i := range list {
		list[i] = word.ReplaceAllStringFunc(list[i], func(name string) string {
			v, ok := w[name]
			if !ok {
				t.Fatalf("no word %s", name)
			}
			return v
		})
	}
	return list
}

// check runs a row with further arguments behind its own.
func (r row) check(t *testing.T, name string, w words, more ...string) {
	t.Helper()
	args := w.split(t, r.args)
	got := call(t, name, r.stdin, append(args, more...)...)
	if got.code != r.code || !strings.Contains(got.out, r.out) || !strings.Contains(got.errout, r.err) {
		t.Errorf("%s %s: exit code %d, want %d with %q and %q\n%s%s", name, r.args, got.code, r.code, r.out, r.err, got.out, got.errout)
		return
	}
	if strings.Contains(got.errout, "goroutine ") || strings.Contains(got.out, "%!") || strings.Contains(got.errout, "%!") {
		t.Errorf("%s %s: this is not for people:\n%s%s", name, r.args, got.out, got.errout)
	}
	if wantsJSON(args) {
		checkJSON(t, name+" "+r.args, got)
	}
	if got.code == 0 {
		return
	}
	lines := strings.Split(strings.TrimSpace(got.errout), "\n")
	if !slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, name+": ") && len(l) > len(name)+5 }) {
		t.Errorf("%s %s: exit code %d, and no line of the standard error says why:\n%s", name, r.args, got.code, got.errout)
	}
	if got.code == 2 && got.out != "" {
		t.Errorf("%s %s: how it is to be used went to the standard output:\n%s", name, r.args, got.out)
	}
}

func wantsJSON(args []string) bool {
	i := slices.Index(args, "-o")
	return i >= 0 && i+1 < len(args) && args[i+1] == "json"
}

// checkJSON holds the standard output to be JSON values and nothing else. A command that failed may have said nothing.
func checkJSON(t *testing.T, what string, got outcome) {
	t.Helper()
	values := 0
	for d := json.NewDecoder(strings.NewReader(got.out)); ; values++ {
		var v any
		err := d.Decode(&v)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Errorf("%s: the output is no JSON: %v\n%s", what, err, got.out)
			return
		}
	}
	if values == 0 && got.code == 0 {
		t.Errorf("%s: no JSON was printed", what)
	}
}

// leaves are the commands of a program that do something, found through its own help.
func leaves(t *testing.T, name string, path ...string) []string {
	t.Helper()
	help := call(t, name, "", append(path, "--help")...)
	if help.code != 0 || help.errout != "" {
		t.Fatalf("%s %s --help: exit code %d\n%s", name, strings.Join(path, " "), help.code, help.errout)
	}
	_, list, group := strings.Cut(help.out, "\nCommands:\n")
	if !group {
		if !strings.Contains(help.out, "\nExample:\n") && !strings.Contains(help.out, "\nUsage: ") || !strings.Contains(help.out, name+" "+strings.Join(path, " ")) {
			t.Errorf("%s %s --help has no example:\n%s", name, strings.Join(path, " "), help.out)
		}
		return []string{strings.Join(path, " ")}
	}
	var all []string
	for _, line := range strings.Split(list, "\n") {
		if line == "" {
			break
		}
		if !strings.HasPrefix(line, "  ") || strings.HasPrefix(line, "   ") {
			continue // the help of a command goes on
		}
		command, _, _ := strings.Cut(strings.TrimSpace(line), "  ")
		all = append(all, leaves(t, name, strings.Fields(command)...)...)
	}
	return all
}

// commandOf finds the command that a row calls, the longest that fits.
func commandOf(commands []string, args string) string {
	best := ""
	for _, c := range commands {
		if (args == c || strings.HasPrefix(args, c+" ")) && len(c) > len(best) {
			best = c
		}
	}
	return best
}

// covered fails for each command without the rows that each must have: one that does what it is for, one that does it with JSON, one that is
// refused as wrong use, and one that fails. may names what a command cannot do, as "run json".
func covered(t *testing.T, commands []string, rows []row, may map[string]string) {
	t.Helper()
	has := make(map[string]bool)
	for _, r := range rows {
		c := commandOf(commands, r.args)
		if c == "" {
			t.Errorf("row %q calls no command", r.args)
			continue
		}
		kind := []string{" good", " fails", " usage"}[r.code]
		has[c+kind] = true
		if r.code == 0 && wantsJSON(strings.Fields(r.args)) {
			has[c+" json"] = true
		}
	}
	for _, c := range commands {
		for _, kind := range []string{" good", " json", " fails", " usage"} {
			if _, ok := may[c+kind]; !has[c+kind] && !ok {
				t.Errorf("no row for %q:%s", c, kind)
			}
		}
	}
	for what := range may {
		if has[what] || !slices.Contains(commands, what[:strings.LastIndex(what, " ")]) {
			t.Errorf("%q is an exception that is not needed", what)
		}
	}
}

package faults

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"strings"
)

// event is a line of `go test -json`, as `go doc test2json` has it.
type event struct {
	Action  string
	Test    string
	Output  string
	Elapsed float64
}

// result is how one top-level test went.
type result struct {
	action  string          // pass, fail, skip; empty: it did not run, or did not end
	seconds float64         // of it, or the longest of the tests within it
	output  strings.Builder // its own and that of the tests within it
	skipped []string        // why it, or a test within it, was skipped
}

// results are those of a package's tests by name. What no test said, as an error of the compiler, is under the empty name.
type results map[string]*result

func (r results) of(name string) *result {
	if r[name] == nil {
		r[name] = &result{}
	}
	return r[name]
}

// outputMax bounds what is kept of one test's output, in bytes. The end is what tells why it failed, and is kept.
const outputMax = 64 << 10

// frame is what the testing package itself says: which test runs, and how it ended.
var frame = regexp.MustCompile(`^\s*(=== |--- )`)

// place is the file and the line in front of what a test logs.
var place = regexp.MustCompile(`^[\w.]+\.go:\d+: `)

// read takes the output of `go test -json`. Lines that are no JSON are kept as output of the package.
func read(in io.Reader) (results, error) {
	all := results{}
	last := map[string]string{} // by test, what it logged last
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			var e event
			if json.Unmarshal(line, &e) != nil {
				e = event{Action: "output", Output: string(line)}
			}
			all.take(e, last)
		}
		switch {
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return all, err
		}
	}
}

func (r results) take(e event, last map[string]string) {
	name, _, within := strings.Cut(e.Test, "/")
	to := r.of(name)
	switch e.Action {
	case "output", "build-output":
		to.keep(e.Output)
		if text := strings.TrimSpace(e.Output); text != "" && !frame.MatchString(e.Output) {
			last[e.Test] = place.ReplaceAllString(text, "")
		}
	case "skip":
		if e.Test != "" {
			to.skipped = append(to.skipped, reason(e.Test, last[e.Test]))
		}
	}
	if e.Action == "pass" || e.Action == "fail" || e.Action == "skip" {
		to.seconds = max(to.seconds, e.Elapsed) // of what runs in parallel within it the test itself does not count
		if !within {
			to.action = e.Action
		}
	}
}

func reason(test, said string) string {
	if said == "" {
		said = "skipped without a word"
	}
	return test + ": " + said
}

func (r *result) keep(text string) {
	if r.output.Len()+len(text) > outputMax {
		all := r.output.String() + text
		r.output.Reset()
		_, text, _ = strings.Cut(all[max(0, len(all)-outputMax/2):], "\n")
	}
	r.output.WriteString(text)
}

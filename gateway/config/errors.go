package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A Problem is one mistake in a configuration.
type Problem struct {
	File string `json:"file"`           // or the variable or option that the value came from
	Line int    `json:"line,omitempty"` // 0: the key is not in the file
	Key  string `json:"key,omitempty"`  // "link.udp0.listen"
	Text string `json:"text"`           // what is wrong
	Hint string `json:"hint,omitempty"` // what to do, "" if the text says it
}

// String is the problem as file:line: key: text (hint).
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d", p.Line)
	}
	b.WriteString(": ")
	if p.Key != "" {
		b.WriteString(p.Key + ": ")
	}
	b.WriteString(p.Text)
	if p.Hint != "" {
		b.WriteString(" (" + p.Hint + ")")
	}
	return b.String()
}

// FileErrors is the error of a configuration with mistakes: all of them, in the order of their lines.
type FileErrors []Problem

// Error implements error: one line for each.
func (ps FileErrors) Error() string {
	text := make([]string, len(ps))
	for i, p := range ps {
		text[i] = p.String()
	}
	return strings.Join(text, "\n")
}

// problems collects mistakes while a file is read.
type problems struct {
	file    string
	lines   *lines
	origins map[string]string // by key: the variable or option that gave its value
	known   string            // where all keys are listed, as a hint
	list    FileErrors
}

func (ps *problems) add(key, hint, format string, args ...any) {
	if origin, ok := ps.origins[key]; ok {
		ps.list = append(ps.list, Problem{File: origin, Key: key, Text: fmt.Sprintf(format, args...), Hint: hint})
		return
	}
	ps.list = append(ps.list, Problem{File: ps.file, Line: ps.lines.of(key), Key: key, Text: fmt.Sprintf(format, args...), Hint: hint})
}

// from adds a mistake that is not in the file.
func (ps *problems) from(origin, hint, text string) {
	ps.list = append(ps.list, Problem{File: origin, Text: text, Hint: hint})
}

// err is nil if there are none.
func (ps *problems) err() error {
	if len(ps.list) == 0 {
		return nil
	}
	slices.SortStableFunc(ps.list, func(a, b Problem) int { return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line)) })
	return ps.list
}

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// print writes v as JSON, or the table that rows fills.
func (e *env) print(v any, head string, rows func(row func(cells ...any))) error {
	if e.cli.Output == "json" {
		enc := json.NewEncoder(e.stdout)
		enc.SetIndent("", "  ")
		return written(enc.Encode(v))
	}
	t := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	if head != "" {
		_, _ = fmt.Fprintln(t, strings.ReplaceAll(head, " ", "\t")) // Flush tells
	}
	rows(func(cells ...any) {
		for i, c := range cells {
			if i > 0 {
				_, _ = io.WriteString(t, "\t") // Flush tells
			}
			_, _ = io.WriteString(t, cell(c)) // Flush tells
		}
		_, _ = io.WriteString(t, "\n") // Flush tells
	})
	return written(t.Flush())
}

func written(err error) error {
	if err != nil {
		return fmt.Errorf("write the output: %w", err)
	}
	return nil
}

// cell is a value for people: times in UTC to the second, nothing for nothing. What came from outside cannot steer the terminal.
func cell(v any) string {
	switch v := v.(type) {
	case time.Time:
		if v.IsZero() {
			return "-"
		}
		return v.UTC().Format("2006-01-02T15:04:05Z")
	case string:
		if v == "" {
			return "-"
		}
		return strings.Map(func(r rune) rune {
			if r < ' ' || r == 0x7f {
				return '.'
			}
			return r
		}, v)
	default:
		return fmt.Sprint(v)
	}
}

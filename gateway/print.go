package main

import (
	"encoding/csv"
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
	if e.cli.Output == "csv" {
		return e.printCSV(head, rows)
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

// printCSV writes the table as CSV (RFC 4180): of a list, the first line names the columns.
func (e *env) printCSV(head string, rows func(row func(cells ...any))) error {
	w := csv.NewWriter(e.stdout)
	if head != "" {
		_ = w.Write(strings.Fields(strings.ToLower(head))) // Error tells
	}
	rows(func(cells ...any) {
		line := make([]string, len(cells))
		for i, c := range cells {
			if line[i] = cell(c); line[i] == "-" {
				line[i] = ""
			}
		}
		_ = w.Write(line) // Error tells
	})
	w.Flush()
	return written(w.Error())
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

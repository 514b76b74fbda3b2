package report

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/godwit-gateway/godwit/simulator/report/chart"
)

// WriteText writes the story, the verdict and the facts.
func (r *Report) WriteText(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", r.Title)
	for _, text := range []string{r.Story, r.Look} {
		if text != "" {
			fmt.Fprintf(&b, "\n%s\n", indent(text))
		}
	}
	fmt.Fprintf(&b, "\n%s\n", r.Conclusion())
	if r.Result != nil {
		fmt.Fprintf(&b, "%.1f days, devices %d, transmissions %d, frames acknowledged %d, events %d, trace %s\n",
			r.Days(), r.Result.Devices, r.Result.Sent, r.Result.Frames, r.Result.Events, r.Result.Trace)
	}
	for i := range r.Sections {
		s := &r.Sections[i]
		fmt.Fprintf(&b, "\n%s\n", s.Title)
		wide := 0
		for _, f := range s.Facts {
			wide = max(wide, utf8.RuneCountInString(f.Name))
		}
		for _, f := range s.Facts {
			fmt.Fprintf(&b, "  %s%s  %s\n", f.Name, strings.Repeat(" ", wide-utf8.RuneCountInString(f.Name)), r.Show(f.Quantity, f.Value))
		}
	}
	fmt.Fprintf(&b, "\nAgain: %s\n", r.Repeat)
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

func indent(text string) string { return "  " + strings.ReplaceAll(text, "\n", "\n  ") }

// Show writes a figure for people.
func (r *Report) Show(q chart.Quantity, v float64) string {
	if q == chart.Money && r.Currency != "" {
		return q.Format(v) + " " + r.Currency
	}
	return q.Format(v)
}

package faults

import (
	"fmt"
	"strings"
)

// Verdict is what came of a row.
type Verdict string

// The verdicts. Their meaning is in the package's comment.
const (
	Passed     Verdict = "passed"
	Failed     Verdict = "failed"
	Waiting    Verdict = "waiting"
	Impossible Verdict = "impossible"
)

// Outcome is a row and what came of it.
type Outcome struct {
	Row

	Verdict Verdict  `json:"verdict"`
	Seconds float64  `json:"seconds"`          // that its tests took
	Why     []string `json:"why,omitempty"`    // what failed, is waited for, or was skipped
	Output  []string `json:"output,omitempty"` // of the tests that failed
}

// judge says what the results of the tests, by batch, make of a row.
func judge(row Row, of func(pkg, tags string) results) Outcome {
	o := Outcome{Row: row, Verdict: Passed}
	if len(row.Tests) == 0 {
		o.Verdict, o.Why = Waiting, []string{row.Waiting}
		return o
	}
	var skipped []string
	for _, t := range row.Tests {
		all := of(t.Package, t.Tags)
		for _, name := range t.Names {
			r := all[name]
			if r == nil {
				r = &result{}
			}
			o.Seconds += r.seconds
			switch r.action {
			case "pass", "skip":
				skipped = append(skipped, prefixed(t.Package+" ", r.skipped)...)
			default:
				o.fail(t.Package, name, r, all[""])
			}
		}
	}
	switch {
	case o.Verdict == Failed:
	case len(skipped) > 0:
		o.Verdict, o.Why = Impossible, skipped
	}
	return o
}

// fail notes a test that failed, or did not run.
func (o *Outcome) fail(pkg, name string, r, whole *result) {
	o.Verdict = Failed
	said := r.output.String()
	if r.action == "fail" {
		o.Why = append(o.Why, fmt.Sprintf("%s %s failed", pkg, name))
	} else {
		o.Why = append(o.Why, fmt.Sprintf("%s %s did not run to its end", pkg, name))
		if whole != nil {
			said += whole.output.String()
		}
	}
	o.Output = append(o.Output, strings.TrimSpace(said))
}

func prefixed(with string, list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = with + s
	}
	return out
}

// Counts are how many rows there are of each verdict.
type Counts struct {
	Passed     int `json:"passed"`
	Failed     int `json:"failed"`
	Waiting    int `json:"waiting"`
	Impossible int `json:"impossible"`
}

// Count counts outcomes.
func Count(outcomes []Outcome) Counts {
	var c Counts
	for _, o := range outcomes {
		switch o.Verdict {
		case Passed:
			c.Passed++
		case Failed:
			c.Failed++
		case Waiting:
			c.Waiting++
		case Impossible:
			c.Impossible++
		}
	}
	return c
}

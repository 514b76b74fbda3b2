package report

import (
	"context"
	"errors"
	"time"

	"github.com/godwit-gateway/godwit/simulator/world"
)

// Schema is the number of the JSON's schema; doc.go describes it.
const Schema = 1

// About is what was played.
type About struct {
	Scenario string // its name
	Title    string
	Story    string
	Look     string // what the report is to be read for
	Currency string
	Seed     uint64
	Build    string // of the program
	Repeat   string // the command that plays it again
}

// Verdicts of a report.
const (
	VerdictHeld   = "held"        // every invariant was checked and held
	VerdictBroken = "broken"      // one did not, or the world did not recover
	VerdictEnded  = "ended early" // nobody checked: the world was not played to its end
)

// A Report is what came of a world.
type Report struct {
	About

	Begin, End time.Time
	Verdict    string
	Error      string // why it was broken, or ended
	Result     *world.Result
	Sections   []Section
}

// Report tells what was gathered. The result and the error are those of [world.Run]; the result may be nil.
func (r *Recorder) Report(a About, result *world.Result, err error) *Report {
	rep := &Report{About: a, Begin: r.Frame.Begin, End: r.Frame.last, Verdict: VerdictHeld, Result: result, Sections: r.sections()}
	if err != nil {
		rep.Verdict, rep.Error = VerdictBroken, err.Error()
	}
	if errors.Is(err, context.Canceled) && !errors.Is(err, world.ErrBroken) {
		rep.Verdict, rep.Error = VerdictEnded, ""
	}
	return rep
}

// Days is how much of virtual time was played.
func (r *Report) Days() float64 { return r.End.Sub(r.Begin).Hours() / 24 }

// Conclusion is the verdict in a sentence.
func (r *Report) Conclusion() string {
	switch r.Verdict {
	case VerdictHeld:
		return "Every invariant held: each frame that was acknowledged is an event, no event is of a frame that its device did not seal, and every device that could be heard again was."
	case VerdictEnded:
		return "Ended early, before the invariants were checked: this is what was seen until then."
	}
	return "An invariant is broken: " + r.Error
}

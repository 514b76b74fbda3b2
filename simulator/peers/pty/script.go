package pty

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// A Span is a duration drawn evenly between two.
type Span struct{ Least, Most time.Duration }

// Validate returns an error for what is none.
func (s Span) Validate() error {
	if s.Least < 0 || s.Most < s.Least {
		return fmt.Errorf("%w: span %v, want 0 <= least <= most", ErrOptions, s)
	}
	return nil
}

// Draw draws from it.
func (s Span) Draw(rng *rand.Rand) time.Duration {
	return s.Least + time.Duration(rng.Float64()*float64(s.Most-s.Least))
}

// A Step is a fault at a chosen place: the Nth command from now that contains Command. It happens once. What can be done to a command, and what that takes of
// the fields below, is the modem's; the zero value is nothing.
type Step[Action ~uint8] struct {
	Command string // in capitals or not; "": any
	Nth     int    // 0 and 1: the first
	Do      Action
	Applied bool // the command takes effect, although its reply does not come
	Code    int  // of an error
	For     time.Duration
	Text    string
}

// Validate returns an error for what makes no sense; end is behind the last action.
func (s *Step[Action]) Validate(end Action) error {
	if s.Do >= end || s.Nth < 0 || s.For < 0 {
		return fmt.Errorf("%w: step %+v", ErrOptions, *s)
	}
	return nil
}

// A Director decides what goes wrong with commands: by chance, or as a script has it.
type Director[Action ~uint8] struct {
	Rng    *rand.Rand
	script []Step[Action]
}

// A Chance is what happens with a probability.
type Chance[Action ~uint8] struct {
	P    float64
	Step Step[Action]
}

// Add adds steps to the script.
func (d *Director[Action]) Add(steps ...Step[Action]) { d.script = append(d.script, steps...) }

// Chance draws whether something happens that does so with a probability.
func (d *Director[Action]) Chance(p float64) bool { return d.Rng.Float64() < p }

// Next returns what happens to a command: the script's step, or else the last of the chances that come true. All draws are made whatever comes of them, so that
// a fault more or less does not change the luck of what follows.
func (d *Director[Action]) Next(command string, chances []Chance[Action]) (chosen Step[Action]) {
	for _, c := range chances {
		if d.Chance(c.P) {
			chosen = c.Step
		}
	}
	if s, ok := d.scripted(strings.ToUpper(command)); ok {
		chosen = s
	}
	return chosen
}

// scripted takes the first step of the script whose turn it is, and counts for the others.
func (d *Director[Action]) scripted(command string) (chosen Step[Action], ok bool) {
	kept := d.script[:0]
	for _, s := range d.script {
		switch {
		case !strings.Contains(command, strings.ToUpper(s.Command)):
			kept = append(kept, s)
		case s.Nth > 1 || ok:
			s.Nth--
			kept = append(kept, s)
		default:
			chosen, ok = s, true
		}
	}
	d.script = kept
	return chosen, ok
}

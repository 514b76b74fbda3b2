package idpterm

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// Faults say how often what goes wrong on the line, as probabilities from 0 to 1, drawn once for each command.
type Faults struct {
	Garble        float64 // that a reply has a wrong character
	GarbleCommand float64 // that a command has
	Mute          float64 // that a command is not answered, and half of the time not done
	Late          float64 // that it is answered after LateBy only
	PowerCut      float64 // that power is lost instead of the reply
	Fail          float64 // that a return message fails on its way
	LateBy        time.Duration
	Script        []Step
}

// An Action is one fault.
type Action uint8

// What can be done to a command.
const (
	ActNothing Action = iota
	ActGarble
	ActGarbleData // the last character of a reply's information that belongs to data
	ActGarbleCommand
	ActMute
	ActDelay    // the reply comes after Step.For
	ActError    // ERROR with Step.Code in S80
	ActPowerCut // before the reply
	ActUnplug   // the cable is pulled before the reply; Plug puts it back
	actionEnd
)

// A Step is a fault at a chosen place: the Nth command from now that contains Command. It happens once.
type Step struct {
	Command string // such as "%MGFM"; "": any
	Nth     int    // 0 and 1: the first
	Do      Action
	Applied bool // ActMute, ActError, ActPowerCut, ActUnplug: the command takes effect nevertheless
	Code    int
	For     time.Duration
}

func (f *Faults) validate() error {
	var errs []error
	for _, p := range []float64{f.Garble, f.GarbleCommand, f.Mute, f.Late, f.PowerCut, f.Fail} {
		if !(p >= 0 && p <= 1) { // NaN fails too
			errs = append(errs, fmt.Errorf("%w: fault of probability %v", ErrOptions, p))
		}
	}
	for _, s := range f.Script {
		errs = append(errs, s.validate())
	}
	return errors.Join(errs...)
}

func (s *Step) validate() error {
	if s.Do >= actionEnd || s.Nth < 0 || s.For < 0 {
		return fmt.Errorf("%w: step %+v", ErrOptions, *s)
	}
	return nil
}

// director decides what goes wrong.
type director struct {
	faults Faults
	rng    *rand.Rand
	script []Step
}

// next returns what happens to a command. All draws are made whatever comes of them, so that a fault more does not change the luck of what follows.
func (d *director) next(command string) Step {
	f := &d.faults
	applied := d.chance(0.5)
	var chosen Step
	for _, c := range []struct {
		p float64
		s Step
	}{
		{f.Garble, Step{Do: ActGarble}},
		{f.GarbleCommand, Step{Do: ActGarbleCommand}},
		{f.Late, Step{Do: ActDelay, For: f.LateBy}},
		{f.Mute, Step{Do: ActMute, Applied: applied}},
		{f.PowerCut, Step{Do: ActPowerCut, Applied: applied}},
	} {
		if d.chance(c.p) {
			chosen = c.s
		}
	}
	kept := d.script[:0]
	taken := false
	for _, s := range d.script {
		switch {
		case taken || !strings.Contains(strings.ToUpper(command), strings.ToUpper(s.Command)):
			kept = append(kept, s)
		case s.Nth > 1:
			s.Nth--
			kept = append(kept, s)
		default:
			chosen, taken = s, true
		}
	}
	d.script = kept
	return chosen
}

func (d *director) chance(p float64) bool { return d.rng.Float64() < p }

// garbleData changes the third character before the end of the information, which has a place in base64 and in hexadecimal.
func garbleData(reply string) string {
	end := strings.Index(reply, "\r\n\r\n")
	if end < 3 {
		return reply
	}
	other := byte('A')
	if reply[end-3] == other {
		other = 'B'
	}
	return reply[:end-3] + string(other) + reply[end-2:]
}

// garble changes one character to another that can be on the line.
func (d *director) garble(s string) string {
	if len(s) == 0 {
		return s
	}
	b := []byte(s)
	for range 64 {
		if i := d.rng.IntN(len(b)); b[i] > ' ' && b[i] != '*' {
			b[i] ^= 1
			break
		}
	}
	return string(b)
}

package idpterm

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/godwit-gateway/godwit/simulator/peers/pty"
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

// A Step is a fault at a chosen place: the Nth command from now that contains Command. Applied is for ActMute, ActError, ActPowerCut and ActUnplug.
type Step = pty.Step[Action]

func (f *Faults) validate() error {
	var errs []error
	for _, p := range []float64{f.Garble, f.GarbleCommand, f.Mute, f.Late, f.PowerCut, f.Fail} {
		if !(p >= 0 && p <= 1) { // NaN fails too
			errs = append(errs, fmt.Errorf("%w: fault of probability %v", ErrOptions, p))
		}
	}
	for _, s := range f.Script {
		errs = append(errs, s.Validate(actionEnd))
	}
	return errors.Join(errs...)
}

// director decides what goes wrong.
type director struct {
	pty.Director[Action]

	faults *Faults
}

func newDirector(f *Faults, rng *rand.Rand) director {
	d := director{pty.Director[Action]{Rng: rng}, f}
	d.Add(f.Script...)
	return d
}

// next returns what happens to a command.
func (d *director) next(command string) Step {
	f := d.faults
	applied := d.Chance(0.5)
	return d.Next(command, []pty.Chance[Action]{
		{P: f.Garble, Step: Step{Do: ActGarble}},
		{P: f.GarbleCommand, Step: Step{Do: ActGarbleCommand}},
		{P: f.Late, Step: Step{Do: ActDelay, For: f.LateBy}},
		{P: f.Mute, Step: Step{Do: ActMute, Applied: applied}},
		{P: f.PowerCut, Step: Step{Do: ActPowerCut, Applied: applied}},
	})
}

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
		if i := d.Rng.IntN(len(b)); b[i] > ' ' && b[i] != '*' {
			b[i] ^= 1
			break
		}
	}
	return string(b)
}

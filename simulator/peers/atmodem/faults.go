package atmodem

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// Faults say how often what goes wrong. Numbers without a unit are probabilities from 0 to 1; those about commands are drawn once for
// each command line. The zero value is a modem without faults that answers at once.
type Faults struct {
	Reply Span // time that a reply takes
	Send  Span // time that the network takes for a +CMGS, on top of it

	URCInReply float64 // that an unsolicited line is held back for the next reply and put between two of its lines
	URCLost    float64 // that one is never sent
	Garbage    float64 // that noise comes before a reply
	Busy       float64 // that a command for the SIM is refused as SIM busy
	Mute       float64 // that a command is not answered
	Late       float64 // that it is answered after LateBy only; what comes meanwhile waits
	Unplug     float64 // that the cable is pulled in the middle of the reply, or of the PDU that the modem is being sent
	Reboot     float64 // that the modem starts anew instead of replying
	SendFail   float64 // that the network refuses what +CMGS sends with a temporary failure
	SendMaybe  float64 // that it takes it and the modem says otherwise
	PartLost   float64 // that a part of a message on its way to the modem is lost; at the service centre it counts as delivered
	PartTwice  float64 // that a part comes twice
	PartSwap   float64 // that a part comes after the one that follows it
	ReportLost float64 // that a status report never comes

	LateBy time.Duration // 0: a second
	Away   time.Duration // from the cable being pulled by a fault to its being put back; 0: 300 ms
	Script []Step
}

// A Span is a duration drawn evenly between two.
type Span struct{ Least, Most time.Duration }

// An Action is one fault.
type Action uint8

// What can be done to a command.
const (
	ActNothing Action = iota
	ActDelay          // the reply comes after Step.For
	ActMute           // no reply
	ActError          // Step.Code instead of the reply, as +CMS ERROR for message commands and as +CME ERROR for others
	ActUnplug         // cable pulled in the middle of the reply or, for +CMGS and +CMGW, of the PDU; back after Faults.Away
	ActReboot         // starts anew without a reply
	ActGarbage        // noise before the reply
	ActURC            // Step.Text as an unsolicited line between two lines of the reply
	ActFail           // from here on commands about messages are refused as ME failure, until it starts anew
	actionEnd
)

// A Step is a fault at a chosen place: the Nth command line from now that contains Command. It happens once.
type Step struct {
	Command string // such as "+CMGD"; "": any
	Nth     int    // 0 and 1: the first
	Do      Action
	Applied bool // ActMute, ActError, ActUnplug, ActReboot: the command takes effect nevertheless
	Code    int
	For     time.Duration
	Text    string
}

const awayDefault = 300 * time.Millisecond

func (f *Faults) validate() error {
	var errs []error
	for _, p := range []struct {
		name string
		p    float64
	}{
		{"URCInReply", f.URCInReply},
		{"URCLost", f.URCLost},
		{"Garbage", f.Garbage},
		{"Busy", f.Busy},
		{"Mute", f.Mute},
		{"Late", f.Late},
		{"Unplug", f.Unplug},
		{"Reboot", f.Reboot},
		{"SendFail", f.SendFail},
		{"SendMaybe", f.SendMaybe},
		{"PartLost", f.PartLost},
		{"PartTwice", f.PartTwice},
		{"PartSwap", f.PartSwap},
		{"ReportLost", f.ReportLost},
	} {
		if !(p.p >= 0 && p.p <= 1) { // NaN fails too
			errs = append(errs, fmt.Errorf("%w: fault %s is %v, want a probability from 0 to 1", ErrOptions, p.name, p.p))
		}
	}
	for _, s := range []Span{f.Reply, f.Send} {
		if s.Least < 0 || s.Most < s.Least {
			errs = append(errs, fmt.Errorf("%w: span %v, want 0 <= least <= most", ErrOptions, s))
		}
	}
	if f.LateBy < 0 || f.Away < 0 {
		errs = append(errs, fmt.Errorf("%w: a duration of faults is negative", ErrOptions))
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

func (s Span) draw(rng *rand.Rand) time.Duration {
	return s.Least + time.Duration(rng.Float64()*float64(s.Most-s.Least))
}

// director decides what goes wrong.
type director struct {
	faults Faults
	rng    *rand.Rand
	script []Step
}

// next returns what happens to a command line. All draws are made whatever comes of them, so that a fault more or less does not change
// the luck of what follows.
func (d *director) next(line string) Step {
	f := &d.faults
	applied := d.rng.Float64() < 0.5
	var chosen Step
	for _, c := range []struct {
		p float64
		s Step
	}{
		{f.Garbage, Step{Do: ActGarbage}},
		{f.Late, Step{Do: ActDelay, For: f.LateBy}},
		{f.Mute, Step{Do: ActMute, Applied: applied}},
		{f.Unplug, Step{Do: ActUnplug, Applied: applied}},
		{f.Reboot, Step{Do: ActReboot, Applied: applied}},
	} {
		if d.chance(c.p) {
			chosen = c.s
		}
	}
	if d.chance(f.Busy) && needsSIM(line) {
		chosen = Step{Do: ActError, Code: codeSIMBusy(line)}
	}
	if chosen.Do == ActDelay && chosen.For == 0 {
		chosen.For = time.Second
	}
	if s, ok := d.scripted(line); ok {
		chosen = s
	}
	return chosen
}

// scripted takes the first step of the script whose turn it is, and counts for the others.
func (d *director) scripted(line string) (chosen Step, ok bool) {
	kept := d.script[:0]
	for _, s := range d.script {
		if !strings.Contains(line, strings.ToUpper(s.Command)) {
			kept = append(kept, s)
			continue
		}
		if s.Nth > 1 || ok {
			s.Nth--
			kept = append(kept, s)
			continue
		}
		chosen, ok = s, true
	}
	d.script = kept
	return chosen, ok
}

func (d *director) chance(p float64) bool { return d.rng.Float64() < p }

// noise is what a bad line adds: any bytes but those that end a line, of which it would be a different fault to make two.
func (d *director) noise() string {
	b := make([]byte, 1+d.rng.IntN(16))
	for i := range b {
		b[i] = byte(0x80 + d.rng.IntN(0x80))
	}
	return string(b)
}

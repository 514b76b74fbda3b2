package atmodem

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/godwit-gateway/godwit/simulator/peers/pty"
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
type Span = pty.Span

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

// A Step is a fault at a chosen place: the Nth command line from now that contains Command. Applied is for ActMute, ActError, ActUnplug and ActReboot.
type Step = pty.Step[Action]

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
		errs = append(errs, s.Validate())
	}
	if f.LateBy < 0 || f.Away < 0 {
		errs = append(errs, fmt.Errorf("%w: a duration of faults is negative", ErrOptions))
	}
	for _, s := range f.Script {
		errs = append(errs, s.Validate(actionEnd))
	}
	return errors.Join(errs...)
}

// director decides what goes wrong.
type director struct {
	pty.Director[Action]

	faults Faults
}

func newDirector(f *Faults, rng *rand.Rand) director {
	d := director{pty.Director[Action]{Rng: rng}, *f}
	d.Add(f.Script...)
	return d
}

// next returns what happens to a command line.
func (d *director) next(line string) Step {
	f := &d.faults
	applied, busy := d.Chance(0.5), f.Busy
	if !needsSIM(line) {
		busy = 0
	}
	return d.Next(line, []pty.Chance[Action]{
		{P: f.Garbage, Step: Step{Do: ActGarbage}},
		{P: f.Late, Step: Step{Do: ActDelay, For: cmp.Or(f.LateBy, time.Second)}},
		{P: f.Mute, Step: Step{Do: ActMute, Applied: applied}},
		{P: f.Unplug, Step: Step{Do: ActUnplug, Applied: applied}},
		{P: f.Reboot, Step: Step{Do: ActReboot, Applied: applied}},
		{P: busy, Step: Step{Do: ActError, Code: codeSIMBusy(line)}},
	})
}

// noise is what a bad line adds: any bytes but those that end a line, of which it would be a different fault to make two.
func (d *director) noise() string {
	b := make([]byte, 1+d.Rng.IntN(16))
	for i := range b {
		b[i] = byte(0x80 + d.Rng.IntN(0x80))
	}
	return string(b)
}

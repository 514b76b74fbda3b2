package sbdterm

import "time"

// A Step is what goes wrong with one session, instead of chance. The zero value has it go well.
type Step struct {
	MO     int   // status; 0: it goes well
	MTFail bool  // it goes well, and the message that waits does not come (MT status 2)
	Mute   bool  // it happens, and nothing is said of it
	Power  Power // is cut in it
	Unplug bool  // the line is pulled in it; the session goes on
}

// A Power says when in a session the power is cut.
type Power uint8

// Moments of power cuts.
const (
	PowerStays  Power = iota
	PowerBefore       // before the network has the message
	PowerAfter        // after it, and before the answer
)

// Inject adds a step to the script: the next session without one takes it.
func (m *Modem) Inject(s Step) {
	m.With(func() { m.machine.script = append(m.machine.script, s) })
}

// Interleave has a ring alert cut into each of the next n answers that have more than one part.
func (m *Modem) Interleave(n int) {
	m.With(func() { m.machine.interleave = n })
}

// Garble has the next n blocks carry a wrong checksum.
func (m *Modem) Garble(n int) {
	m.With(func() { m.machine.garble = n })
}

// Silence has the modem ignore what is written to it until told otherwise.
func (m *Modem) Silence(on bool) {
	m.With(func() { m.machine.silent = on })
}

// Hold keeps sessions under way from ending until told otherwise.
func (m *Modem) Hold(on bool) {
	m.With(func() { m.machine.hold = on })
}

// SetSky sets the signal, 0 to 5, which is 5 at first.
func (m *Modem) SetSky(bars int) {
	m.With(func() { m.machine.sky = bars })
}

// CutPower takes the power away for Options.Off.
func (m *Modem) CutPower() {
	m.With(func() { m.machine.down(time.Now()) })
}

// Forget has the modem's count of sessions jump, as +SBDC and another program's sessions do.
func (m *Modem) Forget(momsn uint16) {
	m.With(func() { m.machine.momsn = momsn })
}

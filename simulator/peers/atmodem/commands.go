package atmodem

import (
	"fmt"
	"strconv"
	"strings"
)

// handlers are the commands but the S-registers. What gives no answer but OK to anything is in accepted.
var handlers = map[string]handler{
	"E":  {run: flag(func(s *settings) *bool { return &s.echo })},
	"Q":  {run: flag(func(s *settings) *bool { return &s.quiet })},
	"V":  {run: flag(func(s *settings) *bool { return &s.verbose })},
	"Z":  {run: (*machine).reset},
	"I":  {run: (*machine).identify},
	"D":  {run: (*machine).dial},
	"A":  {run: (*machine).noCarrier},
	"O":  {run: (*machine).noCarrier},
	"&F": {run: (*machine).factory},
	"&W": {run: (*machine).save},

	"+CMEE": {run: mode([]int{2}, "(0-2)", func(s *settings) []*int { return []*int{&s.errors} })},
	"+CSCS": {run: (*machine).characters},

	"+CGMI": {run: fixed(func(m *machine) string { return m.o.Profile.Manufacturer })},
	"+CGMM": {run: fixed(func(m *machine) string { return m.o.Profile.Model })},
	"+CGMR": {run: fixed(func(m *machine) string { return m.o.Profile.Revision })},
	"+CGSN": {run: fixed(func(m *machine) string { return m.o.Profile.IMEI })},
	"+GMI":  {run: fixed(func(m *machine) string { return m.o.Profile.Manufacturer })},
	"+GMM":  {run: fixed(func(m *machine) string { return m.o.Profile.Model })},
	"+GMR":  {run: fixed(func(m *machine) string { return m.o.Profile.Revision })},
	"+GSN":  {run: fixed(func(m *machine) string { return m.o.Profile.IMEI })},
	"+GCAP": {run: fixed(func(m *machine) string { return "+GCAP: " + m.o.Profile.Capabilities })},
	"+CIMI": {run: fixed(func(m *machine) string { return m.o.Profile.IMSI }), sim: true},
	"+CCID": {run: (*machine).cardNumber},
	"+CRSM": {run: (*machine).simFile, sim: true},
	"+CNUM": {run: (*machine).ownNumber, sim: true},

	"+CPIN":  {run: (*machine).pin},
	"+CPWD":  {run: refused(16)},
	"+CLCK":  {run: (*machine).lock, sim: true},
	"+CFUN":  {run: (*machine).functionality},
	"+CPAS":  {run: fixed(func(*machine) string { return "+CPAS: 0" })},
	"+CSQ":   {run: (*machine).signal},
	"+CBC":   {run: fixed(func(*machine) string { return "+CBC: 0,97,4110" })},
	"+CCLK":  {run: (*machine).clock},
	"+CREG":  {run: registration(func(s *settings) *int { return &s.creg })},
	"+CGREG": {run: registration(func(s *settings) *int { return &s.cgreg })},
	"+CEREG": {run: registration(func(s *settings) *int { return &s.cereg })},
	"+CGATT": {run: (*machine).attached, sim: true},
	"+COPS":  {run: (*machine).operator, sim: true},
	"+CIND":  {run: (*machine).indicators},
	"+WS46":  {run: (*machine).networks},
	"+CPBS":  {run: (*machine).phonebook, sim: true},
	"+CPBR":  {run: (*machine).phonebookRead, sim: true},
	"+CPBW":  {run: refused(3), sim: true},
	"+CPBF":  {run: (*machine).phonebookFind, sim: true},
	"+CLCC":  {run: (*machine).nothing},

	"+CSMS": {run: (*machine).service, sim: true, sms: true},
	"+CPMS": {run: (*machine).preferred, sim: true, sms: true},
	"+CMGF": {run: (*machine).format, sms: true},
	"+CSCA": {run: (*machine).centreAddress, sim: true, sms: true},
	"+CNMI": {run: (*machine).indications, sim: true, sms: true},
	"+CNMA": {run: (*machine).acknowledged, sim: true, sms: true},
	"+CMMS": {run: mode([]int{2}, "(0-2)", func(s *settings) []*int { return []*int{&s.more} }), sim: true, sms: true},
	"+CMGL": {run: (*machine).list, sim: true, sms: true},
	"+CMGR": {run: (*machine).read, sim: true, sms: true},
	"+CMGD": {run: (*machine).remove, sim: true, sms: true},
	"+CMGS": {run: (*machine).send, sim: true, sms: true},
	"+CMGW": {run: (*machine).write, sim: true, sms: true},
	"+CMSS": {run: (*machine).sendStored, sim: true, sms: true},
	"+CMGC": {run: (*machine).sendCommand, sim: true, sms: true},
}

// An answer is what a command without a meaning here says when it is asked what can be set and what is.
type answer struct{ test, read string }

// accepted are commands that change nothing here: calls, flow control, speeds, reporting of what never happens.
var accepted = map[string]answer{
	"H": {}, "L": {}, "M": {}, "N": {}, "P": {}, "T": {}, "X": {}, "&C": {}, "&D": {}, "&K": {}, "&S": {}, "&R": {}, "\\Q": {}, "\\N": {},
	"+CRC": {"(0,1)", "0"}, "+CLIP": {"(0,1)", "0,1"}, "+CLIR": {"(0-2)", "0,1"}, "+CMOD": {"(0)", "0"}, "+CR": {"(0,1)", "0"},
	"+CSTA": {"(129,145)", "145"}, "+CVHU": {"(0,1)", "0"}, "+IFC": {"(0-2),(0-2)", "0,0"}, "+ICF": {"(3),(0)", "3,0"},
	"+IPR": {"(0,1200,2400,4800,9600,19200,38400,57600,115200)", "0"}, "+CSSN": {"(0,1),(0,1)", "0,0"}, "+CUSD": {"(0-2)", "0"},
	"+CCWA": {"(0,1)", "0"}, "+COLP": {"(0,1)", "0,1"}, "+CMER": {"(0-3),(0),(0),(0-2),(0,1)", "0,0,0,0,0"}, "+FCLASS": {"(0)", "0"},
	"+CGEREP": {"(0-2),(0,1)", "0,0"}, "+CTZR": {"(0,1)", "0"}, "+CTZU": {"(0,1)", "0"}, "+CSAS": {"(0)", ""}, "+CRES": {"(0)", ""},
	"+CSDH": {"(0,1)", "0"}, "+CGDCONT": {`(1),"IP",,,(0),(0)`, ""}, "+CGACT": {"(0,1)", ""}, "+CHUP": {}, "+CSCB": {"(0,1)", `0,"",""`},
}

func lookUp(name string) (handler, bool) {
	if h, ok := handlers[name]; ok {
		return h, true
	}
	if _, ok := accepted[name]; ok {
		return handler{run: (*machine).accept}, true
	}
	if name == "+CLAC" { // not in the table that it tells
		return handler{run: (*machine).listCommands}, true
	}
	if n, err := strconv.Atoi(strings.TrimPrefix(name, "S")); err == nil && name[0] == 'S' && n < len(settings{}.s) {
		return handler{run: func(m *machine, x *exec) result { return m.register(x, n) }}, true
	}
	return handler{}, false
}

// accept says OK, and to a question what can be set and what is.
func (m *machine) accept(x *exec) result {
	a := accepted[x.name]
	switch {
	case x.verb == verbTest && a.test != "":
		x.info(x.name, ": ", a.test)
	case x.verb == verbRead && a.read != "":
		x.info(x.name, ": ", a.read)
	}
	return resultOf(succeeded)
}

func (m *machine) nothing(*exec) result { return resultOf(succeeded) }

func refused(code int) func(*machine, *exec) result {
	return func(*machine, *exec) result { return cme(code) }
}

// flag is a basic command that switches something on and off.
func flag(of func(*settings) *bool) func(*machine, *exec) result {
	return func(m *machine, x *exec) result {
		switch x.args {
		case "", "0":
			*of(&m.set) = false
		case "1":
			*of(&m.set) = true
		default:
			return resultOf(failed)
		}
		return resultOf(succeeded)
	}
}

// mode is a command that sets and tells numbers from zero to a limit each.
func mode(limits []int, test string, of func(*settings) []*int) func(*machine, *exec) result {
	return func(m *machine, x *exec) result {
		values := of(&m.set)
		switch x.verb {
		case verbTest:
			x.info(x.name, ": ", test)
		case verbRead:
			texts := make([]string, len(values))
			for i, v := range values {
				texts[i] = strconv.Itoa(*v)
			}
			x.info(x.name, ": ", strings.Join(texts, ","))
		case verbSet:
			return done(x.numbers(values, limits))
		default:
			for _, v := range values {
				*v = 0
			}
		}
		return resultOf(succeeded)
	}
}

// fixed is a command that tells one thing.
func fixed(text func(*machine) string) func(*machine, *exec) result {
	return func(m *machine, x *exec) result {
		if x.verb != verbTest {
			x.info(text(m))
		}
		return resultOf(succeeded)
	}
}

// register sets and tells an S-register. Three of them have a meaning: the characters that end a line, follow it, and delete.
func (m *machine) register(x *exec, n int) result {
	if x.verb == verbRead {
		x.info(fmt.Sprintf("%03d", m.set.s[n]))
		return resultOf(succeeded)
	}
	v, ok := x.number(0, 0, 0, 255)
	if !ok || n >= 3 && n <= 5 && v > 127 {
		return resultOf(failed)
	}
	m.set.s[n] = byte(v)
	return resultOf(succeeded)
}

func (m *machine) reset(*exec) result {
	mem := m.set.mem
	m.set = m.saved
	m.set.mem = mem // of the SIM's and modem's file system rather than of a profile
	return resultOf(succeeded)
}

func (m *machine) factory(*exec) result {
	mem := m.set.mem
	m.set = factory()
	m.set.mem = mem
	return resultOf(succeeded)
}

func (m *machine) save(*exec) result {
	m.saved = m.set
	return resultOf(succeeded)
}

// characters chooses the character set of strings.
func (m *machine) characters(x *exec) result {
	switch x.verb {
	case verbTest:
		x.info(`+CSCS: ("GSM","IRA","HEX","UCS2")`)
	case verbRead:
		x.info(`+CSCS: "`, m.set.charset, `"`)
	case verbSet:
		switch set := strings.ToUpper(x.text(0)); set {
		case "GSM", "IRA", "HEX", "UCS2":
			m.set.charset = set
		default:
			return cme(50)
		}
	default:
		return cme(50)
	}
	return resultOf(succeeded)
}

// listCommands tells the names of all commands (27.007 §5.37).
func (m *machine) listCommands(x *exec) result {
	if x.verb == verbTest {
		return resultOf(succeeded)
	}
	for _, name := range commandNames() {
		x.info(name)
	}
	return resultOf(succeeded)
}

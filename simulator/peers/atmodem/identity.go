package atmodem

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// commandNames are the names of all commands in order.
func commandNames() []string {
	names := slices.AppendSeq(slices.Collect(maps.Keys(accepted)), maps.Keys(handlers))
	names = append(names, "+CLAC")
	slices.Sort(names)
	return names
}

// identify answers ATI as modems do: who made it, then details by number.
func (m *machine) identify(x *exec) result {
	p := &m.o.Profile
	switch x.args {
	case "", "0":
		x.info(p.Manufacturer)
		x.info(p.Model)
		x.info(p.Revision)
	case "1", "3":
		x.info(p.Revision)
	case "4":
		x.info(p.Model)
	case "5":
		x.info(p.IMEI)
	case "9":
		x.info(p.Manufacturer, " ", p.Model)
	default:
	}
	return resultOf(succeeded)
}

func (m *machine) dial(*exec) result      { return result{kind: custom, custom: "NO CARRIER"} }
func (m *machine) noCarrier(*exec) result { return result{kind: custom, custom: "NO CARRIER"} }

func (m *machine) cardNumber(x *exec) result {
	if x.verb != verbTest {
		x.info("+CCID: ", m.o.Profile.ICCID)
	}
	return resultOf(succeeded)
}

func (m *machine) ownNumber(x *exec) result {
	if x.verb == verbRun {
		x.info(`+CNUM: "`, m.set.string("Godwit"), `","`, m.set.string(m.o.Number), `",`, strconv.Itoa(addressType(m.o.Number)))
	}
	return resultOf(succeeded)
}

// Elementary files of the SIM that programs read (3GPP TS 31.102 §4.2, TS 51.011 §10).
const (
	fileICCID = 0x2fe2
	fileSPN   = 0x6f46 // name of the service provider
	fileAD    = 0x6fad // administrative data; its last octet is the length of the MNC
)

// simFile answers READ BINARY of +CRSM (27.007 §8.18), of the files that identify the card and its network.
func (m *machine) simFile(x *exec) result {
	const readBinary = 176
	if x.verb == verbTest {
		return resultOf(succeeded)
	}
	command, ok := x.number(0, 0, 0, 255)
	file, ok2 := x.number(1, 0, 0, 0xffff)
	if !ok || !ok2 {
		return cme(50)
	}
	p := &m.o.Profile
	var data []byte
	switch file {
	case fileICCID:
		data = swapped(p.ICCID)
	case fileSPN:
		data = append([]byte{0}, toGSM(p.Operator)...)
	case fileAD:
		data = []byte{0, 0, 0, byte(len(p.OperatorCode) - 3)}
	}
	if command != readBinary || data == nil {
		x.info("+CRSM: 106,130") // file not found
		return resultOf(succeeded)
	}
	x.info(fmt.Sprintf(`+CRSM: 144,0,"%X"`, data))
	return resultOf(succeeded)
}

// swapped codes digits as cards do: two in an octet, the first one low, filled up with F.
func swapped(digits string) []byte {
	if len(digits)%2 == 1 {
		digits += "?" // whose low bits are F
	}
	out := make([]byte, len(digits)/2)
	for i := range out {
		out[i] = digits[2*i]&0xf | digits[2*i+1]<<4
	}
	return out
}

// addressType is the type of address of a number: international or unknown (24.008 §10.5.4.7).
func addressType(number string) int {
	if number != "" && number[0] == '+' {
		return 145
	}
	return 129
}

// pin answers what the SIM wants, and takes its PIN. Three wrong ones lock it for good.
func (m *machine) pin(x *exec) result {
	switch x.verb {
	case verbRead:
		x.info("+CPIN: ", m.sim.state())
	case verbSet:
		switch {
		case m.sim.unlocked:
			return cme(3)
		case m.sim.tries == 0:
			return cme(12)
		case x.text(0) != m.o.Profile.PIN:
			if m.sim.tries--; m.sim.tries == 0 {
				return cme(12)
			}
			return cme(16)
		}
		m.sim.unlocked, m.sim.tries = true, pinTries
		m.radio.since = later(m.radio.since, x.now.Add(m.o.Profile.Boot/2))
	case verbTest:
	default:
		return cme(50)
	}
	return resultOf(succeeded)
}

// lock answers whether the SIM asks for its PIN at power-up; nothing can be locked.
func (m *machine) lock(x *exec) result {
	if x.verb == verbTest {
		x.info(`+CLCK: ("SC")`)
		return resultOf(succeeded)
	}
	if mode, ok := x.number(1, 0, 0, 2); !ok || mode != 2 || x.text(0) != "SC" {
		return cme(3)
	}
	on := "0"
	if m.o.Profile.PIN != "" {
		on = "1"
	}
	x.info("+CLCK: ", on)
	return resultOf(succeeded)
}

func (m *machine) clock(x *exec) result {
	if x.verb != verbRead {
		return resultOf(succeeded) // the network sets it
	}
	now := m.o.Now()
	_, zone := now.Zone()
	x.info(`+CCLK: "`, now.Format("06/01/02,15:04:05"), fmt.Sprintf(`%+03d"`, zone/(15*60)))
	return resultOf(succeeded)
}

// The phone book is empty: programs look at it when they make themselves known to a modem.
func (m *machine) phonebook(x *exec) result {
	switch x.verb {
	case verbTest:
		x.info(`+CPBS: ("SM","ON")`)
	case verbRead:
		x.info(`+CPBS: "`, m.set.phonebook, `",0,`, strconv.Itoa(phonebookSize))
	case verbSet:
		if name := x.text(0); name == "SM" || name == "ON" {
			m.set.phonebook = name
			return resultOf(succeeded)
		}
		return cme(50)
	default:
		return cme(50)
	}
	return resultOf(succeeded)
}

const phonebookSize = 100

func (m *machine) phonebookRead(x *exec) result {
	if x.verb == verbTest {
		x.info(fmt.Sprintf("+CPBR: (1-%d),40,14", phonebookSize))
		return resultOf(succeeded)
	}
	if n, ok := x.number(0, 0, 1, phonebookSize); !ok || n == 0 {
		return cme(21)
	}
	return resultOf(succeeded)
}

func (m *machine) phonebookFind(x *exec) result {
	if x.verb == verbTest {
		x.info("+CPBF: 40,14")
		return resultOf(succeeded)
	}
	return cme(22)
}

package atmodem

import (
	"fmt"
	"strings"

	"github.com/warthog618/sms/encoding/gsm7"
	"github.com/warthog618/sms/encoding/ucs2"
)

// settings are what commands set and a reset forgets.
type settings struct {
	echo, quiet, verbose bool
	s                    [256]byte // S-registers, V.250 §6.2
	errors               int       // +CMEE
	charset              string    // +CSCS
	service              int       // +CSMS
	more                 int       // +CMMS
	cnmi                 [5]int    // mode, mt, bm, ds, bfr
	creg, cgreg, cereg   int
	operatorFormat       int
	phonebook            string
	mem                  [3]string // +CPMS: read and delete, write and send, receive
}

func factory() settings {
	s := settings{echo: true, verbose: true, charset: "GSM", phonebook: "SM", mem: [3]string{"SM", "SM", "SM"}}
	s.s[3], s.s[4], s.s[5] = '\r', '\n', '\b'
	s.s[7], s.s[8], s.s[10] = 60, 2, 14
	return s
}

// storages replaces storages that the modem does not have.
func (s *settings) storages(m *machine) {
	for i, name := range s.mem {
		if _, ok := m.storage(name); !ok {
			s.mem[i] = m.storageNames()[0]
		}
	}
}

// end returns what ends a line.
func (s *settings) end() string { return string([]byte{s.s[3], s.s[4]}) }

// edits tells whether a byte that is typed is echoed: all that a terminal may send but the escape, which is no text.
func (s *settings) edits(b byte) bool { return b != escape && b != 0 }

// string returns a string in the character set that +CSCS chose, without quotes.
func (s *settings) string(text string) string {
	switch s.charset {
	case "UCS2":
		return fmt.Sprintf("%X", ucs2.Encode([]rune(text)))
	case "HEX":
		return fmt.Sprintf("%X", toGSM(text))
	case "GSM":
		return strings.ReplaceAll(string(toGSM(text)), `"`, "'")
	}
	return text
}

// toGSM translates to the default alphabet as far as that goes.
func toGSM(text string) []byte {
	b, err := gsm7.Encode([]byte(text))
	if err != nil {
		return []byte(text)
	}
	return b
}

// parseString undoes string.
func (s *settings) parseString(text string) (string, bool) {
	if s.charset != "UCS2" || strings.HasPrefix(text, "+") {
		return text, true
	}
	raw, err := decodeHex(text)
	if err != nil {
		return "", false
	}
	r, err := ucs2.Decode(raw)
	return string(r), err == nil
}

// sim is what is on the card and survives a reset.
type sim struct {
	unlocked bool
	tries    int
	smsc     string // "": none
}

// state is the answer to +CPIN?.
func (s *sim) state() string {
	switch {
	case s.unlocked:
		return "READY"
	case s.tries == 0:
		return "SIM PUK"
	}
	return "SIM PIN"
}

func (s *sim) refusal(sms bool) result {
	switch {
	case sms && s.tries == 0:
		return cms(cmsPUK)
	case sms:
		return cms(cmsPIN)
	case s.tries == 0:
		return cme(12)
	}
	return cme(11)
}

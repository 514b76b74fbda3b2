package smsmodem

import (
	"errors"
	"strings"

	"github.com/godwit-gateway/godwit/transports/serial"
)

// statRead is, of the message states in PDU mode (3GPP TS 27.005 §3.1), the greater of the two of messages that were received.
const statRead = 1

// errTextMode says that the modem lists in text mode: it has started over without a word.
var errTextMode = errors.New("modem is not in PDU mode")

// An entry is one message of a listing.
type entry struct {
	index  int
	stat   int
	length int    // of the TPDU, as the modem counts; -1 if it gave none
	pdu    string // hex; "" if the line was lost
}

// parseList reads the answer to +CMGL=4:
//
//	+CMGL: <index>,<stat>,[<alpha>],<length>
//	<pdu>
//
// Lines that are neither are not ours to understand.
func parseList(lines []string) ([]entry, error) {
	var out []entry
	for _, text := range lines {
		if rest, ok := cutPrefixFold(text, "+CMGL:"); ok {
			f := serial.Fields(rest)
			if len(f) < 2 || number(f[0]) < 0 {
				continue
			}
			if number(f[1]) < 0 {
				return nil, errTextMode
			}
			out = append(out, entry{index: number(f[0]), stat: number(f[1]), length: number(f[len(f)-1])})
			continue
		}
		if n := len(out); n > 0 && out[n-1].pdu == "" && isHex(text) {
			out[n-1].pdu = text
		}
	}
	return out, nil
}

// parseRead reads the answer to +CMGR. A PDU that is not hex is one all the same: asked for by its index, it is no other line.
func parseRead(index int, lines []string) (entry, error) {
	e := entry{index: index, stat: -1, length: -1}
	for _, text := range lines {
		if rest, ok := cutPrefixFold(text, "+CMGR:"); ok {
			f := serial.Fields(rest)
			e.stat, e.length = number(f[0]), number(f[len(f)-1])
			if e.stat < 0 {
				return entry{}, errTextMode
			}
			continue
		}
		if e.stat >= 0 && (e.pdu == "" || (!isHex(e.pdu) && isHex(text))) {
			e.pdu = text
		}
	}
	return e, nil
}

// cutPrefixFold cuts a prefix, which is in upper case.
func cutPrefixFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}

package atmodem

import (
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/warthog618/sms/encoding/gsm7"
	"github.com/warthog618/sms/encoding/pdumode"
	"github.com/warthog618/sms/encoding/tpdu"
	"github.com/warthog618/sms/encoding/ucs2"
)

// Information elements of a user data header (3GPP TS 23.040 §9.2.3.24).
const (
	ieConcat8  = 0x00
	iePorts8   = 0x04
	iePorts16  = 0x05
	ieConcat16 = 0x08
)

const (
	singleMax = 140 // octets of user data, header included
	partsMax  = 255
	tpduMax   = 164 // octets of an SMS-SUBMIT
)

// ErrMessage is wrapped by the error of a Deliver whose message cannot be sent.
var ErrMessage = errors.New("message")

// coding is what a phone chooses about the parts of a message.
type coding struct {
	ref       func(from string) uint16 // taken for messages of several parts
	refBits   uint8
	portFirst bool // real phones put the ports before or after the reference
}

// encodeDeliver makes the SMS-DELIVER TPDUs of a message.
func encodeDeliver(msg *Message, c coding) ([][]byte, error) {
	if len(msg.Payload) > 0 && msg.Text != "" {
		return nil, fmt.Errorf("%w: has both a payload and a text", ErrMessage)
	}
	origin, err := address(msg.From)
	if err != nil {
		return nil, err
	}
	data, dcs := msg.Payload, tpdu.Dcs8BitData
	if msg.Text != "" {
		data, dcs = encodeText(msg.Text)
	}
	var fixed tpdu.UserDataHeader
	if msg.DestPort != 0 {
		fixed = append(fixed, tpdu.InformationElement{ID: iePorts16, Data: []byte{byte(msg.DestPort >> 8), byte(msg.DestPort), 0, 0}})
	}
	if len(data) <= room(fixed, dcs) {
		b, err := deliverTPDU(origin, msg.SentAt, dcs, fixed, data)
		return [][]byte{b}, err
	}
	ref := c.ref(msg.From)
	size := room(withConcat(fixed, c, ref, 0, 0), dcs)
	chunks := split(data, size, dcs)
	if len(chunks) > partsMax {
		return nil, fmt.Errorf("%w: %d bytes do not fit into %d parts", ErrMessage, len(data), partsMax)
	}
	out := make([][]byte, len(chunks))
	for i, chunk := range chunks {
		if out[i], err = deliverTPDU(origin, msg.SentAt, dcs, withConcat(fixed, c, ref, len(chunks), i+1), chunk); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func withConcat(fixed tpdu.UserDataHeader, c coding, ref uint16, total, seq int) tpdu.UserDataHeader {
	ie := tpdu.InformationElement{ID: ieConcat8, Data: []byte{byte(ref), byte(total), byte(seq)}}
	if c.refBits == 16 {
		ie = tpdu.InformationElement{ID: ieConcat16, Data: []byte{byte(ref >> 8), byte(ref), byte(total), byte(seq)}}
	}
	if c.portFirst {
		return append(append(tpdu.UserDataHeader(nil), fixed...), ie)
	}
	return append(tpdu.UserDataHeader{ie}, fixed...)
}

// room returns how much data fits beside a header: octets, or septets in the GSM alphabet.
func room(h tpdu.UserDataHeader, dcs tpdu.DCS) int {
	octets := 0
	if len(h) > 0 {
		octets = 1 + h.UDHL()
	}
	if dcs == 0 {
		return (singleMax*8 - octets*8) / 7
	}
	return singleMax - octets
}

// split cuts data into parts, never inside of a character.
func split(data []byte, size int, dcs tpdu.DCS) [][]byte {
	var out [][]byte
	for len(data) > 0 {
		n := min(size, len(data))
		if n < len(data) {
			switch {
			case dcs == tpdu.DcsUCS2Data:
				n &^= 1
			case dcs == 0 && data[n-1] == 0x1b: // escape to the extension table
				n--
			}
		}
		out = append(out, data[:n])
		data = data[n:]
	}
	return out
}

func encodeText(text string) ([]byte, tpdu.DCS) {
	if b, err := gsm7.Encode([]byte(text)); err == nil {
		return b, 0
	}
	return ucs2.Encode([]rune(text)), tpdu.DcsUCS2Data
}

func deliverTPDU(origin tpdu.Address, at time.Time, dcs tpdu.DCS, h tpdu.UserDataHeader, data []byte) ([]byte, error) {
	t := tpdu.TPDU{Direction: tpdu.MT, FirstOctet: tpdu.FoMMS, OA: origin, DCS: dcs, SCTS: tpdu.Timestamp{Time: quarterHour(at)}, UD: data}
	t.FirstOctet = t.FirstOctet.WithMTI(tpdu.MtDeliver)
	if len(h) > 0 {
		t.SetUDH(h)
	}
	b, err := t.MarshalBinary()
	if err != nil {
		return nil, fmt.Errorf("%w: encode SMS-DELIVER: %w", ErrMessage, err)
	}
	return b, nil
}

// reportTPDU makes an SMS-STATUS-REPORT.
func reportTPDU(ref byte, to tpdu.Address, sent, at time.Time, status byte) ([]byte, error) {
	t := tpdu.TPDU{
		Direction: tpdu.MT, FirstOctet: tpdu.FoMMS, MR: ref, RA: to, ST: status,
		SCTS: tpdu.Timestamp{Time: quarterHour(sent)}, DT: tpdu.Timestamp{Time: quarterHour(at)},
	}
	t.FirstOctet = t.FirstOctet.WithMTI(tpdu.MtCommand)
	return t.MarshalBinary()
}

// quarterHour makes a zone that a time stamp can hold: it counts quarters of an hour.
func quarterHour(t time.Time) time.Time {
	if _, offset := t.Zone(); offset%(15*60) != 0 {
		return t.UTC()
	}
	return t
}

// address makes an address of a number, or of a name.
func address(from string) (tpdu.Address, error) {
	var a tpdu.Address
	a.TOA = 0x80
	switch {
	case !numberPattern.MatchString(from):
		if from == "" || len(toGSM(from)) > 11 {
			return a, fmt.Errorf("%w: sender %q is neither a number nor a name of up to 11 letters", ErrMessage, from)
		}
		a.SetTypeOfNumber(tpdu.TonAlphanumeric)
		a.Addr = from
	case from[0] == '+':
		a.SetNumber(from)
	default:
		a.SetNumberingPlan(tpdu.NpISDN)
		a.Addr = from
	}
	if _, err := a.MarshalBinary(); err != nil {
		return a, fmt.Errorf("%w: sender %q: %w", ErrMessage, from, err)
	}
	return a, nil
}

// appendSMSC appends the service centre's address as it precedes TPDUs on the line, a zero if there is none.
func appendSMSC(dst []byte, number string) []byte {
	if number == "" {
		return append(dst, 0)
	}
	var a pdumode.SMSCAddress
	a.TOA = 0x80
	if number[0] == '+' {
		a.SetNumber(number)
	} else {
		a.SetNumberingPlan(tpdu.NpISDN)
		a.Addr = number
	}
	b, err := a.MarshalBinary()
	if err != nil {
		return append(dst, 0)
	}
	return append(dst, b...)
}

func decodeHex(s string) ([]byte, error) { return hex.DecodeString(s) }

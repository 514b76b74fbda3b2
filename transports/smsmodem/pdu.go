package smsmodem

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/warthog618/sms/encoding/pdumode"
	"github.com/warthog618/sms/encoding/tpdu"

	"github.com/godwit-gateway/godwit/transports"
)

// Information elements of the user data header (3GPP TS 23.040 §9.2.3.24).
const (
	ieConcat8  = 0x00 // ref, total, seq
	iePorts8   = 0x04 // destination, source
	iePorts16  = 0x05
	ieConcat16 = 0x08 // u16 ref, total, seq
)

// A received is what one PDU of the modem says: a message, or a report on one of ours.
type received struct {
	report bool

	from    string // of a message; of a report the recipient
	at      time.Time
	port    uint16
	content transports.Content
	part    transports.Part
	payload []byte

	mr, status byte // of a report: TP-MR, TP-ST
}

var (
	errPDUHex   = errors.New("PDU is not hexadecimal")
	errPDUShort = errors.New("PDU is too short")
	errPDUType  = errors.New("neither SMS-DELIVER nor SMS-STATUS-REPORT")
	errPDUUDH   = errors.New("user data header does not add up")
	errPDUText  = errors.New("text cannot be decoded")
)

// parsePDU reads a PDU as the modem shows it: hex digits of the service centre's address and the TPDU.
//
// The parser of TPDUs is strict and networks and SIMs are not, so what is known to go wrong is put right first: octets behind the user data
// and padding of a SIM's record, time stamps that are no time, and the length of an address whose filler says otherwise.
func parsePDU(text, country string) (received, error) {
	if !isHex(text) {
		return received{}, errPDUHex
	}
	b, err := hex.DecodeString(text[:len(text)&^1]) // half an octet at the end is padding gone wrong
	if err != nil {
		return received{}, err
	}
	if len(b) == 0 || len(b) < 1+int(b[0])+1 {
		return received{}, errPDUShort
	}
	b = b[1+int(b[0]):]
	switch tpdu.FirstOctet(b[0]).MTI() {
	case tpdu.MtDeliver:
		return parseDeliver(b, country)
	case tpdu.MtCommand: // in this direction SMS-STATUS-REPORT
		return parseReport(b, country)
	default:
		return received{}, errPDUType
	}
}

// parseDeliver reads an SMS-DELIVER (3GPP TS 23.040 §9.2.2.1).
//
//	first octet | OA: digits, type, octets | PID | DCS | SCTS 7 | UDL | UD
func parseDeliver(b []byte, country string) (received, error) {
	b, i, err := repairAddress(b, 1)
	if err != nil {
		return received{}, err
	}
	if len(b) < i+10 {
		return received{}, errPDUShort
	}
	dcs, udl := tpdu.DCS(b[i+1]), int(b[i+9])
	stamp := repairStamp(b[i+2 : i+9])
	alphabet, err := dcs.Alphabet()
	if err != nil || dcs.Compressed() {
		return received{}, fmt.Errorf("data coding scheme 0x%02x: %w", byte(dcs), errPDUText)
	}
	if alphabet == tpdu.Alpha7Bit {
		udl = (udl*7 + 7) / 8
	}
	if len(b) < i+10+udl {
		return received{}, errPDUShort
	}
	b = b[:i+10+udl]
	t := tpdu.TPDU{Direction: tpdu.MT}
	if err := t.UnmarshalBinary(b); err != nil {
		return received{}, err
	}
	if t.UDHI() && (udl == 0 || t.UDHL() != int(b[i+10])) {
		return received{}, errPDUUDH
	}
	r := received{from: normal(t.OA, country), payload: t.UD}
	if stamp {
		r.at = t.SCTS.Time
	}
	r.port, r.part = readUDH(t.UDH)
	if alphabet == tpdu.Alpha8Bit {
		return r, nil
	}
	r.content = transports.ContentText
	if r.payload, err = tpdu.DecodeUserData(t.UD, t.UDH, alphabet, tpdu.WithAllCharsets); err != nil {
		return received{}, fmt.Errorf("%w: %w", errPDUText, err)
	}
	if !utf8.Valid(r.payload) {
		return received{}, errPDUText
	}
	return r, nil
}

// parseReport reads an SMS-STATUS-REPORT (3GPP TS 23.040 §9.2.2.3). What follows the status is optional, mostly padding, and not read.
//
//	first octet | MR | RA: digits, type, octets | SCTS 7 | DT 7 | ST | …
func parseReport(b []byte, country string) (received, error) {
	if len(b) < 2 {
		return received{}, errPDUShort
	}
	b, i, err := repairAddress(b, 2)
	if err != nil {
		return received{}, err
	}
	if len(b) < i+15 {
		return received{}, errPDUShort
	}
	b = b[:i+15]
	repairStamp(b[i : i+7])
	stamp := repairStamp(b[i+7 : i+14])
	t := tpdu.TPDU{Direction: tpdu.MT}
	if err := t.UnmarshalBinary(b); err != nil {
		return received{}, err
	}
	r := received{report: true, from: normal(t.RA, country), mr: t.MR, status: t.ST}
	if stamp {
		r.at = t.DT.Time
	}
	return r, nil
}

// repairAddress returns a copy of b in which the number of digits of the address at i agrees with its filler, and where the address ends.
func repairAddress(b []byte, i int) ([]byte, int, error) {
	if len(b) < i+2 {
		return nil, 0, errPDUShort
	}
	b = slices.Clone(b)
	end := i + 2 + (int(b[i])+1)/2
	if len(b) < end {
		return nil, 0, errPDUShort
	}
	if tpdu.TypeOfNumber(b[i+1]>>4&0x07) == tpdu.TonAlphanumeric || b[i] == 0 {
		return b, end, nil
	}
	filler := b[end-1]>>4 == 0x0F
	switch odd := b[i]%2 == 1; {
	case odd && !filler:
		b[i]++
	case !odd && filler:
		b[i]--
	}
	return b, end, nil
}

// repairStamp reports whether seven octets are a time (3GPP TS 23.040 §9.2.3.11). If not it makes them one that can be parsed.
func repairStamp(b []byte) bool {
	limits := [...]struct{ least, most int }{{0, 99}, {1, 12}, {1, 31}, {0, 23}, {0, 59}, {0, 59}}
	good := b[6]>>4 <= 9
	for i, limit := range limits {
		low, high := int(b[i]&0x0F), int(b[i]>>4)
		v := low*10 + high
		good = good && low <= 9 && high <= 9 && v >= limit.least && v <= limit.most
	}
	if !good {
		copy(b, []byte{0x00, 0x10, 0x10, 0x00, 0x00, 0x00, 0x00})
	}
	return good
}

// readUDH returns the destination port and the place in a concatenated message. Of elements that exclude each other the last one counts
// (3GPP TS 23.040 §9.2.3.24), and a place that cannot be is ignored (§9.2.3.24.1).
func readUDH(udh tpdu.UserDataHeader) (port uint16, part transports.Part) {
	for _, ie := range udh {
		d := ie.Data
		switch {
		case ie.ID == iePorts8 && len(d) == 2:
			port = uint16(d[0])
		case ie.ID == iePorts16 && len(d) == 4:
			port = binary.BigEndian.Uint16(d)
		case ie.ID == ieConcat8 && len(d) == 3:
			part = transports.Part{Ref: uint16(d[0]), RefBits: 8, Total: d[1], Seq: d[2]}
		case ie.ID == ieConcat16 && len(d) == 4:
			part = transports.Part{Ref: binary.BigEndian.Uint16(d), RefBits: 16, Total: d[2], Seq: d[3]}
		}
	}
	if part.Total <= 1 || part.Seq == 0 || part.Seq > part.Total {
		part = transports.Part{}
	}
	return port, part
}

// rawPDU returns the bytes of a PDU that could not be read, or its text if it is not even hex.
func rawPDU(text string) []byte {
	if b, err := hex.DecodeString(text); err == nil {
		return b
	}
	return []byte(text)
}

// wellFormed reports whether a PDU holds as many octets as the modem said behind the service centre's address. Fewer may be a line that
// lost bytes; some modems are just wrong.
func wellFormed(text string, length int) bool {
	var p pdumode.PDU
	return p.UnmarshalHexString(text) == nil && len(p.TPDU) == length
}

package directip

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/godwit-gateway/godwit/transports"
)

// A message is a revision, the length of what follows, and information elements, each with an id and a length of its own (Developers Guide
// §6.3, §7.2). All numbers are big-endian, nothing is aligned. Elements come in any order, and those that are not known are passed over.
const (
	revision  = 1
	headLen   = 3 // of a message, and of an element
	imeiLen   = 15
	mtHeadLen = 21
)

// Ids of elements.
const (
	ieMOHeader       = 0x01
	ieMOPayload      = 0x02
	ieMOLocation     = 0x03
	ieMOConfirmation = 0x05
	ieMTHeader       = 0x41
	ieMTPayload      = 0x42
	ieMTConfirmation = 0x44
	ieMTPriority     = 0x46
)

// errMalformed is wrapped by errors for messages that are no DirectIP.
var errMalformed = errors.New("malformed")

// nextElement cuts the first information element off a message.
func nextElement(b []byte) (id byte, content, rest []byte, err error) {
	if len(b) < headLen {
		return 0, nil, nil, fmt.Errorf("%w: %d bytes where an element begins", errMalformed, len(b))
	}
	n := int(binary.BigEndian.Uint16(b[1:]))
	if len(b) < headLen+n {
		return 0, nil, nil, fmt.Errorf("%w: element %#02x of %d bytes where there are %d", errMalformed, b[0], n, len(b)-headLen)
	}
	return b[0], b[headLen : headLen+n], b[headLen+n:], nil
}

// originated is a message from a modem. Payload is nil where there is none: the session was for what waits for the modem, or it failed.
type originated struct {
	cdr      uint32 // call detail record, unique within the network
	imei     [imeiLen]byte
	status   sessionStatus
	momsn    uint16
	mtmsn    uint16
	session  uint32 // its time, Unix seconds
	payload  []byte // part of what was parsed
	position transports.Position
}

// A sessionStatus is how a session ended (Developers Guide table 6-5). Of one that failed, the modem knows and sends the payload again.
type sessionStatus uint8

// Session statuses: 0 is success, 1 that an MT message was too large, 2 that the position is not good enough; from 10 on the session failed.
const (
	badPosition = 2
	failedFrom  = 10
)

func (s sessionStatus) failed() bool { return s >= failedFrom }

// parseOriginated reads the elements of an MO message. Lengths must add up, the header must be there, and no known element may come twice.
func parseOriginated(body []byte) (m originated, err error) {
	var header, payload bool
	for len(body) > 0 {
		var id byte
		var content []byte
		if id, content, body, err = nextElement(body); err != nil {
			return m, err
		}
		switch id {
		case ieMOHeader:
			if header {
				return m, fmt.Errorf("%w: two headers", errMalformed)
			}
			if err := m.parseHeader(content); err != nil {
				return m, err
			}
			header = true
		case ieMOPayload:
			if payload {
				return m, fmt.Errorf("%w: two payloads", errMalformed)
			}
			if len(content) > UplinkMax {
				return m, fmt.Errorf("%w: a payload of %d bytes, want up to %d", errMalformed, len(content), UplinkMax)
			}
			m.payload, payload = content, true
		case ieMOLocation:
			if !m.position.Known { // one that cannot be read takes nothing away from the payload
				m.position = parseLocation(content)
			}
		}
	}
	if !header {
		return m, fmt.Errorf("%w: no MO header", errMalformed)
	}
	if m.status == badPosition { // the network itself does not believe it
		m.position = transports.Position{}
	}
	return m, nil
}

// moHeaderLen is the length of an MO header.
const moHeaderLen = 28

func (m *originated) parseHeader(b []byte) error {
	if len(b) != moHeaderLen {
		return fmt.Errorf("%w: a header of %d bytes, want %d", errMalformed, len(b), moHeaderLen)
	}
	m.cdr = binary.BigEndian.Uint32(b)
	copy(m.imei[:], b[4:])
	for _, c := range m.imei { // ASCII; some software writes the digits' values
		if c < '0' || c > '9' {
			return fmt.Errorf("%w: an IMEI that is not of digits", errMalformed)
		}
	}
	m.status = sessionStatus(b[19])
	m.momsn = binary.BigEndian.Uint16(b[20:])
	m.mtmsn = binary.BigEndian.Uint16(b[22:])
	m.session = binary.BigEndian.Uint32(b[24:])
	return nil
}

// at is the time of the session, zero if the network does not say.
func (m *originated) at() time.Time {
	if m.session == 0 {
		return time.Time{}
	}
	return time.Unix(int64(m.session), 0)
}

// Bits of the first byte of a location: hemispheres, and the format, of which only 0 is known.
const (
	locationWest   = 1 << 0
	locationSouth  = 1 << 1
	locationFormat = 3 << 2

	locationLen = 11
	thousandths = 60_000 // of a minute, in a degree
	radiusMax   = 20_038 // km, half of the equator: beyond it the network knows nothing
)

// parseLocation reads where the network saw the modem: degrees and thousandths of minutes (Developers Guide §6.3.3). What makes no sense is none.
func parseLocation(b []byte) transports.Position {
	if len(b) != locationLen || b[0]&locationFormat != 0 {
		return transports.Position{}
	}
	latitude, north := parseDegrees(b[1:], 90)
	longitude, east := parseDegrees(b[4:], 180)
	radius := binary.BigEndian.Uint32(b[7:])
	if !north || !east || radius > radiusMax {
		return transports.Position{}
	}
	if b[0]&locationSouth != 0 {
		latitude = -latitude
	}
	if b[0]&locationWest != 0 {
		longitude = -longitude
	}
	return transports.Position{Known: true, Latitude: latitude, Longitude: longitude, Radius: int64(radius) * 1000}
}

// parseDegrees returns millionths of a degree, rounded.
func parseDegrees(b []byte, most int32) (int32, bool) {
	degrees, minutes := int32(b[0]), int32(binary.BigEndian.Uint16(b[1:]))
	v := degrees*1_000_000 + (minutes*50+1)/3 // 10^6 / 60000 = 50 / 3
	return v, minutes < thousandths && v <= most*1_000_000
}

// appendConfirmation appends the answer to an MO message.
func appendConfirmation(dst []byte, taken bool) []byte {
	status := byte(0)
	if taken {
		status = 1
	}
	return append(dst, revision, 0, 4, ieMOConfirmation, 0, 1, status)
}

// Disposition flags of an MT message (Developers Guide table 7.1-3).
const (
	mtFlush    = 1 << 0 // of what waits for the modem
	mtPriority = 1 << 4 // there is an element with the priority
)

// terminated is a message to a modem.
type terminated struct {
	client   uint32 // our id of it, which the answer repeats
	imei     [imeiLen]byte
	flags    uint16
	priority uint16 // 0: none
	payload  []byte
}

// appendTerminated appends an MT message.
func appendTerminated(dst []byte, m *terminated) []byte {
	n := headLen + mtHeadLen + headLen + len(m.payload)
	if m.priority > 0 {
		n += headLen + 2
		m.flags |= mtPriority
	}
	dst = append(dst, revision)
	dst = appendUint16(dst, n)
	dst = append(dst, ieMTHeader, 0, mtHeadLen)
	dst = binary.BigEndian.AppendUint32(dst, m.client)
	dst = append(dst, m.imei[:]...)
	dst = binary.BigEndian.AppendUint16(dst, m.flags)
	if m.priority > 0 {
		dst = append(dst, ieMTPriority, 0, 2)
		dst = binary.BigEndian.AppendUint16(dst, m.priority)
	}
	dst = append(dst, ieMTPayload)
	dst = appendUint16(dst, len(m.payload))
	return append(dst, m.payload...)
}

func appendUint16(dst []byte, n int) []byte { return append(dst, byte(n>>8), byte(n)) }

// answer is what the Iridium gateway says to an MT message.
type answer struct {
	client uint32
	imei   [imeiLen]byte
	id     uint32 // the network's own, 0 of what it did not take
	status mtStatus
}

// answerLen is the length of an answer's only element, mtAnswerMax that of the longest message that is read as one.
const (
	answerLen   = 25
	mtAnswerMax = 256
)

// parseAnswer reads the elements of an answer.
func parseAnswer(body []byte) (a answer, err error) {
	found := false
	for len(body) > 0 {
		var id byte
		var content []byte
		if id, content, body, err = nextElement(body); err != nil {
			return a, err
		}
		if id != ieMTConfirmation {
			continue
		}
		if found || len(content) != answerLen {
			return a, fmt.Errorf("%w: a confirmation of %d bytes, want one of %d", errMalformed, len(content), answerLen)
		}
		found = true
		a.client = binary.BigEndian.Uint32(content)
		copy(a.imei[:], content[4:])
		a.id = binary.BigEndian.Uint32(content[19:])
		a.status = mtStatus(binary.BigEndian.Uint16(content[23:])) //nolint:gosec // two's complement, as on the wire
	}
	if !found {
		return a, fmt.Errorf("%w: no confirmation", errMalformed)
	}
	return a, nil
}

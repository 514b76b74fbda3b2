package gss

import (
	"encoding/binary"
	"errors"
	"time"
)

const imeiLen = 15

// Statuses of sessions.
const (
	StatusOK          = 0
	StatusMTTooLarge  = 1 // what waited for the modem is too large for it
	StatusBadLocation = 2 // the network does not know well enough where the modem is
	StatusTimeout     = 10
	StatusIncomplete  = 13 // the radio was lost
)

// A Location is where the network saw a modem, in thousandths of minutes, as it tells.
type Location struct {
	Latitude, Longitude int32 // north and east positive
	Radius              uint32
}

// A Message is the record of a session on its way to a destination.
type Message struct {
	CDR      uint32
	IMEI     string
	Status   uint8
	MOMSN    uint16
	MTMSN    uint16
	At       time.Time // of the session
	Payload  []byte    // nil: there was none, or the session failed
	Location *Location // nil: the account does not deliver it
	Extra    []byte    // content of an element that nobody knows

	Tag         uint64 // of Session
	Destination int    // index in Options.Destinations
	Tries       int
}

// An Outcome is how a message came to its end.
type Outcome uint8

// Outcomes.
const (
	Delivered Outcome = iota // confirmed, or the other side took it and closed
	Expired                  // it was too old
	Dropped                  // too many waited
)

// String names the outcome.
func (o Outcome) String() string { return [...]string{"delivered", "expired", "dropped"}[o] }

// thousandths are those of minutes in a degree.
const thousandths = 60_000

// marshal writes the message as it goes over the wire. The location stands before the payload, as it does in the field.
func (m *Message) marshal() []byte {
	b := append(make([]byte, 0, 128), 0x01, 0, 28)
	b = binary.BigEndian.AppendUint32(b, m.CDR)
	b = append(b, m.IMEI...)
	b = append(b, m.Status)
	b = binary.BigEndian.AppendUint16(b, m.MOMSN)
	b = binary.BigEndian.AppendUint16(b, m.MTMSN)
	b = binary.BigEndian.AppendUint32(b, uint32(m.At.Unix())) //nolint:gosec // until 2106
	if l := m.Location; l != nil {
		flags := byte(0)
		if l.Longitude < 0 {
			flags |= 1
		}
		if l.Latitude < 0 {
			flags |= 2
		}
		b = append(b, 0x03, 0, 11, flags)
		b = appendAngle(b, l.Latitude)
		b = appendAngle(b, l.Longitude)
		b = binary.BigEndian.AppendUint32(b, l.Radius)
	}
	if m.Extra != nil {
		b = append(b, 0x7f)
		b = binary.BigEndian.AppendUint16(b, uint16(len(m.Extra))) //nolint:gosec // the caller's business
		b = append(b, m.Extra...)
	}
	if m.Payload != nil {
		b = append(b, 0x02)
		b = binary.BigEndian.AppendUint16(b, uint16(len(m.Payload))) //nolint:gosec // up to 1960
		b = append(b, m.Payload...)
	}
	return framed(b)
}

func appendAngle(b []byte, v int32) []byte {
	if v < 0 {
		v = -v
	}
	b = append(b, byte(v/thousandths))
	return binary.BigEndian.AppendUint16(b, uint16(v%thousandths)) //nolint:gosec // below 60000
}

// framed puts revision and length in front.
func framed(body []byte) []byte {
	return append(binary.BigEndian.AppendUint16([]byte{1}, uint16(len(body))), body...) //nolint:gosec // small, or nonsense
}

// confirmed reads the answer of a destination: that it took the message, and nothing else.
func confirmed(b []byte) bool { return string(b) == "\x01\x00\x04\x05\x00\x01\x01" }

const confirmationLen = 7

// request is an MT message.
type request struct {
	client   uint32
	imei     string
	flags    uint16
	priority uint16
	payload  []byte
	has      uint8 // which elements there are
}

// Elements of a request.
const (
	hasHeader uint8 = 1 << iota
	hasPayload
	hasPriority
)

var errProtocol = errors.New("not an MT message")

// parseRequest reads the elements of an MT message.
func parseRequest(b []byte) (r request, err error) {
	for len(b) > 0 {
		if len(b) < 3 || len(b) < 3+int(binary.BigEndian.Uint16(b[1:])) {
			return r, errProtocol
		}
		id, n := b[0], int(binary.BigEndian.Uint16(b[1:]))
		content := b[3 : 3+n]
		b = b[3+n:]
		switch {
		case id == 0x41 && n == 21 && r.has&hasHeader == 0:
			r.client, r.imei = binary.BigEndian.Uint32(content), string(content[4:19])
			r.flags = binary.BigEndian.Uint16(content[19:])
			r.has |= hasHeader
		case id == 0x42 && n > 0 && r.has&hasPayload == 0:
			r.payload = append([]byte(nil), content...)
			r.has |= hasPayload
		case id == 0x46 && n == 2 && r.has&hasPriority == 0:
			r.priority = binary.BigEndian.Uint16(content)
			r.has |= hasPriority
		case id == 0x41, id == 0x42, id == 0x46:
			return r, errProtocol
		}
	}
	return r, nil
}

// answer is what is said to a request.
func (r *request) answer(id uint32, status int16) []byte {
	b := []byte{0x44, 0, 25}
	b = binary.BigEndian.AppendUint32(b, r.client)
	imei := [imeiLen]byte{}
	copy(imei[:], r.imei)
	b = append(b, imei[:]...)
	b = binary.BigEndian.AppendUint32(b, id)
	b = binary.BigEndian.AppendUint16(b, uint16(status)) //nolint:gosec // two's complement, as on the wire
	return framed(b)
}

package isatdata

import (
	"errors"
	"fmt"
)

// Sizes of messages in bytes, SIN and MIN included.
const (
	ReturnMax          = 6400  // from a terminal
	ForwardMax         = 10000 // to a terminal
	ForwardLowPowerMax = 5000  // to a terminal in a low-power mode
	HeaderLen          = 2     // SIN and MIN
)

// What frames have by default, and the least SIN that is not of the terminal's own software.
const (
	SINDefault = 128
	MINDefault = 1
	SINMin     = 16
)

// A Header is the SIN and MIN of the messages that are read as frames.
type Header struct{ SIN, MIN byte }

// ErrSIN is wrapped by the error for a SIN or MIN that messages of ours cannot have.
var ErrSIN = errors.New("not possible for messages of users")

// NewHeader checks a configured SIN and MIN; both 0 stand for the defaults.
func NewHeader(sin, kind int) (Header, error) {
	if sin == 0 && kind == 0 {
		return Header{SINDefault, MINDefault}, nil
	}
	if sin < SINMin || sin > 255 {
		return Header{}, fmt.Errorf("sin %d is %w: want 16 to 255", sin, ErrSIN)
	}
	if kind < 0 || kind > 255 {
		return Header{}, fmt.Errorf("min %d is %w: want 0 to 255", kind, ErrSIN)
	}
	return Header{byte(sin), byte(kind)}, nil
}

// Append puts a message with the payload behind dst.
func (h Header) Append(dst, payload []byte) []byte {
	return append(append(dst, h.SIN, h.MIN), payload...)
}

// Cut returns what follows SIN and MIN. It is false for a message of another service or kind, and for one too short to have both.
func (h Header) Cut(message []byte) (payload []byte, ok bool) {
	if len(message) < HeaderLen || message[0] != h.SIN || message[1] != h.MIN {
		return nil, false
	}
	return message[HeaderLen:], true
}

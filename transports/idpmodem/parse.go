package idpmodem

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/godwit-gateway/godwit/transports/isatdata"
	"github.com/godwit-gateway/godwit/transports/serial"
)

// States of messages in the terminal.
const (
	forwardPending   = 1 // comes in still
	forwardComplete  = 2
	forwardRetrieved = 3

	returnReady     = 4
	returnSending   = 5
	returnComplete  = 6
	returnFailed    = 7
	returnCancelled = 8
)

// A status is an entry of a queue.
type status struct {
	name   string
	state  int
	length int // of the message, SIN included
}

var errReply = errors.New("reply cannot be read")

// information returns the lines of a reply without the name of the command that they begin with. Some terminals name it in the first one only.
func information(lines []string) []string {
	var out []string
	for _, text := range lines {
		if name, rest, ok := strings.Cut(text, ":"); ok && isName(name) {
			text = rest
		}
		if text = strings.TrimSpace(text); text != "" {
			out = append(out, text)
		}
	}
	return out
}

// isName reports whether s is the name of a command such as %MGRS.
func isName(s string) bool {
	if len(s) < 2 || s[0] != '%' && s[0] != '+' {
		return false
	}
	for _, c := range s[1:] {
		if c < 'A' || c > 'Z' {
			return false
		}
	}
	return true
}

// parseStatus reads an entry of a queue:
//
//	"name",number.part,priority,SIN,state,length,bytes done     without the number in the dialect of Quectel
func (d *dialect) parseStatus(text string) (status, error) {
	f := serial.Fields(text)
	if d.numbered {
		if len(f) < 2 {
			return status{}, fmt.Errorf("%w: %.80q", errReply, text)
		}
		f = append(f[:1:1], f[2:]...)
	}
	if len(f) < 5 {
		return status{}, fmt.Errorf("%w: %.80q", errReply, text)
	}
	s := status{name: f[0], state: number(f[3]), length: number(f[4])}
	if s.name == "" || strings.ContainsAny(s.name, "\"\r\n") || s.state < 0 || s.length < 0 {
		return status{}, fmt.Errorf("%w: %.80q", errReply, text)
	}
	return s, nil
}

// parseMessage reads a message, of which the reply has SIN and data apart. What it returns begins with SIN and MIN.
//
//	"name",number.part,priority,SIN,state,length,format,data
//	"name",SIN,length,format,data                               in the dialect of Quectel
func (d *dialect) parseMessage(text string) ([]byte, error) {
	f := serial.Fields(text)
	want, sinAt := 8, 3
	if d.brief {
		want, sinAt = 5, 1
	}
	if len(f) != want {
		return nil, fmt.Errorf("%w: message of %d fields", errReply, len(f))
	}
	sinText, _, _ := strings.Cut(f[sinAt], ".")
	sin, length, format := number(sinText), number(f[want-3]), number(f[want-2])
	if sin < 0 || sin > 255 || format != base64Format {
		return nil, fmt.Errorf("%w: SIN %.8q, format %.8q", errReply, f[sinAt], f[want-2])
	}
	data, err := base64.StdEncoding.DecodeString(f[want-1])
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errReply, err)
	}
	message := append([]byte{byte(sin)}, data...)
	if length != len(message) || length > isatdata.ForwardMax {
		return nil, fmt.Errorf("%w: %d bytes of a message of %d", errReply, len(message), length)
	}
	return message, nil
}

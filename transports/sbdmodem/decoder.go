package sbdmodem

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Sizes of what the transceiver says.
const (
	lineMax   = 512       // a longer line is noise
	lengthMax = UplinkMax // of a message in a block
	lengthTop = 7         // highest first byte of a block: the longest message of any transceiver has 1,960 bytes
	blockHead = 2         // bytes of the length before a message
	blockTail = 2         // bytes of the checksum behind it
)

// errGarbled is a block that was changed on the line.
var errGarbled = errors.New("the message came garbled over the line")

// A decoder makes lines of bytes, and the block that +SBDRB answers with. Both CR and LF end a line; empty lines are nothing.
//
// A block may follow an echo, or a ring alert that cuts in. That it begins is told by its first byte: it is the high byte of a length and so at
// most lengthTop, below CR, LF and all that lines are made of.
type decoder struct {
	line []byte
	skip bool // to the next line end: the line is too long
	long int  // lines that were too long

	block  bool   // one may come
	inside bool   // it has begun
	data   []byte // what has come of it
}

// expect says whether a block may come from here on. What has come of one before is forgotten.
func (d *decoder) expect(block bool) { d.block, d.inside, d.data = block, false, d.data[:0] }

// feed consumes bytes and calls line for each line, and block for each block, whole or too long to be one. What they get is valid until
// they return.
func (d *decoder) feed(b []byte, line, block func([]byte)) {
	for _, c := range b {
		switch {
		case d.inside:
			d.take(c, block)
		case d.block && !d.skip && len(d.line) == 0 && c <= lengthTop:
			d.inside = true
			d.take(c, block)
		case c == '\r' || c == '\n':
			d.end(line)
		case d.skip, c == 0, c == ' ' && len(d.line) == 0:
			// Power-up leaves NULs on the line.
		case len(d.line) == lineMax:
			d.skip = true
			d.long++
		default:
			d.line = append(d.line, c)
		}
	}
}

func (d *decoder) end(line func([]byte)) {
	text := d.line
	for len(text) > 0 && text[len(text)-1] == ' ' {
		text = text[:len(text)-1]
	}
	if len(text) > 0 && !d.skip {
		line(text)
	}
	d.line, d.skip = d.line[:0], false
}

// take takes one byte of a block.
func (d *decoder) take(c byte, block func([]byte)) {
	d.data = append(d.data, c)
	if len(d.data) < blockHead {
		return
	}
	n := int(binary.BigEndian.Uint16(d.data))
	if n <= lengthMax && len(d.data) < blockHead+n+blockTail {
		return
	}
	block(d.data)
	d.expect(false)
}

// parseBlock returns the message in a block.
func parseBlock(b []byte) ([]byte, error) {
	if len(b) < blockHead+blockTail {
		return nil, fmt.Errorf("%w: %d bytes", errGarbled, len(b))
	}
	n := int(binary.BigEndian.Uint16(b))
	if n > lengthMax || len(b) != blockHead+n+blockTail {
		return nil, fmt.Errorf("%w: %d bytes for a message of %d", errGarbled, len(b), n)
	}
	message := b[blockHead : blockHead+n]
	if sum := binary.BigEndian.Uint16(b[blockHead+n:]); sum != checksum(message) {
		return nil, fmt.Errorf("%w: its checksum is %#04x, not %#04x", errGarbled, checksum(message), sum)
	}
	return message, nil
}

// checksum is the sum of all bytes, modulo 65536.
func checksum(b []byte) uint16 {
	var sum uint16
	for _, c := range b {
		sum += uint16(c)
	}
	return sum
}

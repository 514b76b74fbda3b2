package codec

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
)

var errReserved = fmt.Errorf("reserved header bits: %w", ErrMalformed)

// explicitBits is the width of a whole counter on air (SPEC §2).
const explicitBits = 40

// CounterMax is the last counter of an epoch: after it a device must have a new one.
const CounterMax = 1<<explicitBits - 1

// A Sealed is a view of a sealed frame. It aliases the content that it was read from.
//
//	+--------+---------------+----------------+-------------+
//	| header | CTR 1, 2 or 5 | ciphertext 0…n | tag 4 or 8  |
//	+--------+---------------+----------------+-------------+
type Sealed struct {
	Header  Header
	CTRBits uint8  // 8, 16 or 40
	TagLen  uint8  // 4 or 8
	CTR     uint64 // low CTRBits bits of the counter
	body    []byte // ciphertext and tag
}

// ParseSealed reads the content of a sealed item. ctrBits (8 or 16) and tagLen (4 or 8) belong to the device's record and never travel. A clear
// control frame gives ErrControl. A message has a tag of 8 bytes on any link: for kind 3 a tagLen of 4 is refused.
func ParseSealed(content []byte, ctrBits, tagLen uint8) (Sealed, error) {
	if len(content) == 0 {
		return Sealed{}, fmt.Errorf("sealed frame: %w", ErrTruncated)
	}
	s := Sealed{Header: Header(content[0]), CTRBits: ctrBits, TagLen: tagLen}
	if err := s.Header.check(); err != nil {
		return Sealed{}, fmt.Errorf("sealed frame: %w", err)
	}
	if err := s.Header.checkWidths(ctrBits, tagLen); err != nil {
		return Sealed{}, fmt.Errorf("sealed frame: %w", err)
	}
	if s.Header.Kind() == KindExtended && s.Header.Slot() == extendedExplicit {
		s.CTRBits = explicitBits
	}
	n := 1 + int(s.CTRBits)/8
	if len(content) < n+int(tagLen) {
		return Sealed{}, fmt.Errorf("sealed frame of %d bytes: %w", len(content), ErrTruncated)
	}
	for _, b := range content[1:n] {
		s.CTR = s.CTR<<8 | uint64(b)
	}
	s.body = content[n:]
	return s, nil
}

// Direction is which way a frame goes.
type Direction uint8

// Directions.
const (
	Up   Direction = iota // from the device
	Down                  // to the device
)

// A Position says which frame of which device this is. It is bound into the tag and never travels whole.
type Position struct {
	Direction Direction
	Number    uint32 // of the device
	Epoch     uint32
	Counter   uint64 // the whole counter
}

// aadLen is the length of the additional authenticated data with its own length before it, as CCM takes it (RFC 3610 §2.2).
const (
	aadLen    = len(aadUp) + 1 + 4 + 4 + 8
	aadBlocks = (aadLen + blockSize - 1) / blockSize * blockSize // filled up with zeros
)

const (
	aadUp   = "\x00\x1cgodwit/1 up"
	aadDown = "\x00\x1cgodwit/1 dn"
)

// putHead puts together what the MAC is over before a plaintext of so many bytes: the first block, then the additional authenticated data: label,
// header, number, epoch and counter, all big-endian (SPEC §2.2).
func (c *ccm) putHead(h Header, p Position, length, tagLen int) []byte {
	label := aadUp
	if p.Direction == Down {
		label = aadDown
	}
	c.first(c.head[:], length, tagLen)
	aad := c.head[blockSize:]
	n := copy(aad, label)
	aad[n] = byte(h)
	binary.BigEndian.PutUint32(aad[n+1:], p.Number)
	binary.BigEndian.PutUint32(aad[n+5:], p.Epoch)
	binary.BigEndian.PutUint64(aad[n+9:], p.Counter)
	return c.head[:]
}

// Open verifies a frame and appends its plaintext to dst. If the tag does not verify the error is ErrAuth and dst is returned as it was. A
// plaintext of kinds 0 to 2 that ends in a zero byte is refused: trailing zeros are never sent, so there it has a second encoding.
func (c *Cipher) Open(dst []byte, s *Sealed, p Position) ([]byte, error) {
	out, ok := c.unseal(dst, s, p)
	if !ok {
		return dst, ErrAuth
	}
	if err := s.checkPlaintext(out[len(dst):]); err != nil {
		return dst, err
	}
	return out, nil
}

func (c *Cipher) unseal(dst []byte, s *Sealed, p Position) ([]byte, bool) {
	c.begin(&c.iv, p.Counter)
	head := c.putHead(s.Header, p, len(s.body)-int(s.TagLen), int(s.TagLen))
	return c.open(&c.schedule, dst, s.body, head, int(s.TagLen))
}

// checkPlaintext refuses a second encoding of what was cut.
func (s *Sealed) checkPlaintext(b []byte) error {
	if s.Header.Kind() != KindExtended && len(b) > 0 && b[len(b)-1] == 0 {
		return errTrailingZero
	}
	return nil
}

var errTrailingZero = fmt.Errorf("plaintext ends in a zero byte: %w", ErrMalformed)

// AppendSealed seals a plaintext and appends the whole item, a CBOR byte string. ctrBits is 8 or 16; an extended frame of slot 1 carries the
// whole counter whatever it says. Trailing zero bytes of kinds 0 to 2 are cut.
func (c *Cipher) AppendSealed(dst []byte, h Header, p Position, ctrBits, tagLen uint8, plaintext []byte) ([]byte, error) {
	if err := h.check(); err != nil {
		return dst, fmt.Errorf("seal: %w", err)
	}
	if p.Counter > CounterMax {
		return dst, fmt.Errorf("seal: counter %d: %w", p.Counter, ErrExhausted)
	}
	if err := h.checkWidths(ctrBits, tagLen); err != nil {
		return dst, fmt.Errorf("seal: %w", err)
	}
	if h.Kind() == KindExtended {
		if h.Slot() == extendedExplicit {
			ctrBits = explicitBits
		}
	} else {
		plaintext = cutZeros(plaintext)
	}
	n := 1 + int(ctrBits)/8 + len(plaintext) + int(tagLen)
	if n > 1<<16-1 {
		return dst, fmt.Errorf("seal %d bytes: %w", len(plaintext), ErrMalformed)
	}
	dst = append(appendHead(dst, 2, uint64(n)), byte(h)) //nolint:gosec // at most 65535
	for shift := int(ctrBits) - 8; shift >= 0; shift -= 8 {
		dst = append(dst, byte(p.Counter>>shift))
	}
	c.begin(&c.iv, p.Counter)
	return c.seal(&c.schedule, dst, plaintext, c.putHead(h, p, len(plaintext), int(tagLen)), int(tagLen)), nil
}

func cutZeros(b []byte) []byte {
	for len(b) > 0 && b[len(b)-1] == 0 {
		b = b[:len(b)-1]
	}
	return b
}

// ContentHash names what a frame says, whatever link it came by and whatever its tag: the first 8 bytes of SHA-256 over header and plaintext.
// One counter has one content.
func ContentHash(h Header, plaintext []byte) [8]byte {
	const onStack = 512
	var buf [onStack]byte
	var sum [32]byte
	if len(plaintext) < onStack {
		buf[0] = byte(h)
		sum = sha256.Sum256(buf[:1+copy(buf[1:], plaintext)])
	} else {
		sum = sha256.Sum256(append([]byte{byte(h)}, plaintext...))
	}
	return [8]byte(sum[:8])
}

// CompleteCounter finds the whole counter of a frame from its low bits: the value nearest to highest+1 (RFC 9147 §4.2.2), where highest is the
// highest verified counter; of two that are equally near, the larger. If none was seen, the low bits are the counter. An explicit counter of 40 bits is whole already.
func CompleteCounter(low uint64, bits uint8, highest uint64, seen bool) uint64 {
	if bits >= explicitBits || !seen {
		return low
	}
	window := uint64(1) << bits
	expected := highest + 1
	c := expected&^(window-1) | low
	switch {
	case c > CounterMax:
		return c - window
	case c+window/2 <= expected && c+window <= CounterMax:
		return c + window
	case c > expected+window/2 && c >= window:
		return c - window
	default:
		return c
	}
}

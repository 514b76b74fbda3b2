package codec

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Errors of the envelope. Callers branch on them with errors.Is; the wrapping error says where.
var (
	ErrTruncated   = errors.New("truncated")
	ErrMalformed   = errors.New("malformed")
	ErrControl     = errors.New("clear control frame")
	ErrAuth        = errors.New("authentication failed")
	ErrUnsupported = errors.New("not supported by version 1")
)

// Reasons why a CBOR head is refused. They are made once: what comes from a radio must not cost memory.
var (
	errMajor      = fmt.Errorf("another CBOR type than expected: %w", ErrMalformed)
	errIndefinite = fmt.Errorf("reserved or indefinite length: %w", ErrMalformed)
	errLonger     = fmt.Errorf("head is not the shortest: %w", ErrMalformed)
	errLong       = fmt.Errorf("byte string of more than 65535 bytes: %w", ErrMalformed)
	errSimple     = fmt.Errorf("simple value that is not in use: %w", ErrMalformed)
	errNested     = fmt.Errorf("nested too deep: %w", ErrMalformed)
)

// Sizes of a transmission (SPEC §1).
const (
	ItemsMax        = 16       // items of one transmission
	TransmissionMax = 64 << 10 // bytes of one transmission
)

// A Form is one of the four kinds of item, told apart by the first byte.
type Form uint8

// Forms of an item.
const (
	FormSealed    Form = iota + 1 // CBOR byte string: the link names the device
	FormAddressed                 // CBOR array [cid, byte string]
	FormOpen                      // CBOR map with integer keys, on links that authenticate the sender
	FormSigned                    // COSE_Sign1 (RFC 9052), tag 18, on the downlink
)

// String names the form.
func (f Form) String() string {
	switch f {
	case FormSealed:
		return "sealed"
	case FormAddressed:
		return "addressed"
	case FormOpen:
		return "open"
	case FormSigned:
		return "signed"
	default:
		return "invalid"
	}
}

// An Item is one CBOR item of a transmission. Raw and Content alias the input.
type Item struct {
	Form    Form
	CID     uint32 // connection id of FormAddressed: the device's number
	Raw     []byte // the whole item
	Content []byte // of the byte string (FormSealed, FormAddressed), else the same as Raw
}

// NextItem reads the first item of a transmission, which is a CBOR sequence (RFC 8742), and returns what follows it. It refuses heads that
// are not the shortest (RFC 8949 §4.2.1), so that an item has one encoding.
func NextItem(b []byte) (item Item, rest []byte, err error) {
	if len(b) == 0 {
		return Item{}, nil, fmt.Errorf("item: %w", ErrTruncated)
	}
	switch c := b[0]; {
	case c >= 0x40 && c <= 0x59:
		content, rest, err := byteString(b)
		if err != nil {
			return Item{}, nil, fmt.Errorf("sealed item: %w", err)
		}
		return Item{Form: FormSealed, Raw: b[:len(b)-len(rest)], Content: content}, rest, nil
	case c == 0x82:
		cid, after, err := head(b[1:], 0)
		if err != nil {
			return Item{}, nil, fmt.Errorf("connection id: %w", err)
		}
		if cid > 1<<32-1 {
			return Item{}, nil, fmt.Errorf("connection id %d: %w", cid, ErrMalformed)
		}
		content, rest, err := byteString(after)
		if err != nil {
			return Item{}, nil, fmt.Errorf("addressed item: %w", err)
		}
		return Item{Form: FormAddressed, CID: uint32(cid), Raw: b[:len(b)-len(rest)], Content: content}, rest, nil
	case c >= 0xa0 && c <= 0xbb:
		return wellFormedItem(b, FormOpen)
	case c == 0xd2:
		return wellFormedItem(b, FormSigned)
	default:
		return Item{}, nil, fmt.Errorf("first byte %#02x: %w", c, ErrMalformed)
	}
}

func wellFormedItem(b []byte, form Form) (Item, []byte, error) {
	n, err := wellFormed(b, nestingMax)
	if err != nil {
		return Item{}, nil, fmt.Errorf("%s item: %w", form, err)
	}
	return Item{Form: form, Raw: b[:n], Content: b[:n]}, b[n:], nil
}

// head reads a CBOR head of the given major type and returns its argument. Only the shortest encoding is taken.
func head(b []byte, major byte) (uint64, []byte, error) {
	if len(b) == 0 {
		return 0, nil, ErrTruncated
	}
	if b[0]>>5 != major {
		return 0, nil, errMajor
	}
	info := b[0] & 0x1f
	if info < 24 {
		return uint64(info), b[1:], nil
	}
	if info > 27 {
		return 0, nil, errIndefinite
	}
	n := 1 << (info - 24)
	if len(b) < 1+n {
		return 0, nil, ErrTruncated
	}
	var v, least uint64
	switch n {
	case 1:
		v, least = uint64(b[1]), 24
	case 2:
		v, least = uint64(binary.BigEndian.Uint16(b[1:])), 1<<8
	case 4:
		v, least = uint64(binary.BigEndian.Uint32(b[1:])), 1<<16
	default:
		v, least = binary.BigEndian.Uint64(b[1:]), 1<<32
	}
	if v < least {
		return 0, nil, errLonger
	}
	return v, b[1+n:], nil
}

// byteString reads a definite byte string with a head of at most two bytes of length.
func byteString(b []byte) (content, rest []byte, err error) {
	n, rest, err := head(b, 2)
	if err != nil {
		return nil, nil, err
	}
	if b[0] > 0x59 {
		return nil, nil, errLong
	}
	if uint64(len(rest)) < n {
		return nil, nil, ErrTruncated
	}
	return rest[:n:n], rest[n:], nil
}

// appendHead appends the shortest CBOR head.
func appendHead(dst []byte, major byte, v uint64) []byte {
	m := major << 5
	switch {
	case v < 24:
		return append(dst, m|byte(v))
	case v < 1<<8:
		return append(dst, m|24, byte(v))
	case v < 1<<16:
		return binary.BigEndian.AppendUint16(append(dst, m|25), uint16(v))
	case v < 1<<32:
		return binary.BigEndian.AppendUint32(append(dst, m|26), uint32(v))
	default:
		return binary.BigEndian.AppendUint64(append(dst, m|27), v)
	}
}

// AppendAddressed puts a connection id before a sealed item: the array [cid, item].
func AppendAddressed(dst []byte, cid uint32, sealed []byte) []byte {
	dst = appendHead(append(dst, 0x82), 0, uint64(cid))
	return append(dst, sealed...)
}

// nestingMax bounds maps and arrays within each other.
const nestingMax = 4

// wellFormed returns the length of the CBOR item at the front of b: definite lengths and shortest heads only, at most depth levels of maps,
// arrays and tags below it. It recurses at most depth times and reads each byte once.
func wellFormed(b []byte, depth int) (int, error) {
	if len(b) == 0 {
		return 0, ErrTruncated
	}
	major := b[0] >> 5
	if major == 7 {
		return simple(b)
	}
	v, rest, err := head(b, major)
	if err != nil {
		return 0, err
	}
	n := len(b) - len(rest)
	var children uint64
	switch major {
	case 0, 1:
		return n, nil
	case 2, 3:
		if v > uint64(len(rest)) {
			return 0, ErrTruncated
		}
		return n + int(v), nil //nolint:gosec // at most len(rest)
	case 4:
		children = v
	case 5:
		if v > uint64(len(rest)) {
			return 0, ErrTruncated
		}
		children = 2 * v
	default:
		children = 1 // a tag
	}
	if children > uint64(len(rest)) {
		return 0, ErrTruncated
	}
	if depth == 0 {
		return 0, errNested // an empty one too: it is a level
	}
	for range children {
		k, err := wellFormed(b[n:], depth-1)
		if err != nil {
			return 0, err
		}
		n += k
	}
	return n, nil
}

// simple reads a simple value or a float (RFC 8949 §3.3).
func simple(b []byte) (int, error) {
	n := 1
	switch info := b[0] & 0x1f; {
	case info >= 20 && info <= 23: // false, true, null, undefined
	case info >= 25 && info <= 27:
		n = 1 + 1<<(info-24)
	default:
		return 0, errSimple
	}
	if len(b) < n {
		return 0, ErrTruncated
	}
	return n, nil
}

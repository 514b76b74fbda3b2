package codec

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"fmt"
)

const ackMACLen = 8

// An Ack says which frames of a device are on disk: the one of Counter, and for each bit i of Bitmap, lowest first, that of Counter-1-i.
type Ack struct {
	Counter uint64
	Bitmap  uint32
}

// Covers reports whether a says that the frame of the counter is on disk.
func (a Ack) Covers(counter uint64) bool {
	if counter == a.Counter {
		return true
	}
	d := a.Counter - counter - 1
	return counter < a.Counter && d < 32 && a.Bitmap>>d&1 == 1
}

// AppendAck appends an acknowledgement as a whole item. It has no nonce, so the same frame may be said again byte for byte.
//
//	head | header | counter low 16 bits | bitmap 1..4 | HMAC-SHA-256 truncated to 8
//
// The bitmap is little-endian; zero bytes at its end are cut beyond the first. The HMAC covers "godwit/1 ack" ‖ number ‖ epoch ‖ counter (8
// bytes) ‖ header ‖ bitmap. It allocates nothing if dst has room for 16 bytes.
func AppendAck(dst []byte, key *[32]byte, number, epoch uint32, a Ack) []byte {
	h := MakeHeader(KindExtended, extendedControl, uint8(ControlAck))
	var bitmap [4]byte
	binary.LittleEndian.PutUint32(bitmap[:], a.Bitmap)
	n := len(bitmap)
	for n > 1 && bitmap[n-1] == 0 {
		n--
	}
	mac := ackMAC(key, number, epoch, a.Counter, h, bitmap[:n])
	dst = appendHead(dst, 2, uint64(1+2+n+ackMACLen))
	dst = append(dst, byte(h), byte(a.Counter>>8), byte(a.Counter))
	dst = append(dst, bitmap[:n]...)
	return append(dst, mac[:ackMACLen]...)
}

// An AckFrame is an acknowledgement as it travels, not yet verified.
type AckFrame struct {
	Header Header
	Low    uint16 // low bits of the counter
	Bitmap uint32
	bitmap [4]byte
	n      int
	mac    [ackMACLen]byte
}

// ParseAck reads the content of an item as an acknowledgement.
func ParseAck(content []byte) (AckFrame, error) {
	const fixed = 1 + 2 + ackMACLen
	n := len(content) - fixed
	if n < 1 {
		return AckFrame{}, fmt.Errorf("acknowledgement of %d bytes: %w", len(content), ErrTruncated)
	}
	f := AckFrame{Header: Header(content[0]), Low: binary.BigEndian.Uint16(content[1:]), n: n}
	if f.Header != MakeHeader(KindExtended, extendedControl, uint8(ControlAck)) || n > len(f.bitmap) {
		return AckFrame{}, fmt.Errorf("acknowledgement: %w", ErrMalformed)
	}
	copy(f.bitmap[:], content[3:3+n])
	if n > 1 && f.bitmap[n-1] == 0 {
		return AckFrame{}, fmt.Errorf("acknowledgement: bitmap not cut: %w", ErrMalformed)
	}
	f.Bitmap = binary.LittleEndian.Uint32(f.bitmap[:])
	copy(f.mac[:], content[3+n:])
	return f, nil
}

// Verify completes the counter from the last one that the device used and checks the HMAC.
func (f *AckFrame) Verify(key *[32]byte, number, epoch uint32, last uint64) (Ack, error) {
	// An acknowledgement is never ahead of the device: the counter is the largest one not above last with these low bits.
	counter := last&^0xffff | uint64(f.Low)
	if counter > last {
		if counter < 1<<16 {
			return Ack{}, fmt.Errorf("acknowledgement of a counter never used: %w", ErrAuth)
		}
		counter -= 1 << 16
	}
	mac := ackMAC(key, number, epoch, counter, f.Header, f.bitmap[:f.n])
	if subtle.ConstantTimeCompare(mac[:ackMACLen], f.mac[:]) != 1 {
		return Ack{}, fmt.Errorf("acknowledgement: %w", ErrAuth)
	}
	return Ack{Counter: counter, Bitmap: f.Bitmap}, nil
}

const ackLabel = "godwit/1 ack"

// ackMAC is over buffers on the stack.
func ackMAC(key *[32]byte, number, epoch uint32, counter uint64, h Header, bitmap []byte) [32]byte {
	const block = sha256.BlockSize
	var buf [block + len(ackLabel) + 4 + 4 + 8 + 1 + 4]byte
	m := append(buf[:block], ackLabel...)
	m = binary.BigEndian.AppendUint32(m, number)
	m = binary.BigEndian.AppendUint32(m, epoch)
	m = binary.BigEndian.AppendUint64(m, counter)
	m = append(m, byte(h))
	return hmacSum(key, append(m, bitmap...))
}

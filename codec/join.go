package codec

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"fmt"
)

// A ControlType is the type of a clear control frame (SPEC §5).
type ControlType uint8

// Types of clear control frames.
const (
	ControlJoinRequest ControlType = iota // up: a device asks for a new epoch
	ControlJoinAccept                     // down: here it is
	ControlChallenge                      // down: prove that you ask now
	ControlJoinConfirm                    // up: the proof
	ControlAck                            // down: AppendAck
)

// String names the type.
func (t ControlType) String() string {
	switch t {
	case ControlJoinRequest:
		return "join request"
	case ControlJoinAccept:
		return "join accept"
	case ControlChallenge:
		return "challenge"
	case ControlJoinConfirm:
		return "join confirm"
	case ControlAck:
		return "acknowledgement"
	default:
		return "unknown"
	}
}

// Control is the type of the clear control frame of a content; false if it is no clear control frame.
func Control(content []byte) (ControlType, bool) {
	if len(content) == 0 {
		return 0, false
	}
	h := Header(content[0])
	return ControlType(h.Base()), h.Kind() == KindExtended && h.Slot() == extendedControl
}

const (
	joinMACLen = 8
	joinLabel  = "godwit/1 join"
)

// A Join is one attempt of a device to begin a new epoch. It is the device's half of what makes the epoch unique: no two attempts of a device
// that kept its boot counter are the same, and of one that did not the random number tells them apart.
type Join struct {
	Number uint32 // of the device
	Boot   uint32 // its boot counter, higher than in any earlier attempt that it remembers
	Random uint32
}

// A Nonce is the gateway's half: 8 random bytes, used for one epoch.
type Nonce [8]byte

// Salt is the salt of the epoch that a join begins.
func (j Join) Salt(n Nonce) [16]byte {
	var salt [16]byte
	binary.BigEndian.PutUint32(salt[:], j.Random)
	binary.BigEndian.PutUint32(salt[4:], j.Boot)
	copy(salt[8:], n[:])
	return salt
}

// Began reports whether the join began the epoch of a salt.
func (j Join) Began(salt [16]byte) bool {
	return binary.BigEndian.Uint32(salt[:]) == j.Random && binary.BigEndian.Uint32(salt[4:]) == j.Boot
}

// AppendJoinRequest appends a request as a whole item of 22 bytes.
func AppendJoinRequest(dst []byte, key *[32]byte, j Join) []byte {
	f := JoinFrame{Type: ControlJoinRequest, Join: j}
	return f.append(dst, key)
}

// AppendChallenge appends a challenge to a join as a whole item of 18 bytes.
func AppendChallenge(dst []byte, key *[32]byte, j Join, n Nonce) []byte {
	f := JoinFrame{Type: ControlChallenge, Join: j, Nonce: n}
	return f.append(dst, key)
}

// AppendJoinConfirm appends the answer to a challenge as a whole item of 22 bytes.
func AppendJoinConfirm(dst []byte, key *[32]byte, j Join, n Nonce) []byte {
	f := JoinFrame{Type: ControlJoinConfirm, Join: j, Nonce: n}
	return f.append(dst, key)
}

// AppendJoinAccept appends the acceptance of a join as a whole item of 22 bytes. Its epoch has the salt j.Salt(n).
func AppendJoinAccept(dst []byte, key *[32]byte, j Join, n Nonce, epoch uint32) []byte {
	f := JoinFrame{Type: ControlJoinAccept, Join: j, Nonce: n, Epoch: epoch}
	return f.append(dst, key)
}

// A JoinFrame is a frame of a join as it travels, not yet verified. What it does not carry, whoever verifies it must set before: Join in a
// challenge and in an acceptance, which are for one attempt of one device, and Nonce in a confirmation, which is for one challenge.
type JoinFrame struct {
	Type  ControlType
	Join  Join   // travels in a request and in a confirmation
	Nonce Nonce  // travels in a challenge and in an acceptance
	Epoch uint32 // of an acceptance
	mac   [joinMACLen]byte
}

// up reports whether the device sends such a frame: then it carries the attempt, else the nonce.
func (f *JoinFrame) up() bool { return f.Type == ControlJoinRequest || f.Type == ControlJoinConfirm }

func (f *JoinFrame) append(dst []byte, key *[32]byte) []byte {
	mac := f.sum(key)
	b := appendHead(dst, 2, uint64(f.Type.joinLen())) //nolint:gosec // a small constant
	b = append(b, byte(MakeHeader(KindExtended, extendedControl, uint8(f.Type))))
	if f.up() {
		b = binary.BigEndian.AppendUint32(b, f.Join.Number)
		b = binary.BigEndian.AppendUint32(b, f.Join.Boot)
		b = binary.BigEndian.AppendUint32(b, f.Join.Random)
	} else {
		if f.Type == ControlJoinAccept {
			b = binary.BigEndian.AppendUint32(b, f.Epoch)
		}
		b = append(b, f.Nonce[:]...)
	}
	return append(b, mac[:joinMACLen]...)
}

// joinLen is the length of the content of such a frame, 0 if it is none of a join.
func (t ControlType) joinLen() int {
	switch t {
	case ControlJoinRequest, ControlJoinConfirm:
		return 1 + 12 + joinMACLen
	case ControlJoinAccept:
		return 1 + 4 + 8 + joinMACLen
	case ControlChallenge:
		return 1 + 8 + joinMACLen
	case ControlAck:
	}
	return 0
}

// ParseJoin reads the content of an item as a frame of a join. Each has one length.
func ParseJoin(content []byte) (JoinFrame, error) {
	t, ok := Control(content)
	if !ok {
		return JoinFrame{}, fmt.Errorf("join: no control frame: %w", ErrMalformed)
	}
	want := t.joinLen()
	if want == 0 {
		return JoinFrame{}, errNoJoin
	}
	if len(content) != want {
		err := ErrMalformed
		if len(content) < want {
			err = ErrTruncated
		}
		return JoinFrame{}, fmt.Errorf("%s of %d bytes, want %d: %w", t, len(content), want, err)
	}
	f := JoinFrame{Type: t}
	b := content[1:]
	switch {
	case f.up():
		f.Join = Join{Number: binary.BigEndian.Uint32(b), Boot: binary.BigEndian.Uint32(b[4:]), Random: binary.BigEndian.Uint32(b[8:])}
	case t == ControlJoinAccept:
		if f.Epoch = binary.BigEndian.Uint32(b); f.Epoch == 0 {
			return JoinFrame{}, errEpochZero
		}
		copy(f.Nonce[:], b[4:])
	default:
		copy(f.Nonce[:], b)
	}
	copy(f.mac[:], content[want-joinMACLen:])
	return f, nil
}

var (
	errNoJoin    = fmt.Errorf("join: another control frame: %w", ErrMalformed)
	errEpochZero = fmt.Errorf("join accept: epoch 0 has no salt: %w", ErrMalformed)
	errJoinAuth  = fmt.Errorf("join: %w", ErrAuth)
)

// Verify checks the MAC.
func (f *JoinFrame) Verify(key *[32]byte) error {
	mac := f.sum(key)
	if subtle.ConstantTimeCompare(mac[:joinMACLen], f.mac[:]) != 1 {
		return errJoinAuth
	}
	return nil
}

// sum is the HMAC over label, header, number, boot counter, random number, then the nonce but in a request, and the epoch of an acceptance.
func (f *JoinFrame) sum(key *[32]byte) [32]byte {
	var buf [sha256.BlockSize + len(joinLabel) + 1 + 12 + 8 + 4]byte
	m := append(buf[:sha256.BlockSize], joinLabel...)
	m = append(m, byte(MakeHeader(KindExtended, extendedControl, uint8(f.Type))))
	m = binary.BigEndian.AppendUint32(m, f.Join.Number)
	m = binary.BigEndian.AppendUint32(m, f.Join.Boot)
	m = binary.BigEndian.AppendUint32(m, f.Join.Random)
	if f.Type != ControlJoinRequest {
		m = append(m, f.Nonce[:]...)
	}
	if f.Type == ControlJoinAccept {
		m = binary.BigEndian.AppendUint32(m, f.Epoch)
	}
	return hmacSum(key, m)
}

// hmacSum is HMAC-SHA-256 (RFC 2104) over what stands in m behind a first block that is its own: with buffers on the stack it allocates
// nothing, where crypto/hmac would for each frame.
func hmacSum(key *[32]byte, m []byte) [32]byte {
	const block = sha256.BlockSize
	var outer [block + sha256.Size]byte
	for i := range block {
		m[i], outer[i] = 0x36, 0x5c
	}
	for i, b := range key {
		m[i] ^= b
		outer[i] ^= b
	}
	sum := sha256.Sum256(m)
	copy(outer[block:], sum[:])
	return sha256.Sum256(outer[:])
}

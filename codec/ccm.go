package codec

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
	"encoding/binary"
)

// nonceLen leaves two bytes for the length of the message, enough for 64 KiB (RFC 3610 §2.1: L = 2).
const nonceLen = 13

// A Key is a key made ready: the AES key schedule. AES-CCM (RFC 3610) truncates its tag cleanly, which neither GCM nor Poly1305 does. The
// standard library has none, and what others offer allocates for each frame, so it is written here; its results are checked against other
// implementations in the tests. Safe for concurrent use.
type Key struct {
	block cipher.Block
	iv    [nonceLen]byte
}

// NewKey expands a key.
func NewKey(k SealKey) Key {
	block, err := aes.NewCipher(k.Key[:])
	if err != nil {
		panic("codec: " + err.Error()) // an array of 16 bytes is an AES key
	}
	return Key{block: block, iv: k.IV}
}

// A Cipher seals and opens with one key. It is the key and the memory that this needs.
//
// Not safe for concurrent use.
type Cipher struct {
	key Key
	ccm
}

// NewCipher expands a key.
func NewCipher(k SealKey) *Cipher { return &Cipher{key: NewKey(k)} }

// ccm is one frame in hand.
type ccm struct {
	block cipher.Block
	ctr   [16]byte // L-1, nonce, number of a block of the key stream
	mac   [16]byte // and the tag, at the end
	pad   [16]byte
	aad   [aadLen]byte
}

// begin takes up a frame. Its nonce is the IV, the last 8 bytes XORed with the counter.
func (c *ccm) begin(k *Key, counter uint64) {
	c.block = k.block
	c.ctr[0] = 1 // L-1
	copy(c.ctr[1:], k.iv[:])
	tail := c.ctr[1+nonceLen-8 : 1+nonceLen]
	binary.BigEndian.PutUint64(tail, binary.BigEndian.Uint64(tail)^counter)
}

// seal appends ciphertext and tag to dst. aad is with its length in two bytes, or empty.
func (c *ccm) seal(dst, plaintext, aad []byte, tagLen int) []byte {
	c.first(len(plaintext), len(aad) > 0, tagLen)
	c.authenticate(plaintext, aad)
	start := len(dst)
	dst = append(dst, plaintext...)
	c.crypt(dst[start:])
	return append(dst, c.mac[:tagLen]...)
}

// open appends the plaintext of body, which is ciphertext and tag, to dst.
func (c *ccm) open(dst, body, aad []byte, tagLen int) ([]byte, bool) {
	if len(body) < tagLen {
		return dst, false
	}
	c.first(len(body)-tagLen, len(aad) > 0, tagLen)
	return c.finish(dst, body, aad, tagLen)
}

// finish is open behind first.
func (c *ccm) finish(dst, body, aad []byte, tagLen int) ([]byte, bool) {
	ciphertext, tag := body[:len(body)-tagLen], body[len(body)-tagLen:]
	start := len(dst)
	out := dst
	out = append(out, ciphertext...)
	c.crypt(out[start:])
	c.authenticate(out[start:], aad)
	if subtle.ConstantTimeCompare(c.mac[:tagLen], tag) != 1 {
		clear(out[start:]) // nobody sees what did not verify
		return dst, false
	}
	return out, true
}

// first puts the first block of the MAC, which says how long the plaintext is (RFC 3610 §2.2), through the cipher.
func (c *ccm) first(length int, aad bool, tagLen int) {
	c.mac = c.ctr
	c.mac[0] = byte((tagLen-2)/2<<3 | 1) // L-1 = 1
	if aad {
		c.mac[0] |= 1 << 6
	}
	binary.BigEndian.PutUint16(c.mac[14:], uint16(length)) //nolint:gosec // AppendSealed and byteString bound it
	c.block.Encrypt(c.mac[:], c.mac[:])
}

// authenticate computes the encrypted tag, behind first: CBC-MAC over the first block, the AAD and the plaintext, XOR the key stream's block 0.
func (c *ccm) authenticate(plaintext, aad []byte) {
	c.absorb(aad)
	c.absorb(plaintext)
	c.keyStream(0)
	xorBlock(&c.mac, &c.pad)
}

// absorb runs CBC-MAC over b, padded with zeros.
func (c *ccm) absorb(b []byte) {
	for ; len(b) >= 16; b = b[16:] {
		xorBlock(&c.mac, (*[16]byte)(b))
		c.block.Encrypt(c.mac[:], c.mac[:])
	}
	if len(b) > 0 {
		subtle.XORBytes(c.mac[:], c.mac[:], b)
		c.block.Encrypt(c.mac[:], c.mac[:])
	}
}

// crypt XORs b with the key stream from block 1 on.
func (c *ccm) crypt(b []byte) {
	for i := uint16(1); len(b) > 0; i++ {
		c.keyStream(i)
		n := subtle.XORBytes(b, b, c.pad[:])
		b = b[n:]
	}
}

// keyStream puts block i of the key stream into pad (RFC 3610 §2.3), and leaves block 0 to be counted from.
func (c *ccm) keyStream(i uint16) {
	binary.BigEndian.PutUint16(c.ctr[14:], i)
	c.block.Encrypt(c.pad[:], c.ctr[:])
	c.ctr[14], c.ctr[15] = 0, 0
}

func xorBlock(dst, b *[16]byte) {
	ne := binary.NativeEndian
	ne.PutUint64(dst[:8], ne.Uint64(dst[:8])^ne.Uint64(b[:8]))
	ne.PutUint64(dst[8:], ne.Uint64(dst[8:])^ne.Uint64(b[8:]))
}

package codec

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
	"encoding/binary"
)

// nonceLen leaves two bytes for the length of the message, enough for 64 KiB (RFC 3610 §2.1: L = 2).
const nonceLen = 13

// A Cipher is a key made ready: the AES key schedule and the memory that sealing and opening need. AES-CCM (RFC 3610) truncates its tag
// cleanly, which neither GCM nor Poly1305 does. The standard library has none, and what others offer allocates for each frame, so it
// is written here; its results are checked against other implementations in the tests.
//
// Not safe for concurrent use.
type Cipher struct {
	block cipher.Block
	iv    [nonceLen]byte
	n     [nonceLen]byte // nonce of the frame in hand
	mac   [16]byte
	pad   [16]byte
	ctr   [16]byte
	tag   [16]byte
	aad   [aadLen]byte
}

// NewCipher expands a key.
func NewCipher(k SealKey) *Cipher {
	block, err := aes.NewCipher(k.Key[:])
	if err != nil {
		panic("codec: " + err.Error()) // an array of 16 bytes is an AES key
	}
	return &Cipher{block: block, iv: k.IV}
}

// nonce sets the nonce of a frame: the IV, its last 8 bytes XORed with the counter.
func (c *Cipher) nonce(counter uint64) {
	c.n = c.iv
	tail := c.n[nonceLen-8:]
	binary.BigEndian.PutUint64(tail, binary.BigEndian.Uint64(tail)^counter)
}

// seal appends ciphertext and tag to dst.
func (c *Cipher) seal(dst, plaintext, aad []byte, tagLen int) []byte {
	c.authenticate(plaintext, aad, tagLen)
	start := len(dst)
	dst = append(dst, plaintext...)
	c.crypt(dst[start:])
	return append(dst, c.tag[:tagLen]...)
}

// open appends the plaintext of body, which is ciphertext and tag, to dst.
func (c *Cipher) open(dst, body, aad []byte, tagLen int) ([]byte, bool) {
	if len(body) < tagLen {
		return dst, false
	}
	ciphertext, tag := body[:len(body)-tagLen], body[len(body)-tagLen:]
	start := len(dst)
	out := dst
	out = append(out, ciphertext...)
	c.crypt(out[start:])
	c.authenticate(out[start:], aad, tagLen)
	if subtle.ConstantTimeCompare(c.tag[:tagLen], tag) != 1 {
		clear(out[start:]) // nobody sees what did not verify
		return dst, false
	}
	return out, true
}

// authenticate computes the encrypted tag: CBC-MAC over the first block, the AAD and the plaintext (RFC 3610 §2.2), XOR the key stream's block 0.
func (c *Cipher) authenticate(plaintext, aad []byte, tagLen int) {
	flags := byte((tagLen-2)/2<<3 | 1) // L-1 = 1
	if len(aad) > 0 {
		flags |= 1 << 6
	}
	c.mac[0] = flags
	copy(c.mac[1:], c.n[:])
	binary.BigEndian.PutUint16(c.mac[14:], uint16(len(plaintext))) //nolint:gosec // AppendSealed and byteString bound it
	c.block.Encrypt(c.mac[:], c.mac[:])
	if len(aad) > 0 {
		c.mac[0] ^= byte(len(aad) >> 8)
		c.mac[1] ^= byte(len(aad))
		n := copy(c.pad[:14], aad)
		subtle.XORBytes(c.mac[2:], c.mac[2:], c.pad[:n])
		c.block.Encrypt(c.mac[:], c.mac[:])
		c.absorb(aad[n:])
	}
	c.absorb(plaintext)
	c.counterBlock(0)
	subtle.XORBytes(c.tag[:], c.mac[:], c.pad[:])
}

// absorb runs CBC-MAC over b, padded with zeros.
func (c *Cipher) absorb(b []byte) {
	for len(b) > 0 {
		n := subtle.XORBytes(c.mac[:], c.mac[:], b[:min(len(b), 16)])
		c.block.Encrypt(c.mac[:], c.mac[:])
		b = b[n:]
	}
}

// crypt XORs b with the key stream from block 1 on.
func (c *Cipher) crypt(b []byte) {
	for i := uint16(1); len(b) > 0; i++ {
		c.counterBlock(i)
		n := subtle.XORBytes(b, b, c.pad[:])
		b = b[n:]
	}
}

// counterBlock puts block i of the key stream into pad (RFC 3610 §2.3).
func (c *Cipher) counterBlock(i uint16) {
	c.ctr[0] = 1 // L-1
	copy(c.ctr[1:], c.n[:])
	binary.BigEndian.PutUint16(c.ctr[14:], i)
	c.block.Encrypt(c.pad[:], c.ctr[:])
}

package codec

import (
	"crypto/subtle"
	"encoding/binary"

	"github.com/godwit-gateway/godwit/codec/aes128"
)

// nonceLen leaves two bytes for the length of the message, enough for 64 KiB (RFC 3610 §2.1: L = 2).
const nonceLen = 13

// A Cipher seals and opens with one key. It is the key made ready and the memory that this needs. AES-CCM (RFC 3610) truncates its tag cleanly, which
// neither GCM nor Poly1305 does. The standard library has none, and what others offer allocates for each frame, so it is written here; its results
// are checked against other implementations in the tests.
//
// Not safe for concurrent use.
type Cipher struct {
	schedule aes128.Schedule
	iv       [nonceLen]byte
	ccm
}

// NewCipher makes a cipher of a key.
func NewCipher(k SealKey) *Cipher {
	c := new(Cipher)
	c.Use(&k)
	return c
}

// Use makes c, which may be the zero value, a cipher of another key.
func (c *Cipher) Use(k *SealKey) {
	c.iv = k.IV
	c.schedule.Expand(&k.Key)
}

const blockSize = aes128.BlockSize

// streamBlocks is how much of the key stream is made at a time: enough for the tag and most statuses. Blocks do not wait for each other.
const streamBlocks = 2

// ccm is one frame in hand.
type ccm struct {
	ctr    [blockSize]byte                // L-1, nonce, 0: what blocks of the key stream are counted from
	pad    [blockSize]byte                // block 0 of the key stream: the tag's
	mac    [blockSize]byte                // and the tag, at the end
	stream [streamBlocks * blockSize]byte // blocks of the key stream
	head   [blockSize + aadBlocks]byte    // what the MAC is over before the plaintext
}

// begin takes up a frame. Its nonce is the IV, the last 8 bytes XORed with the counter.
func (c *ccm) begin(iv *[nonceLen]byte, counter uint64) {
	c.ctr[0] = 1 // L-1
	copy(c.ctr[1:], iv[:])
	tail := c.ctr[1+nonceLen-8 : 1+nonceLen]
	binary.BigEndian.PutUint64(tail, binary.BigEndian.Uint64(tail)^counter)
	c.count(0)
}

// seal appends ciphertext and tag to dst. head is as first made it.
func (c *ccm) seal(s *aes128.Schedule, dst, plaintext, head []byte, tagLen int) []byte {
	c.start(s, head)
	at := len(dst)
	dst = append(dst, plaintext...)
	c.authenticate(s, dst[at:])
	c.crypt(s, dst[at:])
	return append(dst, c.mac[:tagLen]...)
}

// open appends the plaintext of body, which is ciphertext and tag, to dst. head is as first made it.
func (c *ccm) open(s *aes128.Schedule, dst, body, head []byte, tagLen int) ([]byte, bool) {
	c.start(s, head)
	return c.finish(s, dst, body, tagLen)
}

// finish is open behind start.
func (c *ccm) finish(s *aes128.Schedule, dst, body []byte, tagLen int) ([]byte, bool) {
	ciphertext, tag := body[:len(body)-tagLen], body[len(body)-tagLen:]
	at := len(dst)
	out := dst
	out = append(out, ciphertext...)
	c.crypt(s, out[at:])
	c.authenticate(s, out[at:])
	if subtle.ConstantTimeCompare(c.mac[:tagLen], tag) != 1 {
		clear(out[at:]) // nobody sees what did not verify
		return dst, false
	}
	return out, true
}

// first puts the first block of the MAC, which says how long the plaintext is (RFC 3610 §2.2), to the front of head. Behind it are the additional
// data, with their length before them in two bytes, filled up with zeros to whole blocks; or nothing.
func (c *ccm) first(head []byte, length, tagLen int) {
	copy(head, c.ctr[:blockSize-2])
	head[0] = byte((tagLen-2)/2<<3 | 1) // L-1 = 1
	if len(head) > blockSize {
		head[0] |= 1 << 6
	}
	binary.BigEndian.PutUint16(head[blockSize-2:], uint16(length)) //nolint:gosec // AppendSealed and byteString bound it
}

// start does what does not wait for the plaintext: the first blocks of the key stream, and the MAC over head.
func (c *ccm) start(s *aes128.Schedule, head []byte) {
	s.Encrypt(c.stream[:])
	c.pad = [blockSize]byte(c.stream[:])
	clear(c.mac[:])
	s.MAC(&c.mac, head)
}

// authenticate computes the encrypted tag, behind start: goes on with the CBC-MAC over the plaintext, XOR the key stream's block 0.
func (c *ccm) authenticate(s *aes128.Schedule, plaintext []byte) {
	s.MAC(&c.mac, plaintext)
	if rest := len(plaintext) % blockSize; rest > 0 {
		var last [blockSize]byte
		copy(last[:], plaintext[len(plaintext)-rest:])
		s.MAC(&c.mac, last[:])
	}
	subtle.XORBytes(c.mac[:], c.mac[:], c.pad[:])
}

// crypt XORs b with the key stream from block 1 on, behind start.
func (c *ccm) crypt(s *aes128.Schedule, b []byte) {
	b = b[subtle.XORBytes(b, b, c.stream[blockSize:]):]
	for next := uint16(streamBlocks); len(b) > 0; next += streamBlocks {
		c.count(next)
		s.Encrypt(c.stream[:])
		b = b[subtle.XORBytes(b, b, c.stream[:]):]
	}
}

// count puts the blocks from a number on where the key stream will be (RFC 3610 §2.3).
func (c *ccm) count(from uint16) {
	for i := range uint16(streamBlocks) {
		block := c.stream[i*blockSize:][:blockSize]
		copy(block, c.ctr[:])
		binary.BigEndian.PutUint16(block[blockSize-2:], from+i)
	}
}

package aes128

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
)

// Sizes in bytes.
const (
	KeySize   = 16
	BlockSize = 16
)

// scheduleLen is that of 11 round keys.
const scheduleLen = 11 * BlockSize

// A Schedule is a key made ready. Once it is expanded it is safe for concurrent use.
type Schedule struct {
	keys  [scheduleLen]byte
	block cipher.Block // where the processor has no instructions
}

// Expand makes the schedule of a key, whatever the schedule was of before.
func (s *Schedule) Expand(key *[KeySize]byte) {
	if native {
		expand(key, &s.keys)
		return
	}
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic("aes128: " + err.Error()) // an array of 16 bytes is an AES key
	}
	s.block = block
}

// Encrypt puts each whole block of b through the cipher, on its own.
func (s *Schedule) Encrypt(b []byte) {
	n := len(b) / BlockSize
	if n == 0 {
		return
	}
	if native {
		encrypt(&s.keys, &b[0], n)
		return
	}
	for ; len(b) >= BlockSize; b = b[BlockSize:] {
		s.block.Encrypt(b[:BlockSize], b[:BlockSize])
	}
}

// MAC goes on with a CBC-MAC over each whole block of b: mac becomes the cipher of mac XOR block.
func (s *Schedule) MAC(mac *[BlockSize]byte, b []byte) {
	n := len(b) / BlockSize
	if n == 0 {
		return
	}
	if native {
		chain(&s.keys, mac, &b[0], n)
		return
	}
	for ; len(b) >= BlockSize; b = b[BlockSize:] {
		subtle.XORBytes(mac[:], mac[:], b[:BlockSize])
		s.block.Encrypt(mac[:], mac[:])
	}
}

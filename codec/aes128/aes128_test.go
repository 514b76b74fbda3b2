package aes128_test

import (
	"bytes"
	"crypto/aes"
	"crypto/subtle"
	"encoding/hex"
	"testing"

	"pgregory.net/rapid"

	"github.com/godwit-gateway/godwit/codec/aes128"
)

// each runs a test as on this processor, and as on one without instructions for AES.
func each(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	t.Run("this processor", test)
	aes128.WithCryptoAES(func() { t.Run("any processor", test) })
}

// FIPS 197, appendix B and C.1.
func TestFIPS197(t *testing.T) { each(t, fips197) }

func fips197(t *testing.T) {
	t.Helper()
	for _, tc := range [][3]string{
		{"2b7e151628aed2a6abf7158809cf4f3c", "3243f6a8885a308d313198a2e0370734", "3925841d02dc09fbdc118597196a0b32"},
		{"000102030405060708090a0b0c0d0e0f", "00112233445566778899aabbccddeeff", "69c4e0d86a7b0430d8cdb78070b4c55a"},
	} {
		var b [3][]byte
		for i := range b {
			var err error
			if b[i], err = hex.DecodeString(tc[i]); err != nil {
				t.Fatal(err)
			}
		}
		var s aes128.Schedule
		s.Expand((*[aes128.KeySize]byte)(b[0]))
		if s.Encrypt(b[1]); !bytes.Equal(b[1], b[2]) {
			t.Errorf("%x, want %x", b[1], b[2])
		}
	}
}

// Any key and any number of blocks come out as with crypto/aes, in a schedule that was used before; bytes behind the last whole block stay.
func TestAgreesWithCryptoAES(t *testing.T) { each(t, agreesWithCryptoAES) }

func agreesWithCryptoAES(t *testing.T) {
	t.Helper()
	var s aes128.Schedule
	rapid.Check(t, func(t *rapid.T) {
		key := [aes128.KeySize]byte(rapid.SliceOfN(rapid.Byte(), aes128.KeySize, aes128.KeySize).Draw(t, "key"))
		text := rapid.SliceOfN(rapid.Byte(), 0, 100).Draw(t, "text")
		mac := [aes128.BlockSize]byte(rapid.SliceOfN(rapid.Byte(), aes128.BlockSize, aes128.BlockSize).Draw(t, "mac"))
		block, err := aes.NewCipher(key[:])
		if err != nil {
			t.Fatal(err)
		}
		encrypted, chained := bytes.Clone(text), mac
		for b := encrypted; len(b) >= aes128.BlockSize; b = b[aes128.BlockSize:] {
			subtle.XORBytes(chained[:], chained[:], b)
			block.Encrypt(chained[:], chained[:])
			block.Encrypt(b, b)
		}
		s.Expand(&key)
		got, one := bytes.Clone(text), mac
		s.MAC(&one, got)
		if !bytes.Equal(got, text) || one != chained {
			t.Fatalf("MAC of %x is %x, want %x; text is %x", text, one, chained, got)
		}
		if s.Encrypt(got); !bytes.Equal(got, encrypted) {
			t.Fatalf("%x becomes %x, want %x", text, got, encrypted)
		}
	})
}

func TestAllocatesNothing(t *testing.T) { each(t, allocatesNothing) }

func allocatesNothing(t *testing.T) {
	t.Helper()
	var s aes128.Schedule
	key, mac, text := new([aes128.KeySize]byte), new([aes128.BlockSize]byte), make([]byte, 64)
	s.Expand(key)
	if n := testing.AllocsPerRun(100, func() { s.Encrypt(text); s.MAC(mac, text) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkExpand(b *testing.B) {
	var s aes128.Schedule
	key := new([aes128.KeySize]byte)
	for b.Loop() {
		s.Expand(key)
	}
}

func BenchmarkMAC(b *testing.B) {
	var s aes128.Schedule
	s.Expand(new([aes128.KeySize]byte))
	mac, text := new([aes128.BlockSize]byte), make([]byte, 64)
	for b.Loop() {
		s.MAC(mac, text)
	}
}

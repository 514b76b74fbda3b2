package codec_test

import (
	"bytes"
	"crypto/aes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/pion/dtls/v3/pkg/crypto/ccm"

	"github.com/godwit-gateway/godwit/codec"
)

// The functions of this file do what SPEC.md says by other means than the package: pion's AES-CCM, crypto/hmac, and the CBOR reader of
// fxamacker. They share no code with what they check.

// position is all that the tag of a frame covers besides its content.
type position struct {
	key    codec.SealKey
	label  string // of the AAD
	header byte
	number uint32
	epoch  uint32
	ctr    uint64
}

func (p *position) nonce() []byte {
	n := p.key.IV
	var c [8]byte
	binary.BigEndian.PutUint64(c[:], p.ctr)
	for i := range c {
		n[5+i] ^= c[i]
	}
	return n[:]
}

func (p *position) aad() []byte {
	b := append([]byte(p.label), p.header)
	b = binary.BigEndian.AppendUint32(b, p.number)
	b = binary.BigEndian.AppendUint32(b, p.epoch)
	return binary.BigEndian.AppendUint64(b, p.ctr)
}

func (p *position) ccm(tb testing.TB, tagLen int) ccm.CCM {
	tb.Helper()
	block, err := aes.NewCipher(p.key.Key[:])
	if err != nil {
		tb.Fatal(err)
	}
	c, err := ccm.NewCCM(block, tagLen, 13)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// refSeal gives ciphertext and tag.
func refSeal(tb testing.TB, p *position, tagLen int, plaintext []byte) []byte {
	tb.Helper()
	return p.ccm(tb, tagLen).Seal(nil, p.nonce(), plaintext, p.aad())
}

// refOpen is refSeal back; false if the tag does not verify.
func refOpen(tb testing.TB, p *position, tagLen int, body []byte) ([]byte, bool) {
	tb.Helper()
	out, err := p.ccm(tb, tagLen).Open(nil, p.nonce(), body, p.aad())
	return out, err == nil
}

// refAckMAC is the whole MAC of an acknowledgement.
func refAckMAC(key *[32]byte, number, epoch uint32, counter uint64, header byte, bitmap []byte) []byte {
	m := hmac.New(sha256.New, key[:])
	b := []byte("godwit/1 ack")
	b = binary.BigEndian.AppendUint32(b, number)
	b = binary.BigEndian.AppendUint32(b, epoch)
	b = binary.BigEndian.AppendUint64(b, counter)
	b = append(append(b, header), bitmap...)
	m.Write(b)
	return m.Sum(nil)
}

// refMode reads any CBOR of definite lengths and a few levels; it does not count a tag that stands alone as one.
var refMode = func() cbor.DecMode {
	m, err := cbor.DecOptions{
		IndefLength: cbor.IndefLengthForbidden, MaxNestedLevels: 8, MaxArrayElements: 1 << 30, MaxMapPairs: 1 << 30, UTF8: cbor.UTF8DecodeInvalid,
	}.DecMode()
	if err != nil {
		panic(err)
	}
	return m
}()

// refItem delimits an open or signed item: what fxamacker finds well-formed, if all its heads are the shortest and its simple values in use.
func refItem(b []byte) (length int, ok bool) {
	if len(b) == 0 || b[0] != 0xd2 && (b[0] < 0xa0 || b[0] > 0xbb) {
		return 0, false
	}
	d := refMode.NewDecoder(bytes.NewReader(b))
	if d.Skip() != nil {
		return 0, false
	}
	raw := b[:d.NumBytesRead()]
	if refMode.Wellformed(raw) != nil { // Skip alone takes what the options forbid
		return 0, false
	}
	// Lengths are definite, so heads and contents stand one behind the other; open holds how many items each level still lacks.
	var open []uint64
	for at := 0; at < len(raw); {
		for len(open) > 0 && open[len(open)-1] == 0 {
			open = open[:len(open)-1]
		}
		if len(open) > 0 {
			open[len(open)-1]--
		}
		major, info := raw[at]>>5, raw[at]&0x1f
		n, v := 0, uint64(info)
		if info >= 24 {
			n = 1 << (info - 24)
			v = 0
			for _, c := range raw[at+1 : at+1+n] {
				v = v<<8 | uint64(c)
			}
		}
		switch {
		case major == 7 && (info < 20 || info == 24):
			return 0, false
		case major == 7:
		case n == 1 && v < 24, n == 2 && v < 1<<8, n == 4 && v < 1<<16, n == 8 && v < 1<<32:
			return 0, false
		}
		at += 1 + n
		switch major {
		case 2, 3:
			at += int(v)
		case 4:
			open = append(open, v)
		case 5:
			open = append(open, 2*v)
		case 6:
			open = append(open, 1)
		}
		if len(open) > 4 {
			return 0, false
		}
	}
	return len(raw), true
}

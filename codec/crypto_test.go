package codec_test

import (
	"bytes"
	"crypto/aes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/c2sp/wycheproof"
	"github.com/pion/dtls/v3/pkg/crypto/ccm"

	"github.com/godwit-gateway/godwit/codec"
)

// hexBytes are bytes that JSON has as hexadecimal digits.
type hexBytes []byte

func (h *hexBytes) UnmarshalText(b []byte) (err error) {
	*h, err = hex.DecodeString(string(b))
	return err
}

// wycheproofGroups reads a file of vectors.
func wycheproofGroups[T any](t *testing.T, name string) []T {
	t.Helper()
	b, err := fs.ReadFile(wycheproof.TestVectors, name)
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		TestGroups []T `json:"testGroups"`
	}
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	return file.TestGroups
}

type aeadGroup struct {
	IVSize, KeySize, TagSize int
	Tests                    []struct {
		TcID                       int
		Key, IV, AAD, Msg, CT, Tag hexBytes
		Result                     string
	}
}

// Wycheproof has few vectors with the nonce of 13 bytes that a frame has, so they check two things: our cipher where they fit it, and pion's
// with every size it takes, which then is a judge that can be trusted on ours (TestSealAgreesWithPion, FuzzSealed, the vectors).
func TestWycheproofCCM(t *testing.T) {
	own, judged := 0, 0
	for _, g := range wycheproofGroups[aeadGroup](t, "aes_ccm_test.json") {
		for _, v := range g.Tests {
			valid, body := v.Result == "valid", append(bytes.Clone(v.CT), v.Tag...)
			block, err := aes.NewCipher(v.Key)
			if err != nil {
				t.Fatal(err)
			}
			if c, err := ccm.NewCCM(block, g.TagSize/8, g.IVSize/8); err == nil {
				judged++
				got, err := c.Open(nil, v.IV, body, v.AAD)
				if (err == nil) != valid || valid && !bytes.Equal(got, v.Msg) {
					t.Errorf("pion: vector %d: %v", v.TcID, err)
				}
			}
			if g.KeySize != 128 || g.IVSize != 104 {
				continue
			}
			own++
			c := codec.NewCipher(codec.SealKey{Key: [16]byte(v.Key)})
			got, ok := c.OpenRaw([13]byte(v.IV), body, v.AAD, g.TagSize/8)
			if ok != valid || ok && !bytes.Equal(got, v.Msg) {
				t.Errorf("vector %d: %x, %t, want %s", v.TcID, got, ok, v.Result)
			}
			if sealed := c.SealRaw([13]byte(v.IV), v.Msg, v.AAD, g.TagSize/8); valid && !bytes.Equal(sealed, body) {
				t.Errorf("vector %d: sealed %x", v.TcID, sealed)
			}
		}
	}
	if own < 6 || judged < 480 {
		t.Errorf("%d vectors run, %d by pion", own, judged)
	}
}

// RFC 3610 section 8: its 24 packets.
func TestRFC3610(t *testing.T) {
	b, err := os.ReadFile("testdata/rfc3610.txt")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(b)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		n++
		f := strings.Fields(line)
		clearOctets, tagLen := atoi(t, f[2]), atoi(t, f[3])
		in, out := unhex(t, f[4]), unhex(t, f[5])
		c, nonce := codec.NewCipher(codec.SealKey{Key: [16]byte(unhex(t, f[0]))}), [13]byte(unhex(t, f[1]))
		aad := in[:clearOctets]
		if got := c.SealRaw(nonce, in[clearOctets:], aad, tagLen); !bytes.Equal(got, out[clearOctets:]) {
			t.Errorf("packet %d: sealed %x", n, got)
		}
		if got, ok := c.OpenRaw(nonce, out[clearOctets:], aad, tagLen); !ok || !bytes.Equal(got, in[clearOctets:]) {
			t.Errorf("packet %d: opened %x, %t", n, got, ok)
		}
		out[len(out)-1] ^= 1
		if _, ok := c.OpenRaw(nonce, out[clearOctets:], aad, tagLen); ok {
			t.Errorf("packet %d opens with a bit of its tag flipped", n)
		}
	}
	if n != 24 {
		t.Errorf("%d packets", n)
	}
}

func atoi(t *testing.T, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// RFC 8613 appendix C.1.1 and C.4: keys by HKDF from a master secret and a salt, and a request sealed with nonce and tag of a frame's lengths.
func TestRFC8613(t *testing.T) {
	secret, salt := unhex(t, "0102030405060708090a0b0c0d0e0f10"), unhex(t, "9e7ca92223786340")
	for _, v := range []struct {
		info, want string
	}{
		{"8540f60a634b657910", "f0910ed7295e6ad4b54fc793154302ff"},   // sender key
		{"854101f60a634b657910", "ffb14e093c94c9cac9471648b4f98710"}, // recipient key
		{"8540f60a6249560d", "4622d4dd6d944168eefb54987c"},           // common IV
	} {
		if got := codec.Expand(codec.Extract(salt, secret), unhex(t, v.info), len(v.want)/2); hex.EncodeToString(got) != v.want {
			t.Errorf("info %s: %x", v.info, got)
		}
	}
	c := codec.NewCipher(codec.SealKey{Key: [16]byte(unhex(t, "f0910ed7295e6ad4b54fc793154302ff"))})
	got := c.SealRaw([13]byte(unhex(t, "4622d4dd6d944168eefb549868")), unhex(t, "01b3747631"), unhex(t, "8368456e63727970743040488501810a40411440"), 8)
	if hex.EncodeToString(got) != "612f1092f1776f1c1668b3825e" {
		t.Errorf("C.4: %x", got)
	}
}

type hkdfGroup struct {
	Tests []struct {
		TcID                 int
		IKM, Salt, Info, OKM hexBytes
		Size                 int
		Result               string
	}
}

// RFC 5869 by Wycheproof: salt, secret and info go in where they belong.
func TestWycheproofHKDF(t *testing.T) {
	n := 0
	for _, g := range wycheproofGroups[hkdfGroup](t, "hkdf_sha256_test.json") {
		for _, v := range g.Tests {
			if v.Result != "valid" {
				continue // only a size beyond 255 hashes, which no caller asks for
			}
			n++
			if got := codec.Expand(codec.Extract(v.Salt, v.IKM), v.Info, v.Size); !bytes.Equal(got, v.OKM) {
				t.Errorf("vector %d: %x", v.TcID, got)
			}
		}
	}
	if n < 80 {
		t.Errorf("%d vectors", n)
	}
}

// refHKDF is HKDF of up to two blocks (RFC 5869 §2), written with crypto/hmac.
func refHKDF(salt, secret, info []byte, n int) []byte {
	mac := func(key []byte, parts ...[]byte) []byte {
		m := hmac.New(sha256.New, key)
		for _, p := range parts {
			m.Write(p)
		}
		return m.Sum(nil)
	}
	prk := mac(salt, secret)
	t1 := mac(prk, info, []byte{1})
	return append(t1, mac(prk, t1, info, []byte{2})...)[:n]
}

// refInfo is the info of SPEC.md §2.1.
func refInfo(label string, number, epoch uint32) []byte {
	b := append([]byte("godwit/1|"), label...)
	b = binary.BigEndian.AppendUint32(append(b, '|'), number)
	return binary.BigEndian.AppendUint32(b, epoch)
}

// F-020: the keys are those of SPEC.md §2.1, and each label, number, epoch and salt has its own.
func TestDerivation(t *testing.T) {
	dev := testDevice()
	seen := make(map[codec.SealKey]bool)
	for _, label := range []codec.Label{codec.LabelUp8, codec.LabelUp4, codec.LabelDown} {
		for _, salt := range [][]byte{nil, {1}, make([]byte, 16)} {
			for _, number := range []uint32{0, 7, 1<<32 - 1} {
				for _, epoch := range []uint32{0, 1} {
					k := codec.DeriveSealKey(&dev, salt, label, number, epoch)
					want := refHKDF(salt, dev[:], refInfo(string(label), number, epoch), 29)
					if !bytes.Equal(k.Key[:], want[:16]) || !bytes.Equal(k.IV[:], want[16:]) {
						t.Errorf("%s %x %d %d: %x %x, want %x", label, salt, number, epoch, k.Key, k.IV, want)
					}
					seen[k] = true
				}
			}
		}
	}
	// HMAC pads its key with zeros (RFC 2104), so a salt of zeros is the empty one: 2 of the 3 salts differ.
	if len(seen) != 3*2*3*2 {
		t.Errorf("%d keys differ", len(seen))
	}
	ack := codec.DeriveAckKey(&dev, []byte{1}, 7, 2)
	if want := refHKDF([]byte{1}, dev[:], refInfo("ack", 7, 2), 32); !bytes.Equal(ack[:], want) {
		t.Errorf("ack key %x, want %x", ack, want)
	}
	fleet := codec.FleetDeviceKey(dev, 1001)
	if want := refHKDF([]byte("godwit/1 fleet"), dev[:], []byte("dev\x00\x00\x03\xe9"), 32); !bytes.Equal(fleet[:], want) {
		t.Errorf("device key of a fleet %x, want %x", fleet, want)
	}
}

package manifest_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/codec/manifest"
)

func full() manifest.Manifest {
	return manifest.Manifest{
		Product: "reefer-unit", Version: "2.5.0", Build: []byte{0xde, 0xad, 0xbe, 0xef}, Sequence: 25, Size: 131072, SHA256: sha256.Sum256([]byte("image")),
		URL: "https://updates.example/reefer-unit/2.5.0.bin", Memory: 300000, Minimum: 20, From: []string{"2.4.0", "2.4.1"},
		NotAfter: time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC), Notes: "defrost timer",
	}
}

func generate(t testing.TB, alg manifest.Algorithm) manifest.SigningKey {
	t.Helper()
	key, err := manifest.GenerateKey(rand.Reader, alg)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func sign(t testing.TB, m *manifest.Manifest, key manifest.SigningKey) []byte {
	t.Helper()
	signed, err := manifest.Sign(m, key)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

var algorithms = []manifest.Algorithm{manifest.EdDSA, manifest.ES256}

// What is signed is read as it was, has one encoding (F-140), and is taken from its signer alone (F-142). Keys survive their files.
func TestRoundTrip(t *testing.T) {
	for _, alg := range algorithms {
		key, other := generate(t, alg), generate(t, alg)
		text, err := key.PEM()
		if err != nil {
			t.Fatal(err)
		}
		again, err := manifest.ParseSigningKey(text)
		if err != nil {
			t.Fatal(err)
		}
		public, err := manifest.ParsePublicKey(key.Public().PEM())
		if err != nil || public.Algorithm() != alg || !bytes.Equal(public.ID(), key.Public().ID()) || len(public.ID()) != 8 {
			t.Fatalf("%s: %v", alg, err)
		}
		m := full()
		signed := sign(t, &m, key)
		if !bytes.Equal(sign(t, &m, again), signed) {
			t.Errorf("%s: signs the same in other bytes", alg)
		}
		s, err := manifest.Verify(signed, []manifest.PublicKey{other.Public(), public})
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(m, s.Manifest); d != "" || s.Algorithm != alg || !bytes.Equal(s.KeyID, public.ID()) {
			t.Errorf("%s: %s", alg, d)
		}
		if _, err := manifest.Verify(signed, []manifest.PublicKey{other.Public()}); !errors.Is(err, manifest.ErrKey) {
			t.Errorf("%s: by another key: %v", alg, err)
		}
		if _, err := manifest.Verify(signed, nil); !errors.Is(err, manifest.ErrKey) {
			t.Errorf("%s: by no key: %v", alg, err)
		}
	}
}

// F-140, F-142: every truncation and every flipped bit is refused.
func TestDamageIsRefused(t *testing.T) {
	for _, alg := range algorithms {
		key, m := generate(t, alg), full()
		signed, keys := sign(t, &m, key), []manifest.PublicKey{key.Public()}
		for n := range signed {
			if _, err := manifest.Verify(signed[:n], keys); err == nil {
				t.Errorf("%s: cut to %d bytes is taken", alg, n)
			}
		}
		for bit := range 8 * len(signed) {
			b := bytes.Clone(signed)
			b[bit/8] ^= 0x80 >> (bit % 8)
			if _, err := manifest.Verify(b, keys); err == nil {
				t.Errorf("%s: taken with bit %d flipped", alg, bit)
			}
		}
	}
}

// What cannot be said is not signed.
func TestSignRefuses(t *testing.T) {
	key := generate(t, manifest.EdDSA)
	for name, change := range map[string]func(m *manifest.Manifest){
		"no product":         func(m *manifest.Manifest) { m.Product = "" },
		"long product":       func(m *manifest.Manifest) { m.Product = strings.Repeat("a", 65) },
		"product no UTF-8":   func(m *manifest.Manifest) { m.Product = "\xff" },
		"no version":         func(m *manifest.Manifest) { m.Version = "" },
		"no sequence":        func(m *manifest.Manifest) { m.Sequence = 0 },
		"minimum":            func(m *manifest.Manifest) { m.Minimum = m.Sequence },
		"no image":           func(m *manifest.Manifest) { m.Size = 0 },
		"large image":        func(m *manifest.Manifest) { m.Size = 1 << 40 },
		"no url":             func(m *manifest.Manifest) { m.URL = "" },
		"long url":           func(m *manifest.Manifest) { m.URL = strings.Repeat("a", 256) },
		"short build":        func(m *manifest.Manifest) { m.Build = []byte{1, 2, 3} },
		"much memory":        func(m *manifest.Manifest) { m.Memory = math.MaxUint64 },
		"from an empty one":  func(m *manifest.Manifest) { m.From = []string{"2.4.0", ""} },
		"from nine":          func(m *manifest.Manifest) { m.From = strings.Split("a b c d e f g h i", " ") },
		"ended before 1970":  func(m *manifest.Manifest) { m.NotAfter = time.Unix(-1, 0) },
		"long notes":         func(m *manifest.Manifest) { m.Notes = strings.Repeat("a", 256) },
		"notes with no text": func(m *manifest.Manifest) { m.Notes = "\xc3" },
	} {
		m := full()
		change(&m)
		if _, err := manifest.Sign(&m, key); !errors.Is(err, codec.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestKeysAreRefused(t *testing.T) {
	wrong, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(wrong)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(wrong.Public())
	if err != nil {
		t.Fatal(err)
	}
	good := generate(t, manifest.EdDSA)
	secret, err := good.PEM()
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{
		"nothing": nil, "text": []byte("key"), "P-384": pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}), "a private key": secret,
		"bytes": pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: []byte{1, 2, 3}}),
	} {
		if _, err := manifest.ParsePublicKey(text); err == nil {
			t.Errorf("%s is taken for a public key", name)
		}
	}
	for name, text := range map[string][]byte{
		"nothing": nil, "P-384": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), "a public key": good.Public().PEM(),
		"bytes": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte{1, 2, 3}}),
	} {
		if _, err := manifest.ParseSigningKey(text); err == nil {
			t.Errorf("%s is taken for a private key", name)
		}
	}
	if _, err := manifest.GenerateKey(rand.Reader, 0); err == nil {
		t.Error("a key of no algorithm")
	}
}

// RFC 8032, section 7.1, test 1.
func TestSeededKey(t *testing.T) {
	seed, err := hex.DecodeString("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
	if err != nil {
		t.Fatal(err)
	}
	key, err := manifest.SeededKey([32]byte(seed))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(key.Public().PEM())
	if got := hex.EncodeToString(block.Bytes[len(block.Bytes)-32:]); got != "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a" {
		t.Errorf("public key %s", got)
	}
}

// Keys that openssl made sign and verify here.
func TestKeysOfOpenSSL(t *testing.T) {
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("openssl is not at hand")
	}
	for alg, args := range map[manifest.Algorithm]string{manifest.EdDSA: "-algorithm ed25519", manifest.ES256: "-algorithm EC -pkeyopt ec_paramgen_curve:P-256"} {
		path := filepath.Join(t.TempDir(), "key")
		openssl := func(args ...string) {
			t.Helper()
			if out, err := exec.CommandContext(t.Context(), "openssl", args...).CombinedOutput(); err != nil {
				t.Fatalf("openssl %s: %v\n%s", strings.Join(args, " "), err, out)
			}
		}
		openssl(append(strings.Fields("genpkey "+args), "-out", path)...)
		openssl("pkey", "-in", path, "-pubout", "-out", path+".pub")
		read := func(path string) []byte {
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			return b
		}
		key, err := manifest.ParseSigningKey(read(path))
		if err != nil {
			t.Fatal(err)
		}
		public, err := manifest.ParsePublicKey(read(path + ".pub"))
		if err != nil || public.Algorithm() != alg {
			t.Fatalf("%s: %v", public.Algorithm(), err)
		}
		m := full()
		if _, err := manifest.Verify(sign(t, &m, key), []manifest.PublicKey{public}); err != nil {
			t.Error(err)
		}
	}
}

// A device says why it does not install by one code, whatever wraps the reason.
func TestCodes(t *testing.T) {
	m := full()
	target := manifest.Target{Product: m.Product, Version: "2.4.0", Sequence: 24, FreeKnown: true, Free: m.Need(), Now: m.NotAfter}
	for _, tt := range []struct {
		name   string
		change func(t *manifest.Target)
		want   error
		code   uint8
	}{
		{"may", func(*manifest.Target) {}, nil, 1},
		{"product", func(t *manifest.Target) { t.Product = "buoy" }, manifest.ErrProduct, 6},
		{"same", func(t *manifest.Target) { t.Sequence = 25 }, manifest.ErrRollback, 6},
		{"minimum", func(t *manifest.Target) { t.Sequence = 19 }, manifest.ErrBridge, 6},
		{"from", func(t *manifest.Target) { t.Version = "2.3.0" }, manifest.ErrBridge, 6},
		{"late", func(t *manifest.Target) { t.Now = m.NotAfter.Add(time.Second) }, manifest.ErrExpired, 10},
		{"no clock", func(t *manifest.Target) { t.Now = time.Time{} }, nil, 1},
		{"memory", func(t *manifest.Target) { t.Free-- }, manifest.ErrMemory, 2},
		{"memory not known", func(t *manifest.Target) { t.Free, t.FreeKnown = 0, false }, nil, 1},
	} {
		one := target
		tt.change(&one)
		if err := m.Admits(&one); !errors.Is(err, tt.want) || manifest.Code(err) != tt.code {
			t.Errorf("%s: %v, code %d", tt.name, err, manifest.Code(err))
		}
	}
	for err, want := range map[error]uint8{
		manifest.ErrKey: 5, manifest.ErrSignature: 5, manifest.ErrHash: 5, codec.ErrMalformed: 6, codec.ErrUnsupported: 6, codec.ErrTruncated: 6,
	} {
		if got := manifest.Code(err); got != want {
			t.Errorf("%v: code %d, want %d", err, got, want)
		}
	}
}

// vectors are the inputs of codec's vectors for manifests.
func vectors(t testing.TB) [][]byte {
	t.Helper()
	paths, err := filepath.Glob("../testdata/vectors/manifest-*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no vectors: %v", err)
	}
	var inputs [][]byte
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		_, body, _ := strings.Cut(string(text), "\n\n")
		input, err := hex.DecodeString(strings.ReplaceAll(body, "\n", ""))
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		inputs = append(inputs, input)
	}
	return inputs
}

// F-140: whatever can be read has one encoding, and is signed anew as the same bytes, but for keys of a later version.
func FuzzDecode(f *testing.F) {
	for _, alg := range algorithms {
		m := full()
		f.Add(sign(f, &m, generate(f, alg)))
	}
	for _, input := range vectors(f) {
		f.Add(input)
	}
	key := generate(f, manifest.EdDSA)
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := manifest.Decode(b)
		if err != nil {
			if !errors.Is(err, codec.ErrMalformed) && !errors.Is(err, codec.ErrTruncated) && !errors.Is(err, codec.ErrUnsupported) {
				t.Errorf("%x: %v", b, err)
			}
			return
		}
		signed := sign(t, &s.Manifest, key)
		again, err := manifest.Verify(signed, []manifest.PublicKey{key.Public()})
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(s.Manifest, again.Manifest); d != "" {
			t.Error(d)
		}
	})
}

// Manifests of any content are read as they were signed.
func TestRoundTripOfAny(t *testing.T) {
	key := generate(t, manifest.ES256)
	rapid.Check(t, func(t *rapid.T) {
		m := full()
		m.Product, m.Notes = rapid.StringN(1, 16, 64).Draw(t, "product"), rapid.StringN(0, 60, 255).Draw(t, "notes")
		m.Sequence = rapid.Uint32Range(21, math.MaxUint32).Draw(t, "sequence")
		m.Size, m.Memory = rapid.Uint64Range(1, 1<<40-1).Draw(t, "size"), rapid.Uint64Range(0, 1<<40-1).Draw(t, "memory")
		m.InPlace, m.Build = rapid.Bool().Draw(t, "in place"), rapid.SliceOfN(rapid.Byte(), 4, 32).Draw(t, "build")
		if rapid.Bool().Draw(t, "for any") {
			m.From, m.Minimum, m.NotAfter = nil, 0, time.Time{}
		}
		signed, err := manifest.Sign(&m, key)
		if err != nil {
			t.Fatal(err)
		}
		hash := manifest.Hash(signed)
		s, err := manifest.VerifyOffered(signed, hash[:rapid.IntRange(16, 32).Draw(t, "hash")], []manifest.PublicKey{key.Public()})
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(m, s.Manifest); d != "" {
			t.Fatal(d)
		}
	})
}

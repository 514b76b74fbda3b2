package codec_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/godwit-gateway/godwit/codec/manifest"
)

// Manifests that this side signs are read by the device in C, which has their signatures verified here, by other code than signs them: F-142, F-145.
func testDeviceManifests(t *testing.T, program string) {
	t.Helper()
	c := startDevice(t, program)
	keys := make(map[string]manifest.PublicKey)
	var signers []manifest.SigningKey
	for _, alg := range []manifest.Algorithm{manifest.EdDSA, manifest.ES256} {
		key, err := manifest.GenerateKey(rand.Reader, alg)
		if err != nil {
			t.Fatal(err)
		}
		signers = append(signers, key)
		keys[hex.EncodeToString(key.Public().ID())] = key.Public()
	}
	read := func(t asker, signed, hash []byte) string {
		answer := c.ask(t, "manifest %x %x", signed, hash)
		if question, ok := strings.CutPrefix(answer, "verify "); ok {
			good := 0
			if verifies(t, keys, strings.Fields(question)) {
				good = 1
			}
			answer = c.ask(t, "%d", good)
		}
		return answer
	}
	rapid.Check(t, func(t *rapid.T) {
		m, key := drawManifest(t), rapid.SampledFrom(signers).Draw(t, "key")
		signed, err := manifest.Sign(&m, key)
		if err != nil {
			t.Fatal(err)
		}
		hash := manifest.Hash(signed)
		if got := read(t, signed, hash[:rapid.IntRange(16, 32).Draw(t, "hash")]); got != describeManifest(&m) {
			t.Fatalf("%s, want %s", got, describeManifest(&m))
		}
		if got := read(t, signed, hash[:15]); got != "err -6" {
			t.Fatalf("by a hash of 15 bytes: %s", got)
		}
		other := bytes.Clone(signed)
		bit := rapid.IntRange(0, 8*len(other)-1).Draw(t, "bit")
		other[bit/8] ^= 1 << (bit % 8)
		if got := read(t, other, hash[:]); got != "err -6" {
			t.Fatalf("not the one that was offered: %s", got)
		}
		sum := manifest.Hash(other)
		if got := read(t, other, sum[:]); !strings.HasPrefix(got, "err ") {
			t.Fatalf("with bit %d flipped: %s", bit, got)
		}
	})
}

// verifies answers the question of the device: algorithm, key id, message, signature.
func verifies(t asker, keys map[string]manifest.PublicKey, words []string) bool {
	t.Helper()
	var algorithm int64
	var message, signature []byte
	if _, err := fmt.Sscanf(strings.Join([]string{words[0], words[2], words[3]}, " "), "%d %x %x", &algorithm, &message, &signature); err != nil {
		t.Fatalf("%v", err)
	}
	key, ok := keys[words[1]]
	if !ok || int64(key.Algorithm()) != algorithm {
		return false
	}
	block, _ := pem.Decode(key.PEM())
	public, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		t.Fatalf("%v", err)
	}
	switch k := public.(type) {
	case ed25519.PublicKey:
		return ed25519.Verify(k, message, signature)
	case *ecdsa.PublicKey:
		sum := sha256.Sum256(message)
		return ecdsa.Verify(k, sum[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:]))
	}
	return false
}

// drawManifest is any manifest that can be signed. Texts have no characters that JSON would write in another way.
func drawManifest(t *rapid.T) manifest.Manifest {
	text := func(name string, least, most int) string {
		return rapid.StringOfN(rapid.RuneFrom([]rune("abc019-.é€𝄞")), least, most/4, most).Draw(t, name)
	}
	m := manifest.Manifest{
		Product: text("product", 1, 64), Version: text("version", 1, 64), Sequence: rapid.Uint32Range(2, 1<<32-1).Draw(t, "sequence"),
		Size: rapid.Uint64Range(1, 1<<40-1).Draw(t, "size"), URL: text("url", 1, 255), Memory: rapid.Uint64Range(0, 1<<40-1).Draw(t, "memory"),
		InPlace: rapid.Bool().Draw(t, "in place"), Notes: text("notes", 0, 255),
	}
	copy(m.SHA256[:], rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "sha-256"))
	if rapid.Bool().Draw(t, "more") {
		m.Build = rapid.SliceOfN(rapid.Byte(), 4, 32).Draw(t, "build")
		m.Minimum = rapid.Uint32Range(1, m.Sequence-1).Draw(t, "minimum")
		m.From = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) string { return rapid.StringMatching(`[0-9.]{1,64}`).Draw(t, "version") }), 1, 8).Draw(t, "from")
		m.NotAfter = time.Unix(rapid.Int64Range(1, 1<<40-1).Draw(t, "not after"), 0).UTC()
	}
	return m
}

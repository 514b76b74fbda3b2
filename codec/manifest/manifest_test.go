package manifest_test

import (
	"crypto/rand"
	"crypto/sha256"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/godwit-gateway/godwit/codec/manifest"
)

func full() manifest.Manifest {
	return manifest.Manifest{
		Product: "reefer-unit", Version: "2.5.0", Build: []byte{0xde, 0xad, 0xbe, 0xef}, Sequence: 25, Size: 131072, SHA256: sha256.Sum256([]byte("image")),
		URL: "https://updates.example/reefer-unit/2.5.0.bin", Memory: 300000, Minimum: 20, From: []string{"2.4.0", "2.4.1"},
		NotAfter: time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC), Notes: "defrost timer",
	}
}

func TestRoundTrip(t *testing.T) {
	for _, alg := range []manifest.Algorithm{manifest.EdDSA, manifest.ES256} {
		key, err := manifest.GenerateKey(rand.Reader, alg)
		if err != nil {
			t.Fatal(err)
		}
		m := full()
		signed, err := manifest.Sign(&m, key)
		if err != nil {
			t.Fatal(err)
		}
		again, err := manifest.Sign(&m, key)
		if err != nil || string(again) != string(signed) {
			t.Errorf("%s: signs as other bytes: %v", alg, err)
		}
		s, err := manifest.Verify(signed, []manifest.PublicKey{key.Public()})
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(m, s.Manifest); d != "" {
			t.Error(d)
		}
		t.Log(len(signed))
	}
}

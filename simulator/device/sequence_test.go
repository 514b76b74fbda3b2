package device_test

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/codec/manifest"
	"github.com/godwit-gateway/godwit/simulator/device"
)

// shelf is what a publisher has: manifests and images by their addresses.
type shelf struct {
	key       manifest.SigningKey
	manifests map[string][]byte
	images    map[string][]byte
}

func newShelf(t *testing.T) *shelf {
	t.Helper()
	return &shelf{key: signer(t, 1), manifests: make(map[string][]byte), images: make(map[string][]byte)}
}

func (s *shelf) publisher() *device.Publisher {
	return &device.Publisher{
		Fetch:   func(reference string) ([]byte, bool) { b, ok := s.manifests[reference]; return b, ok },
		Signers: []manifest.PublicKey{s.key.Public()},
		Image: func(url string, most uint64) (uint64, [32]byte, bool) {
			b, ok := s.images[url]
			b = b[:min(uint64(len(b)), most+1)]
			return uint64(len(b)), sha256.Sum256(b), ok
		},
	}
}

// publish signs a release and offers it.
func (s *shelf) publish(t *testing.T, rollout uint32, m *manifest.Manifest) codec.Offer {
	t.Helper()
	image := []byte("image of " + m.Version)
	m.URL, m.Size, m.SHA256 = "https://updates.example/"+m.Version, uint64(len(image)), sha256.Sum256(image)
	s.images[m.URL] = image
	signed, err := manifest.Sign(m, s.key)
	if err != nil {
		t.Fatal(err)
	}
	hash, place := manifest.Hash(signed), fmt.Sprintf("https://updates.example/%d.cose", rollout)
	s.manifests[place] = signed
	return codec.Offer{Rollout: rollout, Version: m.Version, Reference: place, Size: m.Size, Hash: hash[:]}
}

// The sequence belongs to the software: what is not above it is refused after a restart too, and what was rolled back may be offered again.
func TestSequenceBelongsToTheSoftware(t *testing.T) {
	c, shelf := config(t), newShelf(t)
	c.Interval, c.Publisher = time.Hour, shelf.publisher()
	c.Images = map[string]device.Image{"2.4.0": {Sequence: 4}, "2.7.0": {Mishaps: device.Mishaps{Start: 1}}}
	d, r, s, now := boot(t, c, device.Memory{}, start), reader{gateway: gateway{c: c}}, teller{c: c}, start
	for i, tt := range []struct {
		version  string
		sequence uint32
		want     string // how the log ends
		runs     string
	}{
		{"2.3.0", 3, "failed/6", "2.4.0"}, // older than the factory's
		{"2.5.0", 5, "confirmed/1", "2.5.0"},
		{"2.5.0", 5, "failed/6", "2.5.0"},          // again
		{"2.4.0", 4, "failed/6", "2.5.0"},          // back
		{"2.7.0", 7, "rolled_back/8", "2.5.0"},     // it does not start
		{"2.6.0", 6, "confirmed/1", "2.6.0"},       // so a number below is above what runs
		{"2.5.0", 5, "failed/6", "2.6.0"},          //
		{"2.7.0", 7, "rolled_back/8", "2.6.0"},     // offered again
		{"2.6.0", 6, "failed/6", "2.6.0"},          // the sequence is again that of what runs
		{"2.5.0-r2", 8, "confirmed/1", "2.5.0-r2"}, // an old one that was signed anew is a new one
	} {
		o := shelf.publish(t, uint32(i)+1, &manifest.Manifest{Product: c.Product, Version: tt.version, Sequence: tt.sequence})
		b, err := codec.AppendOffer(nil, &o)
		if err := s.tell(t, d, b, err); err != nil {
			t.Fatal(err)
		}
		var h heard
		for until := now.Add(2 * time.Hour); now.Before(until); {
			out, wake, err := d.Poll(now)
			if err != nil {
				t.Fatal(err)
			}
			for _, tx := range out {
				h.take(t, d, &r, &tx, now)
			}
			if now = now.Add(time.Second); wake.After(now) {
				now = wake
			}
		}
		if got := strings.Join(h.log, " "); !strings.HasSuffix(got, tt.want) || d.Version() != tt.runs {
			t.Errorf("%s with sequence %d: reports %s and runs %s, want %s and %s", tt.version, tt.sequence, got, d.Version(), tt.want, tt.runs)
		}
		if d, err = d.Reboot(d.Memory(), now); err != nil {
			t.Fatal(err)
		}
	}
}

// What is fetched is installed only if it is of the size and the hash that were signed.
func TestImageIsTheOneThatWasSigned(t *testing.T) {
	for name, tt := range map[string]struct {
		spoil func(image []byte) []byte
		want  string
	}{
		"as it was signed": {func(b []byte) []byte { return b }, "confirmed/1"},
		"another byte":     {func(b []byte) []byte { b[0] ^= 1; return b }, "failed/5"},
		"shorter":          {func(b []byte) []byte { return b[1:] }, "failed/5"},
		"longer":           {func(b []byte) []byte { return append(b, 0) }, "failed/5"},
		"not there":        {func([]byte) []byte { return nil }, "failed/5"},
	} {
		c, shelf := config(t), newShelf(t)
		c.Interval, c.Publisher = time.Hour, shelf.publisher()
		m := manifest.Manifest{Product: c.Product, Version: "2.5.0", Sequence: 1}
		o := shelf.publish(t, 7, &m)
		if image := tt.spoil(shelf.images[m.URL]); image == nil {
			delete(shelf.images, m.URL)
		} else {
			shelf.images[m.URL] = image
		}
		h := suffer(t, c, &o, time.Hour, false)
		if got := strings.Join(h.log, " "); !strings.HasSuffix(got, tt.want) {
			t.Errorf("%s: reports %s, want %s", name, got, tt.want)
		}
	}
}

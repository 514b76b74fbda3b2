package device_test

import (
	"strings"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/codec/manifest"
	"github.com/godwit-gateway/godwit/simulator/device"
)

func signer(t *testing.T, seed byte) manifest.SigningKey {
	t.Helper()
	key, err := manifest.SeededKey([32]byte{seed})
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// A device installs only what somebody signed whom it trusts, for it, and that is what was offered.
func TestManifests(t *testing.T) {
	trusted, other := signer(t, 1), signer(t, 2)
	for _, tt := range []struct {
		name   string
		change func(m *manifest.Manifest, c *device.Config, o *codec.Offer)
		key    manifest.SigningKey
		spoil  func(signed []byte, o *codec.Offer) []byte
		want   string // how the log ends
	}{
		{"good", func(*manifest.Manifest, *device.Config, *codec.Offer) {}, trusted, nil, "confirmed/1"},
		{"the beginning of the hash", func(*manifest.Manifest, *device.Config, *codec.Offer) {}, trusted, func(b []byte, o *codec.Offer) []byte {
			o.Hash = o.Hash[:16]
			return b
		}, "confirmed/1"},
		{"nobody knows the signer", func(*manifest.Manifest, *device.Config, *codec.Offer) {}, other, nil, "accepted/1 failed/5"},
		{"a bit is another one", func(*manifest.Manifest, *device.Config, *codec.Offer) {}, trusted, func(b []byte, o *codec.Offer) []byte {
			b[len(b)-1] ^= 1
			hash := manifest.Hash(b)
			o.Hash = hash[:]
			return b
		}, "accepted/1 failed/5"},
		{"another manifest than was offered", func(*manifest.Manifest, *device.Config, *codec.Offer) {}, trusted, func(b []byte, o *codec.Offer) []byte {
			o.Hash[0] ^= 1
			return b
		}, "accepted/1 failed/5"},
		{"another version than was offered", func(m *manifest.Manifest, _ *device.Config, _ *codec.Offer) { m.Version = "2.5.1" }, trusted, nil, "accepted/1 failed/5"},
		{"for another product", func(m *manifest.Manifest, _ *device.Config, _ *codec.Offer) { m.Product = "truck" }, trusted, nil, "accepted/1 failed/6"},
		{"not newer", func(_ *manifest.Manifest, c *device.Config, _ *codec.Offer) {
			c.Images["2.4.0"] = device.Image{Sequence: 7}
		}, trusted, nil, "accepted/1 failed/6"},
		{"needs a bridge", func(m *manifest.Manifest, _ *device.Config, _ *codec.Offer) { m.From = []string{"2.4.9"} }, trusted, nil, "accepted/1 failed/6"},
		{"expired", func(m *manifest.Manifest, _ *device.Config, _ *codec.Offer) { m.NotAfter = start.Add(-time.Hour) }, trusted, nil, "accepted/1 failed/10"},
		{"no room", func(m *manifest.Manifest, c *device.Config, _ *codec.Offer) { c.FreeMemory = 2*m.Size - 1 }, trusted, nil, "accepted/1 failed/2"},
		{"room for a patch", func(m *manifest.Manifest, c *device.Config, _ *codec.Offer) {
			c.FreeMemory, m.InPlace = 2*m.Size-1, true
		}, trusted, nil, "confirmed/1"},
		{"nothing there", func(_ *manifest.Manifest, _ *device.Config, o *codec.Offer) { o.Reference += "x" }, trusted, nil, "accepted/1 failed/7"},
		{"garbage", func(*manifest.Manifest, *device.Config, *codec.Offer) {}, trusted, func(_ []byte, o *codec.Offer) []byte {
			hash := manifest.Hash([]byte("<html>"))
			o.Hash = hash[:]
			return []byte("<html>")
		}, "accepted/1 failed/6"},
	} {
		c, o := config(t), offer()
		c.Interval, c.FreeMemory, c.Images = time.Hour, 1<<20, map[string]device.Image{}
		m := manifest.Manifest{Product: c.Product, Version: o.Version, Sequence: 7, Size: o.Size, URL: "https://updates.example/image"}
		place := o.Reference
		tt.change(&m, &c, &o)
		signed, err := manifest.Sign(&m, tt.key)
		if err != nil {
			t.Fatal(err)
		}
		hash := manifest.Hash(signed)
		o.Hash = hash[:]
		if tt.spoil != nil {
			signed = tt.spoil(signed, &o)
		}
		c.Publisher = &device.Publisher{
			Fetch:   func(reference string) ([]byte, bool) { return signed, reference == place },
			Signers: []manifest.PublicKey{trusted.Public()},
		}
		h := suffer(t, c, &o, time.Hour, false)
		if got := strings.Join(h.log, " "); !strings.HasSuffix(got, tt.want) {
			t.Errorf("%s: reports %s, want %s", tt.name, got, tt.want)
		}
	}
}

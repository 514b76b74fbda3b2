package config

import (
	"encoding/hex"
	"fmt"
	"math"
	"net/url"
	"strings"
	"time"

	"github.com/godwit-gateway/godwit/codec/manifest"
	"github.com/godwit-gateway/godwit/gateway/fleet"
)

// A Signer is a key whose manifests the gateway offers.
type Signer struct {
	ID   string `toml:"id"`
	File string `toml:"file"` // of the public key, PEM

	Key manifest.PublicKey `toml:"-"` // what became of it
}

// SignerKeys are the keys of the signers.
func (c *Config) SignerKeys() []manifest.PublicKey {
	keys := make([]manifest.PublicKey, len(c.Signers))
	for i := range c.Signers {
		keys[i] = c.Signers[i].Key
	}
	return keys
}

func (ps *problems) checkSigners(c *Config) {
	ids := make(map[string]bool)
	for i := range c.Signers {
		s := &c.Signers[i]
		path := fmt.Sprintf("signer[%d]", i)
		if !fleet.ValidToken(s.ID) {
			ps.add(path+".id", "1 to 32 of A-Z a-z 0-9 _ -", "%q cannot name a signer", s.ID)
		}
		if ids[s.ID] {
			ps.add(path+".id", "", "%q stands twice", s.ID)
		}
		ids[s.ID] = true
		if s.File == "" {
			ps.add(path+".file", "godwit release keygen makes one", "is missing")
			continue
		}
		text := ps.readable(path+".file", s.File)
		if text == "" {
			continue
		}
		var err error
		if s.Key, err = manifest.ParsePublicKey([]byte(text)); err != nil {
			ps.add(path+".file", "godwit release keygen, or openssl pkey -pubout", "%s: %v", s.File, err)
		}
	}
}

// A Release is what a release file asks to sign: a manifest without size and hash, which are the image's.
type Release struct {
	Manifest manifest.Manifest
	Image    string // path of the image, as the file has it
}

// releaseFile is a release file as it is written.
type releaseFile struct {
	Product  string   `toml:"product"`
	Version  string   `toml:"version"`
	Build    string   `toml:"build"` // hexadecimal
	Sequence int64    `toml:"sequence"`
	Image    string   `toml:"image"`
	URL      string   `toml:"url"`
	Memory   int64    `toml:"memory"` // bytes
	InPlace  bool     `toml:"in_place"`
	Minimum  int64    `toml:"minimum"`
	From     []string `toml:"from"`
	NotAfter string   `toml:"not_after"`
	Notes    string   `toml:"notes"`
}

// ParseRelease reads a release file. Its name is for the problems; the error is of type FileErrors.
func ParseRelease(file, text string) (Release, error) {
	d, err := ParseDocument(file, text, "godwit release sign --help shows a whole file")
	if err != nil {
		return Release{}, err
	}
	var f releaseFile
	d.Bind("", d.Tree, &f)
	r := Release{Image: f.Image, Manifest: manifest.Manifest{
		Product: f.Product, Version: f.Version, Sequence: d.number("sequence", f.Sequence, math.MaxUint32), URL: f.URL, Memory: uint64(max(f.Memory, 0)),
		InPlace: f.InPlace, Minimum: d.number("minimum", f.Minimum, math.MaxUint32), From: f.From, Notes: f.Notes,
	}}
	m := &r.Manifest
	for key, value := range map[string]string{"product": f.Product, "version": f.Version, "image": f.Image, "url": f.URL} {
		if value == "" {
			d.Add(key, "", "is missing")
		}
	}
	if f.Sequence == 0 {
		d.Add("sequence", "a number that rises with each release of the product", "is missing")
	}
	if f.Memory < 0 {
		d.Add("memory", "", "%d bytes", f.Memory)
	}
	if u, err := url.Parse(f.URL); f.URL != "" && (err != nil || u.Scheme == "" || u.Host == "") {
		d.Add("url", "https://updates.example/2.5.0.bin", "%q is not an address", f.URL)
	}
	if m.Build, err = hex.DecodeString(f.Build); err != nil {
		d.Add("build", "", "%q is not hexadecimal", f.Build)
	}
	if m.NotAfter, err = parseDay(f.NotAfter); err != nil {
		d.Add("not_after", "2027-03-01 or 2027-03-01T12:00:00Z", "%q is not a time", f.NotAfter)
	}
	if err := d.Err(); err != nil {
		return r, err
	}
	whole := *m
	whole.Size = 1 // the image's
	if err := whole.Validate(); err != nil {
		for line := range strings.SplitSeq(err.Error(), "\n") {
			d.Add("", "", "%s", strings.TrimSuffix(line, ": malformed"))
		}
	}
	return r, d.Err()
}

// number is a number of at most 32 bits.
func (d *Document) number(key string, n, most int64) uint32 {
	if n < 0 || n > most {
		d.Add(key, fmt.Sprintf("want up to %d", most), "%d is out of range", n)
		return 0
	}
	return uint32(n) //nolint:gosec // limited
}

// parseDay reads a day, which is its end in UTC, or a time; nothing is the zero time.
func parseDay(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if t, err := time.Parse(time.DateOnly, text); err == nil {
		return t.AddDate(0, 0, 1).Add(-time.Second), nil
	}
	t, err := time.Parse(time.RFC3339, text)
	return t.UTC(), err
}

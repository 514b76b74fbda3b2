package device

import (
	"fmt"
	"time"

	"github.com/godwit-gateway/godwit/codec/manifest"
)

// A Publisher is where a device finds the manifests that offers name, and the keys of whom it trusts.
type Publisher struct {
	Fetch   func(reference string) ([]byte, bool) // false: there is none
	Signers []manifest.PublicKey

	// Image is what is at the URL of an image: its size and SHA-256, of most bytes at most and one more where there are more; false: nothing. Without
	// it each image is what its manifest says.
	Image func(url string, most uint64) (size uint64, sum [32]byte, ok bool)
}

// A Software is one that is on the device: the one that runs, or the one that would run again if the new one were not good.
type Software struct {
	Version  string
	Sequence uint32 // of its manifest
}

// sequence is that of the software that runs; of the one from the factory it stands among the images.
func (d *Device) sequence() uint32 {
	for _, s := range d.software {
		if s.Version == d.version && s.Sequence > 0 {
			return s.Sequence
		}
	}
	return d.config.Images[d.version].Sequence
}

// remember keeps the sequence of a software that is to be installed beside that of the one that runs.
func (d *Device) remember(m *manifest.Manifest) {
	place := 0
	if d.software[0].Version == d.version {
		place = 1
	}
	d.software[place] = Software{Version: m.Version, Sequence: m.Sequence}
}

// intact reports whether the image that was fetched is the one that was signed.
func (d *Device) intact() bool {
	p, u := d.config.Publisher, &d.update
	if p == nil || p.Image == nil {
		return true
	}
	size, sum, ok := p.Image(string(u.URL), u.Size)
	return ok && size == u.Size && Blob(sum[:]) == u.Sum
}

// codeURI says that a manifest is not where the offer says (LwM2M object 5).
const codeURI = 7

// examine fetches the manifest of the offer and looks whether it may be installed here: nil, or why not, with the code that says so. What it says of
// the image's size stands over what the offer says.
func (d *Device) examine(now time.Time) (code uint8, err error) {
	p, u := d.config.Publisher, &d.update
	if p == nil {
		return 0, nil
	}
	signed, ok := p.Fetch(string(u.Reference))
	if !ok {
		return codeURI, fmt.Errorf("no manifest at %s", u.Reference) //nolint:err113 // nobody branches on it
	}
	m, err := d.verified(signed)
	if err == nil {
		target := manifest.Target{
			Product: d.config.Product, Version: d.version, Sequence: d.sequence(), FreeKnown: true, Free: d.config.FreeMemory,
		}
		if d.clock.sure {
			target.Now = now.Add(d.clock.offset)
		}
		err = m.Admits(&target)
	}
	if err != nil {
		return manifest.Code(err), err
	}
	u.Size, u.URL, u.Sum = m.Size, Blob(m.URL), Blob(m.SHA256[:])
	d.remember(m)
	return 0, nil
}

// verified is a manifest if it is the one that was offered, and somebody who is trusted signed it for the version that was offered.
func (d *Device) verified(signed []byte) (*manifest.Manifest, error) {
	u := &d.update
	s, err := manifest.VerifyOffered(signed, []byte(u.Hash), d.config.Publisher.Signers)
	if err != nil {
		return nil, err
	}
	if u.Version != "" && s.Manifest.Version != u.Version {
		return nil, fmt.Errorf("version %q, offered was %q: %w", s.Manifest.Version, u.Version, manifest.ErrHash)
	}
	return &s.Manifest, nil
}

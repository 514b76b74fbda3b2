package device

import (
	"bytes"
	"fmt"
	"time"

	"github.com/godwit-gateway/godwit/codec/manifest"
)

// A Publisher is where a device finds the manifests that offers name, and the keys of whom it trusts.
type Publisher struct {
	Fetch   func(reference string) ([]byte, bool) // false: there is none
	Signers []manifest.PublicKey
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
			Product: d.config.Product, Version: d.version, Sequence: d.config.Images[d.version].Sequence, FreeKnown: true, Free: d.config.FreeMemory,
		}
		if d.clock.sure {
			target.Now = now.Add(d.clock.offset)
		}
		err = m.Admits(&target)
	}
	if err != nil {
		return manifest.Code(err), err
	}
	u.Size = m.Size
	return 0, nil
}

// verified is a manifest if it is the one that was offered, and somebody who is trusted signed it for the version that was offered.
func (d *Device) verified(signed []byte) (*manifest.Manifest, error) {
	u := &d.update
	if hash := manifest.Hash(signed); !bytes.HasPrefix(hash[:], []byte(u.Hash)) {
		return nil, manifest.ErrHash
	}
	s, err := manifest.Verify(signed, d.config.Publisher.Signers)
	if err != nil {
		return nil, err
	}
	if u.Version != "" && s.Manifest.Version != u.Version {
		return nil, fmt.Errorf("version %q, offered was %q: %w", s.Manifest.Version, u.Version, manifest.ErrHash)
	}
	return &s.Manifest, nil
}

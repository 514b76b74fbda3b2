package rollout

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/codec/manifest"
)

// A Release is software of a product, as its signed manifest says. It is never changed, but may be withdrawn.
type Release struct {
	manifest.Manifest
	Reference string    `json:"reference"`        // URL of the signed manifest
	Hash      []byte    `json:"hash"`             // SHA-256 over it
	Signer    string    `json:"signer,omitempty"` // who signed it, as the key is named
	At        time.Time `json:"registered"`       // when it became known
	By        string    `json:"by"`
	Withdrawn time.Time `json:"withdrawn,omitzero"` // zero: it is not
	Why       string    `json:"why,omitempty"`      // it was withdrawn
}

// releaseKey names a release.
type releaseKey struct{ product, version string }

func (r *Release) key() releaseKey { return releaseKey{r.Product, r.Version} }

// Limits of a machine.
const (
	releasesMax = 10_000
	rolloutsMax = 10_000
	textMax     = 1000 // bytes of a remark
)

// check reports what makes a release one that cannot be offered.
func (r *Release) check() error {
	switch {
	case r.Product == "" || r.Version == "" || r.Size == 0:
		return fmt.Errorf("release %q %q of %d bytes: %w", r.Product, r.Version, r.Size, ErrInvalid)
	case len(r.Hash) != 32:
		return fmt.Errorf("release: hash of the manifest has %d bytes, want 32: %w", len(r.Hash), ErrInvalid)
	}
	o := codec.Offer{Rollout: 1, Version: r.Version, Reference: r.Reference, Size: r.Size, Hash: r.Hash}
	if _, err := codec.AppendOffer(nil, &o); err != nil {
		return fmt.Errorf("release: %w: %w", ErrInvalid, err)
	}
	return nil
}

// Register makes a release known.
func (m *Machine) Register(now time.Time, by Actor, r Release) (Authorisation, error) {
	if by.Role < Operator {
		return Authorisation{}, fmt.Errorf("register a release as %s: %w", by.Role, ErrForbidden)
	}
	if err := r.check(); err != nil {
		return Authorisation{}, err
	}
	if m.releases[r.key()] != nil {
		return Authorisation{}, fmt.Errorf("release %s %s: %w", r.Product, r.Version, ErrExists)
	}
	for _, k := range m.ordered {
		if o := m.releases[k]; o.Product == r.Product && o.Sequence == r.Sequence {
			return Authorisation{}, fmt.Errorf("release %s %s has the sequence %d as well: %w", o.Product, o.Version, o.Sequence, ErrExists)
		}
	}
	if len(m.releases) >= releasesMax {
		return Authorisation{}, fmt.Errorf("%d releases are the most: %w", releasesMax, ErrInvalid)
	}
	r.At, r.By, r.Withdrawn, r.Why = now.UTC(), by.Name, time.Time{}, ""
	m.putRelease(&r)
	m.dirty.release(r.key())
	return Authorisation{
		Time: now, Actor: by, What: "release.register", Subject: r.subject(),
		Detail: fmt.Sprintf("manifest %s, SHA-256 %x, signed by %q", r.Reference, r.Hash, r.Signer),
	}, nil
}

func (r *Release) subject() string { return "release " + r.Product + " " + r.Version }

func (m *Machine) putRelease(r *Release) {
	k := r.key()
	if m.releases[k] == nil {
		at, _ := slices.BinarySearchFunc(m.ordered, r, func(a releaseKey, b *Release) int { return m.releases[a].compare(b) })
		m.ordered = slices.Insert(m.ordered, at, k)
	}
	m.releases[k] = r
}

// compare orders releases by product, and as they follow each other.
func (r *Release) compare(o *Release) int {
	return cmp.Or(cmp.Compare(r.Product, o.Product), cmp.Compare(r.Sequence, o.Sequence), cmp.Compare(r.Version, o.Version))
}

// Withdraw takes a release back: no rollout of it starts, or goes on to offer it.
func (m *Machine) Withdraw(now time.Time, by Actor, product, version, remark string) (Authorisation, error) {
	r := m.releases[releaseKey{product, version}]
	switch {
	case r == nil:
		return Authorisation{}, fmt.Errorf("release %s %s: %w", product, version, ErrUnknown)
	case by.Role < Operator:
		return Authorisation{}, fmt.Errorf("withdraw a release as %s: %w", by.Role, ErrForbidden)
	case remark == "" || len(remark) > textMax:
		return Authorisation{}, fmt.Errorf("withdraw %s: %w", r.subject(), ErrRemark)
	case !r.Withdrawn.IsZero():
		return Authorisation{}, fmt.Errorf("%s is withdrawn: %w", r.subject(), ErrState)
	}
	w := *r // answers that were given keep what they said
	w.Withdrawn, w.Why = now.UTC(), remark
	m.putRelease(&w)
	m.dirty.release(w.key())
	return Authorisation{Time: now, Actor: by, What: "release.withdraw", Subject: w.subject(), Remark: remark}, nil
}

// Releases are those that are known, by product and in their sequence.
func (m *Machine) Releases() []Release {
	list := make([]Release, 0, len(m.ordered))
	for _, k := range m.ordered {
		list = append(list, *m.releases[k])
	}
	return list
}

// Release finds one.
func (m *Machine) Release(product, version string) (Release, error) {
	r := m.releases[releaseKey{product, version}]
	if r == nil {
		return Release{}, fmt.Errorf("release %s %s: %w", product, version, ErrUnknown)
	}
	return *r, nil
}

// admits finds why a device may not have a release, and says it. Its sequence is known if what it runs is.
func (m *Machine) admits(r *Release, f *Facts, now time.Time) (Reason, string) {
	if !f.Active {
		return ReasonInactive, "the device is not active"
	}
	t := manifest.Target{Product: f.Product, Version: f.Version, FreeKnown: f.FreeMemory > 0, Free: f.FreeMemory, Now: now}
	if runs := m.releases[releaseKey{f.Product, f.Version}]; runs != nil {
		t.Sequence = runs.Sequence
	}
	err := r.Admits(&t)
	if err == nil {
		return NoReason, ""
	}
	for _, x := range refusals {
		if errors.Is(err, x.is) {
			return x.reason, err.Error()
		}
	}
	return ReasonVersion, err.Error()
}

var refusals = []struct {
	is     error
	reason Reason
}{
	{manifest.ErrProduct, ReasonProduct},
	{manifest.ErrMemory, ReasonMemory},
	{manifest.ErrRollback, ReasonNewer},
	{manifest.ErrBridge, ReasonVersion},
	{manifest.ErrExpired, ReasonOver},
}

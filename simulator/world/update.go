package world

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/godwit-gateway/godwit/codec/manifest"
	"github.com/godwit-gateway/godwit/gateway/rollout"
	"github.com/godwit-gateway/godwit/gateway/rollout/silence"
	"github.com/godwit-gateway/godwit/simulator/device"
)

// A Release is software that devices may be offered, and what it does to them. Its manifest is made and signed by the world; devices install no other.
type Release struct {
	manifest.Manifest // but for what is made up here: build, sequence, hash and address of the image

	At      time.Duration // after the start, when the gateway is told of it
	Mishaps device.Mishaps
}

// What operators do with a rollout that the gateway halted.
const (
	HaltedLeave    = ""         // nothing
	HaltedStop     = "stop"     // they stop it within hours
	HaltedOverride = "override" // they go on within hours
)

// A Rollout is driven by two operators: one creates and submits it, another one approves and starts it.
type Rollout struct {
	rollout.Spec

	At     time.Duration // after the start
	Halted string        // one of the Halted constants
	Moves  []Move
}

// A Move is something that operators do to a rollout besides.
type Move struct {
	After time.Duration // it was started
	Move  rollout.Move  // 0: a retry
}

// updates is the software of a world: what was signed, and what it does.
type updates struct {
	key       manifest.SigningKey
	signed    map[string][]byte                  // by reference
	images    map[string]map[string]device.Image // by product and version
	publisher *device.Publisher                  // nil: there are no releases, and devices install whatever they are offered
	releases  []rollout.Release                  // with their manifests
	made      uint32                             // manifests that somebody made by hand
}

// developer is the key of whoever makes the software.
func developer() (manifest.SigningKey, error) {
	return manifest.SeededKey(sha256.Sum256([]byte("a developer in a simulation")))
}

// sequenceStep leaves room below a release for what is offered by hand, which must not keep the release from being installed.
const sequenceStep = 1 << 20

// develop makes and signs all releases of a setup.
func (u *updates) develop(s *Setup) (err error) {
	if len(s.Releases) == 0 {
		return nil
	}
	if u.key, err = developer(); err != nil {
		return err
	}
	u.signed, u.images = make(map[string][]byte), make(map[string]map[string]device.Image)
	for i := range s.Releases {
		r := &s.Releases[i]
		build := sha256.Sum256([]byte(r.Product + " " + r.Version))
		m := r.Manifest
		m.Build, m.Sequence, m.SHA256, m.URL = build[:4], sequenceStep*uint32(i+1), build, "https://updates.example/"+r.Product+"/"+r.Version
		reference, hash, err := u.sign(&m)
		if err != nil {
			return fmt.Errorf("%w: release %s of %s: %w", ErrSetup, r.Version, r.Product, err)
		}
		u.releases = append(u.releases, rollout.Release{Manifest: m, Reference: reference, Hash: hash, Signer: "developer"})
		if u.images[r.Product] == nil {
			u.images[r.Product] = make(map[string]device.Image)
		}
		u.images[r.Product][r.Version] = device.Image{Build: m.Build, Sequence: m.Sequence, Mishaps: r.Mishaps}
	}
	u.publisher = &device.Publisher{
		Fetch:   func(reference string) ([]byte, bool) { b, ok := u.signed[reference]; return b, ok },
		Signers: []manifest.PublicKey{u.key.Public()},
	}
	return nil
}

// sign publishes a manifest, and returns its address and its hash.
func (u *updates) sign(m *manifest.Manifest) (reference string, hash []byte, err error) {
	signed, err := manifest.Sign(m, u.key)
	if err != nil {
		return "", nil, err
	}
	reference = m.URL + ".manifest"
	u.signed[reference] = signed
	sum := manifest.Hash(signed)
	return reference, sum[:], nil
}

// byHand publishes what an operator offers without a rollout, for it is signed as well.
func (u *updates) byHand(product, version string, size uint64) (reference string, hash []byte, err error) {
	u.made++
	return u.sign(&manifest.Manifest{
		Product: product, Version: version, Sequence: u.made, Size: size, URL: fmt.Sprintf("https://updates.example/by-hand/%d", u.made),
	})
}

// Rehearse reports releases and rollouts that a gateway would refuse.
func (s *Setup) Rehearse() error {
	if err := s.validateUpdates(); err != nil {
		return err
	}
	var u updates
	if err := u.develop(s); err != nil {
		return err
	}
	c := rollout.Config{Fleet: nobody{}}
	for i := range s.Links {
		c.Links = append(c.Links, s.Links[i].Name)
	}
	m, by := rollout.New(c), rollout.Actor{Name: "rehearsal", Role: rollout.Admin}
	for i := range u.releases {
		if _, err := m.Register(s.Start, by, u.releases[i]); err != nil {
			return fmt.Errorf("%w: %w", ErrSetup, err)
		}
	}
	for i := range s.Rollouts {
		if _, _, err := m.Create(s.Start, by, s.Rollouts[i].Spec); err != nil {
			return fmt.Errorf("%w: %w", ErrSetup, err)
		}
	}
	return nil
}

// nobody is a fleet without devices.
type nobody struct{}

// Len implements rollout.Fleet.
func (nobody) Len() int { return 0 }

// Facts implements rollout.Fleet.
func (nobody) Facts(rollout.Place, *rollout.Facts) {}

// Find implements rollout.Fleet.
func (nobody) Find(uint32) (rollout.Place, bool) { return 0, false }

// Quiet implements rollout.Fleet.
func (nobody) Quiet(time.Time, rollout.Place, *silence.Quiet) {}

// validateUpdates reports releases and rollouts that cannot be.
func (s *Setup) validateUpdates() error {
	var errs []error
	bad := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("%w: "+format, append([]any{ErrSetup}, args...)...))
	}
	known := make(map[[2]string]bool)
	for i := range s.Releases {
		r := &s.Releases[i]
		key := [2]string{r.Product, r.Version}
		switch {
		case r.Product == "" || r.Version == "" || r.Size == 0 || known[key]:
			bad("release %d, %q of product %q with %d bytes", i+1, r.Version, r.Product, r.Size)
		case r.At < 0 || r.At > s.Length:
			bad("release %s is made known at %s", r.Version, r.At)
		}
		known[key] = true
		if err := r.Mishaps.Validate(); err != nil {
			errs = append(errs, fmt.Errorf("%w: release %s: %w", ErrSetup, r.Version, err))
		}
	}
	names := make(map[string]bool)
	for i := range s.Rollouts {
		r := &s.Rollouts[i]
		switch {
		case r.Name == "" || names[r.Name]:
			bad("rollout %d is called %q, want a name of its own", i+1, r.Name)
		case !known[[2]string{r.Product, r.Version}]:
			bad("rollout %s is of version %q of product %q, which is no release", r.Name, r.Version, r.Product)
		case r.At < 0 || r.At > s.Length:
			bad("rollout %s is started at %s", r.Name, r.At)
		case r.Halted != HaltedLeave && r.Halted != HaltedStop && r.Halted != HaltedOverride:
			bad("rollout %s is %q when it halts, want stop, override or nothing", r.Name, r.Halted)
		}
		names[r.Name] = true
	}
	return errors.Join(errs...)
}

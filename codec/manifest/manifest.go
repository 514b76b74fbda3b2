package manifest

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/godwit-gateway/godwit/codec"
)

// Limits of a manifest.
const (
	SizeMax    = 2048 // bytes, signature and all: what a device must keep in memory to verify it
	textMax    = 64   // product and versions, as in a hello
	urlMax     = 255
	notesMax   = 255
	fromMax    = 8
	buildMin   = 4 // a status tells four bytes of a build
	buildMax   = 32
	imageMax   = 1<<40 - 1
	secondsMax = 1<<40 - 1 // Unix time, as in messages
)

// A Manifest is what is signed.
type Manifest struct {
	Product  string    // that it is for, as hellos have it: 1 to 64 bytes
	Version  string    // of the software: 1 to 64 bytes
	Build    []byte    // hash of the build, as hellos have it: 4 to 32 bytes, or none
	Sequence uint32    // rises with each release of a product, from 1 on; a device installs nothing that is not above its own
	Size     uint64    // of the image in bytes, from 1 on
	SHA256   [32]byte  // of the image
	URL      string    // of the image: 1 to 255 bytes
	Memory   uint64    // bytes that must be free, 0: as Need says
	InPlace  bool      // the device patches what it runs: there need not be room for the image twice
	Minimum  uint32    // sequence that the device must have at least: what is below needs another release first
	From     []string  // versions from which alone it may be installed, up to 8; none: any
	NotAfter time.Time // after which nobody begins to install it, in whole seconds; zero: never
	Notes    string    // for people: up to 255 bytes
}

// Reasons why a manifest is not installed. The first three are codec.ErrAuth; those of its bytes are codec.ErrMalformed, codec.ErrTruncated and
// codec.ErrUnsupported.
var (
	ErrKey       = fmt.Errorf("no known key signed this: %w", codec.ErrAuth)
	ErrSignature = fmt.Errorf("signature does not verify: %w", codec.ErrAuth)
	ErrHash      = fmt.Errorf("not the manifest that was offered: %w", codec.ErrAuth)

	ErrProduct  = errors.New("for another product")
	ErrRollback = errors.New("not newer than what runs")
	ErrBridge   = errors.New("needs another release first")
	ErrMemory   = errors.New("not enough free memory")
	ErrExpired  = errors.New("expired")
)

// Need is how many bytes must be free: twice the image, for the one that was fetched and the one that runs until the new one has proved itself, or
// Memory if that is more. A device that patches in place needs Memory alone, or room for what it fetches.
func (m *Manifest) Need() uint64 {
	switch {
	case !m.InPlace:
		return max(m.Memory, 2*m.Size)
	case m.Memory > 0:
		return m.Memory
	default:
		return m.Size
	}
}

// A Target is a device that is to install an update, as far as is known.
type Target struct {
	Product   string
	Version   string // that it runs
	Sequence  uint32 // of that; 0: not known
	FreeKnown bool   // free memory is known
	Free      uint64
	Now       time.Time // zero: not known
}

// Admits says why a device may not install this, and nil if it may. What is not known of a device lets it pass, but for what From and Minimum ask for.
func (m *Manifest) Admits(t *Target) error {
	switch {
	case t.Product != m.Product:
		return fmt.Errorf("%q on %q: %w", m.Product, t.Product, ErrProduct)
	case m.Sequence <= t.Sequence:
		return fmt.Errorf("sequence %d on %d: %w", m.Sequence, t.Sequence, ErrRollback)
	case m.Minimum > t.Sequence:
		return fmt.Errorf("sequence %d, want %d at least: %w", t.Sequence, m.Minimum, ErrBridge)
	case !m.comesFrom(t.Version):
		return fmt.Errorf("version %q, want one of %q: %w", t.Version, m.From, ErrBridge)
	case !m.NotAfter.IsZero() && t.Now.After(m.NotAfter):
		return fmt.Errorf("since %s: %w", m.NotAfter.Format(time.RFC3339), ErrExpired)
	case t.FreeKnown && m.Need() > t.Free:
		return fmt.Errorf("%d bytes, want %d: %w", t.Free, m.Need(), ErrMemory)
	}
	return nil
}

func (m *Manifest) comesFrom(version string) bool {
	for _, v := range m.From {
		if v == version {
			return true
		}
	}
	return len(m.From) == 0
}

// Results of an update as LwM2M numbers them (object 5, Update Result).
const (
	codeFlash     = 2
	codeIntegrity = 5
	codePackage   = 6
	codeCancelled = 10
)

// Code is how a device says in its step log why it does not install a manifest: 2 no room, 5 not authentic, 6 not for this device or no manifest that it can
// read, 10 expired.
func Code(err error) uint8 {
	switch {
	case err == nil:
		return codec.CodeSuccess
	case errors.Is(err, ErrMemory):
		return codeFlash
	case errors.Is(err, codec.ErrAuth):
		return codeIntegrity
	case errors.Is(err, ErrExpired):
		return codeCancelled
	default:
		return codePackage
	}
}

// Validate refuses what cannot be signed.
func (m *Manifest) Validate() error {
	err := errors.Join(
		within("bytes of product", len(m.Product), 1, textMax), within("bytes of version", len(m.Version), 1, textMax),
		within("bytes of url", len(m.URL), 1, urlMax), within("bytes of notes", len(m.Notes), 0, notesMax),
		within("sequence", m.Sequence, 1, math.MaxUint32), within("bytes of image", m.Size, 1, imageMax),
		within("bytes of memory", m.Memory, 0, imageMax), within("versions that it comes from", len(m.From), 0, fromMax),
	)
	if len(m.Build) > 0 {
		err = errors.Join(err, within("bytes of build", len(m.Build), buildMin, buildMax))
	}
	for _, v := range m.From {
		err = errors.Join(err, within("bytes of a version that it comes from", len(v), 1, textMax))
	}
	if !m.NotAfter.IsZero() {
		err = errors.Join(err, within("end in Unix seconds", m.NotAfter.Unix(), 1, secondsMax))
	}
	if err == nil && m.Minimum >= m.Sequence {
		err = fmt.Errorf("minimum sequence %d, want less than %d: %w", m.Minimum, m.Sequence, codec.ErrMalformed)
	}
	return err
}

// within refuses a number out of bounds.
func within[T int | int64 | uint32 | uint64](what string, n, least, most T) error {
	if n < least || n > most {
		return fmt.Errorf("%s %d, want %d to %d: %w", what, n, least, most, codec.ErrMalformed)
	}
	return nil
}

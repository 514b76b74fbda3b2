package store

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// kekSize is the length of a key-encryption key, and of its file.
const kekSize = 32

// A wrapped key, 66 bytes:
//
//	version  origin  kek id 4  nonce 12  AES-256-GCM(key 32), tag 16
//
// with device number and key version, both u32, and origin as additional data, so that no row can be passed off as another. The kek id tells which
// key-encryption key wrapped it.
const (
	wrapVersion = 2
	kekIDSize   = 4
	wrapHead    = 2 + kekIDSize
	wrappedSize = wrapHead + 12 + 32 + 16
)

// An Origin is where a device key comes from.
type Origin uint8

// Origins.
const (
	OriginFactory  Origin = iota + 1 // given to the device when it was made, and imported
	OriginFleet                      // derived from a fleet key elsewhere, and imported
	OriginEnrolled                   // agreed upon with the device
)

var originNames = [...]string{OriginFactory: "factory", OriginFleet: "fleet", OriginEnrolled: "enrolled"}

// String names the origin.
func (o Origin) String() string {
	if o.known() {
		return originNames[o]
	}
	return "invalid"
}

func (o Origin) known() bool { return o >= OriginFactory && o <= OriginEnrolled }

// ParseOrigin reads what String writes.
func ParseOrigin(s string) (Origin, error) {
	for i, n := range originNames {
		if n == s && n != "" {
			return Origin(i), nil
		}
	}
	return 0, fmt.Errorf("unknown origin of a key %q: want factory, fleet or enrolled", s)
}

// KeyOrigin is the origin of a wrapped key; it is certain once the key was unwrapped.
func KeyOrigin(wrapped []byte) Origin {
	if len(wrapped) < wrapHead {
		return 0
	}
	return Origin(wrapped[1])
}

// A KEK is the key that wraps device keys before they are stored. Only the holder of its file can read them: in a store, a backup of it,
// or what a disk still holds of either. It is safe for concurrent use.
type KEK struct {
	id   [kekIDSize]byte
	aead cipher.AEAD
}

// NewKEK makes a KEK of 32 bytes.
func NewKEK(key []byte) (*KEK, error) {
	if len(key) != kekSize {
		return nil, fmt.Errorf("%w: %d bytes, want %d", ErrKEK, len(key), kekSize)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKEK, err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKEK, err)
	}
	sum := sha256.Sum256(append([]byte("godwit/1 kek id"), key...))
	return &KEK{id: [kekIDSize]byte(sum[:kekIDSize]), aead: aead}, nil
}

// createKEK writes a fresh key beside path, syncs it, and links it in place. A link, unlike a rename, never takes the place of a file that
// another process has made meanwhile.
func createKEK(path string) error {
	key := make([]byte, kekSize)
	defer clear(key)
	if _, err := rand.Read(key); err != nil {
		return fmt.Errorf("%w: %w", ErrKEK, err)
	}
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, ".kek-*") // mode 0600
	if err != nil {
		return fmt.Errorf("%w: %w", ErrKEK, err)
	}
	_, err = f.Write(key)
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		if err = os.Link(f.Name(), path); errors.Is(err, fs.ErrExist) {
			err = nil
		}
	}
	err = errors.Join(err, os.Remove(f.Name()))
	if err == nil {
		err = syncOSDir(dir)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrKEK, err)
	}
	return nil
}

func syncOSDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func wrapData(number, version uint32, origin Origin) []byte {
	return append(binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, number), version), byte(origin))
}

// Wrap encrypts a device key for its row.
func (k *KEK) Wrap(number, version uint32, origin Origin, key *[32]byte) ([]byte, error) {
	if !origin.known() {
		return nil, fmt.Errorf("%w: key of device %d: origin %d", ErrRow, number, origin)
	}
	dst := append(make([]byte, 0, wrappedSize), wrapVersion, byte(origin))
	dst = append(dst, k.id[:]...)
	return k.aead.Seal(dst, nil, key[:], wrapData(number, version, origin)), nil //nolint:gosec // this AEAD makes its own random nonces
}

// Unwrap decrypts a device key. [ErrWrongKEK]: another KEK wrapped it. [ErrCorrupt]: it was changed, or belongs to another row.
func (k *KEK) Unwrap(number, version uint32, wrapped []byte) ([32]byte, error) {
	var key [32]byte
	if err := wellFormed(wrapped); err != nil {
		return key, err
	}
	if !bytes.Equal(wrapped[2:wrapHead], k.id[:]) {
		return key, fmt.Errorf("key of device %d: %w", number, ErrWrongKEK)
	}
	if _, err := k.aead.Open(key[:0], nil, wrapped[wrapHead:], wrapData(number, version, KeyOrigin(wrapped))); err != nil {
		return [32]byte{}, fmt.Errorf("key of device %d: %w: %w", number, ErrCorrupt, err)
	}
	return key, nil
}

// wellFormed reports what can be said against a wrapped key without the KEK.
func wellFormed(wrapped []byte) error {
	switch {
	case len(wrapped) == 0 || wrapped[0] != wrapVersion:
		return fmt.Errorf("%w: wrapped key of an unknown version", ErrRow)
	case len(wrapped) != wrappedSize:
		return fmt.Errorf("%w: wrapped key of %d bytes, want %d", ErrRow, len(wrapped), wrappedSize)
	case !KeyOrigin(wrapped).known():
		return fmt.Errorf("%w: wrapped key of an unknown origin", ErrRow)
	}
	return nil
}

package world

import (
	"bytes"
	"crypto/sha256"
	"fmt"

	"github.com/godwit-gateway/godwit/codec/session"
	"github.com/godwit-gateway/godwit/simulator/device"
)

// nonce names a use of a key: an epoch's salt makes its keys.
type nonce struct {
	number  uint32
	epoch   uint32
	salt    [session.SaltLen]byte
	counter uint64
}

// nonces remembers what each nonce was used for.
type nonces map[nonce][32]byte

// use notes that a device seals a content, and reports a second content.
func (n nonces) use(number uint32, m *device.Memory, f device.Frame, content []byte) error {
	kept := &m.Current
	if f.Epoch != kept.Number {
		kept = &m.Previous
	}
	if f.Epoch != kept.Number {
		return fmt.Errorf("%w: device %d sends a frame of epoch %d, and remembers %d and %d", ErrBroken, number, f.Epoch, m.Current.Number, m.Previous.Number)
	}
	key, hash := nonce{number, f.Epoch, kept.Salt, f.Counter}, sha256.Sum256(content)
	if before, ok := n[key]; ok && !bytes.Equal(before[:], hash[:]) {
		return fmt.Errorf("%w: device %d used counter %d of epoch %d for two contents", ErrBroken, number, f.Counter, f.Epoch)
	}
	n[key] = hash
	return nil
}

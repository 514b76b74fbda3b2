package world

import (
	"fmt"
	"hash/maphash"
	"slices"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/codec/session"
	"github.com/godwit-gateway/godwit/simulator/check"
	"github.com/godwit-gateway/godwit/simulator/device"
)

// sealKey names a key: number, epoch and salt make the keys of each direction.
type sealKey struct {
	direction codec.Direction
	number    uint32
	epoch     uint32
	salt      [session.SaltLen]byte
}

// nonces remembers what the counters of each key were used for.
type nonces struct {
	seed maphash.Seed
	used map[sealKey]*check.Counters[uint32] // hash of the content; 0: not used
}

func newNonces() nonces {
	return nonces{seed: maphash.MakeSeed(), used: make(map[sealKey]*check.Counters[uint32])}
}

// use notes that a content was sealed with a nonce, and reports a second content.
func (n *nonces) use(key sealKey, counter uint64, content []byte) error {
	return n.note(&sealing{key, n.of(key)}, counter, content)
}

// sealing is a key and what its counters were used for.
type sealing struct {
	key sealKey
	of  *check.Counters[uint32] // nil: there is no key yet
}

// of is what the counters of a key were used for.
func (n *nonces) of(key sealKey) *check.Counters[uint32] {
	of := n.used[key]
	if of == nil {
		of = new(check.Counters[uint32])
		n.used[key] = of
	}
	return of
}

func (n *nonces) note(s *sealing, counter uint64, content []byte) error {
	key := &s.key
	hash := uint32(maphash.Bytes(n.seed, content)) | 1 //nolint:gosec // a part of it will do
	before := s.of.Of(counter)
	if *before != 0 && *before != hash {
		return fmt.Errorf("%w: counter %d of epoch %d of device %d was used for two contents (direction %d)", ErrBroken, counter, key.epoch, key.number, key.direction)
	}
	*before = hash
	return nil
}

// sealedUp notes a frame of a device.
func (m *mobile) sealedUp(f device.Frame, content []byte) error {
	kept := &m.memory.Current
	if f.Epoch != kept.Number {
		kept = &m.memory.Previous
	}
	if f.Epoch != kept.Number {
		return fmt.Errorf("%w: device %d sends a frame of epoch %d, and remembers %d and %d", ErrBroken, m.config.Number, f.Epoch,
			m.memory.Current.Number, m.memory.Previous.Number)
	}
	if m.life.cloned {
		return nil // two have the key, and use it
	}
	s, key := &m.life.sealing, sealKey{codec.Up, m.config.Number, f.Epoch, kept.Salt}
	if s.of == nil || s.key != key {
		*s = sealing{key, m.w.nonces.of(key)}
	}
	return m.w.nonces.note(s, f.Counter, content)
}

// sealedDown notes a frame of the gateway. In which epoch it was sealed is found by opening it with the keys of those that the gateway knows.
func (m *mobile) sealedDown(payload []byte) error {
	content, err := contentOf(payload)
	if err != nil {
		return err
	}
	if _, control := codec.Control(content); control {
		return nil // an HMAC takes no nonce
	}
	sealed, err := codec.ParseSealed(content, 16, 8)
	if err != nil {
		return fmt.Errorf("%w: downlink for device %d: %w", ErrBroken, m.config.Number, err)
	}
	m.noteEpochs()
	for i := range m.life.epochs {
		e := &m.life.epochs[i]
		cipher := codec.NewCipher(codec.DeriveSealKey(&m.config.Key, e.SaltBytes(), codec.LabelDown, m.config.Number, e.Number))
		// What was sealed before a backup has a counter far below those that are used after it was restored.
		for _, highest := range []uint64{e.Down, 0} {
			p := codec.Position{
				Direction: codec.Down, Number: m.config.Number, Epoch: e.Number, Counter: codec.CompleteCounter(sealed.CTR, sealed.CTRBits, highest, true),
			}
			if _, err := cipher.Open(nil, &sealed, p); err == nil {
				return m.w.nonces.use(sealKey{codec.Down, p.Number, p.Epoch, e.Salt}, p.Counter, content)
			}
		}
	}
	return fmt.Errorf("%w: a downlink for device %d opens in none of %d epochs: %x", ErrBroken, m.config.Number, len(m.life.epochs), content)
}

// noteEpochs remembers the epochs that the gateway has of the device now, and how far their downlinks are.
func (m *mobile) noteEpochs() {
	d, err := m.w.gateway.hub.Device(m.name())
	if err != nil {
		return // not known yet, or any more
	}
	known := []session.Epoch{d.Session.Current}
	if d.Session.Role != session.Alone {
		known = append(known, d.Session.Second)
	}
	for _, e := range known {
		i := slices.IndexFunc(m.life.epochs, func(x session.Epoch) bool { return x.Number == e.Number && x.Salt == e.Salt })
		if i < 0 {
			m.life.epochs = append(m.life.epochs, e)
			continue
		}
		m.life.epochs[i].Down = e.Down
	}
}

// contentOf is what is sealed of an item, without the head that names the device.
func contentOf(payload []byte) ([]byte, error) {
	item, _, err := codec.NextItem(payload)
	if err != nil {
		return nil, fmt.Errorf("%w: what is sent is no item: %w", ErrBroken, err)
	}
	return item.Content, nil
}

package hub

import (
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"

	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/gateway/store"
)

// Attribute keys of the log.
const (
	keyNumber = "number"
	keyErr    = "error"
)

func attrNumber(n uint32) slog.Attr { return slog.Uint64(keyNumber, uint64(n)) }
func attrErr(err error) slog.Attr   { return slog.String(keyErr, err.Error()) }

func appendUint(dst []byte, v uint64) []byte { return strconv.AppendUint(dst, v, 10) }

// load reads from the store what the hub must have in memory.
func (h *Hub) load() error {
	var err error
	if _, h.forgot, err = h.store.Meta(metaForgot); err != nil {
		return fmt.Errorf("load whether something was forgotten: %w", err)
	}
	keyless := 0
	err = h.store.EachDevice(func(number uint32, row []byte) error {
		i, err := h.fleet.Load(row)
		if err != nil {
			return fmt.Errorf("device %d: %w", number, err)
		}
		if err := h.tryKey(i); err != nil {
			if keyless++; keyless <= keylessTold {
				h.tellKeyless(i, err)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("load the fleet: %w", err)
	}
	if keyless > keylessTold {
		h.log.Warn("many devices have no key: see whether kek_file names the key that wrapped them, and whether all fleet keys are configured", slog.Int("devices", keyless))
	}
	if err := h.store.EachPart(h.loadPart); err != nil {
		return fmt.Errorf("load message parts: %w", err)
	}
	if err := h.store.EachParked(h.loadParked); err != nil {
		return fmt.Errorf("load parked frames: %w", err)
	}
	if err := h.store.EachFragment(h.loadFragment); err != nil {
		return fmt.Errorf("load fragments: %w", err)
	}
	if err := h.store.EachQuarantine(h.loadPending); err != nil {
		return fmt.Errorf("load the frames kept for devices that wait: %w", err)
	}
	if err := h.store.EachDownlink(h.loadDownlink); err != nil {
		return fmt.Errorf("load downlinks: %w", err)
	}
	return nil
}

// errNoKey is the reason why a device's frames cannot be opened.
var errNoKey = errors.New("no key at hand")

// keylessTold is how many devices without a key are told of one by one at a start.
const keylessTold = 10

// loadKey derives the keys of a device. A device whose key is not at hand stays known; its frames are counted as of no known key.
func (h *Hub) loadKey(i fleet.Index) {
	if err := h.tryKey(i); err != nil {
		h.tellKeyless(i, err)
	}
}

// tryKey is loadKey without a word to the log.
func (h *Hub) tryKey(i fleet.Index) error {
	key, err := h.deviceKey(i)
	if err == nil {
		h.fleet.SetKey(i, &key)
	}
	return err
}

func (h *Hub) tellKeyless(i fleet.Index, err error) {
	h.log.Warn("device has no key: its frames cannot be opened", attrNumber(h.fleet.Head(i).Number), attrErr(err))
}

// keyVersion is the version of a factory key's row.
const keyVersion = 1

// deviceKey fetches a device's key: derived from its fleet key, or unwrapped from the store.
func (h *Hub) deviceKey(i fleet.Index) ([32]byte, error) {
	d := h.fleet.Device(i)
	if id, ok := strings.CutPrefix(d.KeySource, fleet.FleetKeyPrefix); ok {
		k := h.fleetKeyByID(id)
		if k == nil {
			return [32]byte{}, fmt.Errorf("fleet key %q is not configured: %w", id, errNoKey)
		}
		return k.DeviceKey(d.Number), nil
	}
	wrapped, ok, err := h.store.Key(d.Number, keyVersion)
	if err != nil {
		return [32]byte{}, fmt.Errorf("read the key: %w", err)
	}
	if !ok {
		return [32]byte{}, fmt.Errorf("the store holds none: %w", errNoKey)
	}
	return h.kek.Unwrap(d.Number, keyVersion, wrapped)
}

func (h *Hub) loadPart(seq uint64, p *store.Part) error {
	k := setKey{link: p.Link, from: p.From, ref: p.Ref, refBits: p.RefBits, total: p.Total}
	s := h.sets.sets[k]
	switch {
	case p.Done:
		if s = h.sets.finished[k]; s == nil {
			s = &set{parts: make(map[uint8][]part)}
			h.sets.finish(k, s)
		}
		s.since = later(s.since, p.ReceivedAt)
	case s == nil:
		s = h.sets.add(k, p.ReceivedAt)
	}
	s.parts[p.Seq] = append(s.parts[p.Seq], part{seq: seq, row: p})
	return nil
}

package fleet

import (
	"strings"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/codec/session"
)

// SetKey derives the keys of the device's epochs from its device key. The device key is not kept.
func (f *Fleet) SetKey(i Index, dev *[32]byte) {
	r := f.at(i)
	current := session.Epoch{Number: r.epoch, Salt: r.salt}
	r.keys = deriveKeys(dev, current.SaltBytes(), r.number, r.epoch)
	r.join = codec.DeriveJoinKey(dev, r.number)
	if r.tagLen == 4 {
		f.up4[i] = codec.DeriveSealKey(dev, current.SaltBytes(), codec.LabelUp4, r.number, r.epoch)
	}
	if s := f.second[i]; s != nil && s.role != session.Alone {
		s.keys = deriveKeys(dev, s.epoch.SaltBytes(), r.number, s.epoch.Number)
		if r.tagLen == 4 {
			s.up4 = codec.DeriveSealKey(dev, s.epoch.SaltBytes(), codec.LabelUp4, r.number, s.epoch.Number)
		}
	}
	r.keyed = true
}

// UplinkKey returns the key that opens the device's uplinks with the given tag length.
func (f *Fleet) UplinkKey(i Index, tagLen uint8) (codec.SealKey, bool) {
	r := f.at(i)
	if !r.keyed {
		return codec.SealKey{}, false
	}
	if tagLen == 4 {
		k, ok := f.up4[i]
		return k, ok
	}
	return r.keys.up8, true
}

// A Registration says what becomes of a device that first calls in under a fleet key.
type Registration uint8

// Registrations. The zero value lets nobody in.
const (
	RegisterOff     Registration = iota // as if the key did not cover the number
	RegisterPending                     // recorded, and waits for approval
	RegisterAuto                        // active at once
)

// A FleetKey is a secret from which the keys of a range of device numbers are derived, and what such a device is when it registers.
type FleetKey struct {
	ID          string
	Key         [32]byte
	First, Last uint32 // numbers, inclusive
	Product     string
	Customer    string
	Name        string // "{number}" stands for the number, as in "dev-{number}"
	CTRBits     uint8
	TagLen      uint8
	Register    Registration
	Template    TemplateHash // slot 0 of a new device
}

// DeviceKey derives the key of one device.
func (k *FleetKey) DeviceKey(number uint32) [32]byte { return codec.FleetDeviceKey(k.Key, number) }

// Covers reports whether the number is in the key's range.
func (k *FleetKey) Covers(number uint32) bool { return k.First <= number && number <= k.Last }

// Device is the device that registers by itself with the number.
func (k *FleetKey) Device(number uint32) Device {
	d := Device{
		Number: number, Name: strings.ReplaceAll(k.Name, "{number}", utoa(number)), Product: k.Product, Customer: k.Customer,
		State: Pending, KeySource: FleetKeyPrefix + k.ID, CTRBits: k.CTRBits, TagLen: k.TagLen,
	}
	if k.Register == RegisterAuto {
		d.State = Active
	}
	d.Slots[0] = k.Template
	return d
}

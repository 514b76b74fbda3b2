package codec

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"errors"
)

// ErrExhausted is wrapped by the error for a counter beyond CounterMax.
var ErrExhausted = errors.New("counter is exhausted")

// A Label separates keys that are derived from one device key. The tag length is part of it, so that a status sealed again with another
// tag length uses another key and no nonce is ever used twice.
type Label string

// Labels.
const (
	LabelUp8  Label = "up8" // uplink with a tag of 8 bytes
	LabelUp4  Label = "up4" // uplink with a tag of 4 bytes
	LabelDown Label = "dn"  // downlink
	labelAck  Label = "ack"
)

// A SealKey is an AES-128 key and the IV that goes with it, for one device, direction and epoch.
type SealKey struct {
	Key [16]byte
	IV  [nonceLen]byte
}

// FleetDeviceKey derives the key of a device from a fleet key: Expand(Extract("godwit/1 fleet", fleet), "dev" ‖ number, 32) by HKDF with
// SHA-256 (RFC 5869), number as 4 bytes big-endian. Extract is written with the salt first.
func FleetDeviceKey(fleet [32]byte, number uint32) [32]byte {
	prk := extract([]byte("godwit/1 fleet"), fleet[:])
	info := binary.BigEndian.AppendUint32([]byte("dev"), number)
	return [32]byte(expand(prk, info, 32))
}

// DeriveSealKey derives the key of one direction in one epoch from a device key. The salt is that of the epoch, empty in epoch 0.
func DeriveSealKey(dev *[32]byte, salt []byte, label Label, number, epoch uint32) SealKey {
	okm := expand(extract(salt, dev[:]), info(label, number, epoch), 16+nonceLen)
	return SealKey{Key: [16]byte(okm[:16]), IV: [nonceLen]byte(okm[16:])}
}

// DeriveAckKey derives the key that acknowledgements are authenticated with.
func DeriveAckKey(dev *[32]byte, salt []byte, number, epoch uint32) [32]byte {
	return [32]byte(expand(extract(salt, dev[:]), info(labelAck, number, epoch), 32))
}

// DeriveJoinKey derives the key that joins are authenticated with: Expand(Extract("godwit/1 root", device key), "godwit/1|join|" ‖ number, 32).
// It belongs to no epoch: a device that lost everything but its key still has it.
func DeriveJoinKey(dev *[32]byte, number uint32) [32]byte {
	prk := extract([]byte("godwit/1 root"), dev[:])
	return [32]byte(expand(prk, binary.BigEndian.AppendUint32([]byte("godwit/1|join|"), number), 32))
}

// info is "godwit/1|" ‖ label ‖ "|" ‖ number ‖ epoch, both 4 bytes big-endian.
func info(label Label, number, epoch uint32) []byte {
	b := append([]byte("godwit/1|"), label...)
	b = append(b, '|')
	b = binary.BigEndian.AppendUint32(b, number)
	return binary.BigEndian.AppendUint32(b, epoch)
}

func extract(salt, secret []byte) []byte {
	prk, err := hkdf.Extract(sha256.New, secret, salt)
	if err != nil {
		panic("codec: " + err.Error()) // only in a FIPS mode that forbids the key length
	}
	return prk
}

func expand(prk, info []byte, n int) []byte {
	okm, err := hkdf.Expand(sha256.New, prk, string(info), n)
	if err != nil {
		panic("codec: " + err.Error()) // n is far below 255 hashes
	}
	return okm
}

package manifest

import (
	"fmt"
	"math"
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/godwit-gateway/godwit/codec"
)

// Keys of the payload. Those from keyBuild on may be missing.
const (
	keyProduct uint64 = iota + 1
	keyVersion
	keySequence
	keySize
	keySHA256
	keyURL
	keyBuild
	keyMemory
	keyInPlace
	keyMinimum
	keyFrom
	keyNotAfter
	keyNotes
)

// pairsMax bounds the payload's map, as it does the messages'.
const pairsMax = 64

// payload is a manifest as it is encoded.
type payload struct {
	Product  string   `cbor:"1,keyasint"`
	Version  string   `cbor:"2,keyasint"`
	Sequence uint64   `cbor:"3,keyasint"`
	Size     uint64   `cbor:"4,keyasint"`
	SHA256   []byte   `cbor:"5,keyasint"`
	URL      string   `cbor:"6,keyasint"`
	Build    []byte   `cbor:"7,keyasint,omitempty"`
	Memory   uint64   `cbor:"8,keyasint,omitempty"`
	InPlace  bool     `cbor:"9,keyasint,omitempty"`
	Minimum  uint64   `cbor:"10,keyasint,omitempty"`
	From     []string `cbor:"11,keyasint,omitempty"`
	NotAfter uint64   `cbor:"12,keyasint,omitempty"`
	Notes    string   `cbor:"13,keyasint,omitempty"`
}

// encMode gives deterministic encodings (RFC 8949 §4.2.1).
var encMode = func() cbor.EncMode {
	m, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		panic("manifest: " + err.Error())
	}
	return m
}()

// decMode reads single values, of an encoding that codec.NextItem has looked over: heads are the shortest, lengths definite, nesting is bounded.
var decMode = func() cbor.DecMode {
	m, err := cbor.DecOptions{IndefLength: cbor.IndefLengthForbidden, UTF8: cbor.UTF8RejectInvalid}.DecMode()
	if err != nil {
		panic("manifest: " + err.Error())
	}
	return m
}()

// encode writes the payload of a manifest that is valid.
func (m *Manifest) encode() ([]byte, error) {
	p := payload{
		Product: m.Product, Version: m.Version, Sequence: uint64(m.Sequence), Size: m.Size, SHA256: m.SHA256[:], URL: m.URL, Build: m.Build,
		Memory: m.Memory, InPlace: m.InPlace, Minimum: uint64(m.Minimum), From: m.From, Notes: m.Notes,
	}
	if !m.NotAfter.IsZero() {
		p.NotAfter = uint64(m.NotAfter.Unix()) //nolint:gosec // valid
	}
	return encMode.Marshal(&p)
}

// decode reads a payload: a map in its one encoding, with the keys that this version must know.
func decode(b []byte) (Manifest, error) {
	var r reader
	if err := r.pairs(b); err != nil {
		return Manifest{}, fmt.Errorf("payload: %w", err)
	}
	m := Manifest{
		Product: r.text(keyProduct), Version: r.text(keyVersion), Sequence: uint32(r.number(keySequence, math.MaxUint32)), //nolint:gosec // limited
		Size: r.number(keySize, imageMax), URL: r.text(keyURL), Build: r.bytes(keyBuild), Memory: r.number(keyMemory, imageMax),
		InPlace: r.flag(keyInPlace), Minimum: uint32(r.number(keyMinimum, math.MaxUint32)), From: r.texts(keyFrom), Notes: r.text(keyNotes), //nolint:gosec // limited
	}
	copy(m.SHA256[:], read(&r, keySHA256, majorBytes, func(b []byte) bool { return len(b) == len(m.SHA256) }))
	if seconds := r.number(keyNotAfter, secondsMax); seconds > 0 {
		m.NotAfter = time.Unix(int64(seconds), 0).UTC() //nolint:gosec // limited
	}
	if r.err == nil {
		r.err = m.Validate()
	}
	if r.err != nil {
		return Manifest{}, fmt.Errorf("payload: %w", r.err)
	}
	return m, nil
}

// A reader has the values of the keys that are known, as they came, and the first error.
type reader struct {
	values [keyNotes + 1]cbor.RawMessage
	err    error
}

// pairs takes the map apart. Keys rise, so none is there twice.
func (r *reader) pairs(b []byte) error {
	item, rest, err := codec.NextItem(b)
	if err != nil {
		return err
	}
	if item.Form != codec.FormOpen || len(rest) > 0 {
		return fmt.Errorf("not a map and nothing else: %w", codec.ErrMalformed)
	}
	n, b := int(b[0]&0x1f), b[1:]
	if n > 23 { // one byte of length, or more than may be
		n, b = int(b[0]), b[1:]
	}
	if item.Raw[0]&0x1f > 24 || n > pairsMax {
		return fmt.Errorf("more than %d keys: %w", pairsMax, codec.ErrMalformed)
	}
	unknown := false
	for i, last := 0, uint64(0); i < n; i++ {
		var key uint64
		if b[0]>>5 != 0 {
			return fmt.Errorf("key is no unsigned number: %w", codec.ErrMalformed)
		}
		if b, err = decMode.UnmarshalFirst(b, &key); err != nil {
			return fmt.Errorf("key: %w: %w", codec.ErrMalformed, err)
		}
		if i > 0 && key <= last {
			return fmt.Errorf("key %d behind key %d: %w", key, last, codec.ErrMalformed)
		}
		var value cbor.RawMessage
		if b, err = decMode.UnmarshalFirst(b, &value); err != nil {
			return fmt.Errorf("key %d: %w: %w", key, codec.ErrMalformed, err)
		}
		last = key
		if key > 0 && key < uint64(len(r.values)) {
			r.values[key] = value
		} else {
			unknown = unknown || key%2 == 1
		}
	}
	for key := keyProduct; key <= keyURL; key++ {
		if r.values[key] == nil {
			return fmt.Errorf("no key %d: %w", key, codec.ErrMalformed)
		}
	}
	if unknown {
		return fmt.Errorf("an odd key that changes what is asked for: %w", codec.ErrUnsupported)
	}
	return nil
}

// Major types of CBOR (RFC 8949 §3.1).
const (
	majorUnsigned = 0
	majorBytes    = 2
	majorText     = 3
	majorArray    = 4
	simpleTrue    = 0xf5
)

// read reads the value of a key, if it is there, which must be of a type and must not be nothing: 0, empty or false is said by leaving the key out.
func read[T any](r *reader, key uint64, major byte, something func(v T) bool) (v T) {
	raw := r.values[key]
	if r.err != nil || raw == nil {
		return v
	}
	if raw[0]>>5 != major {
		r.err = fmt.Errorf("key %d of another type than it should be: %w", key, codec.ErrMalformed)
		return v
	}
	if err := decMode.Unmarshal(raw, &v); err != nil {
		r.err = fmt.Errorf("key %d: %w: %w", key, codec.ErrMalformed, err)
	} else if !something(v) {
		r.err = fmt.Errorf("key %d is empty or out of range: %w", key, codec.ErrMalformed)
	}
	return v
}

func (r *reader) text(key uint64) string {
	return read(r, key, majorText, func(s string) bool { return s != "" })
}

func (r *reader) bytes(key uint64) []byte {
	return read(r, key, majorBytes, func(b []byte) bool { return len(b) > 0 })
}

func (r *reader) number(key, most uint64) uint64 {
	return read(r, key, majorUnsigned, func(n uint64) bool { return n > 0 && n <= most })
}

func (r *reader) flag(key uint64) bool {
	if raw := r.values[key]; raw != nil && raw[0] != simpleTrue && r.err == nil {
		r.err = fmt.Errorf("key %d is not true: %w", key, codec.ErrMalformed)
	}
	return r.values[key] != nil
}

func (r *reader) texts(key uint64) []string {
	list := read(r, key, majorArray, func(l []cbor.RawMessage) bool { return len(l) > 0 && len(l) <= fromMax })
	var out []string
	for i := range list {
		one := reader{err: r.err}
		one.values[keyVersion] = list[i]
		out = append(out, one.text(keyVersion))
		r.err = one.err
	}
	return out
}

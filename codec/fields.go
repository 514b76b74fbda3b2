package codec

import (
	"errors"
	"fmt"
)

// majors is a set of CBOR major types: those that the value of a key may have.
type majors uint8

const (
	isUint  majors = 1 << majorUnsigned
	isInt          = isUint | 1<<majorNegative
	isBytes majors = 1 << majorBytes
	isText  majors = 1 << majorText
	isArray majors = 1 << majorArray
	isPairs majors = 1 << majorMap
	isBool  majors = 1 << majorSimple
	isFloat        = isBool // of one major type; the field that it is read into tells them apart
)

// An evolution says what becomes of keys that a reader does not know.
type evolution uint8

const (
	keepUnknown evolution = iota // uplinks: a gateway passes on what a later device says
	evenMayPass                  // downlinks: even keys may be passed over, odd ones change what the message means
)

// A keyTable is what version 1 knows of the keys of a message's map.
type keyTable struct {
	message  MessageType
	rule     evolution
	values   []majors // by key; 0: not known
	required []uint64
}

func (t *keyTable) known(key uint64) bool { return key < uint64(len(t.values)) && t.values[key] != 0 }

// append appends the plaintext of a message: its type and v, a struct of the table's keys. What this side would refuse to read is not
// written, and takes nothing away from dst.
func (t *keyTable) append(dst []byte, v any, unknown map[uint64]RawMessage, check func(body []byte) error) ([]byte, error) {
	b, err := encMode.Marshal(v)
	if err == nil && len(unknown) > 0 {
		b, err = t.withUnknown(b, unknown)
	}
	if err == nil {
		err = check(b)
	}
	if err != nil {
		return dst, fmt.Errorf("encode: %w", t.fault(err))
	}
	return append(append(dst, byte(t.message)), b...), nil
}

func (t *keyTable) withUnknown(b []byte, unknown map[uint64]RawMessage) ([]byte, error) {
	var all map[uint64]RawMessage
	if err := decMode.Unmarshal(b, &all); err != nil {
		return nil, err
	}
	for k, v := range unknown {
		if t.known(k) {
			return nil, fmt.Errorf("key %d is a known one: %w", k, ErrMalformed)
		}
		all[k] = v
	}
	return encMode.Marshal(all)
}

// read reads the body of a message into v, a pointer to a struct of the table's keys, and returns the keys of an uplink that the table
// does not have.
func (t *keyTable) read(body []byte, v any) (unknown map[uint64]RawMessage, err error) {
	if unknown, err = t.readKeys(body); err == nil {
		err = decMode.Unmarshal(body, v)
	}
	if err != nil {
		return nil, t.fault(err)
	}
	return unknown, nil
}

// fault names the message, and makes an error of the CBOR library one of this package.
func (t *keyTable) fault(err error) error {
	if !errors.Is(err, ErrUnsupported) && !errors.Is(err, ErrMalformed) {
		return fmt.Errorf("%s: %w: %w", t.message, ErrMalformed, err)
	}
	return fmt.Errorf("%s: %w", t.message, err)
}

// readKeys checks each key and the type of its value.
func (t *keyTable) readKeys(body []byte) (unknown map[uint64]RawMessage, err error) {
	if !isMap(body) {
		return nil, fmt.Errorf("not a map: %w", ErrMalformed)
	}
	var raw map[intKey]RawMessage
	if err := decMode.Unmarshal(body, &raw); err != nil {
		return nil, err
	}
	unsupported := false
	for key, v := range raw {
		switch {
		case key < 0:
			return nil, fmt.Errorf("key %d: %w", key, ErrMalformed)
		case t.known(uint64(key)):
			if err := t.values[key].check(v); err != nil {
				return nil, fmt.Errorf("key %d: %w", key, err)
			}
			continue
		}
		var discard any
		if err := decMode.Unmarshal(v, &discard); err != nil {
			return nil, fmt.Errorf("key %d: %w", key, err) // nobody else will look at what is within
		}
		if t.rule == evenMayPass {
			unsupported = unsupported || key%2 == 1
			continue
		}
		if unknown == nil {
			unknown = make(map[uint64]RawMessage)
		}
		unknown[uint64(key)] = v
	}
	if unsupported {
		return nil, fmt.Errorf("an odd key that changes the message: %w", ErrUnsupported)
	}
	for _, key := range t.required {
		if _, ok := raw[intKey(key)]; !ok { //nolint:gosec // a small number
			return nil, fmt.Errorf("no key %d: %w", key, ErrMalformed)
		}
	}
	return unknown, nil
}

// check refuses a value of another type. The CBOR reader alone would take null and undefined for any.
func (m majors) check(v RawMessage) error {
	const null, undefined = 0xf6, 0xf7
	if v[0] == null || v[0] == undefined || m>>(v[0]>>5)&1 == 0 {
		return fmt.Errorf("of another type than it should be: %w", ErrMalformed)
	}
	return nil
}

// limit refuses a number beyond its limit.
func limit(what string, v, most uint64) error {
	if v > most {
		return fmt.Errorf("%s %d, want up to %d: %w", what, v, most, ErrMalformed)
	}
	return nil
}

// elements refuses what is no array, or whose elements are not all of one type.
func elements(b []byte, most int, m majors) error {
	if err := isArray.check(b); err != nil {
		return err
	}
	var raw []RawMessage
	if err := decMode.Unmarshal(b, &raw); err != nil {
		return err
	}
	if err := limit("elements", uint64(len(raw)), uint64(most)); err != nil { //nolint:gosec // a constant
		return err
	}
	for _, v := range raw {
		if err := m.check(v); err != nil {
			return err
		}
	}
	return nil
}

// uints is an array of up to 16 numbers of 16 bits, and nothing else in it.
type uints []uint16

// UnmarshalCBOR reads the array.
func (u *uints) UnmarshalCBOR(b []byte) error {
	if err := elements(b, 16, isUint); err != nil {
		return err
	}
	out := []uint16{}
	if err := decMode.Unmarshal(b, &out); err != nil {
		return err
	}
	*u = out
	return nil
}

// texts is an array of up to 8 texts of up to 64 bytes.
type texts []string

// UnmarshalCBOR reads the array.
func (t *texts) UnmarshalCBOR(b []byte) error {
	if err := elements(b, helloLinksMax, isText); err != nil {
		return err
	}
	out := []string{}
	if err := decMode.Unmarshal(b, &out); err != nil {
		return err
	}
	for _, s := range out {
		if err := limit("bytes of text", uint64(len(s)), helloTextMax); err != nil {
			return err
		}
	}
	*t = out
	return nil
}

package codec

import "fmt"

// A MessageType is the first byte of the plaintext of an extended frame.
type MessageType uint8

// Message types. One that is not among them is refused by version 1 and kept raw by the gateway.
const (
	MessageHello          MessageType = 1  // up: what a device says of itself after boot
	MessageOpen           MessageType = 2  // up: a status as a CBOR map, without a template
	MessageUser           MessageType = 3  // both: bytes of the application
	MessageStepLog        MessageType = 4  // up: update steps
	MessageAlarm          MessageType = 5  // up: what must be known at once
	MessageFragment       MessageType = 6  // both: part of a larger message
	MessageFragmentStatus MessageType = 7  // both: which fragments arrived
	MessagePolicy         MessageType = 16 // down: intervals and links
	MessageOffer          MessageType = 17 // down: an update
	MessageRequest        MessageType = 18 // down: asks for a keyframe, a hello
	MessageTime           MessageType = 19 // down: what time it is
	MessageRekey          MessageType = 20 // down: begins an epoch
	MessageTemplate       MessageType = 21 // down: gives a template to a slot
	MessageSleep          MessageType = 22 // down: nothing more
)

// Limits of a hello.
const (
	helloTextMax      = 64
	helloTemplatesMax = 7
	helloLinksMax     = 8
)

// A Hello is what a device says of itself after boot, after an update, after it lost its counter and at least monthly, so that a gateway
// that knows nothing of it can learn all it needs. It always travels with its whole counter in clear (slot 1 of an extended frame).
type Hello struct {
	Version    string                `cbor:"1,keyasint,omitempty"`  // of the software
	Build      []byte                `cbor:"2,keyasint,omitempty"`  // hash of the build
	Product    string                `cbor:"3,keyasint,omitempty"`  // what the device takes itself for
	Hardware   string                `cbor:"4,keyasint,omitempty"`  // revision
	FreeMemory uint64                `cbor:"5,keyasint,omitempty"`  // bytes free for an image
	BootCount  uint32                `cbor:"6,keyasint,omitempty"`  // boots in its life
	ResetCause uint8                 `cbor:"7,keyasint,omitempty"`  // as its chip says
	Templates  []TemplateHash        `cbor:"8,keyasint,omitempty"`  // by slot
	Links      []string              `cbor:"9,keyasint,omitempty"`  // bearers that it has
	Counter    uint64                `cbor:"10,keyasint,omitempty"` // counter of this frame, again
	Unknown    map[uint64]RawMessage `cbor:"-"`                     // keys of a later version, as they came
}

// A TemplateHash names a template.
type TemplateHash [8]byte

// MarshalCBOR writes a byte string.
func (h TemplateHash) MarshalCBOR() ([]byte, error) { return encMode.Marshal(h[:]) }

// UnmarshalCBOR reads a byte string of 8 bytes.
func (h *TemplateHash) UnmarshalCBOR(b []byte) error {
	if len(b) == 0 || b[0]>>5 != majorBytes {
		return fmt.Errorf("template hash is no byte string: %w", ErrMalformed)
	}
	var raw []byte
	if err := decMode.Unmarshal(b, &raw); err != nil {
		return err
	}
	if len(raw) != len(h) {
		return fmt.Errorf("template hash of %d bytes: %w", len(raw), ErrMalformed)
	}
	copy(h[:], raw)
	return nil
}

// helloMajors is the CBOR type of each key that version 1 knows. The decoder alone would take null for any of them, and an array for bytes.
var helloMajors = [...]byte{
	1: majorText, 2: majorBytes, 3: majorText, 4: majorText, 5: majorUnsigned, 6: majorUnsigned, 7: majorUnsigned,
	8: majorArray, 9: majorArray, 10: majorUnsigned,
}

// known reports whether version 1 knows a key of a hello.
func known(key uint64) bool { return key > 0 && key < uint64(len(helloMajors)) }

// AppendHello appends the plaintext of a hello: its type and a CBOR map with integer keys, in deterministic encoding. Keys in Unknown go with it.
func AppendHello(dst []byte, h *Hello) ([]byte, error) {
	if err := h.validate(); err != nil {
		return dst, err
	}
	b, err := encMode.Marshal(h)
	if err != nil {
		return dst, fmt.Errorf("encode a hello: %w", err)
	}
	if len(h.Unknown) > 0 {
		if b, err = withUnknown(b, h.Unknown); err != nil {
			return dst, fmt.Errorf("encode a hello: %w", err)
		}
	}
	return append(append(dst, byte(MessageHello)), b...), nil
}

// withUnknown adds keys to an encoded hello.
func withUnknown(b []byte, unknown map[uint64]RawMessage) ([]byte, error) {
	var all map[uint64]RawMessage
	if err := decMode.Unmarshal(b, &all); err != nil {
		return nil, err
	}
	for k, v := range unknown {
		if known(k) {
			return nil, fmt.Errorf("key %d is a known one: %w", k, ErrMalformed)
		}
		all[k] = v
	}
	b, err := encMode.Marshal(all)
	if err != nil {
		return nil, err
	}
	_, err = DecodeHello(b) // what others gave may exceed the limits
	return b, err
}

// DecodeHello reads the body of a hello. Keys that it does not know are kept: devices grow, and a gateway may not be the newest.
func DecodeHello(body []byte) (Hello, error) {
	var raw map[intKey]RawMessage
	if err := decMode.Unmarshal(body, &raw); err != nil {
		return Hello{}, fmt.Errorf("hello: %w: %w", ErrMalformed, err)
	}
	if !isMap(body) {
		return Hello{}, fmt.Errorf("hello: not a map: %w", ErrMalformed)
	}
	var h Hello
	if err := decMode.Unmarshal(body, &h); err != nil {
		return Hello{}, fmt.Errorf("hello: %w: %w", ErrMalformed, err)
	}
	for key, v := range raw {
		if err := h.take(key, v); err != nil {
			return Hello{}, fmt.Errorf("hello: key %d: %w", key, err)
		}
	}
	return h, h.validate()
}

// take checks the type of a key that is known and keeps one that is not.
func (h *Hello) take(key intKey, v RawMessage) error {
	if key < 0 {
		return ErrMalformed
	}
	k := uint64(key)
	if known(k) {
		if v[0]>>5 != helloMajors[k] {
			return fmt.Errorf("of another type than it should be: %w", ErrMalformed)
		}
		return nil
	}
	var discard any
	if err := decMode.Unmarshal(v, &discard); err != nil {
		return fmt.Errorf("%w: %w", ErrMalformed, err) // nobody else will look at what is within
	}
	if h.Unknown == nil {
		h.Unknown = make(map[uint64]RawMessage)
	}
	h.Unknown[k] = v
	return nil
}

func (h *Hello) validate() error {
	for _, s := range []string{h.Version, h.Product, h.Hardware} {
		if len(s) > helloTextMax {
			return fmt.Errorf("hello: text of %d bytes, want up to %d: %w", len(s), helloTextMax, ErrMalformed)
		}
	}
	if len(h.Build) > 32 || len(h.Templates) > helloTemplatesMax || len(h.Links) > helloLinksMax {
		return fmt.Errorf("hello: build of %d bytes, %d templates, %d links: %w", len(h.Build), len(h.Templates), len(h.Links), ErrMalformed)
	}
	for _, s := range h.Links {
		if len(s) > helloTextMax {
			return fmt.Errorf("hello: link of %d bytes: %w", len(s), ErrMalformed)
		}
	}
	return nil
}

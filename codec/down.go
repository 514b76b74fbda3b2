package codec

import (
	"fmt"
	"time"
)

// What a request can ask for.
const (
	RequestKeyframe uint8 = 1 << iota // a status that needs no base
	RequestHello
	RequestPoll // whatever waits at the device, now

	requestKnown = RequestKeyframe | RequestHello | RequestPoll
)

// A Request asks a device to say something now.
type Request struct {
	What uint8 `cbor:"1,keyasint"` // Request… together
}

// A TimeSet tells a device the time.
type TimeSet struct {
	Seconds  uint64 `cbor:"1,keyasint"`           // Unix time when the frame was sealed
	Accuracy uint16 `cbor:"2,keyasint,omitempty"` // seconds by which it may be wrong when it arrives; 0: not known
}

// A Rekey begins an epoch: keys are derived anew with its salt.
type Rekey struct {
	Epoch uint32 `cbor:"1,keyasint"` // above the present one
	Salt  Salt   `cbor:"3,keyasint"`
}

// A Salt is the salt of an epoch.
type Salt [16]byte

// A TemplateSet gives a template to a slot.
type TemplateSet struct {
	Slot uint8        `cbor:"1,keyasint"` // 0 to 6
	Hash TemplateHash `cbor:"3,keyasint"`
}

// A Sleep says that nothing more is coming: the device need not listen any longer.
type Sleep struct {
	Seconds uint32 `cbor:"2,keyasint,omitempty"` // how long nothing will come; 0: until it speaks again
}

var (
	requestKeys  = keyTable{message: MessageRequest, rule: evenMayPass, required: []uint64{1}, values: []majors{1: isUint}}
	timeKeys     = keyTable{message: MessageTime, rule: evenMayPass, required: []uint64{1}, values: []majors{1: isUint, 2: isUint}}
	rekeyKeys    = keyTable{message: MessageRekey, rule: evenMayPass, required: []uint64{1, 3}, values: []majors{1: isUint, 3: isBytes}}
	templateKeys = keyTable{message: MessageTemplate, rule: evenMayPass, required: []uint64{1, 3}, values: []majors{1: isUint, 3: isBytes}}
	sleepKeys    = keyTable{message: MessageSleep, rule: evenMayPass, values: []majors{2: isUint}}
)

// AppendRequest appends the plaintext of a request.
func AppendRequest(dst []byte, r *Request) ([]byte, error) {
	return requestKeys.append(dst, r, nil, func(b []byte) error { _, err := DecodeRequest(b); return err })
}

// DecodeRequest reads the body of a request. One that asks for something that it does not know is refused whole.
func DecodeRequest(body []byte) (Request, error) {
	var r struct {
		What uint64 `cbor:"1,keyasint"`
	}
	if _, err := requestKeys.read(body, &r); err != nil {
		return Request{}, err
	}
	if r.What == 0 {
		return Request{}, fmt.Errorf("request for nothing: %w", ErrMalformed)
	}
	if r.What&^uint64(requestKnown) != 0 {
		return Request{}, fmt.Errorf("request for %#x: %w", r.What, ErrUnsupported)
	}
	return Request{What: uint8(r.What)}, nil
}

// AppendTime appends the plaintext of a time.
func AppendTime(dst []byte, t *TimeSet) ([]byte, error) {
	return timeKeys.append(dst, t, nil, func(b []byte) error { _, err := DecodeTime(b); return err })
}

// DecodeTime reads the body of a time.
func DecodeTime(body []byte) (TimeSet, error) {
	var t TimeSet
	if _, err := timeKeys.read(body, &t); err != nil {
		return TimeSet{}, err
	}
	if err := limit("time", t.Seconds, secondsMax); err != nil {
		return TimeSet{}, err
	}
	return t, nil
}

// Time is the time that it tells.
func (t *TimeSet) Time() time.Time { return time.Unix(int64(t.Seconds), 0).UTC() } //nolint:gosec // limited

// AppendRekey appends the plaintext of a rekey.
func AppendRekey(dst []byte, r *Rekey) ([]byte, error) {
	return rekeyKeys.append(dst, r, nil, func(b []byte) error { _, err := DecodeRekey(b); return err })
}

// DecodeRekey reads the body of a rekey. Epoch 0 is the one without a salt: nothing leads back to it.
func DecodeRekey(body []byte) (Rekey, error) {
	var r Rekey
	if _, err := rekeyKeys.read(body, &r); err != nil {
		return Rekey{}, err
	}
	if r.Epoch == 0 {
		return Rekey{}, fmt.Errorf("rekey: epoch 0: %w", ErrMalformed)
	}
	return r, nil
}

// MarshalCBOR writes a byte string.
func (s Salt) MarshalCBOR() ([]byte, error) { return encMode.Marshal(s[:]) }

// UnmarshalCBOR reads a byte string of 16 bytes.
func (s *Salt) UnmarshalCBOR(b []byte) error {
	var raw []byte
	if err := decMode.Unmarshal(b, &raw); err != nil {
		return err
	}
	if len(raw) != len(s) {
		return fmt.Errorf("salt of %d bytes: %w", len(raw), ErrMalformed)
	}
	copy(s[:], raw)
	return nil
}

// AppendTemplateSet appends the plaintext of a template assignment.
func AppendTemplateSet(dst []byte, t *TemplateSet) ([]byte, error) {
	return templateKeys.append(dst, t, nil, func(b []byte) error { _, err := DecodeTemplateSet(b); return err })
}

// DecodeTemplateSet reads the body of a template assignment.
func DecodeTemplateSet(body []byte) (TemplateSet, error) {
	var t TemplateSet
	if _, err := templateKeys.read(body, &t); err != nil {
		return TemplateSet{}, err
	}
	if err := limit("template slot", uint64(t.Slot), slotReserved-1); err != nil {
		return TemplateSet{}, err
	}
	return t, nil
}

// AppendSleep appends the plaintext of a leave to sleep.
func AppendSleep(dst []byte, s *Sleep) ([]byte, error) {
	return sleepKeys.append(dst, s, nil, func(b []byte) error { _, err := DecodeSleep(b); return err })
}

// DecodeSleep reads the body of a leave to sleep.
func DecodeSleep(body []byte) (Sleep, error) {
	var s Sleep
	if _, err := sleepKeys.read(body, &s); err != nil {
		return Sleep{}, err
	}
	return s, nil
}

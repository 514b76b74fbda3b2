package codec

import (
	"fmt"
	"time"
)

// An Alarm is something that a device wants to be known at once. What its codes mean is agreed for its product.
type Alarm struct {
	Code    uint16                `cbor:"1,keyasint"`           // which alarm
	Seconds uint64                `cbor:"2,keyasint,omitempty"` // Unix time at which it arose; 0: not known
	Text    string                `cbor:"3,keyasint,omitempty"` // for people, up to 64 bytes
	Value   any                   `cbor:"4,keyasint,omitempty"` // int64 or float64: what was measured
	Cleared bool                  `cbor:"5,keyasint,omitempty"` // it is over
	Unknown map[uint64]RawMessage `cbor:"-"`                    // keys of a later version, as they came
}

// secondsMax bounds times on air: some 34,000 years.
const secondsMax = 1<<40 - 1

var alarmKeys = keyTable{
	message: MessageAlarm, rule: keepUnknown, required: []uint64{1},
	values: []majors{1: isUint, 2: isUint, 3: isText, 4: isInt | isFloat, 5: isBool},
}

// Time is when the alarm arose; zero if the device does not know.
func (a *Alarm) Time() time.Time {
	if a.Seconds == 0 {
		return time.Time{}
	}
	return time.Unix(int64(a.Seconds), 0).UTC() //nolint:gosec // limited
}

// AppendAlarm appends the plaintext of an alarm. Keys in Unknown go with it.
func AppendAlarm(dst []byte, a *Alarm) ([]byte, error) {
	return alarmKeys.append(dst, a, a.Unknown, func(b []byte) error { _, err := DecodeAlarm(b); return err })
}

// DecodeAlarm reads the body of an alarm.
func DecodeAlarm(body []byte) (Alarm, error) {
	var a Alarm
	unknown, err := alarmKeys.read(body, &a)
	if err != nil {
		return Alarm{}, err
	}
	if _, ok := a.Value.(bool); ok {
		return Alarm{}, fmt.Errorf("alarm: value is no number: %w", ErrMalformed)
	}
	a.Unknown = unknown
	if err := firstOf(limit("alarm: text of bytes", uint64(len(a.Text)), helloTextMax), limit("alarm: time", a.Seconds, secondsMax)); err != nil {
		return Alarm{}, err
	}
	return a, nil
}

// firstOf is the first error, if there is one.
func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

package codec

import "fmt"

// Minutes of a day, for quiet hours.
const minutesOfDay = 24 * 60

// A Policy says when and how a device is to speak. What it does not name stays as it is; an empty list or map takes away what was set.
type Policy struct {
	Interval  uint32           `cbor:"1,keyasint,omitempty"` // seconds between statuses; on air as its code, if it has one: that is shorter
	Links     texts            `cbor:"2,keyasint,omitzero"`  // bearers, in the order in which to try them: up to 8
	Quiet     uints            `cbor:"4,keyasint,omitzero"`  // from, to, from, to …: minutes of the UTC day in which only alarms are sent; up to 8 spans, each may pass midnight
	Deadbands map[uint8]uint32 `cbor:"6,keyasint,omitzero"`  // by field id: least change, in steps of the field, that is worth sending; up to 60
	Revision  uint32           `cbor:"8,keyasint,omitempty"` // names this policy; devices say its low 8 bits back (Rare.Policy)
}

// policyOnAir is a policy as it is written.
type policyOnAir struct {
	Policy
	Code *uint8 `cbor:"3,keyasint,omitempty"` // of the interval, instead of it
}

var policyKeys = keyTable{
	message: MessagePolicy, rule: evenMayPass,
	values: []majors{1: isUint, 2: isArray, 3: isUint, 4: isArray, 6: isPairs, 8: isUint},
}

// AppendPolicy appends the plaintext of a policy.
func AppendPolicy(dst []byte, p *Policy) ([]byte, error) {
	air := policyOnAir{Policy: *p}
	if code, ok := CodeOfInterval(p.Interval); ok {
		air.Interval, air.Code = 0, &code
	}
	return policyKeys.append(dst, &air, nil, func(b []byte) error { _, err := DecodePolicy(b); return err })
}

// DecodePolicy reads the body of a policy. An odd key that it does not know refuses it: it would mean something else without.
func DecodePolicy(body []byte) (Policy, error) {
	raw := struct {
		Deadbands map[intKey]RawMessage `cbor:"6,keyasint"`
		Seconds   *uint32               `cbor:"1,keyasint"`
	}{}
	var air policyOnAir
	if _, err := policyKeys.read(body, &air); err != nil {
		return Policy{}, err
	}
	if _, err := policyKeys.read(body, &raw); err != nil {
		return Policy{}, err
	}
	p := air.Policy
	if air.Code != nil {
		if *air.Code >= IntervalCodes || raw.Seconds != nil {
			return Policy{}, fmt.Errorf("policy: interval code %d, seconds besides it %t: %w", *air.Code, raw.Seconds != nil, ErrMalformed)
		}
		p.Interval = IntervalOfCode(*air.Code)
	}
	for id, v := range raw.Deadbands {
		if err := isUint.check(v); err != nil {
			return Policy{}, fmt.Errorf("policy: deadband of field %d: %w", id, err)
		}
	}
	if len(p.Quiet)%2 != 0 {
		return Policy{}, fmt.Errorf("policy: quiet hours without an end: %w", ErrMalformed)
	}
	for i := 0; i < len(p.Quiet); i += 2 {
		if from, to := p.Quiet[i], p.Quiet[i+1]; from >= minutesOfDay || to >= minutesOfDay || from == to {
			return Policy{}, fmt.Errorf("policy: quiet from minute %d to %d: %w", from, to, ErrMalformed)
		}
	}
	return p, limit("policy: deadbands", uint64(len(p.Deadbands)), FieldsMax)
}

// IsQuiet reports whether a minute of the UTC day is a quiet one.
func (p *Policy) IsQuiet(minute uint16) bool {
	for i := 0; i+1 < len(p.Quiet); i += 2 {
		from, to := p.Quiet[i], p.Quiet[i+1]
		if from < to && from <= minute && minute < to || from > to && (minute >= from || minute < to) {
			return true
		}
	}
	return false
}

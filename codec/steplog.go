package codec

import (
	"fmt"
	"strconv"
	"time"
)

// An UpdateStep is a stage of an update on a device.
type UpdateStep uint8

// Steps of an update, in the order in which a good one goes through them.
const (
	StepOffered UpdateStep = iota
	StepAccepted
	StepDeclined
	StepDeferred
	StepDownloading
	StepDownloaded
	StepVerified
	StepInstalling
	StepRebooting
	StepConfirmed
	StepRolledBack
	StepFailed
)

var stepNames = [...]string{
	"offered", "accepted", "declined", "deferred", "downloading", "downloaded", "verified", "installing", "rebooting", "confirmed", "rolled_back", "failed",
}

// String names the step as events do; one of a later version is its number.
func (s UpdateStep) String() string {
	if int(s) < len(stepNames) {
		return stepNames[s]
	}
	return strconv.Itoa(int(s))
}

// ParseUpdateStep is String back.
func ParseUpdateStep(name string) (UpdateStep, error) {
	for i, s := range stepNames {
		if s == name {
			return UpdateStep(i), nil
		}
	}
	if n, err := strconv.ParseUint(name, 10, 8); err == nil && n < stepClock {
		return UpdateStep(n), nil
	}
	return 0, fmt.Errorf("update step %q: %w", name, ErrMalformed)
}

// Result codes of a step that need no third byte on air. The others follow the Update Result of LwM2M (object 5), from 128 on a vendor's.
const (
	CodeStarted uint8 = 0 // the step began
	CodeSuccess uint8 = 1 // the step is done
)

// Limits of a step log.
const (
	StepsMax  = 64
	stepClock = 15 // the step number that announces the clock
	shortAge  = 10 // bits of age in an entry of two bytes
	longAge   = 11 // in one of three
)

// A StepEntry is one step that a device went through.
type StepEntry struct {
	Step UpdateStep
	Code uint8
	Age  time.Duration // when the log was made, in whole minutes; coarser beyond some hours
	Over bool          // Age is the greatest that can be said: it was that long ago or longer
}

// A StepLog is what a device did for an update since its last log was acknowledged. It needs no template and no base.
//
//	rollout: CBOR unsigned integer, then for each step
//	0 | step 4 | code 1 | age 10         16 bits, codes 0 and 1
//	1 | step 4 | code 8 | age 11         24 bits, all other codes
//	1 | 1111 | 000 | minutes 16          24 bits, at the end: the device's clock when it made the log, modulo 2^16
//
// Ages tell when a step was without a clock: for a device that has one, and a link that does not say when a frame was sent, the clock
// costs three bytes more.
type StepLog struct {
	Rollout  uint32
	HasClock bool
	Clock    uint16 // minutes since 1970 modulo 2^16
	Steps    []StepEntry
}

// ClockOf is a time as a step log has it.
func ClockOf(t time.Time) uint16 { return uint16(t.Unix() / 60) } //nolint:gosec // cut to 16 bits

// Made is when the log was made: by its clock, completed with the time at which the network says that the frame was sent, or else was
// received; without a clock it is that time itself.
func (l *StepLog) Made(ref time.Time) time.Time {
	if !l.HasClock {
		return ref
	}
	t := Template{unit: Minutes}
	return t.completeTime(uint64(l.Clock), ref)
}

// AppendStepLog appends the plaintext of a step log. Ages are cut to what can be said.
func AppendStepLog(dst []byte, l *StepLog) ([]byte, error) {
	if len(l.Steps) == 0 || len(l.Steps) > StepsMax {
		return dst, fmt.Errorf("step log of %d steps, want 1 to %d: %w", len(l.Steps), StepsMax, ErrMalformed)
	}
	b := appendHead(append(dst, byte(MessageStepLog)), majorUnsigned, uint64(l.Rollout))
	for i := range l.Steps {
		e := &l.Steps[i]
		if e.Step >= stepClock {
			return dst, fmt.Errorf("step log: step %d: %w", e.Step, ErrMalformed)
		}
		if e.Code <= CodeSuccess {
			v := uint16(e.Step)<<11 | uint16(e.Code)<<10 | packAge(e, shortAge)
			b = append(b, byte(v>>8), byte(v))
			continue
		}
		v := 1<<23 | uint32(e.Step)<<19 | uint32(e.Code)<<11 | uint32(packAge(e, longAge))
		b = append(b, byte(v>>16), byte(v>>8), byte(v))
	}
	if l.HasClock {
		b = append(b, 0x80|stepClock<<3, byte(l.Clock>>8), byte(l.Clock))
	}
	return b, nil
}

// DecodeStepLog reads the body of a step log.
func DecodeStepLog(body []byte) (StepLog, error) {
	rollout, b, err := head(body, majorUnsigned)
	if err != nil {
		return StepLog{}, fmt.Errorf("step log: rollout: %w", err)
	}
	if rollout > 1<<32-1 {
		return StepLog{}, fmt.Errorf("step log: rollout %d: %w", rollout, ErrMalformed)
	}
	l := StepLog{Rollout: uint32(rollout)}
	for len(b) > 0 && !l.HasClock {
		if b, err = l.entry(b); err != nil {
			return StepLog{}, fmt.Errorf("step log: step %d: %w", len(l.Steps), err)
		}
	}
	if len(b) > 0 || len(l.Steps) == 0 || len(l.Steps) > StepsMax {
		return StepLog{}, fmt.Errorf("step log: %d steps, %d bytes behind: %w", len(l.Steps), len(b), ErrMalformed)
	}
	return l, nil
}

// entry reads one step, or the clock.
func (l *StepLog) entry(b []byte) ([]byte, error) {
	size := 2 + int(b[0]>>7)
	if len(b) < size {
		return nil, ErrTruncated
	}
	step := b[0] >> 3 & 0xf
	if size == 2 {
		if step == stepClock {
			return nil, fmt.Errorf("clock in two bytes: %w", ErrMalformed)
		}
		l.Steps = append(l.Steps, unpackAge(StepEntry{Step: UpdateStep(step), Code: b[0] >> 2 & 1}, uint16(b[0]&3)<<8|uint16(b[1]), shortAge))
		return b[2:], nil
	}
	low := uint16(b[1])<<8 | uint16(b[2])
	if step == stepClock {
		if b[0]&7 != 0 {
			return nil, fmt.Errorf("reserved bits of the clock: %w", ErrMalformed)
		}
		l.HasClock, l.Clock = true, low
		return b[3:], nil
	}
	e := StepEntry{Step: UpdateStep(step), Code: b[0]&7<<5 | b[1]>>3}
	if e.Code <= CodeSuccess {
		return nil, fmt.Errorf("code %d in three bytes: %w", e.Code, ErrMalformed)
	}
	l.Steps = append(l.Steps, unpackAge(e, low&(1<<longAge-1), longAge))
	return b[3:], nil
}

// Ages are floating point without a sign: three bits of exponent, the others are mantissa. Minutes below 2^(bits-2) are exact.
func ageMinutes(code uint16, bits uint8) uint64 {
	m := bits - 3
	if e := code >> m; e > 0 {
		return (1<<m | uint64(code)&(1<<m-1)) << (e - 1)
	}
	return uint64(code)
}

// packAge gives the code of the greatest age that is not above the entry's.
func packAge(e *StepEntry, bits uint8) uint16 {
	top := uint16(1)<<bits - 1
	minutes := uint64(max(0, e.Age) / time.Minute)
	if e.Over || minutes >= ageMinutes(top, bits) {
		return top
	}
	low, high := uint16(0), top // ages grow with their codes
	for low+1 < high {
		if mid := (low + high) / 2; ageMinutes(mid, bits) <= minutes {
			low = mid
		} else {
			high = mid
		}
	}
	return low
}

func unpackAge(e StepEntry, code uint16, bits uint8) StepEntry {
	e.Age = time.Duration(ageMinutes(code, bits)) * time.Minute //nolint:gosec // at most some weeks
	e.Over = code == 1<<bits-1
	return e
}

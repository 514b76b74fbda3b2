package hub

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/transports"
)

// appendMessage appends what an update's steps or an alarm say, as members of an event's data, and gives the event's kind and time. It
// reports false, with nothing appended, for other types and for what does not decode.
func appendMessage(dst []byte, kind codec.MessageType, body []byte, u *transports.Uplink) (string, time.Time, []byte, bool) {
	switch kind {
	case codec.MessageStepLog:
		l, err := codec.DecodeStepLog(body)
		if err != nil {
			break
		}
		return KindStep, l.Made(reference(u)), appendSteps(dst, &l, u), true
	case codec.MessageAlarm:
		a, err := codec.DecodeAlarm(body)
		if err != nil {
			break
		}
		at := a.Time()
		if at.IsZero() {
			at = reference(u)
		}
		return KindAlarm, at, appendAlarm(dst, &a), true
	default:
	}
	return "", time.Time{}, dst, false
}

// appendSteps appends each step with the time at which it was, as far as its age tells.
func appendSteps(dst []byte, l *codec.StepLog, u *transports.Uplink) []byte {
	made := l.Made(reference(u))
	dst = appendClock(dst, made, l.HasClock)
	dst = appendUintMember(dst, "rollout", uint64(l.Rollout))
	dst = append(appendName(dst, "steps"), '[')
	for i := range l.Steps {
		e := &l.Steps[i]
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendText(append(dst, `{"step":`...), e.Step.String())
		dst = appendUintMember(dst, "code", uint64(e.Code))
		dst = appendTimeMember(dst, "at", made.Add(-e.Age))
		if e.Over {
			dst = append(dst, `,"or_earlier":true`...)
		}
		dst = append(dst, '}')
	}
	return append(dst, ']')
}

func appendAlarm(dst []byte, a *codec.Alarm) []byte {
	level := "alarm"
	if a.Cleared {
		level = "info"
	}
	dst = appendTextMember(dst, "level", level)
	dst = appendTextMember(dst, "code", string(AlarmDevice))
	dst = appendUintMember(dst, "alarm", uint64(a.Code))
	dst = appendTextMember(dst, "message", a.Text)
	switch v := a.Value.(type) {
	case int64:
		dst = strconv.AppendInt(appendName(dst, "value"), v, 10)
	case float64:
		dst = strconv.AppendFloat(appendName(dst, "value"), v, 'g', -1, 64)
	}
	if a.Cleared {
		dst = append(dst, `,"cleared":true`...)
	}
	dst = appendTimeMember(dst, "device_time", a.Time())
	return appendUnknown(dst, a.Unknown)
}

// appendUnknown passes on the keys of a later version as they came.
func appendUnknown(dst []byte, unknown map[uint64]codec.RawMessage) []byte {
	for _, k := range slices.Sorted(maps.Keys(unknown)) {
		dst = appendHexMember(dst, "key_"+strconv.FormatUint(k, 10), unknown[k])
	}
	return dst
}

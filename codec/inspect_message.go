package codec

import (
	"fmt"
	"strconv"
)

// A mapMessage is how an inspection shows a message that is a CBOR map.
type mapMessage struct {
	names map[string]string
	check func(body []byte) error
}

// checked drops what a decoder gives: an inspection wants its verdict.
func checked[T any](decode func([]byte) (T, error)) func([]byte) error {
	return func(b []byte) error { _, err := decode(b); return err }
}

var mapMessages = map[MessageType]mapMessage{
	MessageAlarm: {
		map[string]string{"1": "code", "2": "time", "3": "text", "4": "value", "5": "cleared"}, checked(DecodeAlarm),
	},
	MessagePolicy: {
		map[string]string{"1": "interval, s", "2": "links", "3": "interval, 15 min × 2^(n/4)", "4": "quiet minutes", "6": "deadbands", "8": "revision"}, checked(DecodePolicy),
	},
	MessageOffer: {
		map[string]string{
			"1": "rollout", "2": "version", "3": "manifest", "4": "burst, min", "5": "size", "6": "expires", "7": "hash", "9": "memory", "11": "consent",
			"13": "not before",
		}, checked(DecodeOffer),
	},
	MessageRequest:  {map[string]string{"1": "keyframe 1, hello 2, poll 4"}, checked(DecodeRequest)},
	MessageTime:     {map[string]string{"1": "time", "2": "accuracy, s"}, checked(DecodeTime)},
	MessageRekey:    {map[string]string{"1": "epoch", "3": "salt"}, checked(DecodeRekey)},
	MessageTemplate: {map[string]string{"1": "slot", "3": "template"}, checked(DecodeTemplateSet)},
	MessageSleep:    {map[string]string{"2": "seconds"}, checked(DecodeSleep)},
}

// moreParts shows the body of the messages of §4.2 and on, and gives the verdict of their decoder.
func moreParts(kind MessageType, body []byte, at int) ([]Part, error) {
	if m, ok := mapMessages[kind]; ok {
		return cborParts(body, at, m.names), m.check(body)
	}
	switch kind {
	case MessageStepLog:
		_, err := DecodeStepLog(body)
		return stepParts(body, at), err
	case MessageFragment:
		_, err := DecodeFragment(body)
		return setParts(body, at, []string{"last", "index"}, "data"), err
	case MessageFragmentStatus:
		_, err := DecodeFragmentStatus(body)
		return setParts(body, at, []string{"missing"}, "bitmap"), err
	default:
		return []Part{bytesPart(body, at, "body", "not read by version 1")}, nil
	}
}

// stepParts shows a step log entry by entry, as far as it can be read.
func stepParts(b []byte, at int) []Part {
	rollout, rest, err := head(b, majorUnsigned)
	if err != nil {
		return []Part{brokenPart(b, at, "rollout", err)}
	}
	parts := []Part{bytesPart(b[:len(b)-len(rest)], at, "rollout", strconv.FormatUint(rollout, 10))}
	for i := 0; len(rest) > 0; i++ {
		here := at + len(b) - len(rest)
		var l StepLog
		after, err := l.entry(rest)
		if err != nil {
			return append(parts, brokenPart(rest, here, "step", err))
		}
		p := bytesPart(rest[:len(rest)-len(after)], here, "step", "")
		if l.HasClock {
			p.Name, p.Meaning = "clock", fmt.Sprintf("%d minutes modulo 2^16", l.Clock)
		} else {
			p.Meaning = l.Steps[0].String()
		}
		parts = append(parts, p)
		rest = after
	}
	return parts
}

// String is an entry for people.
func (e *StepEntry) String() string {
	code := "code " + strconv.Itoa(int(e.Code))
	switch e.Code {
	case CodeStarted:
		code = "started"
	case CodeSuccess:
		code = "done"
	}
	more := ""
	if e.Over {
		more = " or more"
	}
	return fmt.Sprintf("%s, %s, %s%s before", e.Step, code, e.Age, more)
}

// setParts shows the name of a set, numbers, and what is behind them.
func setParts(b []byte, at int, numbers []string, rest string) []Part {
	if len(b) == 0 {
		return []Part{brokenPart(b, at, "set", ErrTruncated)}
	}
	parts := []Part{bytesPart(b[:1], at, "set", strconv.Itoa(int(b[0])))}
	left := b[1:]
	for _, name := range numbers {
		here := at + len(b) - len(left)
		n, after, err := head(left, majorUnsigned)
		if err != nil {
			return append(parts, brokenPart(left, here, name, err))
		}
		parts = append(parts, bytesPart(left[:len(left)-len(after)], here, name, strconv.FormatUint(n, 10)))
		left = after
	}
	return append(parts, bytesPart(left, at+len(b)-len(left), rest, strconv.Itoa(len(left))+" bytes"))
}

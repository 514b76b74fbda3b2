package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/gateway/config"
)

// frameMessage is a message that `frame encode` makes instead of a status.
type frameMessage struct {
	Steps     string `help:"Make a step log of a rollout: number, then name/code@age of each step, separated by commas." placeholder:"ROLLOUT:STEP/CODE@AGE" xor:"what"`
	Alarm     string `help:"Make an alarm with this code, and a text." placeholder:"CODE[:TEXT]" xor:"what"`
	Request   string `help:"Make a downlink that asks for keyframe, hello or poll, separated by commas." placeholder:"WHAT" xor:"what"`
	Clock     string `help:"Make a downlink that tells this time, as 2026-01-31T12:00:00Z, or now." placeholder:"TIME" xor:"what"`
	Plaintext string `help:"Make any message: its type and body, in hex." placeholder:"HEX" xor:"what"`
	Down      bool   `help:"Seal as the gateway does for a downlink; --request and --clock imply it."`
	Room      int    `help:"Cut a message into fragments whose plaintext has up to so many bytes; each is a frame with a counter of its own." placeholder:"BYTES"`
	Set       uint8  `name:"fragment-set" help:"Name of the message, in fragments."`
}

// plaintext is the message that was asked for; false if none was.
func (m *frameMessage) plaintext() ([]byte, bool, error) {
	var b []byte
	var err error
	switch {
	case m.Steps != "":
		b, err = stepPlaintext(m.Steps)
	case m.Alarm != "":
		b, err = alarmPlaintext(m.Alarm)
	case m.Request != "":
		m.Down = true
		b, err = requestPlaintext(m.Request)
	case m.Clock != "":
		m.Down = true
		b, err = clockPlaintext(m.Clock)
	case m.Plaintext != "":
		b, err = readHex(m.Plaintext)
	default:
		return nil, false, nil
	}
	if err != nil && !errors.Is(err, errUsage) {
		err = fmt.Errorf("%w: %w", errUsage, err)
	}
	return b, true, err
}

// cut gives the plaintexts of the frames of a message: one, or its fragments.
func (m *frameMessage) cut(message []byte) ([][]byte, error) {
	if m.Room == 0 || len(message) <= m.Room {
		return [][]byte{message}, nil
	}
	s, err := codec.NewSplitter(m.Set, message, m.Room)
	if err != nil {
		return nil, fmt.Errorf("%w: --room: %w", errUsage, err)
	}
	var out [][]byte
	for _, i := range s.Missing(nil, s.Fragments()) {
		p, err := s.AppendPlaintext(nil, i)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

func stepPlaintext(text string) ([]byte, error) {
	rollout, steps, _ := strings.Cut(text, ":")
	n, err := strconv.ParseUint(rollout, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("rollout %q: want a number", rollout)
	}
	l := codec.StepLog{Rollout: uint32(n)}
	for _, s := range strings.Split(steps, ",") {
		e := codec.StepEntry{Code: codec.CodeSuccess}
		s, age, aged := strings.Cut(s, "@")
		name, code, coded := strings.Cut(s, "/")
		if e.Step, err = codec.ParseUpdateStep(name); err != nil {
			return nil, err
		}
		if coded {
			c, err := strconv.ParseUint(code, 10, 8)
			if err != nil {
				return nil, fmt.Errorf("code %q: want 0 to 255", code)
			}
			e.Code = uint8(c)
		}
		if aged {
			if e.Age, err = config.ParseDuration(age); err != nil {
				return nil, err
			}
			if e.Age < 0 {
				return nil, fmt.Errorf("age %q: a step was not after the log was made", age)
			}
		}
		l.Steps = append(l.Steps, e)
	}
	return codec.AppendStepLog(nil, &l)
}

func alarmPlaintext(text string) ([]byte, error) {
	code, words, _ := strings.Cut(text, ":")
	n, err := strconv.ParseUint(code, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("alarm %q: want a code of 0 to 65535", code)
	}
	return codec.AppendAlarm(nil, &codec.Alarm{Code: uint16(n), Text: words})
}

func requestPlaintext(text string) ([]byte, error) {
	var r codec.Request
	for _, name := range strings.Split(text, ",") {
		bit, ok := map[string]uint8{"keyframe": codec.RequestKeyframe, "hello": codec.RequestHello, "poll": codec.RequestPoll}[name]
		if !ok {
			return nil, fmt.Errorf("request %q: want keyframe, hello or poll", name)
		}
		r.What |= bit
	}
	return codec.AppendRequest(nil, &r)
}

func clockPlaintext(text string) ([]byte, error) {
	at := time.Now()
	if text != "now" {
		var err error
		if at, err = time.Parse(time.RFC3339, text); err != nil {
			return nil, fmt.Errorf("--clock %s: want a time as 2026-01-31T12:00:00Z, or now", text)
		}
	}
	if at.Unix() < 0 {
		return nil, fmt.Errorf("--clock %s: it is before 1970, where the seconds that are sent begin", text)
	}
	return codec.AppendTime(nil, &codec.TimeSet{Seconds: uint64(at.Unix())}) //nolint:gosec // not negative
}

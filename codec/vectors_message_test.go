package codec_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/godwit-gateway/godwit/codec"
)

// errOperation is the error for an operation of another file.
var errOperation = errors.New("no such operation")

// message runs the vectors of SPEC §4.2 to §4.5.
func (v *vector) message(t *testing.T, input []byte) error {
	t.Helper()
	switch v.get("operation") {
	case "step-log":
		return v.stepLog(input)
	case "fragment":
		f, err := codec.DecodeFragment(input)
		if err != nil {
			return err
		}
		again, err := codec.AppendFragment(nil, &f)
		return v.compare(fmt.Sprintf("set=%d last=%d index=%d data=%x", f.Set, f.Last, f.Index, f.Data), input, again, err)
	case "fragment-status":
		s, err := codec.DecodeFragmentStatus(input)
		if err != nil {
			return err
		}
		again, err := codec.AppendFragmentStatus(nil, &s)
		return v.compare(describeFragments(&s), input, again, err)
	case "interval":
		return v.intervals(input)
	case "reassembly":
		return v.reassembly(t, input)
	}
	again, err := rewrite(v.get("operation"), input)
	if err != nil {
		return err
	}
	return v.compare(describeFields(t, again[1:]), input, again, nil)
}

func (v *vector) intervals(codes []byte) error {
	var seconds []string
	for _, k := range codes {
		s := codec.IntervalOfCode(k)
		if again, ok := codec.CodeOfInterval(s); !ok || again != k {
			return fmt.Errorf("%d s have code %d", s, again)
		}
		seconds = append(seconds, strconv.FormatUint(uint64(s), 10))
	}
	if got := strings.Join(seconds, " "); got != v.get("seconds") {
		return fmt.Errorf("seconds %s", got)
	}
	return nil
}

// rewrite decodes the body of a message that is a map and writes it again.
func rewrite(operation string, input []byte) ([]byte, error) {
	switch operation {
	case "alarm":
		m, err := codec.DecodeAlarm(input)
		return again(&m, err, codec.AppendAlarm)
	case "policy":
		m, err := codec.DecodePolicy(input)
		return again(&m, err, codec.AppendPolicy)
	case "offer":
		m, err := codec.DecodeOffer(input)
		return again(&m, err, codec.AppendOffer)
	case "request":
		m, err := codec.DecodeRequest(input)
		return again(&m, err, codec.AppendRequest)
	case "time":
		m, err := codec.DecodeTime(input)
		return again(&m, err, codec.AppendTime)
	case "rekey":
		m, err := codec.DecodeRekey(input)
		return again(&m, err, codec.AppendRekey)
	case "template-set":
		m, err := codec.DecodeTemplateSet(input)
		return again(&m, err, codec.AppendTemplateSet)
	case "sleep":
		m, err := codec.DecodeSleep(input)
		return again(&m, err, codec.AppendSleep)
	default:
		return nil, errOperation
	}
}

func again[T any](m *T, err error, write func([]byte, *T) ([]byte, error)) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	return write(nil, m)
}

// compare holds what was read against the vector, and what is written of it against the input: where there are keys that are passed over,
// or the input is not in deterministic encoding, against the header "again".
func (v *vector) compare(fields string, input, written []byte, err error) error {
	if err != nil {
		return err
	}
	want := hex.EncodeToString(input)
	if a := v.get("again"); a != "" {
		want = a
	}
	if fields != v.get("fields") || hex.EncodeToString(written[1:]) != want {
		return fmt.Errorf("fields %s, written again %x", fields, written[1:])
	}
	return nil
}

func (v *vector) stepLog(input []byte) error {
	l, err := codec.DecodeStepLog(input)
	if err != nil {
		return err
	}
	parts := []string{fmt.Sprintf("rollout=%d", l.Rollout)}
	for _, e := range l.Steps {
		over := ""
		if e.Over {
			over = "+"
		}
		parts = append(parts, fmt.Sprintf("%s/%d@%d%s", e.Step, e.Code, e.Age/time.Minute, over))
	}
	if l.HasClock {
		parts = append(parts, fmt.Sprintf("clock=%d", l.Clock))
	}
	again, err := codec.AppendStepLog(nil, &l)
	return v.compare(strings.Join(parts, " "), input, again, err)
}

func describeFragments(s *codec.FragmentStatus) string {
	var have []string
	for i := int(s.Missing) + 1; i <= codec.FragmentsMax; i++ {
		if s.Has(uint16(i)) {
			have = append(have, fmt.Sprint(i))
		}
	}
	return fmt.Sprintf("set=%d missing=%d have=%s", s.Set, s.Missing, strings.Join(have, ","))
}

// describeFields writes a map as key=JSON, in the order of the keys.
func describeFields(t *testing.T, body []byte) string {
	t.Helper()
	var m map[uint64]any
	if err := cbor.Unmarshal(body, &m); err != nil {
		t.Fatal(err)
	}
	return strings.Join(describePairs(t, m, "%d=%s"), " ")
}

func describePairs(t *testing.T, m map[uint64]any, format string) []string {
	t.Helper()
	keys := make([]uint64, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	var parts []string
	for _, k := range keys {
		var text []byte
		var err error
		switch e := m[k].(type) {
		case []byte:
			text = []byte(`"` + hex.EncodeToString(e) + `"`)
		case map[any]any:
			inner := make(map[uint64]any)
			for k, e := range e {
				inner[k.(uint64)] = e
			}
			text = []byte("{" + strings.Join(describePairs(t, inner, `"%d":%s`), ",") + "}")
		default:
			if text, err = json.Marshal(e); err != nil {
				t.Fatal(err)
			}
		}
		parts = append(parts, fmt.Sprintf(format, k, text))
	}
	return parts
}

var outcomeNames = map[codec.FragmentOutcome]string{
	codec.FragmentKept: "kept", codec.FragmentDuplicate: "duplicate", codec.FragmentComplete: "complete", codec.FragmentCorrupt: "corrupt",
}

// reassembly takes fragments, each behind its length of 16 bits; one that is refused ends it.
func (v *vector) reassembly(t *testing.T, input []byte) error {
	t.Helper()
	var r codec.Reassembler
	var outcomes []string
	var messages [][]byte
	var last uint8
	for len(input) > 0 {
		n := 2 + int(binary.BigEndian.Uint16(input))
		f, err := codec.DecodeFragment(input[2:n])
		if err != nil {
			return err
		}
		out := r.Add(testReference(), &f)
		outcomes = append(outcomes, outcomeNames[out.Outcome])
		if out.Outcome == codec.FragmentComplete {
			messages = append(messages, out.Message)
		}
		input, last = input[n:], f.Set
		var restored codec.Reassembler // what was written down says the same
		if err := restored.Load(r.AppendState(nil)); err != nil || !bytes.Equal(restored.AppendState(nil), r.AppendState(nil)) {
			return fmt.Errorf("state: %w", err)
		}
		r = restored
	}
	st := r.Status(last)
	if got := strings.Join(outcomes, " "); got != v.get("outcomes") || describeFragments(&st) != v.get("fields") {
		return fmt.Errorf("outcomes %s, %s", got, describeFragments(&st))
	}
	if got := hex.EncodeToString(bytes.Join(messages, nil)); got != v.get("message") {
		return fmt.Errorf("message %s", got)
	}
	return nil
}

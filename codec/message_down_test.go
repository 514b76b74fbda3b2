package codec_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/godwit-gateway/godwit/codec"
)

// written is the body of what an append function gave.
func written(t interface {
	Helper()
	Fatal(args ...any)
}, want codec.MessageType, b []byte, err error,
) []byte {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	if codec.MessageType(b[0]) != want {
		t.Fatal("type", b[0])
	}
	return b[1:]
}

// F-063, F-065: what a policy says comes back, and an empty list is another thing than none.
func TestPolicyRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		onGrid := rapid.Map(rapid.Uint8Range(0, codec.IntervalCodes-1), codec.IntervalOfCode)
		p := codec.Policy{Interval: rapid.OneOf(rapid.Uint32(), onGrid).Draw(t, "interval"), Revision: rapid.Uint32().Draw(t, "revision")}
		if rapid.Bool().Draw(t, "links") {
			p.Links = rapid.SliceOfN(rapid.StringN(0, -1, 64), 0, 8).Draw(t, "names")
		}
		if rapid.Bool().Draw(t, "quiet") {
			p.Quiet = []uint16{}
			for range rapid.IntRange(0, 8).Draw(t, "spans") {
				from := rapid.Uint16Range(0, 1439).Draw(t, "from")
				p.Quiet = append(p.Quiet, from, (from+rapid.Uint16Range(1, 1439).Draw(t, "long"))%1440)
			}
		}
		if rapid.Bool().Draw(t, "bands") {
			p.Deadbands = rapid.MapOfN(rapid.Uint8(), rapid.Uint32(), 0, 60).Draw(t, "deadbands")
		}
		b, err := codec.AppendPolicy(nil, &p)
		got, err := codec.DecodePolicy(written(t, codec.MessagePolicy, b, err))
		if d := cmp.Diff(p, got); err != nil || d != "" {
			t.Fatal(err, d)
		}
	})
}

// F-079: what has a code is written as that and read as seconds, from whichever of them.
func TestIntervalCodeInPolicy(t *testing.T) {
	for seconds, want := range map[uint32][]byte{900: {0xa1, 3, 0}, 86_400: {0xa1, 1, 0x1a, 0, 1, 0x51, 0x80}, 49_598_089: {0xa1, 3, 0x18, 63}} {
		b, err := codec.AppendPolicy(nil, &codec.Policy{Interval: seconds})
		if err != nil || !bytes.Equal(b[1:], want) {
			t.Errorf("%d s: %x, %v", seconds, b, err)
		}
	}
	for _, body := range [][]byte{{0xa1, 3, 8}, {0xa1, 1, 0x19, 0x0e, 0x10}} {
		if p, err := codec.DecodePolicy(body); err != nil || p.Interval != 3600 {
			t.Errorf("%x: %+v, %v", body, p, err)
		}
	}
}

// F-066.
func TestQuietHours(t *testing.T) {
	p := codec.Policy{Quiet: []uint16{600, 660, 1380, 300}}
	for minute, want := range map[uint16]bool{0: true, 299: true, 300: false, 599: false, 600: true, 659: true, 660: false, 1379: false, 1380: true, 1439: true} {
		if p.IsQuiet(minute) != want {
			t.Errorf("minute %d: %t", minute, !want)
		}
	}
}

// F-068.
func TestOfferRoundTrip(t *testing.T) {
	o := codec.Offer{
		Rollout: 17, Version: "2.4.0", Reference: "https://u.example/m/17", Burst: []uint16{10, 60, 240, 720}, Size: 240_000, Hash: bytes.Repeat([]byte{7}, 32),
		Memory: 480_000, Consent: true, NotBefore: 1_772_366_400, Expires: 1_774_958_400,
	}
	b, err := codec.AppendOffer(nil, &o)
	got, err := codec.DecodeOffer(written(t, codec.MessageOffer, b, err))
	if d := cmp.Diff(o, got); err != nil || d != "" {
		t.Error(err, d)
	}
	if at := time.Unix(1_774_958_400, 0); !got.Valid(at) || got.Valid(at.Add(time.Second)) || !(&codec.Offer{}).Valid(at) {
		t.Error("valid at another time")
	}
}

// F-060 to F-072: what a receiver would refuse is not written, and dst stays.
func TestMessagesRefuseToWrite(t *testing.T) {
	dst := []byte{0xaa}
	hash := bytes.Repeat([]byte{1}, 16)
	alarm := func(a codec.Alarm) func() ([]byte, error) {
		return func() ([]byte, error) { return codec.AppendAlarm(dst, &a) }
	}
	policy := func(p codec.Policy) func() ([]byte, error) {
		return func() ([]byte, error) { return codec.AppendPolicy(dst, &p) }
	}
	offer := func(o codec.Offer) func() ([]byte, error) {
		return func() ([]byte, error) { return codec.AppendOffer(dst, &o) }
	}
	steps := func(l codec.StepLog) func() ([]byte, error) {
		return func() ([]byte, error) { return codec.AppendStepLog(dst, &l) }
	}
	fragment := func(f codec.Fragment) func() ([]byte, error) {
		return func() ([]byte, error) { return codec.AppendFragment(dst, &f) }
	}
	status := func(s codec.FragmentStatus) func() ([]byte, error) {
		return func() ([]byte, error) { return codec.AppendFragmentStatus(dst, &s) }
	}
	for name, write := range map[string]func() ([]byte, error){
		"alarm text":        alarm(codec.Alarm{Text: strings.Repeat("a", 65)}),
		"alarm value":       alarm(codec.Alarm{Value: "high"}),
		"alarm flag":        alarm(codec.Alarm{Value: true}),
		"alarm time":        alarm(codec.Alarm{Seconds: 1 << 40}),
		"alarm known":       alarm(codec.Alarm{Unknown: map[uint64]codec.RawMessage{1: {0}}}),
		"alarm unknown":     alarm(codec.Alarm{Unknown: map[uint64]codec.RawMessage{9: {0x81}}}),
		"policy nine links": policy(codec.Policy{Links: make([]string, 9)}),
		"policy long link":  policy(codec.Policy{Links: []string{strings.Repeat("a", 65)}}),
		"policy odd quiet":  policy(codec.Policy{Quiet: []uint16{1}}),
		"policy quiet":      policy(codec.Policy{Quiet: []uint16{1, 1440}}),
		"policy no quiet":   policy(codec.Policy{Quiet: []uint16{7, 7}}),
		"offer hash":        offer(codec.Offer{Reference: "a", Hash: hash[:15]}),
		"offer long hash":   offer(codec.Offer{Reference: "a", Hash: make([]byte, 33)}),
		"offer reference":   offer(codec.Offer{Hash: hash}),
		"offer long":        offer(codec.Offer{Reference: strings.Repeat("a", 256), Hash: hash}),
		"offer version":     offer(codec.Offer{Reference: "a", Hash: hash, Version: strings.Repeat("a", 65)}),
		"offer burst":       offer(codec.Offer{Reference: "a", Hash: hash, Burst: []uint16{5, 5}}),
		"offer expires":     offer(codec.Offer{Reference: "a", Hash: hash, Expires: 1 << 40}),
		"offer not before":  offer(codec.Offer{Reference: "a", Hash: hash, NotBefore: 1 << 40}),
		"request nothing":   func() ([]byte, error) { return codec.AppendRequest(dst, &codec.Request{}) },
		"request more":      func() ([]byte, error) { return codec.AppendRequest(dst, &codec.Request{What: 8}) },
		"time":              func() ([]byte, error) { return codec.AppendTime(dst, &codec.TimeSet{Seconds: 1 << 40}) },
		"rekey":             func() ([]byte, error) { return codec.AppendRekey(dst, &codec.Rekey{}) },
		"template":          func() ([]byte, error) { return codec.AppendTemplateSet(dst, &codec.TemplateSet{Slot: 7}) },
		"steps none":        steps(codec.StepLog{}),
		"steps many":        steps(codec.StepLog{Steps: make([]codec.StepEntry, 65)}),
		"steps 15":          steps(codec.StepLog{Steps: []codec.StepEntry{{Step: 15}}}),
		"fragment one":      fragment(codec.Fragment{Data: hash}),
		"fragment index":    fragment(codec.Fragment{Last: 1, Index: 2, Data: hash}),
		"fragment many":     fragment(codec.Fragment{Last: 2048, Data: hash}),
		"fragment empty":    fragment(codec.Fragment{Last: 1}),
		"fragment long":     fragment(codec.Fragment{Last: 2, Data: make([]byte, 32770)}),
		"fragment end":      fragment(codec.Fragment{Last: 1, Index: 1, Data: make([]byte, 65537)}),
		"status zero":       status(codec.FragmentStatus{Bitmap: []byte{0}}),
		"status beyond":     status(codec.FragmentStatus{Missing: 2049}),
		"status long":       status(codec.FragmentStatus{Missing: 16, Bitmap: bytes.Repeat([]byte{1}, 256)}),
	} {
		if b, err := write(); !errors.Is(err, codec.ErrMalformed) && !errors.Is(err, codec.ErrUnsupported) && !errors.Is(err, codec.ErrTruncated) || len(b) != 1 {
			t.Errorf("%s: %x, %v", name, b, err)
		}
	}
}

// F-042: an alarm keeps what an older gateway does not know.
func TestAlarmKeepsUnknownKeys(t *testing.T) {
	for _, a := range []codec.Alarm{
		{Code: 3},
		{Code: 65535, Seconds: 1_772_366_400, Text: "bilge", Value: int64(-7), Cleared: true},
		{Value: 12.25, Unknown: map[uint64]codec.RawMessage{0: {0x05}, 99: {0x81, 0xf5}}},
	} {
		b, err := codec.AppendAlarm(nil, &a)
		got, err := codec.DecodeAlarm(written(t, codec.MessageAlarm, b, err))
		if d := cmp.Diff(a, got, cmpopts.EquateEmpty()); err != nil || d != "" {
			t.Error(err, d)
		}
	}
	if (&codec.Alarm{}).Time() != (time.Time{}) || (&codec.Alarm{Seconds: 5}).Time().Unix() != 5 {
		t.Error("time")
	}
}

// The message types that an operator or a session sends come back as they were.
func TestDownlinksRoundTrip(t *testing.T) {
	b, err := codec.AppendRequest(nil, &codec.Request{What: codec.RequestHello | codec.RequestPoll})
	if got, err := codec.DecodeRequest(written(t, codec.MessageRequest, b, err)); err != nil || got.What != 6 || len(b) != 4 {
		t.Errorf("%x %+v, %v", b, got, err)
	}
	at := codec.TimeSet{Seconds: 1_772_366_400, Accuracy: 2}
	b, err = codec.AppendTime(nil, &at)
	if got, err := codec.DecodeTime(written(t, codec.MessageTime, b, err)); err != nil || got != at || got.Time().Unix() != 1_772_366_400 {
		t.Errorf("%x %+v, %v", b, got, err)
	}
	rekey := codec.Rekey{Epoch: 1, Salt: codec.Salt{1, 2, 15: 9}}
	b, err = codec.AppendRekey(nil, &rekey)
	if got, err := codec.DecodeRekey(written(t, codec.MessageRekey, b, err)); err != nil || got != rekey || len(b) != 22 {
		t.Errorf("%x %+v, %v", b, got, err)
	}
	set := codec.TemplateSet{Slot: 6, Hash: codec.TemplateHash{8, 7: 1}}
	b, err = codec.AppendTemplateSet(nil, &set)
	if got, err := codec.DecodeTemplateSet(written(t, codec.MessageTemplate, b, err)); err != nil || got != set {
		t.Errorf("%x %+v, %v", b, got, err)
	}
	b, err = codec.AppendSleep(nil, &codec.Sleep{})
	if got, err := codec.DecodeSleep(written(t, codec.MessageSleep, b, err)); err != nil || got.Seconds != 0 || len(b) != 2 {
		t.Errorf("%x %+v, %v", b, got, err)
	}
}

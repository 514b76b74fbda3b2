package codec_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/codec"
)

// F-001, F-003: a byte string has two bytes of length at most, also behind a connection id. F-006: simple values that nobody uses are refused.
func TestItemsBeyondTheBorder(t *testing.T) {
	long := append([]byte{0x82, 0x07, 0x5a, 0, 1, 0, 0}, make([]byte, 1<<16)...)
	for name, b := range map[string][]byte{
		"an addressed item of 65,536 bytes": long, "a sealed one": long[2:], "simple value 0": {0xa1, 0x02, 0xe0}, "simple value 19": {0xa1, 0x02, 0xf3},
	} {
		if item, _, err := codec.NextItem(b); !errors.Is(err, codec.ErrMalformed) {
			t.Errorf("%s: %s, %v", name, item.Form, err)
		}
	}
}

// F-025: of two values that are as near the larger is taken, and none beyond the last counter.
func TestCompleteCounterAtItsBorders(t *testing.T) {
	const last = codec.CounterMax
	for _, tc := range []struct {
		bits                uint8
		low, highest, wants uint64
	}{
		{8, 0, 127, 256},   // next is 128: 0 and 256 are as near
		{8, 1, 127, 1},     // 127 below, 129 above
		{8, 255, 127, 255}, //
		{8, 128, 511, 640}, // next is 512: 384 and 640
		{8, 129, 511, 385}, //
		{8, 72, 327, 328},  //
		{8, 200, 327, 456}, // next is 328: 200 and 456
		{16, 0, 1<<15 - 1, 1 << 16},
		{8, 0, last, last - 255}, // the next would be beyond
		{8, 255, last, last},     //
		{16, 0, last, last - 65535},
		{8, 0, last - 1, last - 255},
	} {
		if got := codec.CompleteCounter(tc.low, tc.bits, tc.highest, true); got != tc.wants {
			t.Errorf("low %d of %d bits above %d is %d, want %d", tc.low, tc.bits, tc.highest, got, tc.wants)
		}
	}
}

// A stored state is read as it was written, or not at all.
func TestStoredStateIsWhole(t *testing.T) {
	tm := buoy(t)
	s := codec.Status{Time: testReference(), ClockValid: true, Values: make([]codec.Value, len(tm.Fields()))}
	s.Values[0] = codec.Value{Raw: tm.Fields()[0].Offset + 3, State: codec.Measured}
	var state, back codec.State
	state.SetKeyframe(tm, &s)
	b := codec.AppendState(nil, &state)
	if err := codec.ParseState(&back, tm, b); err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string][]byte{
		"of another version": append([]byte{b[0] + 1}, b[1:]...), "with other flags": append([]byte{b[0], 2}, b[2:]...), "with more behind it": append(bytes.Clone(b), 0),
	} {
		if codec.ParseState(&back, tm, bad) == nil {
			t.Errorf("a state %s is taken", name)
		}
	}
	for n := range b {
		if codec.ParseState(&back, tm, b[:n]) == nil {
			t.Errorf("%d bytes of %d are taken", n, len(b))
		}
	}
}

// F-061: what was longer ago than can be said stays so when a log is written again, whatever age it has.
func TestStepLongAgo(t *testing.T) {
	for _, code := range []uint8{codec.CodeSuccess, 5} {
		b, err := codec.AppendStepLog(nil, &codec.StepLog{Rollout: 1, Steps: []codec.StepEntry{{Step: codec.StepFailed, Code: code, Age: time.Minute, Over: true}}})
		if err != nil {
			t.Fatal(err)
		}
		if l, err := codec.DecodeStepLog(b[1:]); err != nil || !l.Steps[0].Over {
			t.Errorf("code %d: %+v, %v", code, l, err)
		}
	}
}

// F-074: a fragment of another size than those that are there begins the set anew; the last one may be shorter, never longer.
func TestFragmentOfAnotherSize(t *testing.T) {
	now := testReference()
	part := func(index uint16, n int) *codec.Fragment {
		return &codec.Fragment{Set: 1, Last: 2, Index: index, Data: bytes.Repeat([]byte{byte(index)}, n)}
	}
	for _, tc := range []struct {
		name          string
		first, second *codec.Fragment
		anew          bool
	}{
		{"a longer last one", part(0, 10), part(2, 11), true},
		{"a last one as long", part(0, 10), part(2, 10), false},
		{"a shorter last one", part(0, 10), part(2, 1), false},
		{"others than the last one before them are shorter", part(2, 11), part(0, 10), true},
		{"others are longer", part(2, 9), part(0, 10), false},
		{"another size", part(0, 10), part(1, 9), true},
	} {
		var r codec.Reassembler
		r.Add(now, tc.first)
		if out := r.Add(now, tc.second); (len(out.Dropped) == 1) != tc.anew || out.Outcome != codec.FragmentKept {
			t.Errorf("%s: %+v", tc.name, out)
		}
		st := r.Status(1)
		if st.Has(tc.first.Index) == tc.anew || !st.Has(tc.second.Index) {
			t.Errorf("%s: status %+v", tc.name, st)
		}
	}
}

// F-072, F-073: a whole that is longer than a message may be is not taken, though its hash is right.
func TestFragmentsOfTooMuch(t *testing.T) {
	for n, want := range map[int]codec.FragmentOutcome{codec.FragmentedMax: codec.FragmentComplete, codec.FragmentedMax + 1: codec.FragmentCorrupt} {
		message := bytes.Repeat([]byte{7}, n)
		check := sha256.Sum256(message)
		whole := slices.Concat(message, check[:4])
		const size = 40_000
		var r codec.Reassembler
		r.Add(testReference(), &codec.Fragment{Set: 1, Last: 1, Index: 0, Data: whole[:size]})
		if out := r.Add(testReference(), &codec.Fragment{Set: 1, Last: 1, Index: 1, Data: whole[size:]}); out.Outcome != want {
			t.Errorf("%d bytes: outcome %d, want %d", n, out.Outcome, want)
		}
	}
}

// F-077: a bitmap says nothing of indices above the highest that there can be.
func TestFragmentStatusAtItsBorder(t *testing.T) {
	for missing, most := range map[uint16]int{0: 256, 1: 255, 7: 255, 8: 255, 9: 254, 2039: 1, 2040: 0, 2047: 0, 2048: 0} {
		for n := range most + 3 {
			st := codec.FragmentStatus{Set: 1, Missing: missing, Bitmap: bytes.Repeat([]byte{1}, n)}
			_, err := codec.AppendFragmentStatus(nil, &st)
			if highest := int(missing) + 1 + 8*(n-1); (err == nil) != (n == 0 || highest <= codec.FragmentsMax-1) {
				t.Errorf("missing %d, bit for %d: %v", missing, highest, err)
			}
		}
	}
}

// F-063, F-065: null and undefined are no values, also where a truth value or a float is wanted.
func TestNullIsNoValue(t *testing.T) {
	for name, decode := range map[string]func(v byte) error{
		"value of an alarm": func(v byte) error { _, err := codec.DecodeAlarm([]byte{0xa2, 0x01, 0x07, 0x04, v}); return err },
		"end of an alarm":   func(v byte) error { _, err := codec.DecodeAlarm([]byte{0xa2, 0x01, 0x07, 0x05, v}); return err },
		"consent to an offer": func(v byte) error {
			b, err := codec.AppendOffer(nil, &codec.Offer{Rollout: 1, Reference: "u", Size: 1, Hash: make([]byte, 16), Consent: true})
			if err != nil {
				return err
			}
			_, err = codec.DecodeOffer(append(b[1:len(b)-1], v)) // key 11 is the last
			return err
		},
	} {
		for _, null := range []byte{0xf6, 0xf7} {
			if err := decode(null); !errors.Is(err, codec.ErrMalformed) {
				t.Errorf("%s: %#x: %v", name, null, err)
			}
		}
	}
	if _, err := codec.DecodeAlarm(binary.BigEndian.AppendUint64([]byte{0xa2, 0x01, 0x07, 0x04, 0xfb}, 0x3ff8_0000_0000_0000)); err != nil {
		t.Errorf("a float is refused: %v", err)
	}
}

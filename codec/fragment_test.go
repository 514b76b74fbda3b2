package codec_test

import (
	"bytes"
	"errors"
	"runtime"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/godwit-gateway/godwit/codec"
)

// F-073, F-076: a message gets through a link that loses, repeats and reorders, whatever its size and that of a frame, with restarts of both
// ends from what they wrote down; only what is missing is repeated.
func TestFragmentsOverALossyLink(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		room := rapid.IntRange(40, 400).Draw(t, "room")
		message := rapid.SliceOfN(rapid.Byte(), room+1, 12_000).Draw(t, "message")
		loss := rapid.Float64Range(0, 0.6).Draw(t, "loss")
		s, err := codec.NewSplitter(rapid.Uint8().Draw(t, "set"), message, room)
		if err != nil {
			t.Fatal(err)
		}
		var r codec.Reassembler
		now := testReference()
		for round := 0; !s.Done(); round++ {
			if round > 200 {
				t.Fatal("no end")
			}
			before := r.Status(s.Set())
			for _, i := range rapid.Permutation(s.Missing(nil, codec.FragmentsMax)).Draw(t, "order") {
				plaintext, err := s.AppendPlaintext(nil, i)
				if err != nil || len(plaintext) > room {
					t.Fatalf("fragment %d of %d bytes, room %d: %v", i, len(plaintext), room, err)
				}
				if round > 0 && before.Has(i) {
					t.Fatalf("fragment %d was there and is sent again", i)
				}
				if rapid.Float64Range(0, 1).Draw(t, "fate") < loss {
					continue
				}
				f, err := codec.DecodeFragment(plaintext[1:])
				if err != nil {
					t.Fatal(err)
				}
				now = now.Add(time.Minute)
				if out := r.Add(now, &f); out.Outcome == codec.FragmentComplete && !bytes.Equal(out.Message, message) {
					t.Fatal("another message")
				}
				if rapid.Bool().Draw(t, "again") {
					if out := r.Add(now, &f); out.Outcome != codec.FragmentDuplicate {
						t.Fatalf("a repeat is %d", out.Outcome)
					}
				}
			}
			s, r = restart(t, s, &r)
			st := r.Status(s.Set())
			b, err := codec.AppendFragmentStatus(nil, &st)
			if st, err = codec.DecodeFragmentStatus(written(t, codec.MessageFragmentStatus, b, err)); err != nil || !s.Take(&st) {
				t.Fatal(err)
			}
		}
		if have, of, size := r.Progress(s.Set()); have != of || of != s.Fragments() || size != 0 {
			t.Fatalf("%d of %d, %d bytes", have, of, size)
		}
	})
}

// restart makes both ends anew from what they wrote down.
func restart(t *rapid.T, s *codec.Splitter, r *codec.Reassembler) (*codec.Splitter, codec.Reassembler) {
	t.Helper()
	state := s.AppendState(nil)
	s2, err := codec.ParseSplitter(state)
	if err != nil || !bytes.Equal(s2.AppendState(nil), state) {
		t.Fatal("splitter", err)
	}
	state = r.AppendState(nil)
	var r2 codec.Reassembler
	if err := r2.Load(state); err != nil || !bytes.Equal(r2.AppendState(nil), state) {
		t.Fatal("reassembler", err)
	}
	return s2, r2
}

// F-075: whatever comes, memory is bounded, and what was not heard of for a day is gone.
func TestReassemblerIsBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var r codec.Reassembler
		now := testReference()
		for range rapid.IntRange(1, 60).Draw(t, "fragments") {
			last := rapid.Uint16Range(1, codec.FragmentsMax-1).Draw(t, "last")
			f := codec.Fragment{
				Set: rapid.Uint8Range(0, 7).Draw(t, "set"), Last: last, Index: rapid.Uint16Range(0, last).Draw(t, "index"),
				Data: make([]byte, rapid.IntRange(1, 65536).Draw(t, "size")),
			}
			b, err := codec.AppendFragment(nil, &f)
			if err != nil {
				continue
			}
			if f, err = codec.DecodeFragment(written(t, codec.MessageFragment, b, err)); err != nil {
				t.Fatal(err)
			}
			now = now.Add(time.Duration(rapid.IntRange(-60, 600).Draw(t, "minutes")) * time.Minute)
			r.Add(now, &f)
			if n := underWay(&r); n > codec.FragmentBytesMax {
				t.Fatalf("%d bytes", n)
			}
			known := 0
			for set := range uint8(8) {
				if have, _, _ := r.Progress(set); have > 0 {
					known++
				}
			}
			if known > codec.FragmentSetsMax {
				t.Fatalf("%d sets", known)
			}
		}
		if r.Expire(now.Add(2 * codec.FragmentTTL)); !r.Empty() {
			t.Fatal("not forgotten")
		}
	})
}

// A fragment of one byte that says that it is one of 2,048 takes no more memory than what is there of it, and Memory knows of all that is taken.
func TestReassemblerTakesLittle(t *testing.T) {
	const many = 200
	for _, tt := range []struct {
		name   string
		pieces int
		most   int
	}{{"one byte", 1, 1 << 10}, {"half", 1024, 192 << 10}, {"complete", 2048, 32 << 10}} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := codec.NewSplitter(1, make([]byte, 2048-4), 9)
			if err != nil || s.Fragments() != 2048 {
				t.Fatal(err)
			}
			var list [many]codec.Reassembler
			before := heap()
			for n := range list {
				for _, i := range s.Missing(nil, tt.pieces) {
					b, err := s.AppendPlaintext(nil, i)
					if err != nil {
						t.Fatal(err)
					}
					f, err := codec.DecodeFragment(b[1:])
					if err != nil {
						t.Fatal(err)
					}
					list[n].Add(testReference(), &f)
				}
			}
			taken, said := int(heap()-before)/many, list[0].Memory()
			if taken > tt.most || taken > said*3/2 {
				t.Errorf("%d bytes are taken, %d are said", taken, said)
			}
			runtime.KeepAlive(&list)
		})
	}
}

func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// F-075: the day counts from the last fragment that was heard.
func TestReassemblerForgets(t *testing.T) {
	s, err := codec.NewSplitter(3, make([]byte, 100), 40)
	if err != nil {
		t.Fatal(err)
	}
	var r codec.Reassembler
	now := testReference()
	add := func(index uint16, after time.Duration) codec.Reassembly {
		t.Helper()
		now = now.Add(after)
		plaintext, err := s.AppendPlaintext(nil, index)
		f, err := codec.DecodeFragment(written(t, codec.MessageFragment, plaintext, err))
		if err != nil {
			t.Fatal(err)
		}
		return r.Add(now, &f)
	}
	add(0, 0)
	if out := add(1, codec.FragmentTTL-1); out.Outcome != codec.FragmentKept || len(out.Dropped) != 0 {
		t.Errorf("%+v", out)
	}
	if out := add(2, codec.FragmentTTL); len(out.Dropped) != 1 || out.Dropped[0] != 3 {
		t.Errorf("%+v", out)
	}
	if have, of, _ := r.Progress(3); have != 1 || of != s.Fragments() {
		t.Errorf("%d of %d", have, of)
	}
}

func TestSplitterRefuses(t *testing.T) {
	for name, c := range map[string]struct{ size, room int }{
		"fits": {100, 100}, "too long": {codec.FragmentedMax + 1, 200}, "no room": {100, 4}, "too many": {codec.FragmentedMax, 30},
	} {
		if _, err := codec.NewSplitter(0, make([]byte, c.size), c.room); !errors.Is(err, codec.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	s, err := codec.NewSplitter(9, make([]byte, codec.FragmentedMax), 100)
	if err != nil || s.Fragments() > codec.FragmentsMax {
		t.Fatal(err)
	}
	if _, err := s.AppendPlaintext(nil, uint16(s.Fragments())); err == nil {
		t.Error("a fragment behind the last")
	}
	if s.Take(&codec.FragmentStatus{Set: 8, Missing: 2048}) || s.Done() {
		t.Error("took the status of another set")
	}
	for i := range s.Fragments() {
		s.Arrived(uint16(i))
		s.Arrived(uint16(i))
	}
	s.Arrived(2047)
	if !s.Done() || len(s.Missing(nil, 5)) != 0 {
		t.Error("not done")
	}
	if s.Take(&codec.FragmentStatus{Set: 9}); s.Done() || len(s.Missing(nil, 5)) != 5 {
		t.Error("the other side lost all, and nothing is missing")
	}
}

// Longest messages pass in fragments of one satellite message.
func TestLongestMessage(t *testing.T) {
	message := bytes.Repeat([]byte{3, 1, 4, 1}, codec.FragmentedMax/4)
	s, err := codec.NewSplitter(1, message, 325)
	if err != nil {
		t.Fatal(err)
	}
	var r codec.Reassembler
	for i := range uint16(s.Fragments()) {
		plaintext, err := s.AppendPlaintext(nil, i)
		f, err := codec.DecodeFragment(written(t, codec.MessageFragment, plaintext, err))
		if err != nil {
			t.Fatal(err)
		}
		out := r.Add(testReference(), &f)
		if whole := int(i) == s.Fragments()-1; whole != (out.Outcome == codec.FragmentComplete) || whole && !bytes.Equal(out.Message, message) {
			t.Fatalf("fragment %d: outcome %d", i, out.Outcome)
		}
	}
}

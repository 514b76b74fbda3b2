package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/godwit-gateway/godwit/gateway/store"
)

// stocked is a store with rows of all kinds.
func stocked(t *testing.T, k *store.KEK) *store.Store {
	t.Helper()
	s := open(t, store.Options{})
	b := s.NewBatch()
	for n := uint32(1); n <= 3; n++ {
		for c := range uint64(5) {
			put(b, store.FrameKey{Number: n, Counter: c}, t0.Add(time.Duration(c)*time.Minute))
		}
		b.PutName(fmt.Sprintf("dev-%d", n), n)
		b.PutAddress("sms", fmt.Sprintf("+49%d", n), n)
		wrapped, err := k.Wrap(n, 1, store.OriginFactory, &[32]byte{byte(n)})
		if err != nil {
			t.Fatal(err)
		}
		b.PutKey(n, 1, wrapped)
		b.PutQuarantine(&store.Quarantine{Number: n, Reason: "reuse"})
		b.PutPart(&store.Part{Seq: 1, Total: 2})
		b.PutDownlink(&store.Downlink{Ref: uint64(n), Number: n})
		b.PutCharge(&store.Charge{Number: n, Ref: 1, Billed: 140})
		b.PutAccount([]byte{byte(n)}, []byte{1})
		b.PutRollout([]byte{byte(n)}, []byte{1})
		b.PutAudit(uint64(n), []byte{1})
	}
	b.DeleteRollouts([]byte{2}, []byte{3})
	for i := range uint16(3) {
		b.PutFragment(&store.Fragment{Number: 1, Set: 2, Last: 5, Index: i})
		b.PutFragment(&store.Fragment{Number: 1, Set: 3, Last: 5, Index: i})
	}
	b.DeleteFragments(1, 2)
	b.DeleteFragments(1, 3)
	b.PutFragment(&store.Fragment{Number: 1, Set: 3, Last: 5, Index: 5})
	b.PutFragment(&store.Fragment{Number: 1, Set: 4, Last: 5, Index: store.FragmentsDone})
	b.PutMeta("hub", nil)
	b.PutAccount([]byte{3}, []byte{1})
	b.DeleteAccount([]byte{2})
	commit(t, s, b)
	if err := s.PutPublisherMeta([]byte("x"), true); err != nil {
		t.Fatal(err)
	}
	if err := s.TrimOutbox(4); err != nil {
		t.Fatal(err)
	}
	return s
}

func testKEK(t *testing.T, fill byte) *store.KEK {
	t.Helper()
	key := make([]byte, 32)
	key[0] = fill
	k, err := store.NewKEK(key)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestCheckOfSoundStore(t *testing.T) {
	k := testKEK(t, 0)
	s := stocked(t, k)
	var kinds []string
	devices := 0
	r, err := s.Check(t.Context(), store.CheckOptions{
		KEK:    k,
		Device: func(uint32, []byte) error { devices++; return nil },
		Report: func(p store.CheckProgress) { kinds = append(kinds, p.Kind) },
	})
	if err != nil || r.Found != 0 {
		t.Fatalf("check: %v, %v", err, r.Problems)
	}
	got := map[string]uint64{}
	for _, c := range r.Counts {
		got[c.Kind] = c.Rows
	}
	want := map[string]uint64{
		"frames": 15, "times": 15, "devices": 3, "names": 3, "addresses": 3, "keys": 3, "parts": 3, "parked": 0, "fragments": 2, "quarantine": 3, "outbox": 11,
		"outbox_meta": 2, "downlinks": 3, "meta": 2, "accounts": 2, "charges": 3, "schedules": 0,
		"rollouts": 2, "audit": 3,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	if r.First != 5 || r.Last != 15 || devices != 3 || len(kinds) != len(want) {
		t.Errorf("outbox %d to %d, %d devices, reports %v", r.First, r.Last, devices, kinds)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Check(ctx, store.CheckOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestCheckFinds(t *testing.T) {
	k := testKEK(t, 0)
	event := func(seq byte) []byte { return []byte{'o', 0, 0, 0, 0, 0, 0, 0, seq} }
	frameKey := store.AppendFrameKey(nil, store.FrameKey{Number: 2, Counter: 3})
	timeKey := store.AppendTimeKey(nil, store.FrameKey{Number: 2, Counter: 3}, uint64(t0.Add(3*time.Minute).UnixMilli()))
	for _, v := range []struct {
		name   string
		key    []byte
		value  []byte // nil: delete
		o      store.CheckOptions
		expect string
	}{
		{"frame without its time", timeKey, nil, store.CheckOptions{}, "time index is missing"},
		{"time without its frame", frameKey, nil, store.CheckOptions{}, "its frame is missing"},
		{"a second time", store.AppendTimeKey(nil, store.FrameKey{Number: 2, Counter: 3}, 5), []byte{}, store.CheckOptions{}, "15 frames, but 16"},
		{"frame of a newer version", frameKey, []byte{9, 9}, store.CheckOptions{}, "version 9"},
		{"frame key", []byte("fxyz"), []byte{1}, store.CheckOptions{}, "frames 78797a"},
		{"missing device", []byte{'d', 0, 0, 0, 2}, nil, store.CheckOptions{}, "device 2 is missing"},
		{"name of nobody", []byte("nx"), []byte{1, 0, 0, 0, 77}, store.CheckOptions{}, "device 77 is missing"},
		{"address key", []byte("a\x05x"), []byte{}, store.CheckOptions{}, "addresses"},
		{"key cut short", []byte{'k', 0, 0, 0, 2, 0, 0, 0, 1}, []byte{1, 2}, store.CheckOptions{}, "wrapped key"},
		{"another KEK", []byte("mx"), []byte{1}, store.CheckOptions{KEK: testKEK(t, 1)}, "another key-encryption key"},
		{"charge", []byte("e\x00\x00"), []byte{1}, store.CheckOptions{}, "charge key"},
		{"device row", []byte("mx"), []byte{1}, store.CheckOptions{Device: func(uint32, []byte) error { return errors.New("no such field") }}, "no such field"},
		{"rollout row", []byte("mx"), []byte{1}, store.CheckOptions{Rollout: func(_, _ []byte) error { return errors.New("no such rollout") }}, "no such rollout"},
		{"authorisation", []byte("mx"), []byte{1}, store.CheckOptions{Audit: func(uint64, []byte) error { return errors.New("broken chain") }}, "broken chain"},
		{"audit key", []byte("hx"), []byte{1}, store.CheckOptions{}, "audit 78"},
		{"hole in the outbox", event(9), nil, store.CheckOptions{}, "follows event 8"},
		{"event at the front", event(5), nil, store.CheckOptions{}, "follows event 4"},
		{"event behind the base", event(2), []byte{1}, store.CheckOptions{}, "outbox"},
		{
			"changed event", event(9), store.AppendEvent(&store.Event{ID: "x", Payload: []byte("forged"), At: t0}),
			store.CheckOptions{},
			"event 9 breaks the chain",
		},
		{"part", []byte("p\x00\x00\x00\x00\x00\x00\x00\x01"), []byte{1}, store.CheckOptions{}, "parts"},
		{"fragment", []byte("g\x00\x00\x00\x01\x02\x00\x06"), []byte{1, 5, 0}, store.CheckOptions{}, "index above the last"},
		{"fragment key", []byte("gxyz"), []byte{1, 5, 0}, store.CheckOptions{}, "fragment key"},
		{"quarantine", []byte("q\x00\x00\x00\x00\x00\x00\x00\x01"), []byte{1, 8}, store.CheckOptions{}, "unknown flags"},
		{"downlink", []byte("l\x00"), []byte{1, 2}, store.CheckOptions{}, "downlink key"},
		{"parked without its frame", append([]byte("b"), make([]byte, 16)...), []byte{2, 0, 0, 0, 0}, store.CheckOptions{}, "counter 0 waits for 0"},
		{"position of a parked frame", append([]byte("b"), make([]byte, 16)...), []byte{2, 0, 1, 1}, store.CheckOptions{}, "parked"},
		{"parked", []byte("bx"), []byte{1, 2}, store.CheckOptions{}, "parked key"},
		{"stranger", []byte("zebra"), []byte{1}, store.CheckOptions{}, "of no known kind"},
		{"stranger between", []byte("ulk"), []byte{1}, store.CheckOptions{}, "of no known kind"},
		{"base", []byte("xbase"), []byte{3}, store.CheckOptions{}, "outbox base"},
	} {
		t.Run(v.name, func(t *testing.T) {
			s := stocked(t, k)
			var err error
			if v.value == nil {
				err = s.RawDelete(v.key)
			} else {
				err = s.RawSet(v.key, v.value)
			}
			if err != nil {
				t.Fatal(err)
			}
			r, err := s.Check(t.Context(), v.o)
			if err != nil {
				t.Fatal(err)
			}
			if r.Found == 0 || !strings.Contains(strings.Join(r.Problems, "\n"), v.expect) {
				t.Errorf("found %d: %q, want one with %q", r.Found, r.Problems, v.expect)
			}
		})
	}
}

// However much is wrong, the report stays of a size that can be read.
func TestCheckIsBounded(t *testing.T) {
	s := open(t, store.Options{})
	for i := range 500 {
		if err := s.RawSet(fmt.Appendf(nil, "z%d", i), nil); err != nil {
			t.Fatal(err)
		}
	}
	r, err := s.Check(t.Context(), store.CheckOptions{})
	if err != nil || r.Found != 500 || len(r.Problems) != 100 {
		t.Errorf("%d found, %d told, %v", r.Found, len(r.Problems), err)
	}
}

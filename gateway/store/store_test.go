package store_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"

	"github.com/godwit-gateway/godwit/gateway/store"
)

func TestCreateAndReopen(t *testing.T) {
	fs := vfs.NewMem()
	s, err := tryOpen(t, store.Options{Dir: "state/db", FS: fs})
	if err != nil {
		t.Fatal(err)
	}
	if !s.Created() || s.ID() == ([16]byte{}) || !s.CreatedAt().Equal(t0) {
		t.Errorf("fresh store: created %v, id %x, at %s", s.Created(), s.ID(), s.CreatedAt())
	}
	id := s.ID()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again := open(t, store.Options{Dir: "state/db", FS: fs})
	if again.Created() || again.ID() != id || !again.CreatedAt().Equal(t0) {
		t.Errorf("opened again: created %v, id %x, want %x, at %s", again.Created(), again.ID(), id, again.CreatedAt())
	}
	if other := open(t, store.Options{}); other.ID() == id {
		t.Error("two stores have the same id")
	}
}

func TestRowsOfAllKinds(t *testing.T) {
	fs := vfs.NewMem()
	o := store.Options{Dir: "db", FS: fs}
	s, err := tryOpen(t, o)
	if err != nil {
		t.Fatal(err)
	}
	b := s.NewBatch()
	for n := range uint32(12) {
		b.PutDevice(n, fmt.Appendf(nil, "row %d", n))
		b.PutName(fmt.Sprintf("dev-%d", n), n)
		b.PutAddress("sms", "+491700000001", n)
	}
	b.PutAddress("sms", "+49170000000", 3) // a prefix of the other
	b.PutAddress("sms", "+49170000000", 4)
	b.DeleteAddress("sms", "+49170000000", 4)
	b.DeleteName("dev-5")
	b.PutKey(1, 1, []byte("wrapped"))
	b.PutMeta("hub", []byte("state"))
	b.PutMeta("gone", []byte("state"))
	b.DeleteMeta("gone")
	down := store.Downlink{Ref: 4, Number: 1, Kind: "ack", Link: "sms0", State: "queued", QueuedAt: t0, Payload: []byte{1, 2}}
	b.PutDownlink(&down)
	b.PutDownlink(&store.Downlink{Ref: 5, Number: 1})
	b.DeleteDownlink(5)
	if b.Len() == 0 || b.Bytes() == 0 {
		t.Errorf("batch has %d changes in %d bytes", b.Len(), b.Bytes())
	}
	commit(t, s, b)
	if b.Len() != 0 {
		t.Errorf("after the commit the batch has %d changes", b.Len())
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, o)
	var devices []uint32
	if err := s.EachDevice(func(n uint32, row []byte) error {
		if want := fmt.Sprintf("row %d", n); string(row) != want {
			t.Errorf("device %d: %q", n, row)
		}
		devices = append(devices, n)
		return nil
	}); err != nil || len(devices) != 12 || devices[11] != 11 {
		t.Errorf("devices: %v, %v", devices, err)
	}
	if row, ok, err := s.DeviceRow(7); string(row) != "row 7" || !ok || err != nil {
		t.Errorf("device 7: %q, %v, %v", row, ok, err)
	}
	if _, ok, err := s.DeviceRow(70); ok || err != nil {
		t.Errorf("device 70: %v, %v", ok, err)
	}
	if n, ok, err := s.NumberByName("dev-6"); n != 6 || !ok || err != nil {
		t.Errorf("name: %d, %v, %v", n, ok, err)
	}
	if _, ok, err := s.NumberByName("dev-5"); ok || err != nil {
		t.Errorf("deleted name: %v, %v", ok, err)
	}
	if ns, err := s.NumbersByAddress("sms", "+491700000001"); err != nil || !cmp.Equal(ns, []uint32{0, 1, 2, 3, 4, 5, 6, 7}) {
		t.Errorf("address: %v, %v", ns, err)
	}
	if ns, err := s.NumbersByAddress("sms", "+49170000000"); err != nil || !cmp.Equal(ns, []uint32{3}) {
		t.Errorf("shorter address: %v, %v", ns, err)
	}
	if k, ok, err := s.Key(1, 1); string(k) != "wrapped" || !ok || err != nil {
		t.Errorf("key: %q, %v, %v", k, ok, err)
	}
	if v, ok, err := s.Meta("hub"); string(v) != "state" || !ok || err != nil {
		t.Errorf("meta: %q, %v, %v", v, ok, err)
	}
	if _, ok, err := s.Meta("gone"); ok || err != nil {
		t.Errorf("deleted meta: %v, %v", ok, err)
	}
	var downs []store.Downlink
	if err := s.EachDownlink(func(d *store.Downlink) error {
		downs = append(downs, *d)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]store.Downlink{down}, downs); diff != "" {
		t.Errorf("downlinks (-want +got):\n%s", diff)
	}
}

func TestFrames(t *testing.T) {
	s := open(t, store.Options{})
	b := s.NewBatch()
	k := store.FrameKey{Number: 7, Epoch: 2, Counter: 1 << 33}
	want := frame(k.Counter, t0)
	want.SentAt, want.Ref, want.Weak = t0.Add(-time.Minute), "msg 1", true
	b.PutFrame(k, want)
	commit(t, s, b)
	got, ok, err := s.Frame(k)
	if err != nil || !ok {
		t.Fatalf("read the frame: %v, %v", ok, err)
	}
	if diff := cmp.Diff(*want, got); diff != "" {
		t.Errorf("frame (-want +got):\n%s", diff)
	}
	if hash, ok, err := s.FrameHash(k); hash != want.Hash || !ok || err != nil {
		t.Errorf("hash: %x, %v, %v", hash, ok, err)
	}
	k.Counter++
	if _, ok, err := s.Frame(k); ok || err != nil {
		t.Errorf("frame that is not there: %v, %v", ok, err)
	}
	if _, ok, err := s.FrameHash(k); ok || err != nil {
		t.Errorf("hash of a frame that is not there: %v, %v", ok, err)
	}
}

func TestHistory(t *testing.T) {
	s := open(t, store.Options{})
	b := s.NewBatch()
	for n := uint32(1); n <= 3; n++ {
		for c := range uint64(10) {
			b.PutFrame(store.FrameKey{Number: n, Counter: c}, frame(c, t0.Add(time.Duration(c)*time.Minute)))
		}
	}
	b.PutFrame(store.FrameKey{Number: 1<<32 - 1, Counter: 1}, frame(1, t0)) // the end of the key space
	commit(t, s, b)
	counters := func(number uint32, q store.HistoryQuery) (cs []uint64, next string) {
		t.Helper()
		fs, next, err := s.History(number, q)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range fs {
			if f.Key.Number != number || string(f.Frame.Raw) != fmt.Sprintf("raw %d", f.Key.Counter) {
				t.Errorf("frame of %d, %q", f.Key.Number, f.Frame.Raw)
			}
			cs = append(cs, f.Key.Counter)
		}
		return cs, next
	}
	var all []uint64
	q := store.HistoryQuery{Limit: 4}
	for pages := 0; ; pages++ {
		cs, next := counters(2, q)
		all = append(all, cs...)
		if q.Cursor = next; next == "" {
			if pages != 2 {
				t.Errorf("%d full pages, want 2", pages)
			}
			break
		}
	}
	if !cmp.Equal(all, []uint64{9, 8, 7, 6, 5, 4, 3, 2, 1, 0}) {
		t.Errorf("all pages: %v", all)
	}
	if cs, next := counters(2, store.HistoryQuery{Limit: 5, From: t0.Add(3 * time.Minute), To: t0.Add(6 * time.Minute)}); !cmp.Equal(cs, []uint64{5, 4, 3}) || next != "" {
		t.Errorf("between: %v, %q", cs, next)
	}
	if cs, next := counters(2, store.HistoryQuery{Limit: 10}); len(cs) != 10 || next != "" {
		t.Errorf("exactly a page: %v, %q", cs, next)
	}
	if cs, _ := counters(1<<32-1, store.HistoryQuery{Limit: 10}); len(cs) != 1 {
		t.Errorf("highest number: %v", cs)
	}
	for _, cursor := range []string{"x", "1.2", "1.2.3.4", "-1.2.3", "1.4294967296.3"} {
		if _, _, err := s.History(2, store.HistoryQuery{Limit: 1, Cursor: cursor}); !errors.Is(err, store.ErrCursor) {
			t.Errorf("cursor %q: %v, want ErrCursor", cursor, err)
		}
	}
}

func TestFrameNear(t *testing.T) {
	s := open(t, store.Options{})
	b := s.NewBatch()
	at := func(h int) time.Time { return t0.Add(time.Duration(h) * time.Hour) }
	for c := range uint64(10) {
		b.PutFrame(store.FrameKey{Number: 2, Counter: c}, frame(c, at(int(c)*2)))
	}
	late := frame(1, at(9))
	late.SentAt = at(2)
	b.PutFrame(store.FrameKey{Number: 2, Counter: 100}, late) // held back for seven hours
	b.PutFrame(store.FrameKey{Number: 2, Counter: 101}, &store.Frame{Adopted: true, ReceivedAt: at(11)})
	b.PutFrame(store.FrameKey{Number: 1, Counter: 50}, frame(50, at(3)))
	b.PutFrame(store.FrameKey{Number: 3, Counter: 60}, frame(60, at(3)))
	commit(t, s, b)
	for _, v := range []struct {
		at   time.Time
		want uint64
	}{
		{at(-50), 0},
		{at(6), 3},
		{at(6).Add(10 * time.Minute), 3},
		{at(7).Add(10 * time.Minute), 4},
		{at(9), 5}, // not the late frame; both neighbours are an hour away
		{at(11).Add(time.Minute), 6},
		{at(500), 9},
	} {
		k, ok, err := s.FrameNear(2, v.at)
		if err != nil || !ok || k.Number != 2 || k.Counter != v.want {
			t.Errorf("near %s: counter %d, %v, %v, want %d", v.at, k.Counter, ok, err, v.want)
		}
	}
	if _, ok, err := s.FrameNear(4, t0); ok || err != nil {
		t.Errorf("device without frames: %v, %v", ok, err)
	}
}

func TestBatchReset(t *testing.T) {
	s := open(t, store.Options{})
	b := s.NewBatch()
	put(b, store.FrameKey{Number: 1, Counter: 1}, t0)
	b.PutQuarantine(&store.Quarantine{Reason: "x"})
	b.Reset()
	if got := b.NextEvent(); got != 1 {
		t.Errorf("next event %d, want 1", got)
	}
	commit(t, s, b) // empty
	put(b, store.FrameKey{Number: 1, Counter: 2}, t0)
	commit(t, s, b)
	if _, ok, _ := s.Frame(store.FrameKey{Number: 1, Counter: 1}); ok {
		t.Error("a dropped frame was stored")
	}
	if rows, _ := s.QuarantineCount(); rows != 0 {
		t.Errorf("%d quarantine rows, want 0", rows)
	}
	checked(t, s)
}

func TestStaleBatch(t *testing.T) {
	s := open(t, store.Options{})
	one, two := s.NewBatch(), s.NewBatch()
	put(one, store.FrameKey{Number: 1, Counter: 1}, t0)
	put(two, store.FrameKey{Number: 1, Counter: 2}, t0)
	commit(t, s, one)
	if err := s.Commit(two); !errors.Is(err, store.ErrStale) {
		t.Errorf("second batch with the same event numbers: %v, want ErrStale", err)
	}
	checked(t, s)
}

func TestParts(t *testing.T) {
	fs := vfs.NewMem()
	o := store.Options{Dir: "db", FS: fs}
	s, err := tryOpen(t, o)
	if err != nil {
		t.Fatal(err)
	}
	b := s.NewBatch()
	part := func(seq uint8) *store.Part {
		return &store.Part{Link: "sms0", Bearer: "sms", From: "+49170", ReceivedAt: t0, Ref: 513, RefBits: 16, Total: 3, Seq: seq, Payload: []byte{seq}}
	}
	first, second, third := b.PutPart(part(1)), b.PutPart(part(2)), b.PutPart(part(3))
	commit(t, s, b)
	done := part(2)
	done.Done = true
	b.ReplacePart(second, done)
	b.DeletePart(third)
	commit(t, s, b)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, o)
	got := map[uint64]store.Part{}
	if err := s.EachPart(func(seq uint64, p *store.Part) error {
		got[seq] = *p
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[uint64]store.Part{first: *part(1), second: *done}, got); diff != "" {
		t.Errorf("parts (-want +got):\n%s", diff)
	}
	if next := s.NewBatch().PutPart(part(1)); next <= third {
		t.Errorf("number %d was given before", next)
	}
	checked(t, s)
}

package store_test

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
	"github.com/google/go-cmp/cmp"

	"github.com/godwit-gateway/godwit/gateway/store"
)

func outbox(t testing.TB, s *store.Store, from uint64) []store.Event {
	t.Helper()
	events, err := s.Outbox(nil, from, 1<<20, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	return events
}

// Places are those of the events that Outbox gives, whatever bounds it.
func TestOutboxPlaces(t *testing.T) {
	s := open(t, store.Options{})
	b := s.NewBatch()
	for i := range 5 {
		b.AddEvent(fmt.Appendf(nil, "id %d", i), []byte("subject"), []byte("frame"), []byte("payload"))
	}
	if err := s.Commit(b); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ from, rows, bytes, want int }{{1, 10, 1 << 20, 5}, {3, 10, 1 << 20, 3}, {1, 2, 1 << 20, 2}, {1, 10, 20, 2}, {6, 10, 1 << 20, 0}} {
		events, err := s.Outbox(nil, uint64(c.from), c.rows, c.bytes)
		if err != nil {
			t.Fatal(err)
		}
		places, err := s.OutboxPlaces(nil, uint64(c.from), c.rows, c.bytes)
		if err != nil || len(places) != c.want || len(events) != c.want {
			t.Fatalf("%+v: %d places of %d events: %v", c, len(places), len(events), err)
		}
		for i, e := range events {
			if want := (store.Place{Seq: e.Seq, Chain: e.Chain, At: e.At}); places[i] != want {
				t.Errorf("%+v: %+v, want %+v", c, places[i], want)
			}
		}
	}
}

// The chain, written out once more.
func TestChain(t *testing.T) {
	long := strings.Repeat("x", 70_000)
	prev := store.Chain{}
	for _, v := range []struct{ id, subject, payload string }{
		{"dev-1.0.1.0", "godwit.v1.gw1.event.a.b.dev-1.status", "{}"}, {"", "", ""}, {"a", "bc", "d"}, {"ab", "c", "d"}, {long, long, long},
	} {
		h := sha256.New()
		h.Write(prev[:])
		for _, s := range []string{v.id, v.subject} {
			s = s[:min(len(s), 65_535)]
			h.Write(binary.BigEndian.AppendUint16(nil, uint16(len(s))))
			h.Write([]byte(s))
		}
		h.Write([]byte(v.payload))
		want := store.Chain(h.Sum(nil)[:16])
		got := store.NextChain(prev, []byte(v.id), []byte(v.subject), []byte(v.payload))
		if got != want {
			t.Errorf("%.10q %.10q %.10q: %x, want %x", v.id, v.subject, v.payload, got, want)
		}
		prev = got
	}
	// openssl: printf '\0%.0s' {1..16} > z; printf '\0\1a\0\1bc' | cat z - | sha256sum
	want := sha256.Sum256([]byte("\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01a\x00\x01bc"))
	if got := store.NextChain(store.Chain{}, []byte("a"), []byte("b"), []byte("c")); got != store.Chain(want[:16]) {
		t.Errorf("a b c: %x, want %x", got, want[:16])
	}
}

func TestOutbox(t *testing.T) {
	fs := vfs.NewMem()
	o := store.Options{Dir: "db", FS: fs}
	s, err := tryOpen(t, o)
	if err != nil {
		t.Fatal(err)
	}
	if first, last := s.OutboxBounds(); first != 1 || last != 0 {
		t.Errorf("empty: %d to %d", first, last)
	}
	b := s.NewBatch()
	chain := store.Chain{}
	var want []store.Event
	for i := range 10 {
		id, subject, payload := fmt.Sprintf("id %d", i), "subject", fmt.Sprintf("payload %d", i)
		if next := b.NextEvent(); next != uint64(i+1) {
			t.Errorf("next event %d, want %d", next, i+1)
		}
		if seq := b.AddEvent([]byte(id), []byte(subject), []byte("7.0.1.ab"), []byte(payload)); seq != uint64(i+1) {
			t.Errorf("event %d, want %d", seq, i+1)
		}
		chain = store.NextChain(chain, []byte(id), []byte(subject), []byte(payload))
		want = append(want, store.Event{
			Seq: uint64(i + 1), ID: id, Subject: subject, Frame: "7.0.1.ab", Payload: []byte(payload), Chain: chain, At: t0,
		})
		if i%3 == 2 {
			commit(t, s, b)
			select {
			case <-s.EventsChanged():
			default:
				t.Error("a commit woke nobody")
			}
		}
	}
	commit(t, s, b)
	if s.DurableEvents() != 10 {
		t.Errorf("durable: %d", s.DurableEvents())
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, o)
	if diff := cmp.Diff(want, outbox(t, s, 1)); diff != "" {
		t.Errorf("outbox (-want +got):\n%s", diff)
	}
	for _, v := range []struct {
		from           uint64
		rows, bytes, n int
	}{{1, 3, 1000, 3}, {4, 100, 1, 1}, {4, 100, 0, 1}, {4, 100, 50, 3}, {10, 5, 1000, 1}, {11, 5, 1000, 0}, {1, 0, 1000, 0}} {
		got, err := s.Outbox(nil, v.from, v.rows, v.bytes)
		if err != nil || len(got) != v.n {
			t.Errorf("from %d, %d rows, %d bytes: %d, %v, want %d", v.from, v.rows, v.bytes, len(got), err, v.n)
		}
	}
	for seq := uint64(1); seq <= 10; seq++ {
		if c, ok, err := s.OutboxChain(seq); c != want[seq-1].Chain || !ok || err != nil {
			t.Errorf("chain of %d: %x, %v, %v", seq, c, ok, err)
		}
	}
	if _, ok, err := s.OutboxChain(11); ok || err != nil {
		t.Errorf("chain of 11: %v, %v", ok, err)
	}
}

func fill(t testing.TB, s *store.Store, n int) {
	t.Helper()
	b := s.NewBatch()
	for range n {
		k := store.FrameKey{Number: 1, Counter: b.NextEvent()}
		put(b, k, t0)
	}
	commit(t, s, b)
}

func TestTrim(t *testing.T) {
	fs := vfs.NewMem()
	o := store.Options{Dir: "db", FS: fs}
	s, err := tryOpen(t, o)
	if err != nil {
		t.Fatal(err)
	}
	fill(t, s, 10)
	chains := map[uint64]store.Chain{}
	for _, e := range outbox(t, s, 1) {
		chains[e.Seq] = e.Chain
	}
	if err := s.TrimOutbox(11); !errors.Is(err, store.ErrOutbox) {
		t.Errorf("trim what is not durable: %v, want ErrOutbox", err)
	}
	for _, upTo := range []uint64{4, 2, 4} { // the second and third do nothing
		if err := s.TrimOutbox(upTo); err != nil {
			t.Fatal(err)
		}
		if first, last := s.OutboxBounds(); first != 5 || last != 10 {
			t.Errorf("after trimming to %d: %d to %d", upTo, first, last)
		}
	}
	if _, err := s.Outbox(nil, 4, 1, 1); !errors.Is(err, store.ErrOutbox) {
		t.Errorf("read a trimmed event: %v, want ErrOutbox", err)
	}
	if got := outbox(t, s, 5); len(got) != 6 || got[0].Seq != 5 {
		t.Errorf("%d events are left", len(got))
	}
	if c, ok, err := s.OutboxChain(4); c != chains[4] || !ok || err != nil {
		t.Errorf("chain before the first: %x, %v, %v", c, ok, err)
	}
	if _, ok, err := s.OutboxChain(3); ok || err != nil {
		t.Errorf("chain of a trimmed event: %v, %v", ok, err)
	}
	if err := s.TrimOutbox(10); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, o) // empty, and yet it goes on where it was
	if first, last := s.OutboxBounds(); first != 11 || last != 10 {
		t.Errorf("emptied and opened: %d to %d", first, last)
	}
	fill(t, s, 3)
	if got := outbox(t, s, 11); len(got) != 3 {
		t.Errorf("%d events", len(got))
	}
	if r := checked(t, s); r.First != 11 || r.Last != 13 {
		t.Errorf("check saw %d to %d", r.First, r.Last)
	}
}

func TestAdopt(t *testing.T) {
	fs := vfs.NewCrashableMem()
	o := store.Options{Dir: "db", FS: fs}
	s, err := tryOpen(t, o)
	if err != nil {
		t.Fatal(err)
	}
	fill(t, s, 5)
	<-s.EventsChanged()
	if err := s.AdoptOutbox(4, store.Chain{}); !errors.Is(err, store.ErrOutbox) {
		t.Errorf("adopt what is behind: %v, want ErrOutbox", err)
	}
	tail := store.Chain{1, 2, 3}
	if err := s.AdoptOutbox(1000, tail); err != nil {
		t.Fatal(err)
	}
	<-s.EventsChanged()
	crashed := fs.CrashClone(vfs.CrashCloneCfg{})
	_ = s.Close()
	o.FS = crashed
	s = open(t, o) // it was synced
	if first, last := s.OutboxBounds(); first != 1001 || last != 1000 {
		t.Errorf("adopted: %d to %d", first, last)
	}
	if c, ok, err := s.OutboxChain(1000); c != tail || !ok || err != nil {
		t.Errorf("adopted chain: %x, %v, %v", c, ok, err)
	}
	fill(t, s, 1)
	e := outbox(t, s, 1001)[0]
	if want := store.NextChain(tail, []byte(e.ID), []byte(e.Subject), e.Payload); e.Chain != want {
		t.Errorf("chain goes on with %x, want %x", e.Chain, want)
	}
	checked(t, s)
}

func TestPublisherMeta(t *testing.T) {
	s := open(t, store.Options{})
	if v, err := s.PublisherMeta(); v != nil || err != nil {
		t.Errorf("at first: %q, %v", v, err)
	}
	for i, sync := range []bool{true, false} {
		want := fmt.Sprintf("state %d", i)
		if err := s.PutPublisherMeta([]byte(want), sync); err != nil {
			t.Fatal(err)
		}
		if v, err := s.PublisherMeta(); string(v) != want || err != nil {
			t.Errorf("read %q, %v, want %q", v, err, want)
		}
	}
}

// While the log is being synced, Pebble shows the rows to readers; the outbox does not show the events.
func TestOutboxShowsOnlyWhatIsSynced(t *testing.T) {
	gate := newGate()
	s := open(t, store.Options{Dir: "db", FS: errorfs.Wrap(vfs.NewMem(), gate)})
	fill(t, s, 1)
	gate.shut()
	done := make(chan error)
	go func() {
		b := s.NewBatch()
		put(b, store.FrameKey{Number: 1, Counter: 2}, t0)
		done <- s.Commit(b)
	}()
	gate.awaitBlocked(t)
	if _, ok, err := s.Frame(store.FrameKey{Number: 1, Counter: 2}); !ok || err != nil {
		t.Logf("the frame cannot be seen yet: %v", err) // allowed too
	}
	if _, last := s.OutboxBounds(); last != 1 || s.DurableEvents() != 1 {
		t.Errorf("durable moved to %d before the sync returned", last)
	}
	if got := outbox(t, s, 1); len(got) != 1 {
		t.Errorf("%d events before the sync returned, want 1", len(got))
	}
	if _, ok, err := s.OutboxChain(2); ok || err != nil {
		t.Errorf("chain of an event that is not synced: %v, %v", ok, err)
	}
	if err := s.TrimOutbox(2); !errors.Is(err, store.ErrOutbox) {
		t.Errorf("trim an event that is not synced: %v, want ErrOutbox", err)
	}
	gate.open()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got := outbox(t, s, 1); len(got) != 2 {
		t.Errorf("%d events after the sync, want 2", len(got))
	}
}

package store_test

import (
	"slices"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/godwit-gateway/godwit/gateway/store"
)

func seqs(rows []store.Quarantine) []uint64 {
	var out []uint64
	for _, q := range rows {
		out = append(out, q.Seq)
	}
	return out
}

func TestQuarantine(t *testing.T) {
	fs := vfs.NewMem()
	o := store.Options{Dir: "db", FS: fs}
	s, err := tryOpen(t, o)
	if err != nil {
		t.Fatal(err)
	}
	b := s.NewBatch()
	var all []uint64
	for i := range 10 {
		reason := []string{"pending", "reuse"}[i%2]
		all = append(all, b.PutQuarantine(&store.Quarantine{Number: uint32(i % 3), Reason: reason, Verified: true, ReceivedAt: t0, Payload: []byte{byte(i)}}))
	}
	commit(t, s, b)
	b.DeleteQuarantine(all[9])
	b.DeleteQuarantine(all[9]) // twice
	b.DeleteQuarantine(1000)   // never was
	commit(t, s, b)
	if rows, _ := s.QuarantineCount(); rows != 9 {
		t.Errorf("%d rows, want 9", rows)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, o)
	page, err := s.QuarantineBefore(0, 4)
	if err != nil || !cmp.Equal(seqs(page), []uint64{9, 8, 7, 6}) {
		t.Errorf("first page: %v, %v", seqs(page), err)
	}
	if page[0].Payload[0] != 8 || !page[0].ReceivedAt.Equal(t0) {
		t.Errorf("row: %+v", page[0])
	}
	page, err = s.QuarantineBefore(6, 100)
	if err != nil || !cmp.Equal(seqs(page), []uint64{5, 4, 3, 2, 1}) {
		t.Errorf("last page: %v, %v", seqs(page), err)
	}
	of, err := s.QuarantineOf(0, "pending", 0, 10)
	if err != nil || !cmp.Equal(seqs(of), []uint64{1, 7}) {
		t.Errorf("of device 0: %v, %v", seqs(of), err)
	}
	if of, err = s.QuarantineOf(0, "pending", 1, 10); err != nil || !cmp.Equal(seqs(of), []uint64{7}) {
		t.Errorf("of device 0, after the first: %v, %v", seqs(of), err)
	}
	if of, err = s.QuarantineOf(0, "pending", 0, 1); err != nil || !cmp.Equal(seqs(of), []uint64{1}) {
		t.Errorf("of device 0, one: %v, %v", seqs(of), err)
	}
	if seq := s.NewBatch().PutQuarantine(&store.Quarantine{}); seq != 11 {
		t.Errorf("number %d, want 11: the deleted row's must not come again", seq)
	}
}

// The bound holds, verified rows outlive unverified ones, and the oldest go first, whatever comes in whatever batches.
func TestQuarantineBound(t *testing.T) {
	const bound = 10
	rapid.Check(t, func(t *rapid.T) {
		s, err := store.Open(store.Options{Dir: "db", FS: vfs.NewMem(), Now: func() time.Time { return t0 }, QuarantineMax: bound})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = s.Close() }()
		type row struct {
			seq      uint64
			verified bool
		}
		var model []row
		evicted := uint64(0)
		b := s.NewBatch()
		for range rapid.IntRange(1, 60).Draw(t, "rows") {
			verified := rapid.Bool().Draw(t, "verified")
			seq := b.PutQuarantine(&store.Quarantine{Verified: verified, Number: 1})
			kept := true
			if len(model) == bound {
				evicted++
				i := slices.IndexFunc(model, func(r row) bool { return !r.verified })
				switch {
				case i >= 0:
					model = slices.Delete(model, i, i+1)
				case verified:
					model = model[1:]
				default:
					kept = false
				}
			}
			if kept != (seq != 0) {
				t.Fatalf("number %d, want kept: %v", seq, kept)
			}
			if kept {
				model = append(model, row{seq, verified})
			}
			if rapid.IntRange(0, 3).Draw(t, "commit") == 0 {
				if err := s.Commit(b); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := s.Commit(b); err != nil {
			t.Fatal(err)
		}
		rows, err := s.QuarantineBefore(0, 1000)
		if err != nil {
			t.Fatal(err)
		}
		var want []uint64
		for _, r := range model {
			want = append([]uint64{r.seq}, want...)
		}
		if diff := cmp.Diff(want, seqs(rows)); diff != "" {
			t.Fatalf("rows (-want +got):\n%s", diff)
		}
		if n, e := s.QuarantineCount(); n != len(model) || e != evicted {
			t.Fatalf("%d rows, %d evicted, want %d, %d", n, e, len(model), evicted)
		}
	})
}

package store_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/godwit-gateway/godwit/gateway/store"
)

// model is a store in maps: what one should be, without a disk.
type model struct {
	now        time.Time
	frames     map[store.FrameKey]store.Frame
	devices    map[uint32]string
	names      map[string]uint32
	downlinks  map[uint64]store.Downlink
	parts      map[uint64]store.Part
	quarantine []store.Quarantine
	lastPart   uint64
	lastQ      uint64
	events     []store.Event // all that ever were
	base       uint64
}

// op is one change, applied to the model when it is made and to a batch of each variant later.
type op func(m *model, b *store.Batch)

// ops draws a change.
func ops() *rapid.Generator[op] {
	number := rapid.Uint32Range(1, 4)
	at := rapid.Int64Range(0, 1000)
	return rapid.OneOf(
		rapid.Custom(func(t *rapid.T) op {
			k := store.FrameKey{Number: number.Draw(t, "number"), Counter: rapid.Uint64Range(0, 500).Draw(t, "counter")}
			f := frame(k.Counter, t0.Add(time.Duration(at.Draw(t, "at"))*time.Minute))
			f.Raw = bytes.Repeat([]byte{byte(k.Counter)}, 400)
			return func(m *model, b *store.Batch) {
				if _, ok := m.frames[k]; ok {
					return // rows are never overwritten
				}
				m.frames[k] = *f
				b.PutFrame(k, f)
			}
		}),
		rapid.Custom(func(t *rapid.T) op {
			n, v := number.Draw(t, "number"), rapid.String().Draw(t, "row")
			return func(m *model, b *store.Batch) {
				m.devices[n], m.names[fmt.Sprintf("dev-%d", n)] = v, n
				b.PutDevice(n, []byte(v))
				b.PutName(fmt.Sprintf("dev-%d", n), n)
			}
		}),
		rapid.Custom(func(t *rapid.T) op {
			id, payload := rapid.StringN(1, 10, 20).Draw(t, "id"), bytes.Repeat([]byte{'p'}, rapid.IntRange(0, 700).Draw(t, "size"))
			return func(m *model, b *store.Batch) {
				chain := store.Chain{}
				if n := len(m.events); n > 0 {
					chain = m.events[n-1].Chain
				}
				m.events = append(m.events, store.Event{
					Seq: uint64(len(m.events) + 1), ID: id, Subject: "s", Payload: payload, At: m.now,
					Chain: store.NextChain(chain, []byte(id), []byte("s"), payload),
				})
				b.AddEvent([]byte(id), []byte("s"), nil, payload)
			}
		}),
		rapid.Custom(func(t *rapid.T) op {
			q := quarantines().Draw(t, "row")
			return func(m *model, b *store.Batch) {
				m.lastQ++
				q.Seq = m.lastQ
				m.quarantine = append(m.quarantine, q)
				if seq := b.PutQuarantine(&q); seq != q.Seq {
					panic(fmt.Sprintf("quarantine row %d, want %d", seq, q.Seq))
				}
			}
		}),
		rapid.Custom(func(t *rapid.T) op {
			p := parts().Draw(t, "part")
			return func(m *model, b *store.Batch) {
				m.lastPart++
				m.parts[m.lastPart] = p
				if seq := b.PutPart(&p); seq != m.lastPart {
					panic(fmt.Sprintf("part %d, want %d", seq, m.lastPart))
				}
			}
		}),
		rapid.Custom(func(t *rapid.T) op {
			seq := rapid.Uint64Range(1, 20).Draw(t, "seq")
			return func(m *model, b *store.Batch) {
				if seq <= m.lastPart {
					delete(m.parts, seq)
					b.DeletePart(seq)
				}
			}
		}),
		rapid.Custom(func(t *rapid.T) op {
			d := downlinks().Draw(t, "downlink")
			d.Ref = rapid.Uint64Range(1, 10).Draw(t, "ref")
			remove := rapid.Bool().Draw(t, "remove")
			return func(m *model, b *store.Batch) {
				if remove {
					delete(m.downlinks, d.Ref)
					b.DeleteDownlink(d.Ref)
					return
				}
				m.downlinks[d.Ref] = d
				b.PutDownlink(&d)
			}
		}),
	)
}

// step is a group of changes and what happens to the store after it.
type step struct {
	ops    []op
	trim   uint64 // percent of the outbox
	retain bool
}

func steps() *rapid.Generator[step] {
	return rapid.Custom(func(t *rapid.T) step {
		return step{
			ops:    rapid.SliceOfN(ops(), 0, 12).Draw(t, "ops"),
			trim:   rapid.SampledFrom([]uint64{0, 0, 0, 30, 100}).Draw(t, "trim"),
			retain: rapid.IntRange(0, 9).Draw(t, "retain") == 0,
		}
	})
}

// retention of the model tests: frames of the last 900 minutes.
var keep = store.Retention{Frames: 900 * time.Minute, Quarantine: 0}

// variant is one way of running the same steps.
type variant struct {
	name   string
	tune   func(*pebble.Options)
	reopen int  // after every so many steps
	crash  bool // by a power cut, not by Close
}

var variants = []variant{
	{name: "default"},
	{name: "tiny memory table", tune: func(p *pebble.Options) {
		p.MemTableSize, p.L0CompactionThreshold = 8<<10, 1
		p.TargetFileSizes[0] = 4 << 10
	}},
	{name: "opened again after each step", reopen: 1},
	{name: "power cut after every third step", reopen: 3, crash: true},
	{name: "oldest format with sync offsets", tune: func(p *pebble.Options) { p.FormatMajorVersion = pebble.FormatWALSyncChunks }},
}

// run applies the steps and returns the store as it is at the end.
func (v *variant) run(t *rapid.T, script []step) (*store.Store, *model) {
	m := &model{
		now: t0.Add(1000 * time.Minute), frames: map[store.FrameKey]store.Frame{}, devices: map[uint32]string{}, names: map[string]uint32{},
		downlinks: map[uint64]store.Downlink{}, parts: map[uint64]store.Part{},
	}
	fs := vfs.NewCrashableMem()
	o := store.Options{Dir: "db", FS: fs, Tune: v.tune, Now: func() time.Time { return m.now }, Fatal: func(msg string) { panic(msg) }}
	s, err := store.Open(o)
	for i := 0; err == nil && i < len(script); i++ {
		b := s.NewBatch()
		for _, f := range script[i].ops {
			f(m, b)
		}
		if script[i].retain {
			_, err = s.Retain(b, m.now, keep)
			must(t, v, err)
			m.retainCommitted(s)
		}
		must(t, v, s.Commit(b))
		if trim := uint64(len(m.events)) * script[i].trim / 100; trim > m.base {
			m.base = trim
			must(t, v, s.TrimOutbox(trim))
			if v.crash { // trims are not synced; the next commit syncs them along
				b.PutMeta("sync", nil)
				must(t, v, s.Commit(b))
			}
		}
		if v.reopen > 0 && i%v.reopen == 0 {
			crashed := fs.CrashClone(vfs.CrashCloneCfg{})
			must(t, v, s.Close())
			if v.crash {
				fs = crashed
				o.FS = fs
			}
			s, err = store.Open(o)
		}
	}
	must(t, v, err)
	return s, m
}

func must(t *rapid.T, v *variant, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", v.name, err)
	}
}

// retainCommitted forgets old frames that the store shows: those of the batch under way wait for the next step.
func (m *model) retainCommitted(s *store.Store) {
	for k, f := range m.frames {
		if _, ok, _ := s.FrameHash(k); ok && f.ReceivedAt.Before(m.now.Add(-keep.Frames)) {
			delete(m.frames, k)
		}
	}
}

// The same script gives the same rows however the store is run, and those of the model.
func TestModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		script := rapid.SliceOfN(steps(), 1, 8).Draw(t, "script")
		var first []byte
		for i := range variants {
			v := &variants[i]
			s, m := v.run(t, script)
			compare(t, v, s, m)
			sum := digest(t, v, s)
			if first == nil {
				first = sum
			}
			if !bytes.Equal(first, sum) {
				t.Errorf("%s: rows differ from those of the first variant", v.name)
			}
			must(t, v, s.Close())
		}
	})
}

// digest is over all rows but the store's own, such as its random id.
func digest(t *rapid.T, v *variant, s *store.Store) []byte {
	h := sha256.New()
	must(t, v, s.RawEach(func(key, value []byte) error {
		if key[0] == 'm' {
			return nil
		}
		_, _ = fmt.Fprintf(h, "%x=%x\n", key, value)
		return nil
	}))
	return h.Sum(nil)
}

func compare(t *rapid.T, v *variant, s *store.Store, m *model) {
	for k, want := range m.frames {
		got, ok, err := s.Frame(k)
		if err != nil || !ok || !cmp.Equal(want, got, nilEmpty) {
			t.Fatalf("%s: frame %v: %+v, %v, %v, want %+v", v.name, k, got, ok, err, want)
		}
	}
	history := 0
	for n := range uint32(6) {
		fs, _, err := s.History(n, store.HistoryQuery{Limit: 10_000})
		must(t, v, err)
		if !slices.IsSortedFunc(fs, func(a, b store.HistoryFrame) int { return b.Frame.ReceivedAt.Compare(a.Frame.ReceivedAt) }) {
			t.Fatalf("%s: the history of device %d is not sorted", v.name, n)
		}
		history += len(fs)
	}
	if history != len(m.frames) {
		t.Fatalf("%s: %d frames, want %d", v.name, history, len(m.frames))
	}
	devices, down, parts := map[uint32]string{}, map[uint64]store.Downlink{}, map[uint64]store.Part{}
	must(t, v, s.EachDevice(func(n uint32, row []byte) error { devices[n] = string(row); return nil }))
	must(t, v, s.EachDownlink(func(d *store.Downlink) error { down[d.Ref] = *d; return nil }))
	must(t, v, s.EachPart(func(seq uint64, p *store.Part) error { parts[seq] = *p; return nil }))
	q, err := s.QuarantineBefore(0, 10_000)
	must(t, v, err)
	slices.Reverse(q)
	events, err := s.Outbox(nil, m.base+1, 10_000, 1<<30)
	must(t, v, err)
	for what, diff := range map[string]string{
		"devices": cmp.Diff(m.devices, devices), "downlinks": cmp.Diff(m.downlinks, down, nilEmpty), "parts": cmp.Diff(m.parts, parts, nilEmpty),
		"quarantine": cmp.Diff(m.quarantine, q, nilEmpty), "outbox": cmp.Diff(m.events[m.base:], events, nilEmpty),
	} {
		if diff != "" {
			t.Fatalf("%s: %s (-want +got):\n%s", v.name, what, diff)
		}
	}
	r, err := s.Check(t.Context(), store.CheckOptions{})
	must(t, v, err)
	if r.Found != 0 && len(m.names) == len(m.devices) {
		t.Fatalf("%s: check: %v", v.name, r.Problems)
	}
}

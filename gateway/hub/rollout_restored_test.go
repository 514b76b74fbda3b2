package hub_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/gateway/rollout"
)

// A rollout that ran when a backup was made may have been stopped since: it rests until somebody resumes it, whatever says that the store is an older
// one, and no number of an offer is used twice.
func TestRestoredStoreHaltsRollouts(t *testing.T) {
	restored := map[string]func(*testing.T, *bench, *vfs.MemFS, []hub.Published){
		"the stream is ahead": func(t *testing.T, b *bench, fs *vfs.MemFS, stream []hub.Published) {
			t.Helper()
			b.bringBack(fs, stream)
		},
		"an operator says so": func(t *testing.T, b *bench, fs *vfs.MemFS, _ []hub.Published) {
			t.Helper()
			b.bringBack(fs, nil)
			b.saysRestored()
		},
		"a loss is accepted": func(t *testing.T, b *bench, fs *vfs.MemFS, _ []hub.Published) {
			t.Helper()
			b.bringBack(fs, nil)
			if err := b.hub.Adopt(t.Context(), nil, false); err != nil {
				t.Fatal(err)
			}
		},
	}
	for name, restore := range restored {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			d := b.importOne(8)
			b.bySMS(d.hello("1.0.0"))
			b.release(1000)
			id := b.rolling(nil)
			fs, end := b.fs.CrashClone(vfs.CrashCloneCfg{}), b.store.DurableEvents()
			if _, err := b.hub.MoveRollout(as(t, "ann", "operator"), id, rollout.Stop, "it harms"); err != nil {
				t.Fatal(err)
			}
			restore(t, b, fs, b.published(end))
			if told := b.told("rollout.paused"); len(told) != 0 {
				t.Errorf("events before the outbox is moved: %v", told)
			}
			b.crash()
			if _, err := b.hub.ScheduleOnce(t.Context()); err != nil {
				t.Fatal(err)
			}
			b.crash()
			var r rollout.Summary
			var err error
			b.hub.LookAtRollouts(func(_ time.Time, m *rollout.Machine) { r, err = m.Get(id) })
			if err != nil || r.State != rollout.Paused || !strings.Contains(r.Reason, "backup") {
				t.Fatalf("%+v, %v", r, err)
			}
			if told := b.told("rollout.paused"); len(told) != 1 {
				t.Errorf("events %v", told)
			}
			if !slices.ContainsFunc(b.acts(), func(s string) bool { return strings.HasPrefix(s, "(gateway) rollout.pause rollout 1") }) {
				t.Errorf("the book has %q", b.acts())
			}
			if name != "a loss is accepted" { // it must join first
				b.bySMS(d.status(3.7))
			}
			b.transmitSMS()
			if len(b.sms.sent) != 0 {
				t.Errorf("%d offers while it rests", len(b.sms.sent))
			}
			next, err := b.hub.CreateRollout(as(t, "ann", "operator"), rollout.Spec{Name: "x", Product: "buoy", Version: "2.0.0", Waves: []rollout.Wave{{Share: 1}}})
			if err != nil || next.ID != 1<<16+1 {
				t.Errorf("the next is rollout %d, %v", next.ID, err)
			}
			if r, err = b.hub.MoveRollout(as(t, "ann", "operator"), id, rollout.Resume, ""); err != nil || r.State != rollout.Running {
				t.Errorf("%+v, %v", r, err)
			}
		})
	}
}

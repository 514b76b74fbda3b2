package publish_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"

	"github.com/godwit-gateway/godwit/gateway/publish"
)

// fullSite is a publisher whose embedded server writes to a disk that gets full. The store has another.
type fullSite struct {
	gateway

	disk   *disk
	server *publish.Embedded
	pace   *time.Ticker // between two tries while the connection looks for the server
}

func newFullSite(t *testing.T) *fullSite {
	t.Helper()
	s := &fullSite{gateway: gateway{t: t, clock: &clock{t: t0}, fs: vfs.NewCrashableMem()}, disk: newDisk(t, 8<<20), pace: time.NewTicker(20 * time.Millisecond)}
	t.Cleanup(s.pace.Stop)
	s.openStore()
	t.Cleanup(func() {
		if err := s.store.Close(); err != nil {
			t.Error(err)
		}
	})
	var err error
	if s.server, err = publish.NewEmbedded(publish.EmbeddedOptions{Dir: s.disk.dir}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.server.Stop)
	if s.nc, err = publish.ConnectEmbedded(s.server, "test"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.nc.Close)
	s.stream = newJetStream(t, s.nc)
	s.startPublisher()
	return s
}

// addLarge adds events of a kilobyte.
func (s *fullSite) addLarge(n int) {
	s.t.Helper()
	b := s.store.NewBatch()
	for range n {
		s.added++
		b.AddEvent(fmt.Appendf(nil, "dev.0.%d.0", s.added), []byte(subject(uint64(s.added))), nil, fmt.Appendf(nil, `{"n":%d,"x":%q}`, s.added, strings.Repeat("x", 1000)))
	}
	if err := s.store.Commit(b); err != nil {
		s.t.Fatal(err)
	}
}

// try publishes once, for a moment.
func (s *fullSite) try(limit time.Duration) (int, error) {
	ctx, cancel := context.WithTimeout(s.t.Context(), limit)
	defer cancel()
	return s.p.PublishOnce(ctx)
}

// attempts are made in a row on a full disk.
const attempts = 8

// stuck adds events, so many at a time, and publishes until the disk lets nothing more through, again and again.
func (s *fullSite) stuck(events int) {
	s.t.Helper()
	deadline := time.Now().Add(3 * patience)
	for failed := 0; failed < attempts; {
		if s.p.Stats().Pending == 0 {
			s.addLarge(events)
		}
		if _, err := s.try(100 * time.Millisecond); err != nil {
			failed++
			continue
		}
		if failed = 0; time.Now().After(deadline) {
			s.t.Fatalf("events still get out on a full disk with %d bytes free", s.disk.free())
		}
	}
}

// heal publishes until nothing is left.
func (s *fullSite) heal() {
	s.t.Helper()
	var last error
	for deadline := time.Now().Add(3 * patience); time.Now().Before(deadline); {
		n, err := s.try(2 * time.Second)
		if err == nil && n == 0 {
			return
		}
		if err != nil {
			last = err
			<-s.pace.C
		}
	}
	s.t.Fatalf("events still wait: %+v; the last error is: %v", s.p.Stats(), last)
}

// The disk of the embedded server gets full at several places of its files, in the middle of a batch or of a single event. What was on the
// stream stays, and what waits is published once there is space and the server was started anew; each event is there once. A start of the
// gateway while the disk is still full works, and makes nothing worse.
func TestFullDisk(t *testing.T) {
	s := newFullSite(t)
	s.addLarge(100)
	s.work()
	for _, c := range []struct {
		left   int64
		events int // at a time
		hurry  bool
	}{{0, 1, false}, {0, 200, true}, {4 << 10, 200, false}, {40 << 10, 1, true}, {100 << 10, 450, false}} {
		s.disk.fill(c.left)
		held := s.disk.open("batches")
		s.stuck(c.events)
		if n := s.disk.open("batches") - held; n > attempts/2 {
			t.Errorf("%d files of batches are open after %d attempts on a full disk, want that of the first and few more", n, attempts)
		}
		if c.hurry {
			s.startWhileFull()
		}
		s.disk.empty()
		if err := s.server.Restart(); err != nil {
			t.Fatalf("start with %d bytes free: %v", s.disk.free(), err)
		}
		s.heal()
	}
	s.p.Suspect()
	s.work()
	s.expect(1, numbers(1, uint64(s.added)))
	s.intact()
}

// intact compares what is on the stream with what was stored, byte for byte.
func (s *fullSite) intact() {
	s.t.Helper()
	rows, err := s.store.Outbox(nil, 1, s.added, 1<<30)
	if err != nil {
		s.t.Fatal(err)
	}
	messages := s.messages()
	if len(rows) != s.added || len(messages) != s.added {
		s.t.Fatalf("%d rows and %d messages, want %d of each", len(rows), len(messages), s.added)
	}
	for i := range rows {
		if d := cmp.Diff(string(rows[i].Payload), string(messages[i].Payload)); d != "" || messages[i].Chain != rows[i].Chain {
			s.t.Fatalf("event %d (-stored +published):\n%s", rows[i].Seq, d)
		}
	}
	s.nothingLost()
}

// nothingLost checks that the publisher found all that it had published.
func (s *fullSite) nothingLost() {
	s.t.Helper()
	if st := s.p.Stats(); st.Lost != 0 || st.Replayed != 0 || st.Adopted != 0 {
		s.t.Errorf("%d confirmed events were lost at the end and %d within, and %d were not ours", st.Lost, st.Replayed, st.Adopted)
	}
}

// startWhileFull is a start of the whole gateway on the full disk: server and publisher begin anew, and the two agree on what was published.
func (s *fullSite) startWhileFull() {
	s.t.Helper()
	s.nothingLost()
	if err := s.server.Restart(); err != nil {
		s.t.Fatalf("start of the server on a full disk: %v", err)
	}
	s.startPublisher()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	for {
		_, err := s.p.Reconcile(ctx) // fails until the connection has found the new server
		if err == nil {
			return
		}
		select {
		case <-s.pace.C:
		case <-ctx.Done():
			s.t.Fatalf("the first look at the stream on a full disk: %v", err)
		}
	}
}

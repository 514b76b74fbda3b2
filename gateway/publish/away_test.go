package publish_test

import (
	"errors"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/godwit-gateway/godwit/gateway/publish/streammodel"
	"github.com/godwit-gateway/godwit/gateway/store"
	"github.com/godwit-gateway/godwit/transports"
)

// fillingFS is a disk that says of itself how much is free.
type fillingFS struct {
	vfs.FS

	free func() uint64
}

// GetDiskUsage implements vfs.FS.
func (f fillingFS) GetDiskUsage(string) (vfs.DiskUsage, error) {
	return vfs.DiskUsage{TotalBytes: 10 << 30, AvailBytes: f.free()}, nil
}

// TestStreamAwayForAnHour: the stream is away, frames are taken and acknowledged all the same, and the outbox grows. It does so until the disk has
// no more to spare: then frames are refused, and the space that the rest of the gateway needs is left. When the stream is back all is published, in
// order, the outbox is trimmed, and what was refused is taken.
func TestStreamAwayForAnHour(t *testing.T) {
	n := uint64(500)
	if long {
		n = 12_500 // 100,000 frames
	}
	const room = 600 << 20       // above the least that has to be free; half of that least must be free again
	row := room / (8 * (n - 20)) // what an event takes of it
	c := &clock{t: t0}
	stream := streammodel.New(c.Now)
	var s *site
	s = newSite(t, fillingFS{vfs.NewMem(), func() uint64 {
		held := uint64(0)
		if s != nil {
			first, last := s.store.OutboxBounds()
			held = last + 1 - first
		}
		return 1<<30 + room - min(held*row, room+1<<30)
	}}, c, stream, stream)
	defer func() { _ = s.store.Close() }()
	stream.Down = true
	batches := traffic(t, n)
	taken := 0
	for ; taken < len(batches); taken++ {
		c.add(time.Hour / time.Duration(n))
		if taken%50 == 0 {
			if _, err := s.p.PublishOnce(t.Context()); err == nil || s.p.Ready() == nil {
				t.Fatal("nobody is told that the stream is away")
			}
		}
		c.add(time.Second) // the disk is looked at once a second
		if s.store.Healthy() != nil {
			break
		}
		s.take(t, batches[taken])
	}
	if left := len(batches) - taken; left < 10 || left > 25 {
		t.Fatalf("%d of %d batches were taken, want about 20 fewer", taken, len(batches))
	}
	before := s.store.DurableEvents()
	refuse := func(batch [][]byte) {
		t.Helper()
		us, out := make([]transports.Uplink, len(batch)), make([]transports.Verdict, len(batch))
		for k, p := range batch {
			us[k] = transports.Uplink{Transport: "udp", From: transports.Address{Bearer: transports.UDP, ID: "127.0.0.1:9"}, ReceivedAt: c.Now(), Payload: p}
		}
		if err := s.hub.Uplinks(t.Context(), us, out); !errors.Is(err, store.ErrLowSpace) {
			t.Fatalf("Uplinks = %v, want ErrLowSpace", err)
		}
		for _, v := range out {
			if len(v.Reply) > 0 {
				t.Fatal("a frame that was refused is acknowledged")
			}
		}
	}
	for _, batch := range batches[taken:] {
		refuse(batch)
	}
	if got := s.store.DurableEvents(); got != before {
		t.Fatalf("%d events were written to a full disk", got-before)
	}
	stream.Down = false
	s.heal(t)
	s.check(t)
	if got := s.p.Stats().Published; got != before {
		t.Errorf("%d events were published, want %d", got, before)
	}
	s.trim(t)
	refuse(batches[taken]) // they are kept for a day after they were read back
	c.add(25 * time.Hour)
	s.trim(t)
	c.add(2 * time.Second)
	for _, batch := range batches[taken:] {
		s.take(t, batch)
	}
	s.heal(t)
	s.once(t, len(batches))
}

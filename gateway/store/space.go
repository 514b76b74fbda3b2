package store

import (
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"
)

// Free space below which nothing is taken in: a tenth of the disk, but no less than compactions need to finish, and no more than is
// reasonable on a large disk that is well filled.
const (
	spaceFloor   = 512 << 20
	spaceCeiling = 2 << 30
)

// spaceEvery is how often the file system is asked.
const spaceEvery = time.Second

// lowSpace reports whether a disk with so many bytes free is too full. Once it is, half as much again must be free before it is not, so
// that intake does not flap.
func lowSpace(was bool, free, total uint64) bool {
	limit := max(spaceFloor, min(total/10, spaceCeiling))
	if was {
		limit += limit / 2
	}
	return free < limit
}

// space is the last look at the disk.
type space struct {
	low  atomic.Bool
	free atomic.Uint64
	next atomic.Int64  // Unix nanoseconds of the next look; one further away than that is of a clock that was set back since
	slow atomic.Uint64 // slow operations already told of
}

// check looks at the disk if it is time to, and reports whether space is low. A file system that does not tell is not low.
func (p *space) check(s *Store) error {
	now := s.now().UnixNano()
	if next := p.next.Load(); (now >= next || next-now > int64(spaceEvery)) && p.next.CompareAndSwap(next, now+int64(spaceEvery)) {
		p.look(s)
	}
	if p.low.Load() {
		return fmt.Errorf("%w: %d MiB are free on %s", ErrLowSpace, p.free.Load()>>20, s.dir)
	}
	return nil
}

func (p *space) look(s *Store) {
	if n := s.slow.Load(); n > p.slow.Load() {
		p.slow.Store(n)
		s.log.Warn("disk is slow: operations took more than five seconds", slog.Uint64("operations", n))
	}
	usage, err := s.fs.GetDiskUsage(s.dir)
	if err != nil || usage.TotalBytes == 0 {
		return
	}
	p.free.Store(usage.AvailBytes)
	was := p.low.Load()
	low := lowSpace(was, usage.AvailBytes, usage.TotalBytes)
	p.low.Store(low)
	free := slog.Uint64("free_bytes", usage.AvailBytes)
	switch {
	case low && !was:
		s.log.Error("disk space is low: nothing is accepted", free)
	case was && !low:
		s.log.Info("disk space is back", free)
	}
}

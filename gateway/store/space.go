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

const (
	spaceEvery = time.Second      // the file system is asked
	fullEvery  = 10 * time.Second // writes are logged that a full disk refused, at most: they are tried again at once, for as long as it is full
)

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
	next pace          // of looks
	told pace          // of what a full disk refused
	slow atomic.Uint64 // slow operations already told of
}

// pace lets something through now and then: it is the time of the next, in Unix nanoseconds. One further away than that is of a clock that was set back since.
type pace struct{ atomic.Int64 }

func (p *pace) due(at time.Time, every time.Duration) bool {
	now, next := at.UnixNano(), p.Load()
	return (now >= next || next-now > int64(every)) && p.CompareAndSwap(next, now+int64(every))
}

// check looks at the disk if it is time to, and reports whether space is low. A file system that does not tell is not low.
func (p *space) check(s *Store) error {
	if p.next.due(s.now(), spaceEvery) {
		p.look(s)
	}
	if p.low.Load() {
		return fmt.Errorf("%w: %d MiB are free on %s", ErrLowSpace, p.free.Load()>>20, s.dir)
	}
	return nil
}

// enough returns an error if the disk has no room for what a start may write: rows that only the log has become tables. A file system that does not tell has.
func (p *space) enough(s *Store, want uint64) error {
	usage, err := s.fs.GetDiskUsage(s.dir)
	if err != nil || usage.TotalBytes == 0 || usage.AvailBytes >= want || s.readOnly {
		return nil //nolint:nilerr // see above
	}
	return fmt.Errorf("%w: %d MiB are free on %s, a start takes %d", ErrLowSpace, usage.AvailBytes>>20, s.dir, want>>20)
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

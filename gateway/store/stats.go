package store

// Stats are figures for metrics, since the store was opened where they count.
type Stats struct {
	Commits     uint64 // synced batches
	Written     uint64 // bytes of batches
	Stalls      uint64 // times that writes were held back
	SlowWrites  uint64 // disk operations that took longer than five seconds
	DiskBytes   uint64 // that the store takes
	FreeBytes   uint64 // of its disk, as last seen; 0 if not known
	FirstEvent  uint64 // held in the outbox
	LastEvent   uint64 // durable
	Quarantined int    // rows
	Evicted     uint64 // quarantine rows that had to make room
}

// Stats reads the figures.
func (s *Store) Stats() Stats {
	first, last := s.OutboxBounds()
	rows, evicted := s.QuarantineCount()
	return Stats{
		Commits: s.commits.Load(), Written: s.written.Load(), Stalls: s.stalls.Load(), SlowWrites: s.slow.Load(),
		DiskBytes: s.db.Metrics().DiskSpaceUsage(), FreeBytes: s.space.free.Load(),
		FirstEvent: first, LastEvent: last, Quarantined: rows, Evicted: evicted,
	}
}

package store

import (
	"fmt"

	"github.com/cockroachdb/pebble/v2"
)

// Rows appends the rows of the batch to dst, as they would be written to the log.
func (b *Batch) Rows(dst []byte) []byte { return append(dst, b.b.Repr()...) }

// A Replay writes rows that batches of another store held, as they are: nothing is encoded, chained or counted. It shows what the disk and
// Pebble take at most, and is for measuring: the store knows nothing of what was written, and must not be used for anything else.
type Replay struct {
	s    *Store
	b    *pebble.Batch
	rows []byte
}

// NewReplay returns a Replay into a store.
func (s *Store) NewReplay() *Replay { return &Replay{s: s, b: s.db.NewBatch()} }

// Commit writes what Batch.Rows gave, with one sync. It keeps nothing of rows.
func (r *Replay) Commit(rows []byte) error {
	if err := r.s.writable(); err != nil {
		return err
	}
	r.rows = append(r.rows[:0], rows...) // Pebble numbers the rows in place
	if err := r.b.SetRepr(r.rows); err != nil {
		return fmt.Errorf("replay: %w", err)
	}
	if err := r.b.Commit(r.s.synced(true)); err != nil {
		return fmt.Errorf("replay: %w", err)
	}
	r.b.Reset()
	return r.s.writable()
}

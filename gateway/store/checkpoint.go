package store

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/cockroachdb/pebble/v2"

	"github.com/godwit-gateway/godwit/gateway/failpoint"
)

// Checkpoint makes a copy of the store as it is now in a directory on the same disk, while work goes on: all that was committed before the
// call is in it. It takes little room at first, for tables are hard links, and more with time, for they stay. dir must not be there; the directory
// above it must. After an error nothing is left of it.
func (s *Store) Checkpoint(dir string) error {
	if err := s.writable(); err != nil {
		return err
	}
	if _, err := s.fs.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(fmt.Errorf("checkpoint %s: %w", dir, fs.ErrExist), err)
	}
	failpoint.Pass(failpoint.Checkpoint)
	if err := s.fs.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	if err := s.db.Checkpoint(s.fs.PathJoin(dir, dirDatabase), pebble.WithFlushedWAL()); err != nil {
		return errors.Join(fmt.Errorf("checkpoint %s: %w", dir, err), s.fs.RemoveAll(dir))
	}
	failpoint.Pass(failpoint.Checkpoint)
	return s.writable()
}

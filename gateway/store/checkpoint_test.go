package store_test

import (
	"errors"
	"io/fs"
	"path/filepath"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/godwit-gateway/godwit/gateway/store"
)

// A checkpoint that is made while frames are committed opens by itself, is sound, has all that was committed before it, and stays as it is whatever
// becomes of the store.
func TestCheckpoint(t *testing.T) {
	dir := t.TempDir()
	s := open(t, store.Options{Dir: filepath.Join(dir, "store"), FS: vfs.Default})
	fill(t, s, 500)
	var wg sync.WaitGroup
	wg.Go(func() {
		for range 300 {
			fill(t, s, 3)
		}
	})
	for _, name := range []string{"first", "second"} {
		copied := filepath.Join(dir, name)
		before := s.DurableEvents()
		if err := s.Checkpoint(copied); err != nil {
			t.Fatal(err)
		}
		if err := s.Checkpoint(copied); !errors.Is(err, fs.ErrExist) {
			t.Errorf("a second one in its place: %v", err)
		}
		c := open(t, store.Options{Dir: copied, FS: vfs.Default, ReadOnly: true})
		checked(t, c)
		if got := c.DurableEvents(); got < before {
			t.Errorf("%d events, %d were committed before", got, before)
		}
		if c.ID() != s.ID() {
			t.Error("it is another store")
		}
		if err := c.Checkpoint(filepath.Join(dir, "third")); !errors.Is(err, store.ErrReadOnly) {
			t.Errorf("of a store that is open for reading only: %v", err)
		}
	}
	wg.Wait()
	checked(t, s)
}

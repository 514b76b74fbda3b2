package store_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/godwit-gateway/godwit/gateway/store"
)

// copyDir copies the database of a store that is open: what a process that is killed now would leave.
func copyDir(t *testing.T, from string) string {
	t.Helper()
	// A compaction may delete a file while the folder is read: then it is copied again.
	for try := 0; ; try++ {
		to := t.TempDir()
		err := os.CopyFS(to, os.DirFS(from))
		if err == nil {
			return to
		}
		if try == 20 {
			t.Fatal(err)
		}
	}
}

// newest is the file of a kind with the highest number.
func newest(t *testing.T, dir, pattern string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "pebble", pattern))
	if err != nil || len(files) == 0 {
		t.Fatalf("no %s in %s: %v", pattern, dir, err)
	}
	return files[len(files)-1]
}

func flip(t *testing.T, file string, at int) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	b[at] ^= 0x10
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// used is the number of bytes before the zeros that a log file was made with.
func used(t *testing.T, file string) int {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	n := len(b)
	for n > 0 && b[n-1] == 0 {
		n--
	}
	return n
}

// A bit that flips in the middle of the log is found at the next start, in a store's first log too: nothing is dropped in silence.
func TestDamagedLog(t *testing.T) {
	dir := t.TempDir()
	s := open(t, store.Options{Dir: dir, FS: vfs.Default})
	for range 200 {
		fill(t, s, 5)
	}
	for _, percent := range []int{1, 10, 50, 90} {
		t.Run(fmt.Sprintf("at %d %%", percent), func(t *testing.T) {
			damaged := copyDir(t, dir)
			log := newest(t, damaged, "*.log")
			flip(t, log, used(t, log)*percent/100)
			_, err := tryOpen(t, store.Options{Dir: damaged, FS: vfs.Default})
			if !errors.Is(err, store.ErrCorrupt) {
				t.Fatalf("open: %v, want ErrCorrupt", err)
			}
			if hint := store.Hint(err); !strings.Contains(hint, "restore") {
				t.Errorf("hint: %q", hint)
			}
		})
	}
	whole := open(t, store.Options{Dir: copyDir(t, dir), FS: vfs.Default}) // the copy is not what breaks it
	if got := whole.DurableEvents(); got != 1000 {
		t.Errorf("%d events, want 1000", got)
	}
	checked(t, whole)
}

func TestMissingFiles(t *testing.T) {
	dir := t.TempDir()
	s, err := tryOpen(t, store.Options{Dir: dir, FS: vfs.Default})
	if err != nil {
		t.Fatal(err)
	}
	fill(t, s, 100)
	if err := errors.Join(s.Flush(), s.Close()); err != nil { // closed, no table is left that a compaction has replaced
		t.Fatal(err)
	}
	for _, pattern := range []string{"MANIFEST-*", "*.sst", "marker.manifest.*"} {
		t.Run(pattern, func(t *testing.T) {
			damaged := copyDir(t, dir)
			if err := os.Remove(newest(t, damaged, pattern)); err != nil {
				t.Fatal(err)
			}
			for _, readOnly := range []bool{true, false} {
				if s, err := tryOpen(t, store.Options{Dir: damaged, FS: vfs.Default, ReadOnly: readOnly}); !errors.Is(err, store.ErrCorrupt) {
					t.Errorf("open, read only %v: %v, %v, want ErrCorrupt", readOnly, s, err)
				}
			}
		})
	}
}

// A block of a table that fails its checksum is an error for those who read it, and ends intake.
func TestDamagedTable(t *testing.T) {
	dir := t.TempDir()
	s, err := tryOpen(t, store.Options{Dir: dir, FS: vfs.Default})
	if err != nil {
		t.Fatal(err)
	}
	fill(t, s, 2000)
	if err := s.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	table := newest(t, dir, "*.sst")
	flip(t, table, used(t, table)/3)
	s, err = tryOpen(t, store.Options{Dir: dir, FS: vfs.Default})
	if errors.Is(err, store.ErrCorrupt) {
		return // the start itself reads the damaged block, and refuses
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	r, err := s.Check(t.Context(), store.CheckOptions{})
	if err != nil || r.Found == 0 {
		t.Errorf("check found %d problems, %v", r.Found, err)
	}
	if err := s.Healthy(); !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("healthy: %v, want ErrCorrupt", err)
	}
}

func TestNewerFormats(t *testing.T) {
	dir := t.TempDir()
	s, err := tryOpen(t, store.Options{Dir: dir, FS: vfs.Default})
	if err != nil {
		t.Fatal(err)
	}
	fill(t, s, 1)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	refused := func(t *testing.T, dir string) {
		t.Helper()
		for _, readOnly := range []bool{true, false} {
			if _, err := tryOpen(t, store.Options{Dir: dir, FS: vfs.Default, ReadOnly: readOnly}); !errors.Is(err, store.ErrNewerFormat) || store.Hint(err) == "" {
				t.Errorf("open, read only %v: %v, want ErrNewerFormat with a hint", readOnly, err)
			}
		}
	}
	t.Run("of pebble", func(t *testing.T) {
		newer := copyDir(t, dir)
		marker := newest(t, newer, "marker.format-version.*")
		next := fmt.Sprintf("marker.format-version.999999.%03d", store.FormatMajorVersion+1)
		if err := os.Rename(marker, filepath.Join(filepath.Dir(marker), next)); err != nil {
			t.Fatal(err)
		}
		refused(t, newer)
	})
	t.Run("of the store", func(t *testing.T) {
		newer := copyDir(t, dir)
		s, err := tryOpen(t, store.Options{Dir: newer, FS: vfs.Default})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.RawSet([]byte("m\x00format"), []byte{2, 1, 2, 3}); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		refused(t, newer)
	})
}

func TestMissingMarker(t *testing.T) {
	fs := vfs.NewMem()
	s, err := tryOpen(t, store.Options{Dir: "db", FS: fs})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.RawDelete([]byte("m\x00format")); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := tryOpen(t, store.Options{Dir: "db", FS: fs}); !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("open: %v, want ErrCorrupt", err)
	}
}

func TestReadOnly(t *testing.T) {
	fs := vfs.NewMem()
	if _, err := tryOpen(t, store.Options{Dir: "db", FS: fs, ReadOnly: true}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("where there is none: %v, want ErrNotFound", err)
	}
	if _, err := fs.Stat("db"); err == nil {
		t.Error("reading made the directory")
	}
	s, err := tryOpen(t, store.Options{Dir: "db", FS: fs})
	if err != nil {
		t.Fatal(err)
	}
	fill(t, s, 10)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	before, err := fs.List("db/pebble")
	if err != nil {
		t.Fatal(err)
	}
	r, err := tryOpen(t, store.Options{Dir: "db", FS: fs, ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	if got := outbox(t, r, 1); len(got) != 10 {
		t.Errorf("%d events, want 10", len(got))
	}
	checked(t, r)
	b := r.NewBatch()
	put(b, store.FrameKey{Number: 9}, t0)
	for what, err := range map[string]error{
		"commit": r.Commit(b), "trim": r.TrimOutbox(1), "adopt": r.AdoptOutbox(20, store.Chain{}), "meta": r.PutPublisherMeta(nil, true),
	} {
		if !errors.Is(err, store.ErrReadOnly) {
			t.Errorf("%s: %v, want ErrReadOnly", what, err)
		}
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	after, err := fs.List("db/pebble")
	if err != nil {
		t.Fatal(err)
	}
	if len(before) != len(after) {
		t.Errorf("reading changed the files from %v to %v", before, after)
	}
}

// Settings of a test's own reach Pebble.
func TestTune(t *testing.T) {
	called := false
	open(t, store.Options{Tune: func(*pebble.Options) { called = true }})
	if !called {
		t.Error("Tune was not called")
	}
}

package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/godwit-gateway/godwit/gateway/failpoint"
)

// slowDisk is how long one operation may take before it is counted as slow.
const slowDisk = 5 * time.Second

// noCloser is the closer of a file system that needs none.
type noCloser struct{}

func (noCloser) Close() error { return nil }

// disk is the file system that the database works on: the one of the options, or the real one under watch for slow operations.
func (s *Store) disk(f vfs.FS) (vfs.FS, io.Closer) {
	closer := io.Closer(noCloser{})
	if f == nil {
		f, closer = vfs.WithDiskHealthChecks(vfs.Default, slowDisk, nil, func(pebble.DiskSlowInfo) {
			// This must return without touching a disk, and a log may well be on the one that hangs: the next look at the disk tells.
			s.slow.Add(1)
		})
	}
	return storeFS{f, s}, closer
}

// storeFS makes a directory durable before a marker file is created in it, notes how far a manifest is synced, and has an eye on what is written.
//
// Pebble names its current manifest by a marker file, and creates the manifest and the marker with one sync of the directory after both. On
// a file system that does not keep the order of directory changes over a power cut, the marker can survive without its manifest, and the
// database cannot be opened. (Fixed in Pebble after v2.1.7, by cockroachdb/pebble#5915. Markers move at open and now and then after.)
type storeFS struct {
	vfs.FS

	s *Store
}

// markerPrefix starts the names of marker files.
const markerPrefix = "marker."

// Create implements vfs.FS.
func (f storeFS) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if strings.HasPrefix(f.PathBase(name), markerPrefix) {
		if err := syncDir(f.FS, f.PathDir(name)); err != nil {
			return nil, err
		}
	}
	file, err := f.FS.Create(name, category)
	if file, err = f.watched(name, file, err); err == nil && isManifest(f, name) {
		file = &manifestFile{File: file, fs: f, name: name}
	}
	return file, err
}

// Remove implements vfs.FS. What is said of a manifest goes with it, and before it: no other will come under that name and be measured by it.
func (f storeFS) Remove(name string) error {
	if isManifest(f, name) {
		if err := f.FS.Remove(syncedName(f, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove what is said of %s: %w", name, err)
		}
	}
	return f.FS.Remove(name)
}

// ReuseForWrite implements vfs.FS.
func (f storeFS) ReuseForWrite(oldname, newname string, category vfs.DiskWriteCategory) (vfs.File, error) {
	file, err := f.FS.ReuseForWrite(oldname, newname, category)
	return f.watched(newname, file, err)
}

// watched has a file under watch that was made: one of the log for good, others that are made while the store is opened.
func (f storeFS) watched(name string, file vfs.File, err error) (vfs.File, error) {
	w := watchedFile{file, f.s, strings.HasSuffix(name, ".log")}
	if w.done(err) != nil || !w.log && f.s.opened.Load() {
		return file, err
	}
	return w, nil
}

// watchedFile ends the process, and says why, where Pebble would go on for ever or panic in words that nobody understands: when the log of a database that is open
// cannot be written and it is between two files of it, and when the disk gets full in the middle of an opening. In a log it has the failpoint between a write and
// its sync.
type watchedFile struct {
	vfs.File

	s   *Store
	log bool
}

// done returns the error of a write, unless that ends the process.
func (f watchedFile) done(err error) error {
	switch {
	case err == nil:
	case f.log && f.s.writes.Load():
		f.s.fail(fmt.Sprintf("write the log: %v", err))
	case vfs.IsNoSpaceError(err) && !f.s.opened.Load():
		f.s.fail(fmt.Sprintf("%v: %v", ErrLowSpace, err))
	}
	return err
}

// Write implements vfs.File.
func (f watchedFile) Write(p []byte) (int, error) {
	n, err := f.File.Write(p)
	return n, f.done(err)
}

// Sync implements vfs.File.
func (f watchedFile) Sync() error { return f.done(f.File.Sync()) }

// SyncData implements vfs.File.
func (f watchedFile) SyncData() error {
	if f.log {
		failpoint.Pass(failpoint.Written)
	}
	return f.done(f.File.SyncData())
}

// Close implements vfs.File.
func (f watchedFile) Close() error { return f.done(f.File.Close()) }

// Unwrap implements vfs.FS.
func (f storeFS) Unwrap() vfs.FS { return f.FS }

// makeDir makes a directory and what is missing above it, durably.
func makeDir(f vfs.FS, dir string) error {
	var missing []string
	for d := dir; ; d = f.PathDir(d) {
		_, err := f.Stat(d)
		if err == nil {
			break
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("look for the directory: %w", err)
		}
		missing = append(missing, d)
		if parent := f.PathDir(d); parent == d || parent == "." {
			break
		}
	}
	if len(missing) == 0 {
		return nil
	}
	if err := f.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the directory: %w", err)
	}
	for _, d := range missing {
		if err := syncDir(f, f.PathDir(d)); err != nil {
			return err
		}
	}
	return nil
}

// syncDir makes the entries of a directory durable.
func syncDir(f vfs.FS, dir string) error {
	d, err := f.OpenDir(dir)
	if err != nil {
		return fmt.Errorf("open directory %s: %w", dir, err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("sync directory %s: %w", dir, err)
	}
	return nil
}

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
	return orderedFS{f}, closer
}

// orderedFS makes a directory durable before a marker file is created in it.
//
// Pebble names its current manifest by a marker file, and creates the manifest and the marker with one sync of the directory after both. On
// a file system that does not keep the order of directory changes over a power cut, the marker can survive without its manifest, and the
// database cannot be opened. (Fixed in Pebble after v2.1.7, by cockroachdb/pebble#5915. Markers move at open and now and then after.)
type orderedFS struct{ vfs.FS }

// markerPrefix starts the names of marker files.
const markerPrefix = "marker."

// Create implements vfs.FS.
func (f orderedFS) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if strings.HasPrefix(f.PathBase(name), markerPrefix) {
		if err := syncDir(f.FS, f.PathDir(name)); err != nil {
			return nil, err
		}
	}
	file, err := f.FS.Create(name, category)
	return f.logFile(name, file), err
}

// ReuseForWrite implements vfs.FS.
func (f orderedFS) ReuseForWrite(oldname, newname string, category vfs.DiskWriteCategory) (vfs.File, error) {
	file, err := f.FS.ReuseForWrite(oldname, newname, category)
	return f.logFile(newname, file), err
}

// logFile adds the failpoint between a write to the log and its sync, in programs that have failpoints.
func (f orderedFS) logFile(name string, file vfs.File) vfs.File {
	if failpoint.Enabled && file != nil && strings.HasSuffix(name, ".log") {
		return logFile{file}
	}
	return file
}

type logFile struct{ vfs.File }

// SyncData implements vfs.File.
func (f logFile) SyncData() error {
	failpoint.Pass(failpoint.Written)
	return f.File.SyncData()
}

// Unwrap implements vfs.FS.
func (f orderedFS) Unwrap() vfs.FS { return f.FS }

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

package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"strings"

	"github.com/cockroachdb/pebble/v2/record"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/atomicfs"
)

// The manifest is Pebble's list of its tables and of the logs that are still needed: a record for each change. Pebble reads it up to the first record that
// fails its checksum, wherever that is, and takes it for the place where a power cut tore the file. A bit that flips there takes back all later changes: the tables
// that they added are deleted as strays, their logs are gone already, and what was in them is lost without a word.
//
// What tells the two apart is how much was synced, and that is kept beside it: a file synced.MANIFEST-n says so after each sync of MANIFEST-n, before Pebble deletes
// anything because of what it wrote. A torn record lies beyond that; a record before it that cannot be read is damage.
const (
	manifestPrefix = "MANIFEST-"
	syncedPrefix   = "synced."
)

// A row of the file of what was synced:
//
//	bytes u64  CRC-32C of these 8 bytes
//
// Rows are added, and the one with the most bytes counts: one that was torn or damaged leaves those before it.
const syncedRowSize = 8 + 4

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func appendSynced(dst []byte, n uint64) []byte {
	at := len(dst)
	dst = binary.BigEndian.AppendUint64(dst, n)
	return binary.BigEndian.AppendUint32(dst, crc32.Checksum(dst[at:], castagnoli))
}

// decodeSynced is how many bytes were synced, 0 if no row can be read.
func decodeSynced(b []byte) (most uint64) {
	for ; len(b) >= syncedRowSize; b = b[syncedRowSize:] {
		if n := binary.BigEndian.Uint64(b); crc32.Checksum(b[:8], castagnoli) == binary.BigEndian.Uint32(b[8:]) {
			most = max(most, n)
		}
	}
	return most
}

func isManifest(f vfs.FS, name string) bool {
	return strings.HasPrefix(f.PathBase(name), manifestPrefix)
}

// syncedName is the file that says how much of a manifest was synced.
func syncedName(f vfs.FS, manifest string) string {
	return f.PathJoin(f.PathDir(manifest), syncedPrefix+f.PathBase(manifest))
}

// manifestFile notes after each sync how much was synced. Pebble writes a manifest from its beginning to its end, from one goroutine at a time.
type manifestFile struct {
	vfs.File

	fs      vfs.FS
	name    string
	written uint64
	noted   uint64
	synced  vfs.File // nil before the first sync
	row     []byte
}

// Write implements vfs.File.
func (f *manifestFile) Write(p []byte) (int, error) {
	n, err := f.File.Write(p)
	f.written += uint64(n) //nolint:gosec // not negative
	return n, err
}

// Sync implements vfs.File.
func (f *manifestFile) Sync() error { return f.note(f.File.Sync()) }

// SyncData implements vfs.File.
func (f *manifestFile) SyncData() error { return f.note(f.File.SyncData()) }

// note notes what a sync that returned err has synced.
func (f *manifestFile) note(err error) error {
	if err != nil || f.written == f.noted {
		return err
	}
	f.row = appendSynced(f.row[:0], f.written)
	first := f.synced == nil
	if first {
		if f.synced, err = f.fs.Create(syncedName(f.fs, f.name), "pebble-manifest"); err != nil {
			return fmt.Errorf("note what is synced of %s: %w", f.name, err)
		}
	}
	if _, err = f.synced.Write(f.row); err == nil {
		err = f.synced.Sync()
	}
	if err == nil && first {
		err = syncDir(f.fs, f.fs.PathDir(f.name))
	}
	if err != nil {
		return fmt.Errorf("note what is synced of %s: %w", f.name, err)
	}
	f.noted = f.written
	return nil
}

// Close implements vfs.File.
func (f *manifestFile) Close() error {
	err := f.File.Close()
	if f.synced != nil {
		err = errors.Join(err, f.synced.Close())
	}
	return err
}

// manifestWhole returns ErrCorrupt if the manifest of a database cannot be read as far as it was synced; as far as it goes, where it is not known how much that is: a store of
// a version that did not note it. What Pebble itself reports, it leaves to Pebble.
func manifestWhole(f vfs.FS, dir string) error {
	name, err := atomicfs.ReadMarker(f, dir, "manifest")
	if err != nil {
		return fmt.Errorf("look which manifest counts: %w", err)
	}
	if name == "" {
		return nil
	}
	path := f.PathJoin(dir, name)
	good, size, err := readable(f, path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return asCorrupt(fmt.Errorf("read %s: %w", name, err))
	}
	synced, err := readAll(f, syncedName(f, path))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read how much of %s is synced: %w", name, err)
	}
	need := decodeSynced(synced)
	if need == 0 {
		need = size
	}
	if good < need {
		return fmt.Errorf("%w: %s can be read up to byte %d of %d", ErrCorrupt, name, good, need)
	}
	return nil
}

// readable is how far the records of a manifest can be read, and its size.
func readable(f vfs.FS, path string) (good, size uint64, err error) {
	file, err := f.Open(path, vfs.SequentialReadsOption)
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	info, err := file.Stat()
	if err != nil {
		return 0, 0, err
	}
	size = uint64(info.Size()) //nolint:gosec // not negative
	for r := record.NewReader(file, 0); err == nil; {
		good = uint64(r.Offset()) //nolint:gosec // not negative
		var one io.Reader
		if one, err = r.Next(); err == nil {
			_, err = io.Copy(io.Discard, one)
		}
	}
	if errors.Is(err, io.EOF) || record.IsInvalidRecord(err) {
		err = nil
	}
	return good, size, err
}

// readAll is the content of a file.
func readAll(f vfs.FS, path string) (b []byte, err error) {
	file, err := f.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return io.ReadAll(file)
}

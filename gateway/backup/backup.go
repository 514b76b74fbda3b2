package backup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Conditions that callers branch on.
var (
	ErrNotEmpty = errors.New("backup: the folder is not empty")
	ErrNone     = errors.New("backup: there is none, or it was not finished")
	ErrDamaged  = errors.New("backup: not as it was made")
	ErrNewer    = errors.New("backup: made by a newer version")
)

const (
	format       = 1
	manifestName = "backup.json"
	storeName    = "store"
	databaseName = "pebble" // below the folder of a store
)

// A Manifest is what backup.json says.
type Manifest struct {
	Format  int       `json:"format"`
	Gateway string    `json:"gateway"` // id
	Version string    `json:"version"` // of the program that made it
	MadeAt  time.Time `json:"made_at"`
	Files   []File    `json:"files"` // below store/, in order of their names
}

// A File is one file of the database.
type File struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// Bytes is the size of all files.
func (m *Manifest) Bytes() (n int64) {
	for _, f := range m.Files {
		n += f.Bytes
	}
	return n
}

// StoreDir is the folder of the store within a backup.
func StoreDir(dir string) string { return filepath.Join(dir, storeName) }

// Write copies the database below the folder of a store, which must not change meanwhile, into dir, which must be empty or not be there. It
// fills in Format and Files of the manifest. After an error dir holds no backup.
func Write(ctx context.Context, store, dir string, m Manifest) (Manifest, error) {
	if err := Vacant(dir); err != nil {
		return m, err
	}
	m.Format = format
	names, err := list(filepath.Join(store, databaseName))
	if err != nil {
		return m, fmt.Errorf("back up %s: %w", store, err)
	}
	to := StoreDir(dir)
	if err := os.MkdirAll(filepath.Join(to, databaseName), 0o700); err != nil {
		return m, fmt.Errorf("make the backup: %w", err)
	}
	for _, name := range names {
		f, err := copyFile(ctx, store, to, filepath.Join(databaseName, name))
		if err != nil {
			return m, fmt.Errorf("back up %s: %w", store, err)
		}
		m.Files = append(m.Files, f)
	}
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return m, fmt.Errorf("write %s: %w", manifestName, err)
	}
	for _, d := range []string{filepath.Join(to, databaseName), to} {
		if err := SyncDir(d); err != nil {
			return m, err
		}
	}
	// Under another name first: what has the right one is whole.
	path := filepath.Join(dir, manifestName)
	if err = writeSynced(path+".new", append(text, '\n')); err == nil {
		err = os.Rename(path+".new", path)
	}
	if err != nil {
		return m, fmt.Errorf("write %s: %w", manifestName, err)
	}
	return m, errors.Join(SyncDir(dir), SyncDir(filepath.Dir(dir)))
}

// Read reads what a backup says of itself. It does not look at the files.
func Read(dir string) (Manifest, error) {
	var m Manifest
	text, err := os.ReadFile(filepath.Join(dir, manifestName))
	if errors.Is(err, fs.ErrNotExist) {
		return m, fmt.Errorf("%w: no %s in %s", ErrNone, manifestName, dir)
	}
	if err != nil {
		return m, fmt.Errorf("read the backup: %w", err)
	}
	var head struct {
		Format int `json:"format"`
	}
	if err := json.Unmarshal(text, &head); err != nil || head.Format < 1 {
		return m, fmt.Errorf("%w: %s cannot be read", ErrDamaged, manifestName)
	}
	if head.Format > format {
		return m, fmt.Errorf("%w: format %d, this program knows %d", ErrNewer, head.Format, format)
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return m, fmt.Errorf("%w: %s: %w", ErrDamaged, manifestName, err)
	}
	for _, f := range m.Files {
		if dir, name := filepath.Split(filepath.FromSlash(f.Name)); filepath.Clean(dir) != databaseName || !filepath.IsLocal(name) {
			return m, fmt.Errorf("%w: a file %q has no place in it", ErrDamaged, f.Name)
		}
	}
	return m, nil
}

// Verify reads every file of a backup and holds it against its length and hash.
func Verify(ctx context.Context, dir string) (Manifest, error) {
	return each(ctx, dir, func(f File) error {
		in, err := os.Open(filepath.Join(StoreDir(dir), filepath.FromSlash(f.Name)))
		if err != nil {
			return err
		}
		defer func() { _ = in.Close() }() // it was only read
		return f.same(ctx, io.Discard, in)
	})
}

// Restore copies the store of a backup to a folder, which must be empty or not be there, and verifies it on the way.
func Restore(ctx context.Context, dir, store string) (Manifest, error) {
	if err := Vacant(store); err != nil {
		return Manifest{}, err
	}
	if err := os.MkdirAll(filepath.Join(store, databaseName), 0o700); err != nil {
		return Manifest{}, fmt.Errorf("restore to %s: %w", store, err)
	}
	m, err := each(ctx, dir, func(f File) error {
		got, err := copyFile(ctx, StoreDir(dir), store, filepath.FromSlash(f.Name))
		if err == nil && got != f {
			err = f.differs(got)
		}
		return err
	})
	if err != nil {
		return m, err
	}
	return m, errors.Join(SyncDir(filepath.Join(store, databaseName)), SyncDir(store), SyncDir(filepath.Dir(store)))
}

// each reads the manifest and calls do with each file that it names, if the database has these files and no other.
func each(ctx context.Context, dir string, do func(File) error) (Manifest, error) {
	m, err := Read(dir)
	if err != nil {
		return m, err
	}
	names, err := list(filepath.Join(StoreDir(dir), databaseName))
	if err != nil {
		return m, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if len(names) != len(m.Files) {
		return m, fmt.Errorf("%w: it has %d files, %d were made", ErrDamaged, len(names), len(m.Files))
	}
	for _, f := range m.Files {
		if err := do(f); err != nil {
			if ctx.Err() == nil {
				err = fmt.Errorf("%w: %w", ErrDamaged, err)
			}
			return m, err
		}
	}
	return m, nil
}

// Vacant is nil if there is nothing in a folder that a copy could harm.
func Vacant(dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("look at %s: %w", dir, err)
	case len(entries) > 0:
		return fmt.Errorf("%w: %s", ErrNotEmpty, dir)
	}
	return nil
}

func (f File) same(ctx context.Context, w io.Writer, r io.Reader) error {
	got, err := digest(ctx, w, r)
	got.Name = f.Name
	if err == nil && got != f {
		err = f.differs(got)
	}
	return err
}

func (f File) differs(got File) error {
	if got.Bytes != f.Bytes {
		return fmt.Errorf("%s has %d bytes, %d were made", f.Name, got.Bytes, f.Bytes)
	}
	return fmt.Errorf("%s has another content", f.Name)
}

// list gives the names of a database's files. Its lock is none of them.
func list(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if e.Type().IsRegular() && e.Name() != "LOCK" {
			names = append(names, e.Name())
		}
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("no files in %s", dir)
	}
	return names, nil
}

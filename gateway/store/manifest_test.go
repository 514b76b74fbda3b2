package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/atomicfs"

	"github.com/godwit-gateway/godwit/gateway/store"
)

// listed is a store in memory that was closed, with 600 events in tables and in its log, and the name of its manifest. No compaction has put its tables together: one that
// deleted what a manifest without its end still names would have Pebble itself refuse that.
func listed(t *testing.T) (fs *vfs.MemFS, manifest string) {
	t.Helper()
	fs = vfs.NewMem()
	for range 3 {
		s, err := tryOpen(t, store.Options{FS: fs, Tune: func(p *pebble.Options) { p.DisableAutomaticCompactions = true }})
		if err != nil {
			t.Fatal(err)
		}
		fill(t, s, 100)
		if err := s.Flush(); err != nil {
			t.Fatal(err)
		}
		fill(t, s, 100)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	name, err := atomicfs.ReadMarker(fs, "db/pebble", "manifest")
	if err != nil || name == "" {
		t.Fatalf("no manifest: %v", err)
	}
	return fs, "db/pebble/" + name
}

// synced is the file that says how far a manifest is synced.
func synced(manifest string) string {
	return strings.Replace(manifest, "MANIFEST-", "synced.MANIFEST-", 1)
}

func content(t *testing.T, fs vfs.FS, name string) []byte {
	t.Helper()
	f, err := fs.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(f)
	if err = errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	return b
}

func write(t *testing.T, fs vfs.FS, name string, b []byte) {
	t.Helper()
	f, err := fs.Create(name, vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Write(bytes.Clone(b)) // under the race detector the file system changes what it was given
	if err = errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, fs vfs.FS, name string) {
	t.Helper()
	if err := fs.Remove(name); err != nil {
		t.Fatal(err)
	}
}

// damagedStore fails the test at once unless the store is refused as damaged: one that was opened is not as it was.
func damagedStore(t *testing.T, fs vfs.FS, what string) {
	t.Helper()
	if s, err := tryOpen(t, store.Options{FS: fs}); !errors.Is(err, store.ErrCorrupt) {
		if err == nil {
			_ = s.Close()
		}
		t.Fatalf("%s: %v, want ErrCorrupt", what, err)
	}
}

// wholeStore opens a copy of a store, which must have all its events.
func wholeStore(t *testing.T, fs vfs.FS, what string) {
	t.Helper()
	again := vfs.NewMem()
	if _, err := vfs.Clone(fs, again, "db", "db"); err != nil {
		t.Fatal(err)
	}
	s, err := tryOpen(t, store.Options{FS: again})
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if got := s.DurableEvents(); got != 600 {
		t.Errorf("%s: opened with %d events, want 600", what, got)
	}
	checked(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// A bit that flips anywhere in the manifest is found at the next start, and so is one that ends early: a store is never opened with less than it had, and
// what Pebble would take for a stray is not deleted. Where nothing says how far it was synced, a record that cannot be read is enough.
func TestDamagedManifest(t *testing.T) {
	fs, manifest := listed(t)
	whole := content(t, fs, manifest)
	bits := func(t *testing.T) {
		t.Helper()
		for bit := range 8 * len(whole) {
			b := bytes.Clone(whole)
			b[bit/8] ^= 1 << (bit % 8)
			write(t, fs, manifest, b)
			if err := store.ManifestWhole(fs, "db/pebble"); !errors.Is(err, store.ErrCorrupt) {
				t.Errorf("bit %d of byte %d of %d: %v, want ErrCorrupt", bit%8, bit/8, len(whole), err)
			}
			if bit%8 == bit/8%8 {
				damagedStore(t, fs, fmt.Sprintf("bit %d of byte %d of %d", bit%8, bit/8, len(whole)))
			}
		}
	}
	bits(t)
	for n := range whole {
		write(t, fs, manifest, whole[:n])
		damagedStore(t, fs, fmt.Sprintf("%d of %d bytes", n, len(whole)))
	}
	write(t, fs, manifest, whole)
	wholeStore(t, fs, "as it was")

	remove(t, fs, synced(manifest))
	wholeStore(t, fs, "without a word of how far it is synced")
	bits(t)
}

// What a power cut leaves of a record that was not synced is no damage: it was not yet relied on.
func TestTornManifest(t *testing.T) {
	fs, manifest := listed(t)
	whole := content(t, fs, manifest)
	for _, tail := range [][]byte{{1}, make([]byte, 40), []byte("what no record begins with, of a block that was not written"), whole[:20]} {
		write(t, fs, manifest, append(bytes.Clone(whole), tail...))
		wholeStore(t, fs, fmt.Sprintf("with %d bytes after what was synced", len(tail)))
	}
	remove(t, fs, synced(manifest))
	damagedStore(t, fs, "a torn record where nothing says how far it was synced")
}

// Damage to what says how far a manifest is synced harms nothing, as long as the manifest itself is whole.
func TestDamagedSynced(t *testing.T) {
	fs, manifest := listed(t)
	whole := content(t, fs, synced(manifest))
	if len(whole) == 0 {
		t.Fatal("it says nothing")
	}
	for at := 0; at < len(whole); at += 5 {
		b := bytes.Clone(whole)
		b[at] ^= 0x10
		write(t, fs, synced(manifest), b)
		wholeStore(t, fs, fmt.Sprintf("a bit of byte %d", at))
		write(t, fs, synced(manifest), whole[:at])
		wholeStore(t, fs, fmt.Sprintf("%d of its bytes", at))
	}
}

// What is said of a manifest goes with it.
func TestSyncedGoesWithItsManifest(t *testing.T) {
	fs, _ := listed(t)
	names, err := fs.List("db/pebble")
	if err != nil {
		t.Fatal(err)
	}
	manifests, said := 0, 0
	for _, name := range names {
		switch {
		case strings.HasPrefix(name, "MANIFEST-"):
			manifests++
		case strings.HasPrefix(name, "synced."):
			said++
		}
	}
	if said == 0 || said != manifests {
		t.Errorf("%d manifests, something said of %d, in %v", manifests, said, names)
	}
}

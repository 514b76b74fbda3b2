package backup_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/gateway/backup"
)

// made is a backup of a store with these files, and the folder that it was made of.
func made(t *testing.T, files map[string]string) (store, dir string) {
	t.Helper()
	store, dir = t.TempDir(), filepath.Join(t.TempDir(), "backup")
	database := filepath.Join(store, "pebble")
	if err := os.Mkdir(database, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(database, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	m, err := backup.Write(t.Context(), store, dir, backup.Manifest{Gateway: "gw1", Version: "1", MadeAt: time.Unix(1, 0).UTC()})
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Files) != len(files)-1 { // without the lock
		t.Errorf("files %+v", m.Files)
	}
	return store, dir
}

var files = map[string]string{"000001.log": "a log", "MANIFEST-000001": "", "LOCK": "", "000002.sst": strings.Repeat("table ", 10_000)}

func TestBackupComesBack(t *testing.T) {
	store, dir := made(t, files)
	m, err := backup.Verify(t.Context(), dir)
	if err != nil || m.Gateway != "gw1" || m.Bytes() != 60_005 {
		t.Fatalf("%+v, %v", m, err)
	}
	if _, err := backup.Write(t.Context(), store, dir, m); !errors.Is(err, backup.ErrNotEmpty) {
		t.Errorf("a backup over another: %v", err)
	}
	to := filepath.Join(t.TempDir(), "store")
	if _, err := backup.Restore(t.Context(), dir, to); err != nil {
		t.Fatal(err)
	}
	for name, content := range files {
		got, err := os.ReadFile(filepath.Join(to, "pebble", name))
		if name == "LOCK" {
			if !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the lock came along: %v", err)
			}
			continue
		}
		if err != nil || string(got) != content {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
	if _, err := backup.Restore(t.Context(), dir, to); !errors.Is(err, backup.ErrNotEmpty) {
		t.Errorf("a restore over a store: %v", err)
	}
}

func TestWhatIsNoBackup(t *testing.T) {
	for name, c := range map[string]struct {
		damage func(dir string) error
		want   error
	}{
		"not finished": {func(dir string) error { return os.Remove(filepath.Join(dir, "backup.json")) }, backup.ErrNone},
		"no JSON":      {func(dir string) error { return os.WriteFile(filepath.Join(dir, "backup.json"), []byte("{"), 0o600) }, backup.ErrDamaged},
		"no format":    {func(dir string) error { return os.WriteFile(filepath.Join(dir, "backup.json"), []byte("{}"), 0o600) }, backup.ErrDamaged},
		"newer": {func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "backup.json"), []byte(`{"format":2,"files":"elsewhere"}`), 0o600)
		}, backup.ErrNewer},
		"a way out": {func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "backup.json"), []byte(`{"format":1,"files":[{"name":"pebble/../../x"}]}`), 0o600)
		}, backup.ErrDamaged},
		"one file more": {func(dir string) error { return os.WriteFile(filepath.Join(dir, "store", "pebble", "x"), nil, 0o600) }, backup.ErrDamaged},
		"one file less": {func(dir string) error { return os.Remove(filepath.Join(dir, "store", "pebble", "000002.sst")) }, backup.ErrDamaged},
		"another file": {func(dir string) error {
			return os.Rename(filepath.Join(dir, "store", "pebble", "000002.sst"), filepath.Join(dir, "store", "pebble", "000003.sst"))
		}, backup.ErrDamaged},
		"shorter": {func(dir string) error {
			return os.Truncate(filepath.Join(dir, "store", "pebble", "000002.sst"), 59_999)
		}, backup.ErrDamaged},
		"another content": {func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "store", "pebble", "000001.log"), []byte("A log"), 0o600)
		}, backup.ErrDamaged},
		"no store": {func(dir string) error { return os.RemoveAll(filepath.Join(dir, "store")) }, backup.ErrDamaged},
	} {
		t.Run(name, func(t *testing.T) {
			_, dir := made(t, files)
			if err := c.damage(dir); err != nil {
				t.Fatal(err)
			}
			if _, err := backup.Verify(t.Context(), dir); !errors.Is(err, c.want) {
				t.Errorf("verify: %v, want %v", err, c.want)
			}
			if _, err := backup.Restore(t.Context(), dir, filepath.Join(t.TempDir(), "store")); !errors.Is(err, c.want) {
				t.Errorf("restore: %v, want %v", err, c.want)
			}
		})
	}
}

// Who gives up halfway has no backup, and not one that is said to be damaged.
func TestInterrupted(t *testing.T) {
	store, dir := made(t, files)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	half := filepath.Join(t.TempDir(), "half")
	if _, err := backup.Write(ctx, store, half, backup.Manifest{}); !errors.Is(err, context.Canceled) {
		t.Errorf("write: %v", err)
	}
	if _, err := backup.Read(half); !errors.Is(err, backup.ErrNone) {
		t.Errorf("what is left: %v", err)
	}
	if _, err := backup.Verify(ctx, dir); !errors.Is(err, context.Canceled) || errors.Is(err, backup.ErrDamaged) {
		t.Errorf("verify: %v", err)
	}
}

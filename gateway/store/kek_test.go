package store_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/godwit-gateway/godwit/gateway/store"
)

func TestKEKFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kek")
	if _, err := store.LoadKEK(path, false); !errors.Is(err, store.ErrKEK) || store.Hint(err) == "" {
		t.Errorf("no file: %v, want ErrKEK with a hint", err)
	}
	k, err := store.LoadKEK(path, true)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 || info.Size() != 32 {
		t.Errorf("file: %v, %v", info, err)
	}
	if files, err := os.ReadDir(filepath.Dir(path)); err != nil || len(files) != 1 {
		t.Errorf("files beside it: %v, %v", files, err)
	}
	again, err := store.LoadKEK(path, true)
	if err != nil {
		t.Fatal(err)
	}
	key := [32]byte{1, 2, 3}
	wrapped, err := k.Wrap(7, 1, store.OriginEnrolled, &key)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := again.Unwrap(7, 1, wrapped); err != nil || got != key {
		t.Errorf("unwrapped %x, %v", got, err)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := store.LoadKEK(path, true); !errors.Is(err, store.ErrKEK) {
		t.Errorf("file that others may read: %v, want ErrKEK", err)
	}
	if err := os.WriteFile(path, make([]byte, 31), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := store.LoadKEK(path, true); !errors.Is(err, store.ErrKEK) {
		t.Errorf("file that is too short: %v, want ErrKEK", err)
	}
}

// Two processes that make the file at once end up with the same key.
func TestKEKFileMadeTwice(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kek")
	var wg sync.WaitGroup
	keks := make([]*store.KEK, 8)
	for i := range keks {
		wg.Go(func() {
			k, err := store.LoadKEK(path, true)
			if err != nil {
				t.Error(err)
			}
			keks[i] = k
		})
	}
	wg.Wait()
	key := [32]byte{9}
	wrapped, err := keks[0].Wrap(1, 1, store.OriginFactory, &key)
	if err != nil {
		t.Fatal(err)
	}
	for i, k := range keks {
		if got, err := k.Unwrap(1, 1, wrapped); err != nil || got != key {
			t.Errorf("key %d is another: %v", i, err)
		}
	}
}

func TestWrap(t *testing.T) {
	k, err := store.NewKEK(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	other, err := store.NewKEK(bytes.Repeat([]byte{1}, 32))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.NewKEK(make([]byte, 16)); !errors.Is(err, store.ErrKEK) {
		t.Errorf("short key: %v, want ErrKEK", err)
	}
	key := [32]byte{1, 2, 3}
	wrapped, err := k.Wrap(7, 1, store.OriginEnrolled, &key)
	if err != nil {
		t.Fatal(err)
	}
	if twice, _ := k.Wrap(7, 1, store.OriginEnrolled, &key); bytes.Equal(wrapped, twice) {
		t.Error("wrapped twice with the same nonce")
	}
	if bytes.Contains(wrapped, key[:8]) {
		t.Error("the key can be read")
	}
	if got, err := k.Unwrap(7, 1, wrapped); err != nil || got != key {
		t.Errorf("unwrapped %x, %v", got, err)
	}
	if _, err := other.Unwrap(7, 1, wrapped); !errors.Is(err, store.ErrWrongKEK) || store.Hint(err) == "" {
		t.Errorf("another KEK: %v, want ErrWrongKEK with a hint", err)
	}
	for _, v := range []struct{ number, version uint32 }{{8, 1}, {7, 2}} {
		if got, err := k.Unwrap(v.number, v.version, wrapped); !errors.Is(err, store.ErrCorrupt) || got != ([32]byte{}) {
			t.Errorf("as version %d of device %d: %x, %v, want ErrCorrupt", v.version, v.number, got, err)
		}
	}
	for i := range wrapped {
		damaged := bytes.Clone(wrapped)
		damaged[i] ^= 1
		if got, err := k.Unwrap(7, 1, damaged); err == nil || got != ([32]byte{}) {
			t.Errorf("byte %d changed: %x, %v", i, got, err)
		}
	}
	for n := range wrapped {
		if _, err := k.Unwrap(7, 1, wrapped[:n]); !errors.Is(err, store.ErrRow) {
			t.Errorf("%d bytes: %v, want ErrRow", n, err)
		}
	}
}

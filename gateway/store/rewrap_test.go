package store_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/godwit-gateway/godwit/gateway/store"
)

func newKEK(t *testing.T, b byte) *store.KEK {
	t.Helper()
	k, err := store.NewKEK(bytes.Repeat([]byte{b}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// A rewrap changes all keys or none, keeps their origins, and may be run again.
func TestRewrap(t *testing.T) {
	fs := vfs.NewCrashableMem()
	s := open(t, store.Options{Dir: "db", FS: fs})
	from, to, other := newKEK(t, 1), newKEK(t, 2), newKEK(t, 3)
	const devices = 300
	b := s.NewBatch()
	for n := range uint32(devices) {
		origin := store.Origin(n%3 + 1)
		wrapped, err := from.Wrap(n, 1, origin, &[32]byte{byte(n), byte(n >> 8)})
		if err != nil {
			t.Fatal(err)
		}
		b.PutKey(n, 1, wrapped)
	}
	if err := s.Commit(b); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Rewrap(t.Context(), other, to); !errors.Is(err, store.ErrWrongKEK) {
		t.Fatalf("from another key: %v", err)
	}
	readable := func(s *store.Store, k *store.KEK) int {
		t.Helper()
		n := 0
		if err := s.EachKey(func(number, version uint32, wrapped []byte) error {
			key, err := k.Unwrap(number, version, wrapped)
			if err == nil {
				if key != [32]byte{byte(number), byte(number >> 8)} || store.KeyOrigin(wrapped) != store.Origin(number%3+1) {
					t.Errorf("device %d: %x, %s", number, key, store.KeyOrigin(wrapped))
				}
				n++
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := readable(s, from); n != devices {
		t.Fatalf("%d keys after a rewrap that failed", n)
	}
	r, err := s.Rewrap(t.Context(), from, to)
	if err != nil || r != (store.RewrapReport{Rewrapped: devices}) {
		t.Fatalf("%+v, %v", r, err)
	}
	// Power fails right after it.
	after := open(t, store.Options{Dir: "db", FS: fs.CrashClone(vfs.CrashCloneCfg{})})
	if n := readable(after, to); n != devices || readable(after, from) != 0 {
		t.Fatalf("%d keys by the new one", n)
	}
	if r, err := after.Rewrap(t.Context(), from, to); err != nil || r != (store.RewrapReport{Before: devices}) {
		t.Fatalf("again: %+v, %v", r, err)
	}
}

// Once the store is closed no file of it keeps what the old key opens.
func TestRewrapLeavesNothingOfTheOldKey(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "db")
	opened := func(use func(s *store.Store)) {
		t.Helper()
		s, err := tryOpen(t, store.Options{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		use(s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	filesWith := func(wrapped []byte) (n int) {
		t.Helper()
		paths, err := filepath.Glob(filepath.Join(dir, "pebble", "*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(text, wrapped[len(wrapped)-32:]) {
				n++
			}
		}
		return n
	}
	keks := []*store.KEK{newKEK(t, 1), newKEK(t, 2), newKEK(t, 3)}
	wrapped, err := keks[0].Wrap(7, 1, store.OriginFactory, &[32]byte{7})
	if err != nil {
		t.Fatal(err)
	}
	opened(func(s *store.Store) {
		b := s.NewBatch()
		b.PutKey(7, 1, wrapped)
		commit(t, s, b)
	})
	for k := range keks[1:] {
		if filesWith(wrapped) == 0 {
			t.Fatal("no file has the key")
		}
		old := wrapped
		opened(func(s *store.Store) {
			if r, err := s.Rewrap(t.Context(), keks[k], keks[k+1]); err != nil || r.Rewrapped != 1 {
				t.Fatalf("%+v, %v", r, err)
			}
			if err := s.EachKey(func(_, _ uint32, w []byte) error { wrapped = bytes.Clone(w); return nil }); err != nil {
				t.Fatal(err)
			}
		})
		if n := filesWith(old); n != 0 {
			t.Errorf("%d files keep the key under the old one", n)
		}
	}
}

func TestKEKSources(t *testing.T) {
	key := bytes.Repeat([]byte{7}, 32)
	dir := t.TempDir()
	for name, content := range map[string][]byte{"raw": key, "hex": []byte(hex.EncodeToString(key) + "\n"), "short": key[:31], "noise": bytes.Repeat([]byte("x"), 64)} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("CREDENTIALS_DIRECTORY", dir)
	t.Setenv("GODWIT_TEST_KEK", hex.EncodeToString(key))
	t.Setenv("GODWIT_TEST_SHORT", hex.EncodeToString(key[:16]))
	t.Setenv("GODWIT_TEST_NOISE", "no digits")
	want := newKEK(t, 7)
	wrapped, err := want.Wrap(1, 1, store.OriginFactory, &[32]byte{1})
	if err != nil {
		t.Fatal(err)
	}
	for source, good := range map[string]bool{
		filepath.Join(dir, "raw"): true, filepath.Join(dir, "hex"): true, filepath.Join(dir, "short"): false, filepath.Join(dir, "noise"): false,
		"credential:raw": true, "credential:hex": true, "credential:missing": false, "credential:": false, "credential:../raw": false, "credential:sub/../raw": false,
		"env:GODWIT_TEST_KEK": true, "env:GODWIT_TEST_SHORT": false, "env:GODWIT_TEST_NOISE": false, "env:GODWIT_TEST_MISSING": false,
	} {
		k, err := store.LoadKEK(source, true)
		if (err == nil) != good {
			t.Errorf("%s: %v", source, err)
			continue
		}
		if !good {
			if !errors.Is(err, store.ErrKEK) || store.Hint(err) == "" {
				t.Errorf("%s: %v, want ErrKEK", source, err)
			}
			continue
		}
		if got, err := k.Unwrap(1, 1, wrapped); err != nil || got != [32]byte{1} {
			t.Errorf("%s is another key: %v", source, err)
		}
	}
	if store.KEKIsFile("credential:kek") || store.KEKIsFile("env:KEK") || !store.KEKIsFile("/etc/godwit/kek") {
		t.Error("what is a file")
	}
	t.Setenv("CREDENTIALS_DIRECTORY", "")
	if _, err := store.LoadKEK("credential:raw", true); !errors.Is(err, store.ErrKEK) {
		t.Errorf("outside a unit: %v", err)
	}
}

func TestOrigins(t *testing.T) {
	for _, o := range []store.Origin{store.OriginFactory, store.OriginFleet, store.OriginEnrolled} {
		if got, err := store.ParseOrigin(o.String()); err != nil || got != o {
			t.Errorf("%s: %s, %v", o, got, err)
		}
	}
	if _, err := store.ParseOrigin(""); err == nil || store.Origin(0).String() != "invalid" {
		t.Error("no origin is one")
	}
	if _, err := newKEK(t, 1).Wrap(1, 1, 0, &[32]byte{}); err == nil {
		t.Error("a key of no origin")
	}
	if store.KeyOrigin(nil) != 0 {
		t.Error("nothing has an origin")
	}
}

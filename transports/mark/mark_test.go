package mark_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/godwit-gateway/godwit/transports/mark"
)

func TestMarkIsWhatWasWrittenLast(t *testing.T) {
	path := filepath.Join(t.TempDir(), "links", "sat0.mark")
	if at, err := mark.Read(path); at != "" || err != nil {
		t.Fatalf("before the first: %q, %v", at, err)
	}
	for _, want := range []string{"mRbxMoAQkLdKJBkxxognqYZpaOgjPwly", "", "two\nlines\x00", strings.Repeat("x", mark.Max)} {
		if err := mark.Write(path, want); err != nil {
			t.Fatal(err)
		}
		if at, err := mark.Read(path); at != want || err != nil {
			t.Errorf("%q, %v, want %q", at, err, want)
		}
	}
	if err := mark.Write(path, strings.Repeat("x", mark.Max+1)); err == nil {
		t.Error("a mark that is too long was written")
	}
}

// Whatever a crash can leave in the place of the file that is being written, the mark before it stands.
func TestMarkSurvivesACrashWhileItIsWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sat0.mark")
	if err := mark.Write(path, "one"); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for n := range whole {
		if err := os.WriteFile(path+".new", whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		if at, err := mark.Read(path); at != "one" || err != nil {
			t.Fatalf("with %d bytes of the next one: %q, %v", n, at, err)
		}
	}
	if err := mark.Write(path, "two"); err != nil {
		t.Fatal(err)
	}
	if at, err := mark.Read(path); at != "two" || err != nil {
		t.Errorf("%q, %v, want two", at, err)
	}
	if _, err := os.Stat(path + ".new"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file beside it is left: %v", err)
	}
}

// A short or changed file is never taken for a mark.
func TestDamagedMark(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sat0.mark")
	if err := mark.Write(path, "300234010753370"); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	damaged := func(what string, text []byte) {
		t.Helper()
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if at, err := mark.Read(path); at != "" || !errors.Is(err, mark.ErrDamaged) {
			t.Errorf("%s: %q, %v", what, at, err)
		}
	}
	for n := range whole {
		damaged("cut short", whole[:n])
		for bit := range 8 {
			changed := append([]byte(nil), whole...)
			changed[n] ^= 1 << bit
			damaged("a bit changed", changed)
		}
	}
	damaged("longer", append(whole, 'x'))
	damaged("zeros, as after a power cut", make([]byte, len(whole)))
	damaged("far too long", append(whole, make([]byte, 2*mark.Max)...))
	if err := mark.Write(path, "new"); err != nil { // the driver goes on from the beginning
		t.Fatal(err)
	}
	if at, err := mark.Read(path); at != "new" || err != nil {
		t.Errorf("%q, %v", at, err)
	}
}

// A mark that could not be written is an error, and the one before it stands.
func TestMarkThatCannotBeWritten(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "sat0.mark")
	if err := mark.Write(path, "one"); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(path+".new", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := mark.Write(path, "two"); err == nil {
		t.Error("no error")
	}
	if at, err := mark.Read(path); at != "one" || err != nil {
		t.Errorf("%q, %v, want one", at, err)
	}
}

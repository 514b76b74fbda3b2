package store_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/godwit-gateway/godwit/gateway/store"
)

// lockedDir names the directory that a child process is to open and hold.
const lockedDir = "GODWIT_TEST_LOCKED_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(lockedDir); dir != "" {
		s, err := store.Open(store.Options{Dir: dir})
		fmt.Println(err) // to the parent
		_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
		if err == nil {
			_ = s.Close()
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// A store that another process holds is refused, for reading too, with a word on what to do; when that process is gone it opens.
func TestLockedByAnotherProcess(t *testing.T) {
	dir := t.TempDir()
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), lockedDir+"="+dir)
	in, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "<nil>\n" {
		t.Fatalf("the child could not open the store: %q, %v", line, err)
	}
	for _, readOnly := range []bool{false, true} {
		_, err := store.Open(store.Options{Dir: dir, ReadOnly: readOnly})
		if !errors.Is(err, store.ErrLocked) || !strings.Contains(store.Hint(err), "running") {
			t.Errorf("open, read only %v: %v, want ErrLocked with a hint", readOnly, err)
		}
	}
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	if err := child.Wait(); err != nil {
		t.Fatal(err)
	}
	open(t, store.Options{Dir: dir, FS: vfs.Default})
}

func TestLockedByThisProcess(t *testing.T) {
	dir := t.TempDir()
	for _, fs := range []vfs.FS{vfs.Default, vfs.NewMem()} {
		open(t, store.Options{Dir: dir, FS: fs})
		if _, err := tryOpen(t, store.Options{Dir: dir, FS: fs}); !errors.Is(err, store.ErrLocked) {
			t.Errorf("open again: %v, want ErrLocked", err)
		}
	}
}

// A directory that cannot be written is not taken for one that is in use.
func TestUnwritableDirectory(t *testing.T) {
	file := t.TempDir() + "/file"
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Open(store.Options{Dir: file}); err == nil || errors.Is(err, store.ErrLocked) {
		t.Errorf("open a file: %v, want an error, not ErrLocked", err)
	}
	if _, err := store.Open(store.Options{Dir: file + "/db"}); err == nil || errors.Is(err, store.ErrLocked) {
		t.Errorf("open below a file: %v, want an error, not ErrLocked", err)
	}
}

package publish_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// disk is a small file system of its own, which can be filled without harm to anybody.
type disk struct {
	t    testing.TB
	dir  string
	size int64
}

// newDisk mounts a file system for as long as the test runs. Only root may.
func newDisk(t testing.TB, size int64) *disk {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d,mode=0700", size)); err != nil {
		t.Skipf("needs a file system that may be filled, and mounting one was refused: %v", err)
	}
	t.Cleanup(func() {
		// Detached at once and gone with the last file that is open on it: nats-server leaves some behind, of batches that it could not write.
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Errorf("unmount %s: %v", dir, err)
		}
	})
	return &disk{t: t, dir: dir, size: size}
}

func (d *disk) hog() string { return filepath.Join(d.dir, "hog") }

// fill takes all space but so many bytes, rounded to pages.
func (d *disk) fill(left int64) {
	d.t.Helper()
	f, err := os.Create(d.hog())
	if err != nil {
		d.t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	var size int64
	for chunk := 64 << 10; chunk > 0; {
		n, err := f.Write(make([]byte, chunk))
		size += int64(n)
		if errors.Is(err, syscall.ENOSPC) {
			chunk /= 2
		} else if err != nil {
			d.t.Fatal(err)
		}
	}
	if err := f.Truncate(max(size-left, 0)); err != nil {
		d.t.Fatal(err)
	}
	if free := d.free(); free > left || size < left {
		d.t.Fatalf("%d bytes are free, want %d", free, left)
	}
}

// empty gives the space back.
func (d *disk) empty() {
	d.t.Helper()
	if err := os.Remove(d.hog()); err != nil {
		d.t.Fatal(err)
	}
}

// open counts the files below a folder of the disk that this process has open, those that were deleted included: they still take space.
func (d *disk) open(folder string) (n int) {
	d.t.Helper()
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		d.t.Fatal(err)
	}
	for _, fd := range fds {
		name, err := os.Readlink(filepath.Join("/proc/self/fd", fd.Name()))
		if err == nil && strings.HasPrefix(name, d.dir) && strings.Contains(name, "/"+folder+"/") {
			n++
		}
	}
	return n
}

func (d *disk) free() int64 {
	d.t.Helper()
	var st syscall.Statfs_t
	if err := syscall.Statfs(d.dir, &st); err != nil {
		d.t.Fatal(err)
	}
	return int64(st.Bavail) * st.Bsize
}

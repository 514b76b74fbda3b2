//go:build e2e

package e2e_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"unsafe"
)

// loopDisk is an ext4 file system in a file, whose power can be cut, which can be made to hang, and which can be filled, without harm to anybody.
type loopDisk struct {
	image, dir string
	mounted    bool
	frozen     bool
}

// loopSize is large enough for the gateway to take frames in: it wants 512 MiB and a tenth to be free. The file is sparse.
const loopSize = 3 << 30

// newLoopDisk makes and mounts one for as long as the test runs. It takes root, loop devices and mkfs.ext4.
func newLoopDisk(t *testing.T) *loopDisk {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root can mount a file system of its own")
	}
	base := t.TempDir()
	d := &loopDisk{image: filepath.Join(base, "image"), dir: filepath.Join(base, "disk")}
	f, err := os.Create(d.image)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Truncate(loopSize); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(d.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mkfs.ext4", "-q", "-F", "-m", "0", "-E", "lazy_itable_init=1,lazy_journal_init=1", d.image).CombinedOutput(); err != nil {
		t.Skipf("no ext4 can be made here: %v %s", err, out)
	}
	t.Cleanup(func() {
		if d.frozen {
			d.thaw(t)
		}
		if d.mounted {
			// Detached at once, and gone with the last file that is open on it.
			if err := syscall.Unmount(d.dir, syscall.MNT_DETACH); err != nil {
				t.Errorf("unmount %s: %v", d.dir, err)
			}
		}
	})
	if out, err := exec.Command("mount", "-o", "loop", d.image, d.dir).CombinedOutput(); err != nil {
		t.Skipf("no loop device can be mounted here: %v %s", err, out)
	}
	d.mounted = true
	return d
}

// Requests of ioctl(2), as linux/fs.h and fs/ext4/ext4.h have them for all architectures but a few old ones.
const (
	ioctlFreeze   = 0xc0045877 // FIFREEZE, _IOWR('X', 119, int)
	ioctlThaw     = 0xc0045878 // FITHAW, _IOWR('X', 120, int)
	ioctlShutdown = 0x8004587d // EXT4_IOC_SHUTDOWN, _IOR('X', 125, __u32)

	shutdownFlush      = 0 // EXT4_GOING_FLAGS_DEFAULT: what was written so far is synced first
	shutdownNoLogFlush = 2 // EXT4_GOING_FLAGS_NOLOGFLUSH: what the journal has not written is gone too
)

func (d *loopDisk) ioctl(t *testing.T, request uintptr, value uint32) {
	t.Helper()
	f, err := os.Open(d.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), request, uintptr(unsafe.Pointer(&value))); errno != 0 {
		t.Fatalf("ioctl %#x: %v", request, errno)
	}
}

// cut ends all writing at once, as a power failure does: what was not synced is lost, and every further write fails.
func (d *loopDisk) cut(t *testing.T) {
	t.Helper()
	d.ioctl(t, ioctlShutdown, shutdownNoLogFlush)
}

// fail has every further write fail. What was written before stays: a sync that is under way, and comes back without an error, tells the truth, which it may
// not do in cut.
func (d *loopDisk) fail(t *testing.T) {
	t.Helper()
	d.ioctl(t, ioctlShutdown, shutdownFlush)
}

// again unmounts the file system, which nobody may use any more, and mounts it again: the journal is replayed, as at a boot.
func (d *loopDisk) again(t *testing.T) {
	t.Helper()
	if out, err := exec.Command("umount", d.dir).CombinedOutput(); err != nil {
		t.Fatalf("umount: %v %s", err, out)
	}
	d.mounted = false
	if out, err := exec.Command("mount", "-o", "loop", d.image, d.dir).CombinedOutput(); err != nil {
		t.Fatalf("mount: %v %s", err, out)
	}
	d.mounted = true
}

// freeze has everybody wait who writes or syncs, until thaw.
func (d *loopDisk) freeze(t *testing.T) {
	t.Helper()
	d.ioctl(t, ioctlFreeze, 0)
	d.frozen = true
}

func (d *loopDisk) thaw(t *testing.T) {
	t.Helper()
	d.ioctl(t, ioctlThaw, 0)
	d.frozen = false
}

func (d *loopDisk) hog() string { return filepath.Join(d.dir, "hog") }

// fill takes all space but so many bytes.
func (d *loopDisk) fill(t *testing.T, left int64) {
	t.Helper()
	f, err := os.Create(d.hog())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	// Step by step: what the file system keeps for its own books is not known before.
	size := int64(0)
	for chunk := int64(256 << 20); chunk >= 4096; {
		var st syscall.Statfs_t
		if err := syscall.Statfs(d.dir, &st); err != nil {
			t.Fatal(err)
		}
		if free := int64(st.Bavail) * st.Bsize; free-chunk < left || syscall.Fallocate(int(f.Fd()), 0, size, chunk) != nil {
			chunk /= 2
			continue
		}
		size += chunk
	}
}

func (d *loopDisk) empty(t *testing.T) {
	t.Helper()
	if err := os.Remove(d.hog()); err != nil {
		t.Fatal(err)
	}
}

//go:build e2e

package e2e_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// cutOff ends a gateway and the power of its disk at one moment, as a power failure ends a machine. The gateway is halted first: a call to fsync(2) that is
// under way when the file system is shut down may come back without an error though its journal was thrown away, and on a machine without power there is
// nobody left whom it could tell.
func (d *loopDisk) cutOff(t *testing.T, gw *process) {
	t.Helper()
	if err := gw.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	tasks := fmt.Sprintf("/proc/%d/task/*/stat", gw.cmd.Process.Pid)
	until(t, time.Minute, "the gateway to be halted", func() bool { // once one thread is, none returns from the kernel
		files, err := filepath.Glob(tasks)
		if err != nil {
			t.Fatal(err)
		}
		return slices.ContainsFunc(files, func(file string) bool {
			text, err := os.ReadFile(file)
			_, after, ok := strings.Cut(string(text), ") ") // behind the name of the program
			return err == nil && ok && strings.HasPrefix(after, "T")
		})
	})
	d.cut(t)
	gw.kill(t)
	d.again(t)
}

// siteOnDisk is a site whose state has a disk of its own.
func siteOnDisk(t *testing.T) (*loopDisk, *site) {
	t.Helper()
	disk, s := newLoopDisk(t), newSite(t)
	s.moveState(t, filepath.Join(disk.dir, "state"))
	return disk, s
}

// alive checks that a gateway which is not ready does not ask to be started again, which would not help.
func (s *site) alive(t *testing.T) {
	t.Helper()
	if code, text := s.asks(t, "/healthz"); code != http.StatusOK {
		t.Errorf("not alive: %d %s", code, text)
	}
}

// The power of the disk that has both the store and the stream is cut under load, again and again: nothing that was acknowledged is lost in either.
func TestPowerCut(t *testing.T) {
	disk, s := siteOnDisk(t)
	rng := rand.New(rand.NewPCG(41, 1))
	c := s.crewOf(t, 1, 12)
	times := rounds(2, 50)
	for range times {
		gw := s.gateway(t)
		c.grow(t, 20)
		pause(rng, 0, 60*time.Millisecond)
		disk.cutOff(t, gw)
	}
	c.survived(t, s)
}

// The power is cut in the first second of a new store and a new stream: they open, or are made anew, and nothing that was acknowledged is lost.
func TestPowerCutAtFirstStart(t *testing.T) {
	disk := newLoopDisk(t)
	rng := rand.New(rand.NewPCG(42, 1))
	for i := range rounds(2, 25) {
		s := newSite(t)
		s.moveState(t, filepath.Join(disk.dir, fmt.Sprint("state-", i)))
		c := s.crewOf(t, 1, 6)
		gw := start(t, "godwit", "run", "--config", s.config)
		pause(rng, 10*time.Millisecond, 900*time.Millisecond)
		disk.cutOff(t, gw)
		c.survived(t, s)
	}
}

// A disk whose writes fail: the gateway ends by itself, with exit code 1, and the next one starts with all that was acknowledged.
func TestWritesFail(t *testing.T) {
	disk, s := siteOnDisk(t)
	c := s.crewOf(t, 1, 6)
	gw := s.gateway(t)
	c.grow(t, 20)
	disk.fail(t)
	if out := gw.failed(t); !hasLine(out, "store cannot be written: the process ends") {
		t.Errorf("the log does not say why:\n%s", out)
	}
	disk.again(t)
	c.survived(t, s)
}

// A disk that hangs for a moment makes acknowledgements late and nothing else. One that hangs for long makes the gateway not ready, but alive: it goes
// on when the disk does.
func TestDiskHangs(t *testing.T) {
	thoroughOnly(t)
	disk, s := siteOnDisk(t)
	c := s.crewOf(t, 1, 6)
	gw := s.gateway(t)
	c.grow(t, 20)
	disk.freeze(t)
	pause(rand.New(rand.NewPCG(1, 1)), time.Second, 2*time.Second)
	disk.thaw(t)
	c.grow(t, 20)

	disk.freeze(t)
	s.notReady(t, "a commit has not returned")
	c.silence(t, 50)
	s.alive(t)
	s.notReady(t, "a commit has not returned")
	disk.thaw(t)
	s.ready(t)
	c.grow(t, 20)
	c.kept(t, s, gw)
	if strings.Contains(gw.out.String(), "store cannot be written") {
		t.Errorf("a write failed:\n%s", gw.out)
	}
}

// ready waits until the gateway says that it is.
func (s *site) ready(t *testing.T) {
	t.Helper()
	until(t, time.Minute, "the gateway to be ready", func() bool {
		code, _ := s.asks(t, "/readyz")
		return code == http.StatusOK
	})
}

// A disk that gets full, shared by the store and the stream: nothing is acknowledged, readiness is gone, and all goes on by itself once there is space.
func TestDiskGetsFull(t *testing.T) {
	disk, s := siteOnDisk(t)
	c := s.crewOf(t, 1, 6)
	gw := s.gateway(t)
	c.grow(t, 20)
	for range 2 {
		disk.fill(t, 300<<20)
		s.notReady(t, "disk space is low")
		c.silence(t, 50)
		s.notReady(t, "disk space is low")
		s.alive(t)
		disk.empty(t)
		s.ready(t)
		c.grow(t, 20)
	}
	c.kept(t, s, gw)
}

// A disk without a free byte. A gateway on it acknowledges nothing, and goes on once there is space. One that is started on it does not start and says why, be it
// the first time or not: nothing is lost by that, and it starts once there is space.
func TestDiskIsFull(t *testing.T) {
	disk, s := siteOnDisk(t)
	c := s.crewOf(t, 1, 6)
	gw := s.gateway(t)
	c.grow(t, 20)
	disk.fill(t, 0)
	s.notReady(t, "disk space is low")
	c.silence(t, 50)
	s.alive(t)
	gw.kill(t)
	s.noRoom(t, "disk space is low")
	fresh := newSite(t)
	fresh.moveState(t, filepath.Join(disk.dir, "fresh"))
	fresh.noRoom(t, "no space left on device")
	disk.empty(t)
	disk.fill(t, 32<<20)
	s.noRoom(t, "disk space is low")
	fresh.noRoom(t, "disk space is low")
	disk.empty(t)
	gw = s.gateway(t)
	c.grow(t, 20)
	c.kept(t, s, gw)
	fresh.gateway(t).stopped(t)
}

// noRoom has a gateway refuse to start for want of space, which it says in these words.
func (s *site) noRoom(t *testing.T, why string) {
	t.Helper()
	if out := s.refused(t); !hasLine(out, why) {
		t.Errorf("the log does not say %q:\n%s", why, out)
	}
}

//go:build e2e

package e2e_test

import (
	"encoding/json"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/godwit-gateway/godwit/simulator/check"
)

// backup takes a backup of the running gateway, and holds it to be one.
func (s *site) backup(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "backup")
	s.must(t, "store", "backup", dir)
	if out := s.must(t, "store", "check", "--backup", dir); !strings.Contains(out, "no fault found") {
		t.Errorf("check of the backup:\n%s", out)
	}
	if _, err := os.Stat(filepath.Join(s.stateDir, "checkpoint")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the checkpoint still takes space: %v", err)
	}
	return dir
}

// elsewhere loses all state of the gateway, which has an empty folder in another place from its next start on, and returns how to bring the
// key-encryption key there.
func (s *site) elsewhere(t *testing.T) (bringKey func()) {
	t.Helper()
	kek, err := os.ReadFile(filepath.Join(s.stateDir, "kek"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(s.stateDir); err != nil {
		t.Fatal(err)
	}
	s.moveState(t, filepath.Join(s.dir, "elsewhere"))
	if err := os.Mkdir(s.stateDir, 0o700); err != nil {
		t.Fatal(err)
	}
	return func() {
		t.Helper()
		if err := os.WriteFile(filepath.Join(s.stateDir, "kek"), kek, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// The disk of the store is lost, the stream is elsewhere. The backup that was taken under load is restored in another place: what was published
// since is taken over, the devices go on as if nothing had been, and nothing that was acknowledged and published is lost or taken twice.
func TestRestoreWithStream(t *testing.T) {
	s := newSite(t)
	s.withBroker(t)
	c := s.crewOf(t, 1, 12)
	gw := s.gateway(t)
	c.grow(t, 100)
	backup := s.backup(t) // while the devices send
	c.grow(t, 100)
	c.published(t, s)
	gw.kill(t)
	s.elsewhere(t)()
	if out := s.must(t, "store", "restore", backup); !strings.Contains(out, "takes over from the stream") {
		t.Errorf("restore does not say what comes next:\n%s", out)
	}
	if out, err := command(t, "store", "restore", backup, "--config", s.config); err == nil || !strings.Contains(out, "not empty") {
		t.Errorf("a restore over a store: %v\n%s", err, out)
	}
	gw = s.gateway(t)
	for _, line := range []string{"store is a backup", "store is older than the stream"} {
		if !hasLine(gw.out.String(), line) {
			t.Errorf("the log does not say %q:\n%s", line, gw.out)
		}
	}
	c.start(t)
	c.grow(t, 100)
	c.kept(t, s, gw)
}

// The whole machine is lost, the stream as well. All that was acknowledged before the backup is in the restored store and is published again on a
// new stream; the devices go on, without a counter that is used twice.
func TestRestoreWithoutStream(t *testing.T) {
	s := newSite(t)
	c := s.crewOf(t, 1, 12)
	gw := s.gateway(t)
	own := filepath.Join(s.dir, "own.csv")
	if err := os.WriteFile(own, []byte("number,name,product,customer,key\n200001,own,buoy-demo,acme,"+strings.Repeat("5a", 32)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.must(t, "device", "import", own)
	c.grow(t, 200)
	c.mu.Lock()
	before := maps.Clone(c.acked)
	c.mu.Unlock()
	backup := s.backup(t)
	c.grow(t, 50)
	c.stop()
	gw.kill(t)
	bringKey := s.elsewhere(t)

	// The key first: without it the devices' keys cannot be read, and the restore says so and leaves nothing.
	if out, err := command(t, "store", "restore", backup, "--config", s.config); err == nil || !strings.Contains(out, "key-encryption key") {
		t.Errorf("a restore without the key: %v\n%s", err, out)
	}
	bringKey()
	if out := s.must(t, "store", "restore", backup); !strings.Contains(out, "there is no stream") {
		t.Errorf("restore does not say what is lost:\n%s", out)
	}
	gw = s.gateway(t)

	// What was acknowledged after the backup is lost with the machine, as the command said.
	c.mu.Lock()
	c.acked = maps.Clone(before)
	c.mu.Unlock()
	c.published(t, s)

	// The devices go on. Statuses that say what is new since one that was lost wait for it, until the next whole one comes.
	c.start(t)
	heard, next, st := make(map[uint32]bool), uint64(1), s.stream(t)
	until(t, time.Minute, "new statuses of all devices", func() bool {
		next = events(t, st, next, func(msg jetstream.Msg) {
			var e struct {
				Type string
				Data struct {
					Number, Epoch uint32
					Counter       uint64
				}
			}
			if err := json.Unmarshal(msg.Data(), &e); err != nil {
				t.Fatal(err)
			}
			if e.Type == "io.godwit.status" && !before[check.Frame{Number: e.Data.Number, Epoch: e.Data.Epoch, Counter: e.Data.Counter}] {
				heard[e.Data.Number] = true
			}
		})
		return len(heard) == len(c.members)
	})
	c.stop()
	gw.stopped(t)
	c.stored(t, s)
}

// An operator follows the page on a damaged store to the letter.
func TestRestoreByTheBook(t *testing.T) {
	s := newSite(t)
	c := s.crewOf(t, 1, 6)
	gw := s.gateway(t)
	c.grow(t, 60)
	backup := s.backup(t)
	c.grow(t, 60)
	c.published(t, s)
	gw.kill(t)
	change(t, s.newestFile(t, "*.log"), flipAt(50))
	s.refused(t)

	bin := t.TempDir()
	if err := os.Symlink(program(t, "godwit"), filepath.Join(bin, "godwit")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	t.Setenv("GODWIT_CONFIG", s.config)
	here := strings.NewReplacer("/var/lib/godwit", s.stateDir, "/mnt/backup/2027-03-01", backup)
	var started *process
	for _, line := range page(t, "### The store is damaged") {
		switch line = here.Replace(line); line {
		case "systemctl stop godwit": // it does not run
		case "systemctl start godwit":
			started = s.gateway(t)
		default:
			if out, err := exec.Command("sh", "-c", line).CombinedOutput(); err != nil {
				t.Fatalf("%s: %v\n%s", line, err, out)
			}
		}
	}
	if started == nil {
		t.Fatal("the page does not end with a start")
	}
	if !hasLine(started.out.String(), "store is older than the stream") {
		t.Errorf("nothing was taken over from the stream:\n%s", started.out)
	}
	c.start(t)
	c.grow(t, 60)
	c.kept(t, s, started)
}

// page is what OPERATIONS.md tells to type under a heading, line by line.
func page(t *testing.T, heading string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "docs", "OPERATIONS.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, after, found := strings.Cut(string(text), "\n"+heading+"\n")
	after, _, _ = strings.Cut(after, "\n### ")
	_, block, typed := strings.Cut(after, "```sh\n")
	block, _, _ = strings.Cut(block, "```")
	if !found || !typed {
		t.Fatalf("OPERATIONS.md has nothing to type under %q", heading)
	}
	var lines []string
	for line := range strings.Lines(block) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// What is not whole, not as it was made, or of another gateway is not restored, and nothing is left in its place.
func TestBadBackupsAreRefused(t *testing.T) {
	s := newSite(t)
	c := s.crewOf(t, 1, 4)
	gw := s.gateway(t)
	c.grow(t, 40)
	c.stop()
	backup := s.backup(t)
	gw.stopped(t)
	stopped := filepath.Join(s.dir, "stopped")
	s.must(t, "store", "backup", stopped) // without a gateway
	if err := os.Rename(filepath.Join(s.stateDir, "store"), filepath.Join(s.stateDir, "store.away")); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []struct {
		name, says string
		do         func(t *testing.T, dir string)
	}{
		{"not finished", "not finished", func(t *testing.T, dir string) {
			t.Helper()
			if err := os.Remove(filepath.Join(dir, "backup.json")); err != nil {
				t.Fatal(err)
			}
		}},
		{"a file is cut short", "bytes", func(t *testing.T, dir string) {
			t.Helper()
			change(t, largest(t, dir), func(content []byte) []byte { return content[:len(content)-1] })
		}},
		{"a bit has flipped", "another content", func(t *testing.T, dir string) {
			t.Helper()
			change(t, largest(t, dir), flipAt(50))
		}},
		{"a file is missing", "files", func(t *testing.T, dir string) {
			t.Helper()
			if err := os.Remove(largest(t, dir)); err != nil {
				t.Fatal(err)
			}
		}},
		{"of another gateway", "another gateway", func(t *testing.T, dir string) {
			t.Helper()
			change(t, filepath.Join(dir, "backup.json"), func(text []byte) []byte {
				return []byte(strings.Replace(string(text), `"gw1"`, `"gw2"`, 1))
			})
		}},
		{"of a newer version", "newer version", func(t *testing.T, dir string) {
			t.Helper()
			change(t, filepath.Join(dir, "backup.json"), func(text []byte) []byte {
				return []byte(strings.Replace(string(text), `"format": 1`, `"format": 2`, 1))
			})
		}},
	} {
		t.Run(bad.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "copy")
			if err := os.CopyFS(dir, os.DirFS(backup)); err != nil {
				t.Fatal(err)
			}
			bad.do(t, dir)
			if out, err := command(t, "store", "restore", dir, "--config", s.config); err == nil || !strings.Contains(out, bad.says) {
				t.Errorf("%v, want %q\n%s", err, bad.says, out)
			}
			left, err := filepath.Glob(filepath.Join(s.stateDir, "store*"))
			if err != nil || len(left) != 1 {
				t.Errorf("it leaves %v, %v", left, err)
			}
		})
	}
	s.must(t, "store", "restore", stopped)
	c.start(t)
	c.survived(t, s)
}

// largest is the largest file of a backup.
func largest(t *testing.T, dir string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "store", "pebble", "*"))
	if err != nil {
		t.Fatal(err)
	}
	best, size := "", int64(-1)
	for _, f := range files {
		info, err := os.Stat(f)
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() > size {
			best, size = f, info.Size()
		}
	}
	return best
}

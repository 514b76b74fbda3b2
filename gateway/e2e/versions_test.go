//go:build e2e

package e2e_test

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// versionOf builds the gateway as another version would be, with one line of a file of the source tree changed, and returns its path.
func versionOf(t *testing.T, name, file, from, to string) string {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(strings.TrimSpace(string(out)), filepath.FromSlash(file))
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(string(text), from) != 1 {
		t.Fatalf("%s has %q not once", file, from)
	}
	dir := t.TempDir()
	changed, overlay := filepath.Join(dir, "changed.go"), filepath.Join(dir, "overlay.json")
	replace, err := json.Marshal(map[string]map[string]string{"Replace": {path: changed}})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.WriteFile(changed, []byte(strings.Replace(string(text), from, to, 1)), 0o600), os.WriteFile(overlay, replace, 0o600)); err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(dir, name)
	if out, err := exec.Command("go", "build", "-overlay", overlay, "-o", binary, "github.com/godwit-gateway/godwit/gateway").CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", name, err, out)
	}
	return binary
}

// An older version, whose Pebble writes an older format, makes a store. This version opens it, brings it forward and goes on, and nothing is lost; then
// the older one refuses it, says why, and changes nothing. A version to come, with a format of the store that this one does not know, is refused in
// the same way.
func TestOtherVersions(t *testing.T) {
	thoroughOnly(t)
	older := versionOf(t, "older", "gateway/store/options.go", "FormatMajorVersion = pebble.FormatValueSeparation", "FormatMajorVersion = pebble.FormatWALSyncChunks")
	newer := versionOf(t, "newer", "gateway/store/meta.go", "const formatVersion = 1", "const formatVersion = 2")

	s := newSite(t)
	c := s.crewOf(t, 1, 6)
	gw := startPath(t, nil, older, "run", "--config", s.config)
	gw.ready(t, false)
	c.grow(t, 60)
	gw.kill(t)
	gw = s.gateway(t)
	c.grow(t, 60)
	c.published(t, s)
	gw.stopped(t)
	refusedBy(t, s, older)
	c.start(t)
	c.survived(t, s)

	s = newSite(t)
	gw = startPath(t, nil, newer, "run", "--config", s.config)
	_ = gw.wait(t) // it makes a store of its format, of which only the number is new: reading the first row of it, it ends
	refusedBy(t, s, program(t, "godwit"))
}

// refusedBy has a version meet the store of another, for the gateway and for the check.
func refusedBy(t *testing.T, s *site, binary string) {
	t.Helper()
	for _, args := range [][]string{{"run"}, {"store", "check"}} {
		p := startPath(t, nil, binary, append(args, "--config", s.config)...)
		var ended *exec.ExitError
		if err := p.wait(t); !errors.As(err, &ended) || ended.ExitCode() != 1 {
			t.Errorf("%v: %v, want exit code 1\n%s", args, err, p.out)
		}
		for _, want := range []string{"store: written by a newer version", "run the version of godwit that wrote the store, or a later one"} {
			if !strings.Contains(p.out.String(), want) {
				t.Errorf("%v does not say %q:\n%s", args, want, p.out)
			}
		}
	}
}

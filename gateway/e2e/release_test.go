//go:build e2e

package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestSignedUpdate takes an update from the key to the device: signed, put on a server, offered, fetched, verified and confirmed. One that somebody else signed
// is refused by the device, and so is an image that is not the one that was signed.
func TestSignedUpdate(t *testing.T) {
	s := newSite(t)
	www := filepath.Join(s.dir, "www")
	server := httptest.NewServer(http.FileServer(http.Dir(www)))
	t.Cleanup(server.Close)
	if err := os.Mkdir(www, 0o700); err != nil {
		t.Fatal(err)
	}
	good := func(args ...string) string {
		t.Helper()
		got := call(t, "godwit", "", append(args, "--config", s.config)...)
		if got.code != 0 {
			t.Fatalf("%s: %s%s", strings.Join(args, " "), got.out, got.errout)
		}
		return got.out
	}
	key, other, release := filepath.Join(s.dir, "releases.key"), filepath.Join(s.dir, "other.key"), filepath.Join(s.dir, "release.toml")
	good("release", "keygen", key)
	good("release", "keygen", other, "--algorithm", "es256")
	for path, text := range map[string]string{
		filepath.Join(www, "image.bin"): strings.Repeat("new", 1000), filepath.Join(www, "damaged.bin"): strings.Repeat("now", 1000),
		release:                              fmt.Sprintf("product = \"buoy-demo\"\nversion = \"2.5.0\"\nsequence = 25\nimage = \"www/image.bin\"\nurl = \"%s/image.bin\"\n", server.URL),
		filepath.Join(s.dir, "damaged.toml"): fmt.Sprintf("product = \"buoy-demo\"\nversion = \"2.6.0\"\nsequence = 26\nimage = \"www/image.bin\"\nurl = \"%s/damaged.bin\"\n", server.URL),
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	gateway := s.gateway(t)
	fleet := start(t, "godwit-sim", "serve", "--udp", s.udp, "--fleet-key", filepath.Join(s.dir, "fleet.key"), "--state", filepath.Join(s.dir, "devices"), "--devices", "3", "--first", "10",
		"--interval", "200ms", "--perfect", "--trust", key+".pub")
	events := start(t, "godwit", "event", "tail", "--from", "1", "-o", "json", "--subject", "godwit.v1.gw1.event.>", "--config", s.config)
	updates := []struct{ name, file, key, step string }{
		{"good", release, key, `"step":"confirmed","code":1`},
		{"other", release, other, `"step":"failed","code":5`},
		{"damaged", filepath.Join(s.dir, "damaged.toml"), key, `"step":"failed","code":5`},
	}
	for i, u := range updates { // at once: a device takes seconds
		var signed struct {
			Version string
			Size    int
			Hash    string `json:"manifest_sha256"`
		}
		place := filepath.Join(www, u.name+".cose")
		if err := json.Unmarshal([]byte(good("release", "sign", u.file, "--key", u.key, "--out", place, "-o", "json")), &signed); err != nil {
			t.Fatal(err)
		}
		device := fmt.Sprint(10 + i)
		until(t, 30*time.Second, "the device to be known", func() bool { return call(t, "godwit", "", "device", "show", device, "--config", s.config).code == 0 })
		good("device", "offer", device, "--rollout", fmt.Sprint(100+i), "--version", signed.Version, "--url", server.URL+"/"+u.name+".cose", "--sha256", signed.Hash, "--size", fmt.Sprint(signed.Size))
	}
	for i, u := range updates {
		until(t, 60*time.Second, "step "+u.step+" of the update "+u.name, func() bool {
			for line := range strings.Lines(events.out.String()) {
				if strings.Contains(line, fmt.Sprintf(`"rollout":%d,`, 100+i)) && strings.Contains(line, u.step) {
					return true
				}
			}
			return false
		})
	}
	until(t, 30*time.Second, "the new version to be seen", func() bool { return strings.Contains(good("device", "show", "10", "-o", "json"), `"version": "2.5.0"`) })
	for _, device := range []string{"11", "12"} {
		if out := good("device", "show", device, "-o", "json"); strings.Contains(out, `"version": "2.5.0"`) || strings.Contains(out, `"version": "2.6.0"`) {
			t.Errorf("device %s installed what it must not:\n%s", device, out)
		}
	}
	if err := fleet.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := fleet.wait(t); err != nil {
		t.Errorf("godwit-sim serve ended with %v\n%s", err, fleet.out)
	}
	events.kill(t)
	gateway.stopped(t)
}

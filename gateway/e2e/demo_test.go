//go:build e2e

package e2e_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// summary is the last line of the demo's JSON output.
type summary struct {
	Links map[string]struct {
		Sent, Received, Accepted, Duplicate, Rejected, Events, Bytes uint64
		BytesBilled                                                  uint64 `json:"bytes_billed"`
	}
	Acknowledged, Events, Lost, Doubled int
	Kinds                               map[string]int
	Rollout                             struct {
		Version, State     string
		Devices, Attempted int
		Standings          map[string]int
	}
}

// The demo plays real protocols over a bad radio and keeps its promise, also on the state that an earlier one left. Each has a release of its own, which
// trucks get: one in ten has no room for it, and the owner of another one declines.
func TestDemo(t *testing.T) {
	t.Parallel()
	state := t.TempDir()
	for round := range 2 {
		p := start(t, "godwit-sim", "demo", "--devices", "18", "--interval", "500ms", "--sms-interval", "2s", "--state", state, "-o", "json")
		version := fmt.Sprintf("2.%d.0", 5+round)
		until(t, 2*time.Minute, "trucks that run "+version, func() bool { return p.ended() || updated(t, state, version) })
		if err := p.cmd.Process.Signal(syscall.SIGINT); err != nil {
			t.Fatalf("%v\n%s", err, p.out)
		}
		until(t, 2*time.Minute, "the demo's end", p.ended)
		if err := p.wait(t); err != nil {
			t.Fatalf("%v\n%s", err, p.out)
		}
		lines := strings.Split(strings.TrimSpace(p.out.String()), "\n")
		var s summary
		if err := json.Unmarshal([]byte(lines[len(lines)-1]), &s); err != nil {
			t.Fatalf("last line %q: %v", lines[len(lines)-1], err)
		}
		t.Logf("%+v", s)
		if s.Lost != 0 || s.Doubled != 0 || s.Acknowledged == 0 || s.Events < s.Acknowledged {
			t.Errorf("acknowledged %d, events %d, lost %d, doubled %d", s.Acknowledged, s.Events, s.Lost, s.Doubled)
		}
		for _, name := range []string{"udp0", "sms0", "sat0"} {
			l, ok := s.Links[name]
			headers := name != "sat0" // what satellites bill is the payload
			if !ok || l.Received == 0 || l.Accepted == 0 || l.Events != l.Accepted || (l.BytesBilled > l.Bytes) != headers {
				t.Errorf("link %s: %+v", name, l)
			}
		}
		for _, kind := range []string{"status", "hello", "message", "fragment", "update.step"} {
			if s.Kinds[kind] == 0 {
				t.Errorf("no event of kind %s: %v", kind, s.Kinds)
			}
		}
		if r := &s.Rollout; r.Version != version || r.State != "running" || r.Attempted >= r.Devices || r.Standings["confirmed"] < 2 {
			t.Errorf("rollout %+v", r)
		}
		if u := s.Links["udp0"]; u.Sent <= u.Accepted {
			t.Errorf("the radio lost nothing: %+v", u)
		}
	}
}

// updated asks the demo's gateway whether the update came to its ends: some run it, one was not offered it, and one declined.
func updated(t *testing.T, state, version string) bool {
	t.Helper()
	out, err := command(t, "rollout", "list", "-o", "json", "--config", filepath.Join(state, "godwit.toml"))
	var list []struct {
		Spec      struct{ Version string }
		Standings map[string]int
	}
	if err != nil || json.Unmarshal([]byte(out), &list) != nil || len(list) == 0 || list[0].Spec.Version != version {
		return false // it has hardly begun
	}
	n := list[0].Standings
	return n["confirmed"] >= 2 && n["refused"] == 1 && n["declined"] == 1
}

//go:build e2e

package e2e_test

import (
	"context"
	"encoding/json"
	"os/exec"
	"strings"
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
}

// The demo plays real protocols over a bad radio and keeps its promise, also on the state that an earlier one left.
func TestDemo(t *testing.T) {
	t.Parallel()
	state := t.TempDir()
	for round := range 2 {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		cmd := exec.CommandContext(ctx, program(t, "godwit-sim"), "demo", "--for", "6s", "--devices", "18", "--interval", "500ms", "--sms-interval", "2s",
			"--state", state, "-o", "json")
		var stderr strings.Builder
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v\n%s\n%s", err, out, &stderr)
		}
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
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
			if s.Kinds[kind] == 0 && (round == 0 || kind != "update.step") { // an offer is taken once
				t.Errorf("no event of kind %s: %v", kind, s.Kinds)
			}
		}
		if u := s.Links["udp0"]; u.Sent <= u.Accepted {
			t.Errorf("the radio lost nothing: %+v", u)
		}
	}
}

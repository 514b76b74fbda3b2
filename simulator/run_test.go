package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// Each story, on a small scale: every invariant holds, and the report says what the story is about.
func TestScenarios(t *testing.T) {
	for name, tc := range map[string]struct {
		scale, length string
		fact          [2]string
		holds         func(v float64) bool
		says          string
	}{
		"vehicles":        {"0.05", "3d", [2]string{"staleness", "abroad_p95"}, func(v float64) bool { return v > 0 }, "lorries abroad are heard"},
		"buoys":           {"0.05", "5d", [2]string{"money", "total"}, func(v float64) bool { return v > 0 }, "satellites cost money"},
		"tanks":           {"0.03", "5d", [2]string{"losses", "missing_share"}, func(v float64) bool { return v > 0.15 }, "the link loses a lot"},
		"year":            {"0.001", "10d", [2]string{"backlog", "outbox_max"}, func(v float64) bool { return v >= 3 }, "a night without a stream is kept"},
		"replay":          {"0.03", "3d", [2]string{"incidents", "incidents"}, func(v float64) bool { return v == 2 }, "the provider replayed twice"},
		"bad-rollout":     {"0.04", "14d", [2]string{"rollouts", "confirmed_1"}, func(v float64) bool { return v > 10 }, "the good release before it arrived"},
		"rollout-outage":  {"0.03", "8d", [2]string{"rollouts", "halts_1"}, func(v float64) bool { return v == 0 }, "a good release is not halted by an outage"},
		"rollout-carrier": {"0.03", "8d", [2]string{"silence", "update_blamed"}, func(v float64) bool { return v < 0.1 }, "the update is not blamed for a carrier"},
		"disk-lost":       {"0.03", "4d", [2]string{"incidents", "incidents"}, func(v float64) bool { return v >= 5 }, "the disk was lost and restored"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			page := filepath.Join(t.TempDir(), "page.html")
			var stdout, stderr bytes.Buffer
			args := []string{"--log", "error", "run", name, "--devices-scale", tc.scale, "--length", tc.length, "--html", page, "-o", "json"}
			if code := run(args, &stdout, &stderr); code != exitOK {
				t.Fatalf("exit code %d: %s", code, &stderr)
			}
			var told struct {
				Verdict  string
				Sections []struct {
					Key   string
					Facts []struct {
						Key   string
						Value *float64
					}
				}
			}
			if err := json.Unmarshal(stdout.Bytes(), &told); err != nil || told.Verdict != "held" {
				t.Fatalf("verdict %q, %v", told.Verdict, err)
			}
			found := false
			for _, s := range told.Sections {
				for _, f := range s.Facts {
					if s.Key == tc.fact[0] && f.Key == tc.fact[1] {
						if found = f.Value != nil && tc.holds(*f.Value); !found && f.Value != nil {
							t.Errorf("%s is %v", f.Key, *f.Value)
						}
					}
				}
			}
			if !found {
				t.Errorf("the report does not say that %s", tc.says)
			}
			if b, err := os.ReadFile(page); err != nil || !bytes.Contains(b, []byte("</html>")) {
				t.Errorf("page of %d bytes, %v", len(b), err)
			}
		})
	}
}

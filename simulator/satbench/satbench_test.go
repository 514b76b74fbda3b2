package satbench_test

import (
	"log/slog"
	"testing"

	"github.com/godwit-gateway/godwit/simulator/satbench"
)

// What is measured is done: each message of each round is stored, or Run says so.
func TestRun(t *testing.T) {
	rounds, err := satbench.Run(t.Context(), satbench.Options{Dir: t.TempDir(), Messages: 40, Rounds: 2, Senders: 4, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rounds {
		if !(r.Ratio() > 0) {
			t.Errorf("%+v", r)
		}
	}
	p99, err := satbench.Webhooks(t.Context(), satbench.Options{Dir: t.TempDir(), Messages: 40, Senders: 4, Log: slog.New(slog.DiscardHandler)}, 100)
	if err != nil || p99 <= 0 {
		t.Errorf("%s, %v", p99, err)
	}
	if len(rounds) != 2 {
		t.Errorf("%d rounds, want 2", len(rounds))
	}
}

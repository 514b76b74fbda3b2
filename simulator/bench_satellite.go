package main

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"slices"

	"github.com/godwit-gateway/godwit/simulator/satbench"
)

// benchSatelliteCmd measures links to satellite networks.
type benchSatelliteCmd struct {
	Messages int    `help:"Messages of a round." default:"1500"`
	Rounds   int    `help:"Rounds; the ratio is the one in the middle." default:"7"`
	Senders  int    `help:"Connections at a time." default:"16"`
	Dir      string `help:"Folder on the disk to measure; by default that of temporary files." type:"existingdir"`
	Output   string `short:"o" help:"Form of the result: json, one line at the end, or text, which ends with it too." enum:"json,text" default:"text"`
}

// Help says what is measured.
func (benchSatelliteCmd) Help() string {
	return `A whole gateway takes messages through DirectIP, one on each connection, and confirms each when its
event is on disk. In the same rounds the same clients give the same messages to a bare server that accepts,
reads, confirms and closes, and keeps nothing. The ratio says what is left of the speed of TCP.

Example:
  godwit-sim bench satellite
  godwit-sim bench satellite --messages 500 --rounds 1 -o json`
}

// Validate implements kong's check.
func (c *benchSatelliteCmd) Validate() error {
	if c.Messages < 1 || c.Messages > 50_000 || c.Rounds < 1 || c.Senders < 1 || c.Senders > 256 {
		return fmt.Errorf("--messages %d --rounds %d --senders %d: want 1 to 50000, at least 1, and 1 to 256", c.Messages, c.Rounds, c.Senders)
	}
	return nil
}

// satelliteFigures are the last line.
type satelliteFigures struct {
	Ratio     float64   `json:"directip_ratio"`
	Webhook   *float64  `json:"webhook_p99_ms"` // null: there is no webhook yet
	PerSecond float64   `json:"directip_per_second"`
	Bare      float64   `json:"bare_per_second"`
	Ratios    []float64 `json:"ratios"`
}

// Run measures.
func (c *benchSatelliteCmd) Run(e *env) error {
	dir, err := os.MkdirTemp(c.Dir, "godwit-bench-")
	if err != nil {
		return fmt.Errorf("folder: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	rounds, err := satbench.Run(e.ctx, satbench.Options{Dir: dir, Messages: c.Messages, Rounds: c.Rounds, Senders: c.Senders, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	var f satelliteFigures
	for _, r := range rounds {
		f.Ratios = append(f.Ratios, r.Ratio())
		if c.Output == "text" {
			if _, err := fmt.Fprintf(e.stdout, "%.0f messages a second into synced events, %.0f into nothing: %.2f\n", r.PerSecond, r.Bare, r.Ratio()); err != nil {
				return err
			}
		}
	}
	slices.SortFunc(rounds, func(a, b satbench.Round) int { return int(1e6 * (a.Ratio() - b.Ratio())) })
	middle := rounds[len(rounds)/2]
	f.Ratio, f.PerSecond, f.Bare = middle.Ratio(), middle.PerSecond, middle.Bare
	return json.NewEncoder(e.stdout).Encode(&f)
}

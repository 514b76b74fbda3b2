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
	Webhooks int    `help:"Webhooks whose time is taken, 200 of them a second; 0: none." default:"2000"`
	Dir      string `help:"Folder on the disk to measure; by default that of temporary files." type:"existingdir"`
	Output   string `short:"o" help:"Form of the result: json, one line at the end, or text, which ends with it too." enum:"json,text" default:"text"`
}

// Help says what is measured.
func (benchSatelliteCmd) Help() string {
	return `A whole gateway takes messages through DirectIP, one on each connection, and confirms each when its
event is on disk. In the same rounds the same clients give the same messages to a bare server that accepts,
reads, confirms and closes, and keeps nothing. The ratio says what is left of the speed of TCP. Then 200 webhooks
a second come in, signed as Ground Control signs: 99 of 100 are answered within the time that is told, of
the 3,000 ms that there are.

Example:
  godwit-sim bench satellite
  godwit-sim bench satellite --messages 500 --rounds 1 -o json`
}

// Validate implements kong's check.
func (c *benchSatelliteCmd) Validate() error {
	if c.Messages < 1 || c.Messages > 50_000 || c.Rounds < 1 || c.Webhooks < 0 || c.Webhooks > 50_000 || c.Senders < 1 || c.Senders > 256 {
		return fmt.Errorf("--messages %d --rounds %d --senders %d --webhooks %d: want 1 to 50000, at least 1, 1 to 256, and 0 to 50000", c.Messages, c.Rounds, c.Senders, c.Webhooks)
	}
	return nil
}

// satelliteFigures are the last line.
type satelliteFigures struct {
	Ratio     float64   `json:"directip_ratio"`
	Webhook   *float64  `json:"webhook_p99_ms"` // null: not measured
	PerSecond float64   `json:"directip_per_second"`
	Bare      float64   `json:"bare_per_second"`
	Ratios    []float64 `json:"ratios"`
}

// webhookRate is how many webhooks come a second.
const webhookRate = 200

// Run measures.
func (c *benchSatelliteCmd) Run(e *env) error {
	dir, err := os.MkdirTemp(c.Dir, "godwit-bench-")
	if err != nil {
		return fmt.Errorf("folder: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	o := satbench.Options{Dir: dir, Messages: c.Messages, Rounds: c.Rounds, Senders: c.Senders, Log: slog.New(slog.DiscardHandler)}
	rounds, err := satbench.Run(e.ctx, o)
	if err != nil {
		return err
	}
	var f satelliteFigures
	if c.Webhooks > 0 {
		if o.Dir, err = os.MkdirTemp(dir, "webhooks-"); err != nil {
			return fmt.Errorf("folder: %w", err)
		}
		o.Messages = c.Webhooks
		p99, err := satbench.Webhooks(e.ctx, o, webhookRate)
		if err != nil {
			return err
		}
		ms := float64(p99.Microseconds()) / 1000
		f.Webhook = &ms
	}
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

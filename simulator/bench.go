package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"syscall"
	"time"

	"github.com/godwit-gateway/godwit/simulator/world"
)

// benchCmd measures.
type benchCmd struct {
	World     benchWorldCmd     `cmd:"" default:"withargs" help:"How fast virtual time passes."`
	Satellite benchSatelliteCmd `cmd:"" help:"Messages a second through satellite links, against a server that keeps nothing."`
	Schedule  benchScheduleCmd  `cmd:"" help:"What schedules cost and how fresh they keep what is known, against others and a lower bound."`
	Rollout   benchRolloutCmd   `cmd:"" help:"How soon rollouts that do harm are halted, and how often others, against the rules of others."`
}

// benchWorldCmd measures how fast virtual time passes.
type benchWorldCmd struct {
	Devices int    `help:"Number of devices." default:"10000"`
	Days    int    `help:"Days of a comparison." default:"20"`
	Rounds  int    `help:"Comparisons; the ratio is the one in the middle." default:"3"`
	Year    int    `help:"Days of the long run, for its time and memory; 0: there is none." default:"365"`
	Output  string `short:"o" help:"Form of the result: json, one line at the end, or text." enum:"json,text" default:"text"`
}

// Help says what is measured.
func (benchWorldCmd) Help() string {
	return `A mixed fleet with two statuses a day of each device is played in virtual time: devices, radio,
the gateway's hub, store and publisher, and all checks. Then the gateway alone is given the same
uplinks in the same batches. The ratio says how much of the time is the gateway's own; it counts
processor time, so that other work on the machine disturbs it little.

Example:
  godwit-sim bench world
  godwit-sim bench world --devices 1000 --days 5 --year 0 -o json`
}

// Validate implements kong's check.
func (c *benchWorldCmd) Validate() error {
	if c.Devices < 10 || c.Days < 1 || c.Rounds < 1 || c.Year < 0 {
		return fmt.Errorf("--devices %d --days %d --rounds %d --year %d: want at least 10, 1, 1 and 0", c.Devices, c.Days, c.Rounds, c.Year)
	}
	return nil
}

// benchResult is what was measured.
type benchResult struct {
	Ratio   float64   `json:"virtual_ratio"`
	Year    float64   `json:"year_seconds"` // of the clock on the wall; 0: not measured
	RSS     int64     `json:"rss_bytes"`    // the most that the process had, after the long run
	CPU     float64   `json:"year_cpu_seconds"`
	Frames  int       `json:"year_frames"`
	Rounds  []float64 `json:"ratios"`
	PerSec  float64   `json:"frames_per_cpu_second"` // of virtual frames, in the comparison in the middle
	Devices int       `json:"devices"`
}

const day = 24 * time.Hour

// Run measures.
func (c *benchWorldCmd) Run(e *env) error {
	useMemory()
	r := benchResult{Devices: c.Devices}
	if c.Year > 0 {
		if err := c.long(e, &r); err != nil {
			return err
		}
	}
	s, err := world.Fleet(c.Devices, time.Duration(c.Days)*day)
	if err != nil {
		return err
	}
	recording, err := world.Record(e.ctx, s)
	if err != nil {
		return err
	}
	var rounds []world.Comparison
	for range c.Rounds {
		got, err := recording.Compare(e.ctx, processTime)
		if err != nil {
			return err
		}
		rounds = append(rounds, got)
		r.Rounds = append(r.Rounds, got.Ratio())
	}
	slices.SortFunc(rounds, func(a, b world.Comparison) int { return int(1e6 * (a.Ratio() - b.Ratio())) })
	middle := rounds[len(rounds)/2]
	r.Ratio, r.PerSec = middle.Ratio(), float64(middle.Frames)/middle.World.Seconds()
	return c.print(e, &r)
}

// long plays for a year, or as long as is asked for.
func (c *benchWorldCmd) long(e *env, r *benchResult) error {
	s, err := world.Fleet(c.Devices, time.Duration(c.Year)*day)
	if err != nil {
		return err
	}
	began, used := time.Now(), processTime()
	played, err := world.Run(e.ctx, s)
	if err != nil {
		return err
	}
	r.Year, r.CPU, r.Frames = time.Since(began).Seconds(), (processTime() - used).Seconds(), played.Events
	r.RSS = resources().Maxrss << 10
	return nil
}

func (c *benchWorldCmd) print(e *env, r *benchResult) error {
	if c.Output == "json" {
		return json.NewEncoder(e.stdout).Encode(r)
	}
	_, err := fmt.Fprintf(e.stdout, "%d devices, %d days: %.0f virtual frames a second of processor time, %.2f of the gateway alone (%.2f)\n",
		r.Devices, c.Days, r.PerSec, r.Ratio, r.Rounds)
	if err == nil && c.Year > 0 {
		_, err = fmt.Fprintf(e.stdout, "%d days: %d frames in %.0f s (%.0f s of processor time), at most %d MiB of memory\n", c.Year, r.Frames, r.Year, r.CPU, r.RSS>>20)
	}
	return err
}

func resources() syscall.Rusage {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // cannot fail with a valid first argument
	return u
}

// processTime is the processor time that this process has used.
func processTime() time.Duration {
	u := resources()
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

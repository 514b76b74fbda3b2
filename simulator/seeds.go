package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/godwit-gateway/godwit/simulator/world"
	"github.com/godwit-gateway/godwit/simulator/world/natsstream"
)

// seedsCmd plays random worlds.
type seedsCmd struct {
	From   uint64        `help:"First seed." default:"0"`
	Count  uint64        `help:"How many seeds; 0: until --for is over, or Ctrl-C." default:"100"`
	For    time.Duration `help:"End after this time." placeholder:"10m"`
	Only   string        `help:"Play the seeds of this file, a number in each line, instead." type:"existingfile" placeholder:"FILE"`
	Record string        `help:"Add the seeds that fail to this file." type:"path" placeholder:"FILE"`
	Once   bool          `help:"Play each seed once; otherwise twice, and both histories must be the same to the byte."`
	NATS   bool          `name:"nats" help:"Play with a real nats-server in place of the model of a stream: slower, each seed once, and without a history to compare."`
	Show   bool          `help:"Show the log of the gateways, and the faults."`
	Output string        `short:"o" help:"Form of the summary: json, one line at the end, or text." enum:"json,text" default:"text"`
}

// Help shows examples.
func (seedsCmd) Help() string {
	return `Each seed draws a fleet, its radios, and days of faults: power cuts, restored backups, streams that
lose events or answer falsely, devices that restart, forget everything, break, run out of power,
get another SIM or are cloned, replayed and forged payloads. It is played in virtual time by the
gateway's own code. Then everything is healed, and every frame that was acknowledged must be an event,
no nonce used twice, and every device that still works heard again.

Example:
  godwit-sim seeds --count 200
  godwit-sim seeds --count 0 --for 1h --record failing.txt
  godwit-sim --log info seeds --from 8 --count 1 --once --show`
}

// Validate implements kong's check.
func (c *seedsCmd) Validate() error {
	if c.For < 0 {
		return fmt.Errorf("--for %s: want a time above zero", c.For)
	}
	return nil
}

// tally is what was played so far.
type tally struct {
	mu     sync.Mutex
	Seeds  uint64   `json:"seeds"`
	Days   float64  `json:"days"`
	Sent   uint64   `json:"sent"`
	Frames int      `json:"frames"`
	Events int      `json:"events"`
	Faults uint64   `json:"faults"`
	Failed []uint64 `json:"failed"`
}

var errSeeds = errors.New("seeds")

// Run plays seeds on all processors.
func (c *seedsCmd) Run(e *env) error {
	ctx := e.ctx
	if c.For > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.For)
		defer cancel()
	}
	next, err := c.source()
	if err != nil {
		return err
	}
	t := tally{Failed: []uint64{}}
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for ctx.Err() == nil {
				seed, ok := next()
				if !ok {
					return
				}
				r, err := c.play(ctx, e, seed)
				if ctx.Err() != nil {
					return
				}
				t.add(e, seed, r, err)
			}
		})
	}
	wg.Wait()
	return c.end(e, &t)
}

// source gives the seeds, one after the other. Safe for concurrent use.
func (c *seedsCmd) source() (func() (uint64, bool), error) {
	var listed []uint64
	if c.Only != "" {
		var err error
		if listed, err = readSeeds(c.Only); err != nil {
			return nil, err
		}
	}
	var mu sync.Mutex
	var n uint64
	return func() (uint64, bool) {
		mu.Lock()
		defer mu.Unlock()
		n++
		switch {
		case c.Only != "" && n > uint64(len(listed)), c.Only == "" && c.Count > 0 && n > c.Count:
			return 0, false
		case c.Only != "":
			return listed[n-1], true
		}
		return c.From + n - 1, true
	}, nil
}

// readSeeds reads a list of seeds: a number in each line, and what follows it is a remark.
func readSeeds(file string) ([]uint64, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("seeds: %w", err)
	}
	defer func() { _ = f.Close() }() // it was only read
	var seeds []uint64
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		word, _, _ := strings.Cut(strings.TrimSpace(lines.Text()), " ")
		if word == "" || word[0] == '#' {
			continue
		}
		seed, err := strconv.ParseUint(word, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("seeds: %s: line %d: %w", file, n, err)
		}
		seeds = append(seeds, seed)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("seeds: %w", err)
	}
	if len(seeds) == 0 {
		return nil, fmt.Errorf("%w: %s has none", errSeeds, file)
	}
	return seeds, nil
}

// playServer plays a seed with a real server.
func playServer(ctx context.Context, o world.Options) (r *world.Result, err error) {
	dir, err := os.MkdirTemp("", "godwit-seed-")
	if err != nil {
		return nil, fmt.Errorf("folder of a stream: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	setup, err := world.Draw(o)
	if err != nil {
		return nil, err
	}
	server, err := natsstream.New(dir, world.Gateway)
	if err != nil {
		return nil, err
	}
	setup.Server = server
	r, err = world.Run(ctx, setup)
	return r, errors.Join(err, server.Close())
}

func (c *seedsCmd) play(ctx context.Context, e *env, seed uint64) (*world.Result, error) {
	o := world.Options{Seed: seed}
	if c.Show {
		o.Log = e.log
	}
	if c.NATS {
		return playServer(ctx, o)
	}
	r, err := world.Random(ctx, o)
	if err != nil || c.Once {
		return r, err
	}
	o.Log = nil
	again, err := world.Random(ctx, o)
	if err == nil && again.Trace != r.Trace {
		err = fmt.Errorf("%w: the same seed gave another history", world.ErrBroken)
	}
	return r, err
}

func (t *tally) add(e *env, seed uint64, r *world.Result, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.Seeds++
	if r != nil {
		t.Days += r.Days
		t.Sent += r.Sent
		t.Frames += r.Frames
		t.Events += r.Events
		for _, n := range r.Faults {
			t.Faults += n
		}
	}
	if err != nil {
		t.Failed = append(t.Failed, seed)
		_, _ = fmt.Fprintf(e.stderr, "seed %d: %v\n  again with: godwit-sim --log info seeds --from %d --count 1 --once --show\n", seed, err, seed)
	}
}

// end writes the summary and the list of what failed.
func (c *seedsCmd) end(e *env, t *tally) error {
	var err error
	if c.Output == "json" {
		err = json.NewEncoder(e.stdout).Encode(t)
	} else {
		_, err = fmt.Fprintf(e.stdout, "worlds %d, failed %d; %.0f days, transmissions %d, frames acknowledged %d, events %d, faults %d\n",
			t.Seeds, len(t.Failed), t.Days, t.Sent, t.Frames, t.Events, t.Faults)
	}
	if err != nil || len(t.Failed) == 0 {
		return err
	}
	return errors.Join(fmt.Errorf("%w: %d of %d failed", errSeeds, len(t.Failed), t.Seeds), c.record(t.Failed))
}

func (c *seedsCmd) record(seeds []uint64) error {
	if c.Record == "" {
		return nil
	}
	f, err := os.OpenFile(c.Record, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("record the seeds: %w", err)
	}
	for _, s := range seeds {
		if _, err = fmt.Fprintln(f, s); err != nil {
			break
		}
	}
	return errors.Join(err, f.Close())
}

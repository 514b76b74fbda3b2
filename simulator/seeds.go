package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/godwit-gateway/godwit/simulator/world"
	"github.com/godwit-gateway/godwit/simulator/world/natsstream"
)

// seedsCmd plays random worlds.
type seedsCmd struct {
	From    uint64        `help:"First seed." default:"0"`
	Count   uint64        `help:"How many seeds; 0: until --for is over, or Ctrl-C." default:"100"`
	For     time.Duration `help:"End after this time." placeholder:"10m"`
	Only    string        `help:"Play the seeds of this file, a number in each line, instead." type:"existingfile" placeholder:"FILE"`
	Record  string        `help:"Add the seeds that fail to this file." type:"path" placeholder:"FILE"`
	Once    bool          `help:"Play each seed once; otherwise twice, and both histories must be the same to the byte."`
	Devices int           `help:"How many devices each world has; 0: drawn."`
	Faults  time.Duration `help:"How long things fail; 0: drawn." placeholder:"30h"`
	Without []string      `help:"Kinds of faults that do not happen." placeholder:"KIND"`
	NATS    bool          `name:"nats" help:"Play with a real nats-server in place of the model of a stream: slower, each seed once, and without a history to compare."`
	Shrink  bool          `help:"Make the worlds that fail smaller, and print how to repeat what is left."`
	Show    bool          `help:"Show the log of the gateways, and the faults."`
	Output  string        `short:"o" help:"Form of the summary: json, one line at the end, or text." enum:"json,text" default:"text"`
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
  godwit-sim seeds --from 8 --count 1 --shrink
  godwit-sim --log info seeds --from 8 --count 1 --once --show`
}

// Validate implements kong's check.
func (c *seedsCmd) Validate() error {
	if c.NATS && c.Shrink {
		return errors.New("--shrink plays with the model of a stream: not with --nats")
	}
	if c.For < 0 || c.Faults < 0 || c.Devices < 0 {
		return fmt.Errorf("--for %s --faults %s --devices %d: want none below zero", c.For, c.Faults, c.Devices)
	}
	for _, name := range c.Without {
		if !slices.ContainsFunc(world.Kinds(), func(k [2]string) bool { return k[0] == name }) {
			return fmt.Errorf("--without %s: want one of %s", name, kindNames())
		}
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

	Histories string `json:"histories"` // a hash of all histories: the same on any machine
	traces    map[uint64]string

	took     map[string][]time.Duration
	Recovery map[string]recovered `json:"recovery"` // by kind of fault
}

// recovered says how long it took until all was well again after a kind of fault.
type recovered struct {
	Times  int     `json:"times"`
	Median float64 `json:"median_seconds"`
	P95    float64 `json:"p95_seconds"`
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
	t := tally{Failed: []uint64{}, traces: make(map[uint64]string), took: make(map[string][]time.Duration), Recovery: make(map[string]recovered)}
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
				t.add(e, c.options(seed), r, err)
			}
		})
	}
	wg.Wait()
	if c.Shrink {
		c.shrink(e, t.Failed)
	}
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
	o := c.options(seed)
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

func (t *tally) add(e *env, o world.Options, r *world.Result, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	seed := o.Seed
	t.Seeds++
	if r != nil {
		t.traces[seed] = r.Trace
		t.Days += r.Days
		t.Sent += r.Sent
		t.Frames += r.Frames
		t.Events += r.Events
		for _, n := range r.Faults {
			t.Faults += n
		}
		for kind, took := range r.Recovery {
			t.took[kind] = append(t.took[kind], took...)
		}
	}
	if err != nil {
		t.Failed = append(t.Failed, seed)
		_, _ = fmt.Fprintf(e.stderr, "seed %d: %v\n  again with: %s\n  smaller with: godwit-sim seeds --from %d --count 1 --shrink\n", seed, err, again(o), seed)
	}
}

// end writes the summary and the list of what failed.
func (c *seedsCmd) end(e *env, t *tally) error {
	for kind, took := range t.took {
		slices.Sort(took)
		t.Recovery[kind] = recovered{len(took), took[len(took)/2].Seconds(), took[len(took)*95/100].Seconds()}
	}
	t.Histories = histories(t.traces)
	var err error
	if c.Output == "json" {
		err = json.NewEncoder(e.stdout).Encode(t)
	} else {
		_, err = fmt.Fprintf(e.stdout, "worlds %d, failed %d; %.0f days, transmissions %d, frames acknowledged %d, events %d, faults %d, histories %s\n",
			t.Seeds, len(t.Failed), t.Days, t.Sent, t.Frames, t.Events, t.Faults, t.Histories)
		for _, kind := range slices.Sorted(maps.Keys(t.Recovery)) {
			r := t.Recovery[kind]
			_, err2 := fmt.Fprintf(e.stdout, "  well again after %-18s %6d times, median %s, p95 %s\n", kind, r.Times, duration(r.Median), duration(r.P95))
			err = errors.Join(err, err2)
		}
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

func (c *seedsCmd) options(seed uint64) world.Options {
	return world.Options{Seed: seed, Devices: c.Devices, Faults: c.Faults, Without: c.Without}
}

// again is how a world is played again, with all that can be seen of it.
func again(o world.Options) string {
	line := fmt.Sprintf("godwit-sim --log info seeds --from %d --count 1 --once --show", o.Seed)
	if o.Devices > 0 {
		line += fmt.Sprintf(" --devices %d", o.Devices)
	}
	if o.Faults > 0 {
		line += fmt.Sprintf(" --faults %s", o.Faults)
	}
	if len(o.Without) > 0 {
		line += " --without " + strings.Join(o.Without, ",")
	}
	return line
}

// shrink makes the worlds that failed smaller, one after the other.
func (c *seedsCmd) shrink(e *env, seeds []uint64) {
	for _, seed := range seeds {
		left := world.Shrink(c.options(seed), func(o world.Options) bool {
			_, err := world.Random(e.ctx, o)
			return err != nil && e.ctx.Err() == nil
		})
		_, _ = fmt.Fprintf(e.stderr, "seed %d, made smaller: %s\n", seed, again(left))
	}
}

func kindNames() string {
	names := make([]string, 0, len(world.Kinds()))
	for _, k := range world.Kinds() {
		names = append(names, k[0])
	}
	return strings.Join(names, ", ")
}

// histories is one hash of the traces of all seeds, in whatever order they were played.
func histories(traces map[uint64]string) string {
	all := sha256.New()
	for _, seed := range slices.Sorted(maps.Keys(traces)) {
		_, _ = fmt.Fprintln(all, seed, traces[seed])
	}
	return hex.EncodeToString(all.Sum(nil)[:8])
}

// duration shows seconds of virtual time.
func duration(seconds float64) time.Duration {
	return time.Duration(seconds * float64(time.Second)).Round(time.Second)
}

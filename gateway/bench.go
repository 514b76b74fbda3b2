package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/godwit-gateway/godwit/gateway/bench"
)

type benchCmd struct {
	Gateway benchGatewayCmd `cmd:"" default:"withargs" help:"Ingest, acknowledgements, memory and start, as ratios to the machine's disk and stream."`
	Size    benchSizeCmd    `cmd:"" help:"Bytes per status, against other formats and an entropy bound."`
}

type benchGatewayCmd struct {
	Dir     string `help:"Folder on the disk to measure; by default that for temporary files." type:"existingdir"`
	Devices int    `help:"Devices that send." default:"10000"`
	Frames  int    `help:"Frames through the whole gateway." default:"300000"`
	Fleet   int    `help:"Devices for the memory and the time to start." default:"100000"`
	Acks    int    `help:"Round trips." default:"500"`
}

// Help shows an example.
func (benchGatewayCmd) Help() string {
	return `Measures a gateway on this machine and this disk, as ratios to what the disk and the stream can do alone.
It takes a few minutes and some gigabytes, which it removes again. With -o json the figures are one line.

Example:
  godwit bench --dir /var/lib/godwit
  godwit bench -o json`
}

// Run measures.
func (c *benchGatewayCmd) Run(e *env) (err error) {
	for flag, n := range map[string]int{"devices": c.Devices, "frames": c.Frames, "fleet": c.Fleet, "acks": c.Acks} {
		if n < 1 {
			return fmt.Errorf("%w: --%s %d: want 1 or more", errUsage, flag, n)
		}
	}
	dir, err := os.MkdirTemp(c.Dir, "godwit-bench-")
	if err != nil {
		return fmt.Errorf("folder to measure in: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	f, err := bench.Run(e.ctx, bench.Options{Dir: dir, Devices: c.Devices, Frames: c.Frames, Fleet: c.Fleet, Acks: c.Acks},
		func(what string) { _, _ = fmt.Fprintln(e.stderr, what) })
	if err != nil {
		return err
	}
	if e.cli.Output == "json" {
		return written(json.NewEncoder(e.stdout).Encode(f))
	}
	return f.WriteTable(e.stdout)
}

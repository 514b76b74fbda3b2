package main

import (
	"encoding/json"
	"fmt"

	"github.com/godwit-gateway/godwit/gateway/bench/size"
)

type benchSizeCmd struct {
	Data    string `help:"Folder of the known traces; those it lacks are passed over with a message." default:"../shared/data" type:"path"`
	Devices []int  `help:"Numbers of devices for the speed of opening and decoding." default:"1000,100000,1000000"`
	Traces  string `help:"Folder of further CSV files: a line of names, a time in the first column, numbers in the others." type:"existingdir"`
}

// Help shows an example.
func (benchSizeCmd) Help() string {
	return `Templates are trained on the first 40 % of each trace and measured on the rest; every frame is opened, decoded and
compared. Ratios are to an adaptive entropy bound in broken bits: single statuses have whole bytes and pay about a third
of a byte for that, batches do not. With -o json the figures are one line. A file of --traces that nothing can be measured
with (no such table, too few rows, numbers that no template can say) is passed over and named, if there is another.

Example:
  godwit bench size --data ../shared/data
  godwit bench size --traces my-traces -o json`
}

// Run measures.
func (c *benchSizeCmd) Run(e *env) error {
	for _, n := range c.Devices {
		if n < 1 {
			return fmt.Errorf("%w: --devices %d: want 1 or more", errUsage, n)
		}
	}
	f, err := size.Run(e.ctx, size.Options{Data: c.Data, Traces: c.Traces, Devices: c.Devices}, func(what string) { _, _ = fmt.Fprintln(e.stderr, what) })
	if err != nil {
		return err
	}
	if e.cli.Output == "json" {
		return written(json.NewEncoder(e.stdout).Encode(f))
	}
	return f.WriteTable(e.stdout)
}

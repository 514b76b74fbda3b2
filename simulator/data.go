package main

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/simulator/demo"
	"github.com/godwit-gateway/godwit/simulator/device"
)

type dataCmd struct {
	Product  string        `help:"Product whose fields are measured, of those that the gateway brings." default:"buoy-demo"`
	Devices  int           `help:"Number of devices; what the next one measured follows what the one before it did." default:"4"`
	Statuses int           `help:"Statuses of each device." default:"2000"`
	Interval time.Duration `help:"Between two statuses." default:"1h"`
	Late     time.Duration `help:"A status is late by up to so much." default:"2s"`
	Seed     uint64        `help:"Seed of the devices and the weather." default:"1"`
}

// Help shows an example.
func (dataCmd) Help() string {
	return `The same arguments give the same data. godwit template train takes it, for a product of which there is no data yet.

Example:
  godwit-sim data --product buoy-demo --interval 1h > data.csv
  godwit template train data.csv --product buoy.toml --out buoy.toml`
}

// Run prints what sensors measure.
func (c *dataCmd) Run(e *env) error {
	if c.Devices < 1 || c.Statuses < 1 || c.Interval < time.Second || c.Late < 0 || c.Late >= c.Interval {
		return fmt.Errorf("%w: %d devices with %d statuses every %s, late by up to %s", demo.ErrOptions, c.Devices, c.Statuses, c.Interval, c.Late)
	}
	t, err := demo.ProductTemplate(c.Product)
	if err != nil {
		return err
	}
	return c.write(e.stdout, t)
}

// dataBegin is when the first status is due.
const dataBegin = 1_767_225_600 // 2026-01-01

// write writes the table. Its errors are those of w.
func (c *dataCmd) write(w io.Writer, t *codec.Template) error {
	out := bufio.NewWriter(w)
	_, _ = out.WriteString("time") // Flush tells
	for i := range t.Fields() {
		_, _ = out.WriteString("," + t.Fields()[i].Name) // Flush tells
	}
	_ = out.WriteByte('\n') // Flush tells
	at := time.Unix(dataBegin, 0).UTC()
	for n := range c.Devices {
		seed := c.Seed*1_000_003 + uint64(n)           //nolint:gosec // a count
		rng := rand.New(rand.NewPCG(seed, 0x6c617465)) //nolint:gosec // data must be repeatable
		world := device.NewWorld(seed, at)
		for range c.Statuses {
			world.Advance(c.Interval)
			at = at.Add(c.Interval)
			late := time.Duration(rng.Float64() * float64(c.Late))
			line := strconv.AppendInt(nil, at.Add(late).Unix(), 10)
			for i, v := range world.Measure(t, c.Interval) {
				if line = append(line, ','); v.State != codec.NotMeasured {
					line = codec.AppendDecimal(line, &t.Fields()[i], v.Raw)
				}
			}
			_, _ = out.Write(append(line, '\n')) // Flush tells
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write the data: %w", err)
	}
	return nil
}

package main

import (
	"bufio"
	"fmt"
	"io"
	"math"
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
	Changes  float64       `help:"Part of the statuses after which a device has another interval for a while, as a policy may tell it." default:"0.02"`
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
	if c.Devices < 1 || c.Statuses < 1 || c.Interval < time.Second || c.Late < 0 || c.Late >= c.Interval || !(c.Changes >= 0 && c.Changes <= 1) {
		return fmt.Errorf("%w: %d devices with %d statuses every %s, late by up to %s, changes %g", demo.ErrOptions, c.Devices, c.Statuses, c.Interval, c.Late, c.Changes)
	}
	t, err := demo.ProductTemplate(c.Product)
	if err != nil {
		return err
	}
	return c.write(e.stdout, t)
}

// Another interval is between these parts of the one that was given, and stays for so many statuses in the mean.
const (
	shortest = 0.005
	longest  = 4
	stays    = 5
)

// next is the interval to the next status.
func (c *dataCmd) next(rng *rand.Rand, now time.Duration) time.Duration {
	switch {
	case now == c.Interval && rng.Float64() < c.Changes:
		part := shortest * math.Pow(longest/shortest, rng.Float64())
		return max(time.Duration(part*float64(c.Interval)), time.Second).Round(time.Second)
	case now != c.Interval && rng.Float64() < 1.0/stays:
		return c.Interval
	}
	return now
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
		seed := c.Seed*1_000_003 + uint64(n)
		rng := rand.New(rand.NewPCG(seed, 0x6c617465)) //nolint:gosec // data must be repeatable
		world := device.NewWorld(seed, at)
		interval := c.Interval
		for range c.Statuses {
			interval = c.next(rng, interval)
			world.Advance(interval)
			at = at.Add(interval)
			late := time.Duration(rng.Float64() * float64(min(c.Late, interval/2)))
			line := strconv.AppendInt(nil, at.Add(late).Unix(), 10)
			for i, v := range world.Measure(t, interval) {
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

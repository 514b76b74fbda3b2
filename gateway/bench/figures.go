package bench

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// Figures is what a run measured. The JSON names are those of the last line of `make bench`.
type Figures struct {
	IngestRatio     float64 `json:"ingest_ratio"`
	IngestPerSecond float64 `json:"ingest_frames_per_second"`
	AckFsyncRatio   float64 `json:"ack_fsync_ratio"`
	AllocsPerFrame  float64 `json:"allocs_per_frame"`
	BytesPerDevice  float64 `json:"bytes_per_device"`
	StartSeconds    float64 `json:"start_seconds_100k"`

	Details Details `json:"-"`
}

// Details are the figures behind the ratios.
type Details struct {
	Round  Round   // the one of the median ratio, which the figures of the ingest are of
	Rounds []Round // all, in the order of their ratios

	StoreAlonePerSecond  float64 // Pebble with no JetStream at work
	StreamAlonePerSecond float64

	AckMedian   time.Duration
	Ack99       time.Duration
	FsyncMedian time.Duration

	AllocsOutbox float64 // of AllocsPerFrame: what reading the outbox takes

	Devices     int           // of the fleet in memory
	StartStore  time.Duration // of the start: until the store is open
	StartFleet  time.Duration // until the fleet is in memory
	StartStream time.Duration // until the stream was looked at
}

// A Round is one ingest and the ceilings that it is held against, which follow at once: what else the machine does meets both.
type Round struct {
	PerSecond       float64 // frames through the gateway
	StorePerSecond  float64 // frames, as rows into Pebble
	StreamPerSecond float64 // frames, as events into JetStream, at the same time

	Frames           int    // sent and measured
	Events           uint64 // found on the stream in the end, the warm-up's included
	Resent           int    // datagrams that got lost on loopback
	FramesPerCommit  float64
	EventsPerPublish float64
	RowBytes         float64 // in Pebble per frame
	Allocs           float64 // per frame in the whole process, with the NATS client and server in it
}

// Ratio is the ingest against the slower ceiling.
func (r *Round) Ratio() float64 { return ratio(r.PerSecond, min(r.StorePerSecond, r.StreamPerSecond)) }

// Options say how much is measured. Zeros stand for what `make bench` does.
type Options struct {
	Dir     string // an empty folder on the disk to measure
	Rounds  int    // of ingest and ceilings
	Devices int    // that send
	Frames  int    // sent through the whole gateway in each round
	Fleet   int    // devices for memory and start
	Acks    int    // round trips
}

func (o Options) withDefaults() Options {
	for _, f := range []struct {
		v   *int
		def int
	}{{&o.Rounds, 3}, {&o.Devices, 10_000}, {&o.Frames, 100_000}, {&o.Fleet, 100_000}, {&o.Acks, 500}} {
		if *f.v == 0 {
			*f.v = f.def
		}
	}
	return o
}

// WriteTable writes all figures for people.
func (f *Figures) WriteTable(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(name, value, format string, args ...any) {
		_, _ = fmt.Fprintf(t, "%s\t%s\t%s\n", name, value, fmt.Sprintf(format, args...)) // Flush returns the error
	}
	f.ingestRows(row)
	d := &f.Details
	row("ack at low load", d.AckMedian.Round(time.Microsecond).String(), "median; 99 %%: %s", d.Ack99.Round(time.Microsecond))
	row("ack / fsync", number(f.AckFsyncRatio), "fsync median %s; goal 3 or less", d.FsyncMedian.Round(time.Microsecond))
	row("allocations per frame", number(f.AllocsPerFrame), "socket to acknowledgement, and %.2f of it to read the outbox; goal 1 or less", d.AllocsOutbox)
	row("  whole process", number(d.Round.Allocs), "with the NATS client and the embedded nats-server")
	row("heap per device", fmt.Sprintf("%.0f B", f.BytesPerDevice), "%d devices loaded; goal 400 B or less", d.Devices)
	row("start", fmt.Sprintf("%.2f s", f.StartSeconds), "%d devices; store %s, fleet %s, stream %s",
		d.Devices, d.StartStore.Round(time.Millisecond), d.StartFleet.Round(time.Millisecond), d.StartStream.Round(time.Millisecond))
	if err := t.Flush(); err != nil {
		return fmt.Errorf("write the figures: %w", err)
	}
	return nil
}

func (f *Figures) ingestRows(row func(name, value, format string, args ...any)) {
	d, r := &f.Details, &f.Details.Round
	rate := func(v float64) string { return fmt.Sprintf("%.0f/s", v) }
	ratios := make([]string, len(d.Rounds))
	for i := range d.Rounds {
		ratios[i] = number(d.Rounds[i].Ratio())
	}
	row("ingest", rate(f.IngestPerSecond), "%d frames, %.0f a commit, %.0f events a batch; %d events on the stream; %d datagrams sent again",
		r.Frames, r.FramesPerCommit, r.EventsPerPublish, r.Events, r.Resent)
	row("ingest / slower ceiling", number(f.IngestRatio), "both ceilings at once, unconnected; goal 0.6 or more; rounds: %s", strings.Join(ratios, " "))
	of := func(name string, v float64, note string) {
		row(name, rate(v), "%s; ingest is %.2f of it", note, ratio(f.IngestPerSecond, v))
	}
	of("  Pebble ceiling", r.StorePerSecond, fmt.Sprintf("the same rows, %.0f B a frame", r.RowBytes))
	of("  JetStream ceiling", r.StreamPerSecond, "the same events")
	of("  Pebble alone", d.StoreAlonePerSecond, "the same rows")
	of("  JetStream alone", d.StreamAlonePerSecond, "the same events")
}

func number(v float64) string { return strconv.FormatFloat(v, 'f', 2, 64) }

func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

// quantile returns the element of which the share q is smaller. It sorts ds.
func quantile(ds []time.Duration, q float64) time.Duration {
	if len(ds) == 0 {
		return 0
	}
	slices.Sort(ds)
	return ds[min(len(ds)-1, int(q*float64(len(ds))))]
}

package bench

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"runtime"
	"time"
)

// warmRounds is how many frames each device sends before anything is measured: the first makes it known, the next fill caches and buffers.
const warmRounds = 2

// measureIngest runs frames through a whole gateway, and returns what the ceilings are to carry.
func measureIngest(ctx context.Context, dir string, o Options, r *Round) (w *workload, err error) {
	g, _, err := openGateway(ctx, dir, o.Devices)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, g.close()) }()
	g.run(ctx)
	first, err := g.ingest(ctx, o, r)
	if err != nil {
		return nil, err
	}
	if r.Events, err = g.checkStream(ctx); err != nil {
		return nil, err
	}
	w, err = g.collect(filepath.Join(dir, "scratch"), first, o.Frames, int(math.Round(r.FramesPerCommit)))
	if err == nil {
		r.RowBytes = w.rowBytes()
	}
	return w, err
}

// warm returns devices that the gateway knows, with all that they sent published.
func (g *gateway) warm(ctx context.Context, o Options) ([]*sender, error) {
	senders := newSenders(o.Devices)
	load, err := frames(senders, warmRounds*o.Devices)
	if err != nil {
		return nil, err
	}
	if _, err := g.send(ctx, load); err != nil {
		return nil, err
	}
	return senders, g.published(ctx)
}

// ingest returns the number of the first event that was measured.
func (g *gateway) ingest(ctx context.Context, o Options, r *Round) (first uint64, err error) {
	senders, err := g.warm(ctx, o)
	if err != nil {
		return 0, err
	}
	load, err := frames(senders, o.Frames)
	if err != nil {
		return 0, err
	}
	first = g.store.DurableEvents() + 1
	commits, batches := g.store.Stats().Commits, g.stream.batches.Load()
	runtime.GC()
	mallocs := heapMallocs()
	began := time.Now()
	if r.Resent, err = g.send(ctx, load); err != nil {
		return 0, err
	}
	if err := g.published(ctx); err != nil {
		return 0, err
	}
	took := time.Since(began)
	n := float64(len(load))
	r.Allocs = float64(heapMallocs()-mallocs) / n
	r.Frames, r.PerSecond = len(load), n/took.Seconds()
	r.FramesPerCommit = n / float64(max(1, g.store.Stats().Commits-commits))
	r.EventsPerPublish = n / float64(max(1, g.stream.batches.Load()-batches))
	return first, nil
}

func heapMallocs() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Mallocs
}

var errEvents = errors.New("the stream does not hold what it should")

// checkStream makes sure that every event is on the stream, once, and returns how many.
func (g *gateway) checkStream(ctx context.Context) (events uint64, err error) {
	info, err := g.stream.Info(ctx)
	if err != nil {
		return 0, err
	}
	if want := g.store.DurableEvents(); info.Messages != want || info.Last != want {
		return 0, fmt.Errorf("%w: %d messages up to %d, want %d", errEvents, info.Messages, info.Last, want)
	}
	return info.Messages, nil
}

package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/godwit-gateway/godwit/gateway/store"
)

// measurePath measures what single frames cost: the time to their acknowledgement, and allocations.
func measurePath(ctx context.Context, dir string, o Options, progress func(string), f *Figures) (err error) {
	progress("acknowledgements at low load")
	g, _, err := openGateway(ctx, dir, o.Devices)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, g.close()) }()
	g.run(ctx)
	senders, err := g.warm(ctx, o)
	if err != nil {
		return err
	}
	if err := g.measureAcks(ctx, dir, senders[0], o.Acks, f); err != nil {
		return err
	}
	progress("allocations")
	return g.measureAllocs(ctx, senders, o.Frames, f)
}

// fsyncBytes is what is appended before each fsync that is measured: a little more than the rows of one frame.
const fsyncBytes = 4 << 10

// measureAcks sends frames one at a time, each when the one before is on the stream, and in between times an fsync of a file in the same
// folder: disks have moods, and both figures must be of the same.
func (g *gateway) measureAcks(ctx context.Context, dir string, s *sender, trips int, f *Figures) (err error) {
	file, err := os.Create(filepath.Join(dir, "fsync"))
	if err != nil {
		return fmt.Errorf("make a file to sync: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	conn, err := dial(g.link)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	acks, fsyncs := make([]time.Duration, 0, trips), make([]time.Duration, 0, trips)
	block, buf := make([]byte, fsyncBytes), make([]byte, 64)
	for range trips {
		began := time.Now()
		if _, err := file.Write(block); err != nil {
			return fmt.Errorf("append: %w", err)
		}
		if err := file.Sync(); err != nil {
			return fmt.Errorf("sync: %w", err)
		}
		fsyncs = append(fsyncs, time.Since(began))
		frame, err := s.frame()
		if err != nil {
			return err
		}
		began = time.Now()
		if _, err := conn.Write(frame.payload); err != nil {
			return fmt.Errorf("send a frame: %w", err)
		}
		n, err := drain(conn, buf, 1)
		if err != nil || n == 0 {
			return fmt.Errorf("wait for an acknowledgement: %w", errors.Join(err, errStuck))
		}
		acks = append(acks, time.Since(began))
		if err := g.published(ctx); err != nil {
			return err
		}
	}
	d := &f.Details
	d.AckMedian, d.Ack99, d.FsyncMedian = quantile(acks, 0.5), quantile(acks, 0.99), quantile(fsyncs, 0.5)
	f.AckFsyncRatio = ratio(float64(d.AckMedian), float64(d.FsyncMedian))
	return nil
}

// measureAllocs counts what is allocated between the socket and the acknowledgement, everything in this process included but the publisher, which
// stands still; and then what reading the outbox adds.
func (g *gateway) measureAllocs(ctx context.Context, senders []*sender, n int, f *Figures) error {
	if err := g.pause(); err != nil {
		return err
	}
	load, err := frames(senders, n)
	if err != nil {
		return err
	}
	first := g.store.DurableEvents() + 1
	runtime.GC()
	mallocs := heapMallocs()
	if _, err := g.send(ctx, load); err != nil {
		return err
	}
	path := heapMallocs() - mallocs
	mallocs = heapMallocs()
	var events []store.Event
	for first <= g.store.DurableEvents() {
		if events, err = g.store.Outbox(events[:0], first, publishMessages, publishBytes); err != nil {
			return err
		}
		first += uint64(len(events))
	}
	outbox := heapMallocs() - mallocs
	f.AllocsPerFrame, f.Details.AllocsOutbox = ratio(float64(path+outbox), float64(n)), ratio(float64(outbox), float64(n))
	return nil
}

package node

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/godwit-gateway/godwit/transports"
)

// Pauses before a transport whose line was lost is run again. A modem that was unplugged is looked for every minute at least.
const (
	restartFirst = 500 * time.Millisecond
	restartMax   = 60 * time.Second
	steadyAfter  = 60 * time.Second // a run of this length was a good one: the pause starts over
)

// runner keeps one transport running.
type runner struct {
	transport transports.Transport
	running   atomic.Bool   // Run is under way
	restarts  atomic.Uint64 // runs that ended with an error
}

// up reports whether the line is there: by the driver's word where it has one, for Run may be under way and look for the line.
func (r *runner) up() bool {
	if !r.running.Load() {
		return false
	}
	line, ok := r.transport.(transports.Line)
	return !ok || line.Up()
}

// run runs the transport until ctx is done. A line that is lost is no reason to end the gateway: the other lines go on.
func (r *runner) run(ctx context.Context, sink transports.Sink, log *slog.Logger) {
	pause := restartFirst
	for {
		began := time.Now()
		r.running.Store(true)
		err := r.transport.Run(ctx, sink)
		r.running.Store(false)
		if ctx.Err() != nil {
			if err != nil {
				log.Error("transport ended badly", slog.String("link", r.transport.Name()), slog.String("error", err.Error()))
			}
			return
		}
		r.restarts.Add(1)
		if time.Since(began) >= steadyAfter {
			pause = restartFirst
		}
		log.Warn("transport lost its line", slog.String("link", r.transport.Name()), slog.Any("error", err), slog.Duration("pause", pause))
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		pause = min(2*pause, restartMax)
	}
}

// runTransports is the stage of all transports.
func runTransports(ctx context.Context, runners []*runner, sink transports.Sink, log *slog.Logger) error {
	var wg sync.WaitGroup
	for _, r := range runners {
		wg.Go(func() { r.run(ctx, sink, log) })
	}
	<-ctx.Done()
	wg.Wait()
	return nil
}

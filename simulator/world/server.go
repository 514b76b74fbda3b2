package world

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/godwit-gateway/godwit/gateway/publish"
)

// A Server is a stream of a real server in place of the model. What it answers takes real time, so a world with one has no trace to compare.
type Server interface {
	publish.Stream
	Restart() error
	Delete(ctx context.Context) error
	// Copy keeps the server's files as they are now, and returns what puts them in place of what they are then.
	Copy() (restore func() error, err error)
}

// outlet of the publisher: the server, or the model of one.
func (g *gateway) events() publish.Stream {
	if s := g.w.setup.Server; s != nil {
		return s
	}
	return g.stream
}

// answers reports whether the stream is there.
func (g *gateway) answers() bool {
	if s := g.w.setup.Server; s != nil {
		_, err := s.Info(g.w.ctx)
		return err == nil
	}
	return !g.stream.Down && g.stream.Exists
}

// forget deletes the stream.
func (g *gateway) forget() {
	g.losses++
	if s := g.w.setup.Server; s != nil {
		g.w.fail(s.Delete(g.w.ctx))
		return
	}
	g.stream.Exists, g.stream.Messages = false, nil
	g.stream.Restart()
}

// each shows all messages of the stream, in their order.
func (g *gateway) each(do func(*publish.Message) error) error {
	s := g.w.setup.Server
	if s == nil {
		for seq := g.stream.First; seq <= g.stream.Last; seq++ {
			if m, ok := g.stream.Messages[seq]; ok {
				if err := do(m); err != nil {
					return err
				}
			}
		}
		return nil
	}
	info, err := s.Info(g.w.ctx)
	if errors.Is(err, publish.ErrNoStream) {
		return nil
	} else if err != nil {
		return fmt.Errorf("look at the stream: %w", err)
	}
	for from := info.First; from <= info.Last; {
		const page = 500
		found, err := s.Range(g.w.ctx, from, page)
		if err != nil {
			return fmt.Errorf("read the stream: %w", err)
		}
		if len(found) == 0 {
			return nil
		}
		for i := range found {
			if err := do(&found[i]); err != nil {
				return err
			}
		}
		from = found[len(found)-1].Sequence + 1
	}
	return nil
}

// restartServer starts a real server anew.
func (w *world) restartServer() bool {
	w.fail(w.setup.Server.Restart())
	w.gateway.suspect()
	return true
}

// serverTail puts files of a real server in place that are hours old, unless something else was lost meanwhile: one of the two must be whole.
func (w *world) serverTail() bool {
	restore, err := w.setup.Server.Copy()
	if err != nil {
		w.fail(err)
		return false
	}
	w.gateway.suspect()
	losses := w.gateway.losses
	w.schedule.plan(w.now.Add(time.Duration(w.rng.Float64()*10*float64(time.Hour))), func() {
		if w.gateway.losses == losses && !w.healing {
			w.fail(restore())
			w.gateway.suspect()
		}
	})
	return true
}

// suspect has the publisher look at the stream anew.
func (g *gateway) suspect() {
	if g.up {
		g.publisher.Suspect()
	}
}

package publish

import (
	"context"

	"github.com/nats-io/nats.go/jetstream"
)

// Consumers is how many consumers the stream has.
func Consumers(ctx context.Context, s *JetStream) (int, error) {
	st, err := s.js.Stream(ctx, s.name)
	if err != nil {
		return 0, err
	}
	return st.CachedInfo().State.Consumers, nil
}

// Verified is the last event that was read back.
func Verified(p *Publisher) uint64 { return p.meta.Verified }

// ReadBack reports whether an event was read back, wherever it is.
func ReadBack(p *Publisher, oseq uint64) bool {
	f, ok := p.meta.Filled[oseq]
	return oseq <= p.meta.Verified && (!ok || f.Verified)
}

// Led reports why an answer about a stream is not that of its leader.
func Led(c *jetstream.ClusterInfo) error { return led(c) }

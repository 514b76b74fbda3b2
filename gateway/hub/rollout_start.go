package hub

import (
	"context"
	"time"

	"github.com/godwit-gateway/godwit/gateway/rollout"
)

// writesAtOnce is how many rows of devices are written while frames wait: some milliseconds. Each such batch waits for the disk.
const writesAtOnce = 2048

// startRollout has a rollout run. Frames pass between its steps; it is on disk, and has begun, when startRollout returns. An error has changed nothing.
func (h *Hub) startRollout(ctx context.Context, id rollout.ID, remark string) (out rollout.Summary, err error) {
	by, err := actorIn(ctx)
	if err != nil {
		return out, err
	}
	var s *rollout.Starting
	err = h.do(ctx, func(*commit) error {
		s, err = h.rollouts.Starting(h.clock.Now(), by, id, remark)
		return err
	})
	if err != nil {
		return out, err
	}
	// If this fails the hub has ended: what was written ahead is deleted after the next start.
	defer func() { _ = h.do(context.WithoutCancel(ctx), func(*commit) error { s.Cancel(); return nil }) }()
	for more := true; more && ctx.Err() == nil; {
		h.LookAtRollouts(func(time.Time, *rollout.Machine) { more = s.Some(looksAtOnce) })
	}
	s.Sort()
	for more := true; more; {
		err = h.do(ctx, func(c *commit) error {
			more = s.Write(c.batch, writesAtOnce)
			return nil
		})
		if err != nil {
			return out, err
		}
	}
	err = h.order(ctx, func(rollout.Actor) (rollout.Authorisation, error) {
		a, err := s.Begin(h.clock.Now())
		if err == nil {
			out, err = h.rollouts.Get(id)
		}
		return a, err
	})
	return out, err
}

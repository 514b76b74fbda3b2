package hub

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/godwit-gateway/godwit/gateway/store"
)

const retainEvery = time.Minute

// Old frames of a device are looked for again after a part of the time that they are kept, a day at most.
const (
	retainPart = 8
	retainMost = 24 * time.Hour
)

// RetainOnce does one bounded step of forgetting: old frames (whose floor rises in the same batch, so that they can never come again),
// old quarantine rows, messages that never became whole, deltas whose base never came, finished downlinks.
func (h *Hub) RetainOnce(ctx context.Context) error {
	return h.do(ctx, func(c *commit) error {
		now := h.clock.Now()
		floors, err := h.store.Retain(c.batch, now, store.Retention{
			Frames: h.retention.Frames, Quarantine: h.retention.Quarantine, Every: min(h.retention.Frames/retainPart, retainMost),
		})
		if err != nil {
			c.fail(err)
			return fmt.Errorf("retain: %w", err)
		}
		for _, f := range floors {
			i, ok := h.fleet.ByNumber(f.Number)
			if !ok {
				continue
			}
			// Of an epoch that is over there is nothing to keep: none of its frames is taken.
			if counters, _ := h.fleet.AckOf(i, f.Epoch); counters != nil {
				counters.Floor = max(counters.Floor, f.Counter)
				c.touch(i)
			}
		}
		for _, i := range h.fleet.Prune(now) {
			c.touch(i)
		}
		h.expireParts(c, now)
		h.expireParked(c, now)
		h.askForWhole(c, now)
		h.expireFragments(c, now)
		h.retainDownlinks(c, now)
		return nil
	})
}

// retainDownlinks ends downlinks that are too old, those of links that are configured no more among them, and forgets those that are over.
func (h *Hub) retainDownlinks(c *commit, now time.Time) {
	for _, ref := range slices.Sorted(maps.Keys(h.outgoing.byRef)) {
		d := h.outgoing.byRef[ref]
		expired := !now.Before(d.Expires)
		if expired && !over(d) {
			h.expire(c, d, now)
		}
		if (expired || over(d)) && now.Sub(d.Changed) >= downlinkHistory {
			delete(h.outgoing.byRef, ref)
			c.batch.DeleteDownlink(ref)
		}
	}
}

// retain calls RetainOnce now and then until ctx is done.
func (h *Hub) retain(ctx context.Context) {
	tick := time.NewTicker(retainEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := h.RetainOnce(ctx); err != nil && ctx.Err() == nil && !errors.Is(err, ErrClosed) {
			h.log.Error("retain", attrErr(err))
		}
	}
}

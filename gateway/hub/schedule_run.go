package hub

import (
	"context"
	"errors"
	"time"
)

// scheduleEvery is how often silence is looked for, and whether a plan is due.
const scheduleEvery = 10 * time.Second

// scheduleFirst is when that is done first: drivers have just begun, and have much to hand over.
const scheduleFirst = 2 * time.Second

// ScheduleOnce looks for silence, plans if a plan is due, and does what is due in rollouts. It reports whether it should be called again at once.
func (h *Hub) ScheduleOnce(ctx context.Context) (more bool, err error) {
	err = h.do(ctx, func(*commit) error {
		now := h.clock.Now()
		more = h.core.Poll(now)
		more = h.rollouts.Poll(now) || more
		return nil
	})
	return more, err
}

// schedule calls ScheduleOnce now and then until ctx is done.
func (h *Hub) schedule(ctx context.Context) {
	timer := time.NewTimer(scheduleFirst)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		more, err := h.ScheduleOnce(ctx)
		if err != nil && ctx.Err() == nil && !errors.Is(err, ErrClosed) {
			h.log.Error("schedule", attrErr(err))
		}
		if more {
			timer.Reset(0)
		} else {
			timer.Reset(scheduleEvery)
		}
	}
}

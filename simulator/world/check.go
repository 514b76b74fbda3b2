package world

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/godwit-gateway/godwit/codec/session"
	"github.com/godwit-gateway/godwit/gateway/audit"
	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/gateway/rollout"
	"github.com/godwit-gateway/godwit/gateway/store"
	"github.com/godwit-gateway/godwit/scheduler/core"
	"github.com/godwit-gateway/godwit/scheduler/ledger"
	"github.com/godwit-gateway/godwit/simulator/device"
)

// check holds what is left against what was promised.
func (w *world) check(healed, quiet time.Time) error {
	errs := []error{w.readStream(true), w.checkStore(), w.checkAlarms(), w.checkSpend(), w.checkRollouts()}
	if err := w.ledger.Result().Err(); err != nil {
		errs = append(errs, fmt.Errorf("%w: %w", ErrBroken, err))
	}
	for _, m := range w.fleet {
		if err := w.heardSince(m, healed, quiet); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// checkStore looks at the whole store, as `godwit store check` does.
func (w *world) checkStore() error {
	r, err := w.gateway.store.Check(w.ctx, store.CheckOptions{
		Schedule: func(_ uint32, row []byte) error { return core.CheckRow(row) }, Account: ledger.New().Load,
		Audit: new(audit.Chain).Check, Rollout: rollout.CheckRow,
	})
	if err != nil {
		return fmt.Errorf("check the store: %w", err)
	}
	if r.Found > 0 {
		return fmt.Errorf("%w: the store has %d problems, such as %v", ErrBroken, r.Found, r.Problems)
	}
	return nil
}

// heardSince requires that a device was heard again before it was told to say nothing new, well after everything was healed. Not of one that was off meanwhile, for good or for a night,
// or never gets to its work; of clones the gateway does not know which it hears.
func (w *world) heardSince(m *mobile, healed, quiet time.Time) error {
	if quiet.Sub(healed) < m.interval() || m.clone || !m.on || m.off.After(healed) || m.memory.Update.Later.What == device.Looping {
		return nil
	}
	if m.config.Stored && m.life.taken.IsZero() {
		// It says its connection id in its first frames only, and the radio lost them all: an operator must say whose address it is.
		w.noticed["device whose first frames were all lost on a link without answers"]++
		return nil
	}
	records, _, err := w.gateway.hub.History(m.name(), hub.HistoryQuery{Limit: 1})
	if err != nil && !w.stranded(m) {
		return fmt.Errorf("%w: device %d: %w", ErrBroken, m.config.Number, err)
	}
	switch {
	case len(records) > 0 && !records[0].ReceivedAt.Before(quiet.Add(-2*m.interval()-time.Hour)):
	case w.stranded(m):
		w.noticed["device behind a link without answers that nothing can reach"]++
	case w.unpaid(m, healed):
		w.noticed["device that needs an epoch, which a hard budget holds back"]++
	default:
		return fmt.Errorf("%w: device %d is not heard any more: %d records", ErrBroken, m.config.Number, len(records))
	}
	return nil
}

// unpaid says that a device has asked for an epoch since everything was healed, or an operator gave it one, and that this waits for a budget: it has to be
// raised.
func (w *world) unpaid(m *mobile, healed time.Time) bool {
	list, err := w.gateway.hub.Downlinks(m.name())
	return err == nil && slices.ContainsFunc(list, func(d hub.DownlinkRecord) bool {
		return (d.Kind == "join" || d.Kind == "rekey") && d.QueuedAt.After(healed) && d.Attempts == 0 && d.Unfunded
	})
}

// stranded says that a device that expects no answers, and so does not notice that it gets none, is in an epoch that a gateway brought back from a
// backup never knew, and so was it in the one before: neither can say anything that the other one understands.
func (w *world) stranded(m *mobile) bool {
	d, err := w.gateway.hub.Device(m.name())
	if !m.config.Stored || w.faults[kindRestored]+w.faults[kindDisk]+w.faults[kindLoss] == 0 {
		return false
	}
	if err != nil || d.Session.Current.Number < d.Session.Least {
		return true // after an accepted loss it is heard once it has joined, which it does not know
	}
	theirs, ours := []session.Epoch{d.Session.Current}, []session.Kept{m.memory.Current}
	if d.Session.Role != session.Alone {
		theirs = append(theirs, d.Session.Second)
	}
	if m.memory.Two {
		ours = append(ours, m.memory.Previous)
	}
	for i := range ours {
		for k := range theirs {
			if ours[i].Number == theirs[k].Number && ours[i].Salt == theirs[k].Salt {
				return false
			}
		}
	}
	return true
}

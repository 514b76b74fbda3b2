package world

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/godwit-gateway/godwit/codec/session"
	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/gateway/publish"
	"github.com/godwit-gateway/godwit/gateway/store"
)

// check holds what is left against what was promised.
func (w *world) check(healed time.Time) error {
	errs := []error{w.readStream(true), w.checkStore()}
	if err := w.ledger.Result().Err(); err != nil {
		errs = append(errs, fmt.Errorf("%w: %w", ErrBroken, err))
	}
	for _, m := range w.fleet {
		if err := w.heardSince(m, healed); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// readStream reads the stream as a consumer does that knows events by their ids. Of events that the outbox still holds nothing is taken for
// granted before the end: they must survive whatever happens to the stream.
func (w *world) readStream(end bool) error {
	s := w.gateway.stream
	held, _ := w.gateway.store.OutboxBounds()
	for seq := s.First; seq <= s.Last; seq++ {
		m, ok := s.Messages[seq]
		if !ok || m.Publisher == "" || !end && m.Oseq >= held {
			continue
		}
		id := eventID(&m)
		if w.buried[id] && m.Frame != "" {
			return fmt.Errorf("%w: the frame of event %s was taken again after a loss that was accepted", ErrBroken, id)
		}
		w.note(id, 0, m.Payload)
		if before, twice := w.seen[id]; twice {
			if !bytes.Equal(before, m.Payload) && m.Frame != "" { // those that the gateway itself says are counted anew after a loss of everything
				return fmt.Errorf("%w: event %s says two things: %s and %s", ErrBroken, id, before, m.Payload)
			}
			continue
		}
		w.seen[id] = m.Payload
		if err := w.ledger.Event(m.Payload); err != nil {
			return fmt.Errorf("%w: %w", ErrBroken, err)
		}
	}
	return nil
}

// checkStore looks at the whole store, as `godwit store check` does.
func (w *world) checkStore() error {
	r, err := w.gateway.store.Check(w.ctx, store.CheckOptions{})
	if err != nil {
		return fmt.Errorf("check the store: %w", err)
	}
	if r.Found > 0 {
		return fmt.Errorf("%w: the store has %d problems, such as %v", ErrBroken, r.Found, r.Problems)
	}
	return nil
}

// heardSince requires that a device was heard again, well after everything was healed.
func (w *world) heardSince(m *mobile, healed time.Time) error {
	if w.now.Sub(healed) < m.config.Interval {
		return nil
	}
	records, _, err := w.gateway.hub.History(m.name(), hub.HistoryQuery{Limit: 1})
	if err != nil && !w.stranded(m) {
		return fmt.Errorf("%w: device %d: %w", ErrBroken, m.config.Number, err)
	}
	switch {
	case len(records) > 0 && !records[0].ReceivedAt.Before(healed.Add(calm-2*m.config.Interval-time.Hour)):
	case w.stranded(m):
		w.noticed["device behind a link without answers that nothing can reach"]++
	default:
		return fmt.Errorf("%w: device %d is not heard any more: %d records", ErrBroken, m.config.Number, len(records))
	}
	return nil
}

// stranded says that a device that expects no answers, and so does not notice that it gets none, is in an epoch that a gateway brought back from a
// backup never knew, and so was it in the one before: neither can say anything that the other one understands.
func (w *world) stranded(m *mobile) bool {
	d, err := w.gateway.hub.Device(m.name())
	if !m.link.Keeps || w.faults[kindRestored]+w.faults[kindDisk]+w.faults[kindLoss] == 0 {
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

// eventID is the id of an event, whatever the message that carries it is called.
func eventID(m *publish.Message) string {
	id, _, _ := strings.Cut(m.ID, ";")
	return id
}

package idp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/godwit-gateway/godwit/transports"
)

// States of a message to a terminal.
const (
	stateReceived  = 1
	stateError     = 2
	stateFailed    = 3
	stateTimedOut  = 4
	stateCancelled = 5
)

// reference is what reports name a message by.
func reference(id uint64) string { return strconv.FormatUint(id, 10) }

// follow looks at what becomes of messages to terminals, while there are any, until ctx is done.
func (t *Transport) follow(ctx, inHand context.Context, sink transports.Sink) {
	p := pacer{usual: t.cfg.Statuses}
	wait := p.usual
	for {
		for len(t.state.under()) == 0 {
			select {
			case <-t.sent:
			case <-ctx.Done():
				return
			}
		}
		if !pause(ctx, wait) {
			return
		}
		select {
		case t.submits <- struct{}{}:
		case <-ctx.Done():
			return
		}
		err := t.look(ctx, inHand, sink)
		<-t.submits
		if ctx.Err() != nil {
			return
		}
		t.noteStatuses(err)
		wait = p.after(err, false)
	}
}

// noteStatuses counts a look that failed. Whether the line is up, the looks for messages say.
func (t *Transport) noteStatuses(err error) {
	if err == nil {
		return
	}
	var failed *callError
	if errors.As(err, &failed) {
		t.counts.failures[failed.failure].Add(1)
		if failed.failure == refusedAuth {
			t.refuse(failed)
		}
	}
	t.warn("what became of messages to terminals is not known yet", err)
}

// look cancels what has expired, and reports what the gateway says of the others. Called with a token in submits.
func (t *Transport) look(ctx, inHand context.Context, sink transports.Sink) error {
	now := t.now()
	under := slices.DeleteFunc(t.state.under(), func(f forward) bool { return now.Sub(time.Unix(f.At, 0)) > forwardKept })
	t.keep(under, time.Time{})
	err := t.cancel(ctx, func(f *forward) bool { return f.Expires != 0 && now.Unix() >= f.Expires })
	var failed *callError
	if errors.As(err, &failed) && failed.failure == refusedAuth {
		return err
	}
	// What cannot be cancelled now is no other reason not to look at what became of messages.
	return errors.Join(err, t.statuses(ctx, inHand, sink))
}

// statuses reports what the gateway says since the mark of statuses. It shows no more of a second than a page: where that is full, it is asked for our messages
// by their ids, and the mark goes on behind that second.
func (t *Transport) statuses(ctx, inHand context.Context, sink transports.Sink) error {
	for len(t.state.under()) > 0 {
		mark := t.state.statusesAt()
		if len(t.unseen) == 0 {
			over := t.now().Sub(mark) >= overAfter
			p, err := t.gateway.ask(ctx, t.gateway.statuses(mark))
			if err != nil {
				return err
			}
			if err := t.report(inHand, sink, p); err != nil {
				return err
			}
			if !p.More && len(p.Statuses) < pageFull {
				return nil
			}
			if t.state.statusesAt().After(mark) {
				continue
			}
			t.unseen, t.over = idsOf(t.state.under()), over
		}
		if err := t.statusesByID(ctx, inHand, sink); err != nil || !t.over { // those that were asked for may have changed in it since
			return err
		}
		t.keep(t.state.under(), mark.Add(time.Second))
	}
	return nil
}

// statusesByID reports what the gateway says of the messages that are unseen. If it wants to be asked less often, the next look goes on from there.
func (t *Transport) statusesByID(ctx, inHand context.Context, sink transports.Sink) error {
	for len(t.unseen) > 0 {
		ids := t.unseen[:min(len(t.unseen), idsMax)]
		p, err := t.gateway.ask(ctx, t.gateway.statusesOf(ids))
		if err != nil {
			return err
		}
		if err := t.tell(inHand, sink, p.Statuses, time.Time{}); err != nil {
			return err
		}
		t.unseen = t.unseen[len(ids):]
	}
	return nil
}

func idsOf(fs []forward) []uint64 {
	ids := make([]uint64, len(fs))
	for i := range fs {
		ids[i] = fs[i].ID
	}
	return ids
}

// report tells the sink what a page says of messages that are under way, and moves the mark once all of it is told.
func (t *Transport) report(ctx context.Context, sink transports.Sink, p *page) error {
	next := p.next()
	if next.IsZero() { // v1 names one only if there is more
		for i := range p.Statuses {
			next = later(next, p.Statuses[i].at())
		}
	}
	if next.After(t.now().Add(aheadMax)) {
		t.counts.badMarks.Add(1)
		next = time.Time{}
	}
	return t.tell(ctx, sink, p.Statuses, next)
}

// tell tells the sink of statuses, and then moves the mark, if next is behind it. Statuses of others, as of another program of the account, are none of ours.
func (t *Transport) tell(ctx context.Context, sink transports.Sink, statuses []status, next time.Time) error {
	under := t.state.under()
	for i := range statuses {
		s := &statuses[i]
		k := slices.IndexFunc(under, func(f forward) bool { return f.ID == s.id() })
		if k < 0 {
			continue
		}
		r := transports.Report{
			Transport: t.name, To: transports.Address{Bearer: transports.IDP, ID: under[k].To}, Ref: reference(s.id()), At: s.at(), ReceivedAt: t.now(),
			State: s.fate(), Code: cmp.Or(s.ErrorID, s.State),
		}
		if r.State == transports.ReportPending && s.State == under[k].State {
			continue
		}
		if err := sink.Report(ctx, r); err != nil {
			t.keep(under, time.Time{})
			return fmt.Errorf("store a report: %w", err)
		}
		under[k].State = s.State
		switch r.State {
		case transports.ReportDelivered:
			t.counts.delivered.Add(1)
		case transports.ReportFailed:
			t.counts.failed.Add(1)
		default:
			continue
		}
		under = slices.Delete(under, k, k+1)
	}
	t.keep(under, next)
	return nil
}

// fate is what a status means for the message. OGWS has states for messages that wait.
func (s *status) fate() transports.ReportState {
	switch s.State {
	case stateReceived:
		return transports.ReportDelivered
	case stateError, stateFailed, stateTimedOut, stateCancelled:
		return transports.ReportFailed
	}
	if s.IsClosed {
		return transports.ReportFailed
	}
	return transports.ReportPending
}

// keep writes down which messages are under way.
func (t *Transport) keep(under []forward, next time.Time) {
	if err := t.state.changed(under, next); err != nil {
		t.counts.unwritten.Add(1)
		t.warn("what became of messages to terminals was not written down", err)
	}
}

// cancel has the gateway give up messages that are under way. One that it cannot cancel, since it is on its way, is not asked for again. Called with a
// token in submits.
func (t *Transport) cancel(ctx context.Context, which func(*forward) bool) error {
	under := t.state.under()
	var ids []uint64
	for i := range under {
		if f := &under[i]; !f.Cancelled && which(f) {
			ids = append(ids, f.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	p, err := t.cancelNow(ctx, ids)
	if err != nil {
		return err
	}
	for i, id := range ids {
		if i < len(p.Submissions) && p.Submissions[i].ErrorID != 0 && meaning(p.Submissions[i].ErrorID) != permanent {
			continue // it passes: at the next look
		}
		k := slices.IndexFunc(under, func(f forward) bool { return f.ID == id })
		under[k].Cancelled = true
		if i >= len(p.Submissions) || p.Submissions[i].ErrorID == 0 {
			t.counts.cancelled.Add(1)
		}
	}
	t.keep(under, time.Time{})
	return nil
}

// cancelNow makes the call. A gateway that says no to it as a whole says no to each.
func (t *Transport) cancelNow(ctx context.Context, ids []uint64) (*page, error) {
	p, err := t.gateway.ask(ctx, t.gateway.cancel(ids))
	var failed *callError
	if !errors.As(err, &failed) || failed.failure != permanent || !failed.answered {
		return p, err
	}
	t.warn("messages to terminals cannot be cancelled", err)
	return &page{Submissions: slices.Repeat([]submission{{ErrorID: cmp.Or(failed.code, failed.status)}}, len(ids))}, nil
}

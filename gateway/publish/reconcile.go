package publish

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/godwit-gateway/godwit/gateway/store"
)

// An Outcome says what a Reconcile found.
type Outcome struct {
	Created bool   // the stream was made
	Lost    uint64 // confirmed events that the stream had lost; they will be published again
	Gone    uint64 // events that the stream had lost and the outbox holds no more: what consumers have not read of them they never will
	Adopted uint64 // messages taken over, as the store did not know them
	Found   uint64 // events that were on the stream and not known to be
	Foreign uint64 // messages of other writers at the stream's end
	Forked  bool   // the stream had other events in the place of ours
	Shrunk  bool   // the stream ends, or begins, before where it did: it is an older copy
	Purged  bool   // the stream's oldest events are gone before their time; they will be appended again
}

// Reconcile looks at the stream and finds where it really ends: which of our events is its last, what it lost, what the store lost. After it
// PublishOnce goes on from there.
func (p *Publisher) Reconcile(ctx context.Context) (Outcome, error) {
	p.count.reconciles.Add(1)
	known := p.meta.Confirmed
	var out Outcome
	err := p.reconcile(ctx, &out)
	if err != nil {
		p.doubt(err)
		return out, fmt.Errorf("reconcile with the stream: %w", err)
	}
	if err := p.meta.save(p.store, true); err != nil {
		return out, err
	}
	p.count.lost.Add(out.Lost)
	p.count.adopted.Add(out.Adopted)
	p.report(out, known)
	p.certain, p.started, p.looked = true, true, p.now()
	p.setReady(nil)
	return out, nil
}

func (p *Publisher) report(o Outcome, known uint64) {
	lost := slog.Uint64("events_lost", o.Lost)
	switch {
	case o.Forked:
		p.log.Error("stream had other events in the place of ours: published again under new message ids", slog.Uint64("from", p.meta.Confirmed+1))
	case o.Created && known > 0:
		p.log.Error("stream was lost and made anew", lost)
	case o.Lost > 0:
		p.log.Error("stream lost its last events: publishing them again", lost)
	case o.Adopted > 0:
		p.log.Error("store is older than the stream: took over what it had forgotten", slog.Uint64("messages", o.Adopted))
	case o.Created:
		p.log.Info("stream was made")
	}
	if o.Gone > 0 {
		p.log.Error("stream lost events that the outbox holds no more", slog.Uint64("events", o.Gone))
	}
	if o.Purged {
		p.log.Error("stream was purged: appending again what the outbox holds", slog.Uint64("from", p.meta.Verified+1))
	}
	if o.Foreign > p.foreign {
		p.log.Error("others wrote to the stream", slog.Uint64("messages", o.Foreign))
	}
	p.foreign = o.Foreign
}

func (p *Publisher) reconcile(ctx context.Context, out *Outcome) error {
	info, err := p.stream.Info(ctx)
	if errors.Is(err, ErrNoStream) {
		first, _ := p.store.OutboxBounds()
		// What is held gets the sequences that it had, so that consumers find their place.
		if err := p.stream.Create(ctx, p.meta.sequence(first)); err != nil {
			return fmt.Errorf("make the stream: %w", err)
		}
		out.Created = true
		info, err = p.stream.Info(ctx)
	}
	if err != nil {
		return fmt.Errorf("look at the stream: %w", err)
	}
	end, err := p.scan(ctx, &info, out)
	if err != nil {
		return err
	}
	if info.Server != p.info.Server {
		p.young, p.settled = settling{}, settling{} // it is another server whose memory is to be distrusted
	}
	out.Shrunk = info.Last < p.last || info.First < p.info.First
	p.last, p.info = info.Last, info
	if err := p.settle(ctx, &info, end, out); err != nil {
		return err
	}
	p.meta.end(info.Last)
	if err := p.recheck(ctx, &info, out); err != nil {
		return err
	}
	p.meta.Created, p.meta.Server = info.Created, info.Server
	if p.refused != 0 {
		// The stream took an id for one that it knows, and the event is not there: it goes out with a new one.
		if p.refused > p.meta.Confirmed {
			p.renew(p.refused)
		}
		p.refused = 0
	}
	return p.purged(ctx, &info, out)
}

// settle makes the bookkeeping agree with the stream's end.
func (p *Publisher) settle(ctx context.Context, info *Info, end ending, out *Outcome) error {
	first, durable := p.store.OutboxBounds()
	switch tail := &end.tail; {
	case end.common.Sequence == 0 && tail.Sequence == 0:
		p.rewind(first-1, info.Last, out) // nothing of ours is there: all that is held goes there
		return nil
	case end.common.Sequence == tail.Sequence:
		if tail.Oseq > p.meta.Confirmed {
			out.Found = tail.Oseq - p.meta.Confirmed
		}
		p.rewind(tail.Oseq, tail.Sequence, out)
		return nil
	case end.common.Sequence == 0 && tail.Oseq+1 < first && p.meta.known(tail.Publisher, p.id):
		// What followed is older than what the outbox holds: the stream goes on with a gap, and says so.
		if p.meta.Gap != first {
			p.meta.Gap, out.Gone = first, first-1-tail.Oseq
		}
		p.rewind(first-1, info.Last, out)
		return nil
	case p.started:
		return fmt.Errorf("the stream ends with event %d, which is not ours: %w", tail.Oseq, ErrFenced)
	case tail.Oseq > durable && (durable == 0 || end.common.Oseq == durable):
		return p.behind(ctx, info, end, out)
	case !p.meta.known(tail.Publisher, p.id):
		return fmt.Errorf("event %d was written from another store: %w", tail.Oseq, ErrFenced)
	case end.lowest > durable && end.common.Sequence == 0: // what the store holds is older than anything on the stream
		return p.behind(ctx, info, end, out)
	}
	return p.fork(ctx, info, end, out)
}

// rewind makes oseq, at a sequence, the last event that is on the stream.
func (p *Publisher) rewind(oseq, sequence uint64, out *Outcome) {
	if oseq < p.meta.Confirmed {
		out.Lost = p.meta.Confirmed - oseq
		// The stream may remember the ids of what it lost, and take them for duplicates: what goes out again has a new one.
		p.renew(p.meta.Confirmed)
	}
	p.confirm(oseq)
	p.young.limit(oseq, sequence)
	p.settled.limit(oseq, sequence)
	if oseq < p.meta.Verified {
		p.meta.unverify(oseq, sequence)
	}
}

// renew gives the events up to oseq new message ids.
func (p *Publisher) renew(oseq uint64) {
	p.meta.Replay++
	p.meta.ReplayTo = max(p.meta.ReplayTo, oseq)
}

// fork publishes again, under new message ids, what comes after the last event that the outbox and the stream have in common. What the stream
// has instead was the work of a store that is no more: its frames are taken over, its events stay.
func (p *Publisher) fork(ctx context.Context, info *Info, end ending, out *Outcome) error {
	if p.adopt != nil {
		if err := p.takeOver(ctx, info, end.common, out, nil); err != nil {
			return err
		}
	}
	first, durable := p.store.OutboxBounds()
	common := end.common.Oseq
	if end.common.Sequence == 0 {
		common = min(end.lowest-1, durable)
	}
	out.Forked = true
	p.renew(durable)
	p.rewind(max(common, first-1), info.Last, out)
	return nil
}

// behind takes over from the stream what the store has forgotten: it was lost, or is an older copy. Nothing is accepted before that is done,
// so it happens at the start or never.
func (p *Publisher) behind(ctx context.Context, info *Info, end ending, out *Outcome) error {
	if p.adopt == nil {
		return fmt.Errorf("the stream is at event %d, the store at %d: %w", end.tail.Oseq, p.store.DurableEvents(), ErrDiffering)
	}
	restock := func(messages []Message) error { return p.restock(messages, &end) }
	if err := p.takeOver(ctx, info, end.common, out, restock); err != nil {
		return err
	}
	if p.store.DurableEvents() != end.tail.Oseq {
		if err := p.store.AdoptOutbox(end.tail.Oseq, end.tail.Chain); err != nil {
			return fmt.Errorf("move the outbox: %w", err)
		}
	}
	p.confirm(end.tail.Oseq)
	if first, _ := p.store.OutboxBounds(); p.meta.Verified < end.common.Oseq && first <= end.common.Oseq {
		return nil // what was held before that, and was not read back yet, may be damaged: reading back goes on there
	}
	p.meta.Verified, p.meta.VerifiedAt, p.meta.Marks = end.tail.Oseq, info.Last, nil
	clear(p.meta.Filled)
	return nil
}

// restock puts events of the stream back into the outbox, so that the stream may lose them again: a store that was brought back must be as good
// as the one that was lost. It gets those that the stream's last event follows, in their order; before one that does not follow the last the
// outbox begins anew.
func (p *Publisher) restock(messages []Message, end *ending) error {
	last := p.store.DurableEvents()
	chain, _, err := p.store.OutboxChain(last)
	if err != nil {
		return fmt.Errorf("end of the outbox: %w", err)
	}
	b := p.store.NewBatch()
	for i := range messages {
		m := &messages[i]
		if !m.event() || m.Oseq <= last || !end.before(m.Sequence) {
			continue
		}
		id, _, _ := strings.Cut(m.ID, ";")
		next := store.NextChain(chain, []byte(id), []byte(m.Subject), m.Payload)
		if m.Oseq == last+1 && next == m.Chain {
			b.AddEvent([]byte(id), []byte(m.Subject), []byte(m.Frame), m.Payload)
		} else {
			if err := p.store.Commit(b); err != nil {
				return fmt.Errorf("restock the outbox: %w", err)
			}
			if err := p.store.AdoptOutbox(m.Oseq, m.Chain); err != nil {
				return fmt.Errorf("move the outbox: %w", err)
			}
		}
		last, chain = m.Oseq, m.Chain
	}
	if err := p.store.Commit(b); err != nil {
		return fmt.Errorf("restock the outbox: %w", err)
	}
	return nil
}

// takeOver hands over all that follows a message, to keep as well if it is given. A hole was filled by a message that carries the frame, so
// these count too.
func (p *Publisher) takeOver(ctx context.Context, info *Info, common Message, out *Outcome, keep func([]Message) error) error {
	next, whole := common.Oseq+1, true
	if common.Sequence == 0 {
		next = p.store.DurableEvents() + 1
	}
	for from := max(info.First, common.Sequence+1); from <= info.Last; {
		messages, err := p.many(ctx, from)
		if err != nil {
			return err
		}
		if len(messages) == 0 {
			break
		}
		from = messages[len(messages)-1].Sequence + 1
		fresh := messages[:0]
		for i := range messages {
			if m := &messages[i]; m.Publisher != "" {
				p.meta.learn(m.Publisher)
				fresh = append(fresh, *m)
			}
			if m := &messages[i]; m.event() {
				whole = whole && m.Oseq <= next
				next = max(next, m.Oseq+1)
			}
		}
		if err := p.adopt(ctx, fresh, whole); err != nil {
			return fmt.Errorf("take over events: %w", err)
		}
		if keep != nil {
			if err := keep(fresh); err != nil {
				return err
			}
		}
		out.Adopted += uint64(len(fresh))
	}
	return nil
}

package publish

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"time"

	"github.com/godwit-gateway/godwit/gateway/store"
)

const (
	verifyBatch = 1000
	verifySpare = 16 // messages that fill holes, or others', among them
	verifyAfter = 10 * time.Second
)

// VerifyOnce reads the next events back that have been on the stream for a while, and returns how many. It walks along the stream and the
// outbox at once. An event that is not there any more, as when a block of the stream's files was damaged, is appended again, once.
func (p *Publisher) VerifyOnce(ctx context.Context) (int, error) {
	if !p.certain {
		return 0, nil
	}
	p.ripen()
	if err := p.verifyFilled(ctx); err != nil {
		return 0, err
	}
	limit := min(p.settled.oseq, p.meta.Confirmed)
	if p.meta.Verified >= limit {
		return 0, nil
	}
	var err error
	p.read, err = p.store.OutboxPlaces(p.read[:0], p.meta.Verified+1, int(min(verifyBatch, limit-p.meta.Verified)), batchBytesMax)
	if err != nil || len(p.read) == 0 {
		return 0, err
	}
	for want := len(p.read) + verifySpare; ; want = rangeMax {
		from := p.meta.VerifiedAt + 1
		found, err := p.stream.Range(ctx, from, want)
		if err != nil {
			return 0, fmt.Errorf("read back from %d: %w", from, err)
		}
		n, err := p.match(ctx, p.read, found)
		p.count.verified.Add(uint64(n)) //nolint:gosec // not negative
		if err != nil {
			return n, err
		}
		if n > 0 || p.meta.VerifiedAt < from { // else there are only messages of others so far
			return n, p.save(false)
		}
	}
}

// match walks along events and the messages that were found where they should be, and returns how many events it has come by.
func (p *Publisher) match(ctx context.Context, events []store.Place, found []Message) (int, error) {
	done := 0
	for i := range found {
		m := &found[i]
		same, err := p.among(events, m)
		if err != nil {
			return done, err
		}
		if !same || m.Oseq < events[0].Seq+uint64(done) {
			p.meta.VerifiedAt = m.Sequence // not in this order: another writer's, or it fills a hole
			continue
		}
		at := int(min(m.Oseq-events[0].Seq, uint64(len(events)))) //nolint:gosec // bounded
		if err := p.missing(ctx, events[done:at], m.Sequence); err != nil {
			return done, err
		}
		if done = at; at == len(events) {
			return done, nil // this message is for the next events
		}
		done++
		p.meta.Verified, p.meta.VerifiedAt = m.Oseq, m.Sequence
		if done == len(events) {
			return done, nil
		}
	}
	if n := len(found); n > 0 && found[n-1].Sequence < p.last {
		return done, nil // the others come after
	}
	err := p.missing(ctx, events[done:], p.last+1)
	if err == nil {
		done = len(events)
	}
	return done, err
}

// among is ours, for events at hand.
func (p *Publisher) among(events []store.Place, m *Message) (bool, error) {
	if at := m.Oseq - events[0].Seq; m.event() && at < uint64(len(events)) {
		return m.Chain == events[at].Chain, nil
	}
	return p.ours(m)
}

// missing deals with events that were not found before a sequence, where they should be.
func (p *Publisher) missing(ctx context.Context, events []store.Place, before uint64) error {
	if len(events) == 0 {
		return nil
	}
	info, err := p.stream.Info(ctx)
	if err != nil {
		return fmt.Errorf("look at the stream: %w", err)
	}
	if !p.unchanged(&info) {
		p.certain = false
		return fmt.Errorf("read back event %d: %w", events[0].Seq, ErrDoubt)
	}
	cut := info.Limited && p.meta.VerifiedAt+1 < info.First // the stream's own limits took them
	for s := max(info.First, p.meta.VerifiedAt+1); s < before; s++ {
		m, err := p.stream.Get(ctx, s)
		if errors.Is(err, ErrNoMessage) {
			continue
		}
		if err != nil {
			return fmt.Errorf("read message %d: %w", s, err)
		}
		if m.Oseq >= events[0].Seq && m.Oseq <= events[len(events)-1].Seq {
			if same, err := p.ours(&m); err != nil || same {
				return errors.Join(err, fmt.Errorf("message %d is there, but was not among its neighbours: %w", s, ErrDoubt))
			}
		}
	}
	if err := p.noteAll(ctx); err != nil {
		return err
	}
	whole, err := p.store.Outbox(nil, events[0].Seq, len(events), math.MaxInt)
	if err != nil {
		return fmt.Errorf("read %d events to be appended again: %w", len(events), err)
	}
	p.batch = p.batch[:0]
	for i := range whole {
		e := &whole[i]
		if _, ok := p.meta.Filled[e.Seq]; !ok && !cut && !p.expired(e) {
			p.batch = append(p.batch, p.refill(e))
		}
	}
	if err := p.fill(ctx); err != nil {
		return err
	}
	p.meta.Verified = events[len(events)-1].Seq
	return nil
}

// expired reports whether the stream may have dropped an event for its age.
func (p *Publisher) expired(e *store.Event) bool {
	return p.info.MaxAge > 0 && p.now().Sub(e.At) >= p.info.MaxAge
}

// refill is the message that fills the hole an event left. Without a number of its own it is no part of the order: the next look at the
// stream's end passes it over.
func (p *Publisher) refill(e *store.Event) Message {
	p.meta.Replay++
	m := p.message(e)
	m.ID = replayID(e.ID, p.meta.Replay)
	m.ReplayOf, m.Oseq = e.Seq, 0
	return m
}

// fill appends events again. It is written down that this was done, so that it is done once; if that is not known, the next look at the
// stream's end finds out.
func (p *Publisher) fill(ctx context.Context) error {
	if len(p.batch) == 0 {
		return nil
	}
	first, n := p.batch[0].ReplayOf, len(p.batch)
	p.log.Error("events are missing from the stream: appending them again", slog.Uint64("first", first), slog.Int("events", n))
	if err := p.append(ctx, p.batch, 0); err != nil {
		return fmt.Errorf("append %d events again: %w", n, err)
	}
	for i := range p.batch {
		p.meta.Filled[p.batch[i].ReplayOf] = filled{Sequence: p.last - uint64(n-1-i)} //nolint:gosec // not negative
	}
	p.meta.end(p.last)
	p.count.replayed.Add(uint64(n))
	return p.save(true)
}

// verifyFilled reads back what was appended again. Where that is gone too, it is looked for anew.
func (p *Publisher) verifyFilled(ctx context.Context) error {
	lowest := p.meta.Verified + 1
	for oseq, f := range p.meta.Filled {
		if f.Verified || f.Sequence > p.settled.last && f.Sequence <= p.last {
			continue
		}
		there, err := p.there(ctx, oseq, f.Sequence)
		if err != nil {
			return err
		}
		if there {
			p.meta.Filled[oseq] = filled{Sequence: f.Sequence, Verified: true}
			continue
		}
		delete(p.meta.Filled, oseq)
		lowest = min(lowest, oseq)
	}
	if lowest > p.meta.Verified {
		return nil
	}
	p.meta.unverify(lowest-1, 0)
	return p.resume(ctx)
}

// resume finds the place on the stream where reading back goes on.
func (p *Publisher) resume(ctx context.Context) error {
	at, err := p.locate(ctx, &p.info, p.meta.Verified)
	if err != nil {
		p.certain = false // reconciling does it
		return err
	}
	p.meta.VerifiedAt = at
	return nil
}

package publish

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

const (
	rangeMax = 1000 // messages read at a time
	getMax   = 256  // messages at the stream's end that its leader is asked for
)

// An ending is what the end of the stream looks like. Both messages are zero if there is none.
type ending struct {
	tail   Message // last event of any store
	common Message // last event that is, with all before it, ours
	lowest uint64  // number of the lowest event from common on
	left   []span  // where between them the events are that tail does not follow: one store went on from them, a later one from before them
}

// A span is part of a stream, by its first and last sequence.
type span struct{ first, last uint64 }

// leave notes an event that is not one of those before tail. It comes before all that were noted.
func (e *ending) leave(sequence uint64) {
	if n := len(e.left); n > 0 && e.left[n-1].first == sequence+1 {
		e.left[n-1].first = sequence
		return
	}
	e.left = append(e.left, span{first: sequence, last: sequence})
}

// before reports whether an event, of those between common and tail, is one that tail follows.
func (e *ending) before(sequence uint64) bool {
	return !slices.ContainsFunc(e.left, func(s span) bool { return s.first <= sequence && sequence <= s.last })
}

// scan reads the stream backwards for its last event, and on until one that the store knows: after a disaster to its beginning. It notes events that fill holes: if it is not
// known whether one was written, it is here.
func (p *Publisher) scan(ctx context.Context, info *Info, out *Outcome) (ending, error) {
	var end ending
	for s := range p.backwards(ctx, info) {
		if s.err != nil {
			return end, s.err
		}
		m := &s.message
		switch {
		case m.Publisher == "":
			if end.tail.Sequence == 0 {
				out.Foreign++
			}
			continue
		case m.ReplayOf != 0:
			p.note(m)
			continue
		case !m.event():
			continue
		case end.tail.Sequence == 0:
			end.tail = *m
			end.lowest = m.Oseq
		case m.Oseq >= end.lowest:
			end.leave(m.Sequence)
		}
		end.lowest = min(end.lowest, m.Oseq)
		same, err := p.ours(m)
		if err != nil {
			return end, err
		}
		if same {
			end.common = *m
			break
		}
	}
	return end, nil
}

// ours reports whether an event is the store's, with all before it.
func (p *Publisher) ours(m *Message) (bool, error) {
	if !m.event() {
		return false, nil
	}
	chain, ok, err := p.store.OutboxChain(m.Oseq)
	if err != nil {
		return false, fmt.Errorf("read the outbox: %w", err)
	}
	return ok && chain == m.Chain, nil
}

// note remembers that an event was appended again.
func (p *Publisher) note(m *Message) {
	if first, _ := p.store.OutboxBounds(); m.ReplayOf < first || !p.meta.known(m.Publisher, p.id) {
		return
	}
	if p.meta.Filled[m.ReplayOf].Sequence == m.Sequence {
		return
	}
	if chain, ok, err := p.store.OutboxChain(m.ReplayOf); err == nil && ok && chain == m.Chain {
		p.meta.Filled[m.ReplayOf] = filled{Sequence: m.Sequence}
	}
}

// noteAll remembers all events that were appended again and are still held: a bookkeeping that is older than the stream, or of another copy
// of it, does not know them. Once is enough.
func (p *Publisher) noteAll(ctx context.Context) error {
	if p.noted == 0 {
		first, _ := p.store.OutboxBounds()
		at, err := p.locate(ctx, &p.info, first-1)
		if err != nil {
			return err
		}
		p.noted = at
	}
	for from := p.noted + 1; from <= p.last; {
		messages, err := p.many(ctx, from)
		if err != nil {
			return err
		}
		if len(messages) == 0 {
			break
		}
		for i := range messages {
			if messages[i].ReplayOf != 0 {
				p.note(&messages[i])
			}
		}
		from = messages[len(messages)-1].Sequence + 1
	}
	p.noted = p.last
	return nil
}

// scanned is a message, or why there are no more.
type scanned struct {
	message Message
	err     error
}

// backwards walks from the stream's end to its beginning. The leader is asked for the last messages one by one: what it does not show is not
// there. Far from the end any replica will do.
func (p *Publisher) backwards(ctx context.Context, info *Info) func(yield func(scanned) bool) {
	return func(yield func(scanned) bool) {
		s, low := info.Last, max(1, info.First)
		for n := 0; info.Messages > 0 && s >= low; n++ {
			read, from := p.one, s
			if n >= getMax {
				read, from = p.many, max(low, s-min(s, rangeMax)+1)
			}
			messages, err := read(ctx, from)
			if err != nil {
				yield(scanned{err: err})
				return
			}
			for _, m := range slices.Backward(messages) {
				if m.Sequence <= s && !yield(scanned{message: m}) {
					return
				}
			}
			s = from - 1
		}
	}
}

// one reads the message at a sequence, if it is there.
func (p *Publisher) one(ctx context.Context, sequence uint64) ([]Message, error) {
	m, err := p.stream.Get(ctx, sequence)
	if errors.Is(err, ErrNoMessage) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read message %d: %w", sequence, err)
	}
	return []Message{m}, nil
}

// many reads the messages from a sequence on.
func (p *Publisher) many(ctx context.Context, from uint64) ([]Message, error) {
	messages, err := p.stream.Range(ctx, from, rangeMax)
	if err != nil {
		return nil, fmt.Errorf("read messages from %d: %w", from, err)
	}
	return messages, nil
}

// following is the first event of the outbox's chain at a sequence or beyond; zero if there is none.
func (p *Publisher) following(ctx context.Context, from uint64) (Message, error) {
	first, _ := p.store.OutboxBounds()
	for {
		messages, err := p.stream.Range(ctx, from, 100)
		if err != nil || len(messages) == 0 {
			return Message{}, err
		}
		for i := range messages {
			m := &messages[i]
			same, err := p.ours(m)
			if err != nil {
				return Message{}, err
			}
			if same || m.event() && m.Oseq < first && p.meta.known(m.Publisher, p.id) {
				return *m, nil
			}
		}
		from = messages[len(messages)-1].Sequence + 1
	}
}

// locate finds the sequence after which all events beyond oseq are.
func (p *Publisher) locate(ctx context.Context, info *Info, oseq uint64) (uint64, error) {
	low, high := max(1, info.First)-1, p.last+1
	for low+1 < high {
		mid := low + (high-low)/2
		m, err := p.following(ctx, mid)
		switch {
		case err != nil:
			return 0, fmt.Errorf("find event %d: %w", oseq, err)
		case m.Sequence != 0 && m.Oseq <= oseq:
			low = m.Sequence
		default:
			high = mid
		}
	}
	return low, nil
}

// recheck looks after what else was known of the stream, once its end is settled. If these are not the files that it was, all that was read
// back from them is forgotten.
func (p *Publisher) recheck(ctx context.Context, info *Info, out *Outcome) error {
	first, _ := p.store.OutboxBounds()
	verified := p.meta.Verified
	other := out.Shrunk || out.Lost > 0 || !info.Created.Equal(p.meta.Created)
	switch {
	case other:
		p.meta.unverify(first-1, 0)
		p.noted = 0
	case info.Server != p.meta.Server:
		// What a server finds on its disk when it starts may be less than there was, without a word, or an older copy that is as long. When it was there is still known.
		p.meta.Verified = min(p.meta.Verified, first-1)
		p.noted = 0
	}
	p.dropCut(info)
	if p.started && !other && out.Foreign == 0 && p.meta.Verified == verified {
		return nil
	}
	if other || p.meta.Replay > 0 { // of what is to be published, some may be there out of its order
		if err := p.noteAll(ctx); err != nil {
			return err
		}
	}
	for oseq, f := range p.meta.Filled {
		f.Verified = false
		p.meta.Filled[oseq] = f
		if oseq <= p.meta.Confirmed {
			continue // VerifyOnce reads it back
		}
		there, err := p.there(ctx, oseq, f.Sequence)
		if err != nil {
			return err
		}
		if !there {
			delete(p.meta.Filled, oseq) // it is published like any other
		}
	}
	return p.resume(ctx)
}

// dropCut forgets the second copies of events that were cut off with the stream's beginning.
func (p *Publisher) dropCut(info *Info) {
	lowest := p.meta.Verified + 1
	for oseq, f := range p.meta.Filled {
		if f.Sequence < info.First && !info.Limited {
			delete(p.meta.Filled, oseq)
			lowest = min(lowest, oseq)
		}
	}
	if lowest <= p.meta.Verified {
		p.meta.unverify(lowest-1, 0)
	}
}

// there reports whether the second copy of an event is in its place.
func (p *Publisher) there(ctx context.Context, oseq, sequence uint64) (bool, error) {
	m, err := p.stream.Get(ctx, sequence)
	if errors.Is(err, ErrNoMessage) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read message %d: %w", sequence, err)
	}
	chain, ok, err := p.store.OutboxChain(oseq)
	return ok && m.ReplayOf == oseq && m.Chain == chain, err
}

// purged notices that events which were read back are gone from the stream's beginning, though they are not old enough for that.
func (p *Publisher) purged(ctx context.Context, info *Info, out *Outcome) error {
	first, _ := p.store.OutboxBounds()
	if info.Limited || first > p.meta.Verified {
		return nil
	}
	oldest, err := p.following(ctx, max(1, info.First))
	if err != nil {
		return fmt.Errorf("read the stream's beginning: %w", err)
	}
	until := oldest.Oseq // events before it are gone
	if oldest.Sequence == 0 {
		until = p.meta.Verified + 1
	}
	for oseq := min(until, p.meta.Verified+1); oseq > first; oseq-- {
		if _, ok := p.meta.Filled[oseq-1]; ok {
			continue
		}
		events, err := p.store.Outbox(nil, oseq-1, 1, 1)
		if err != nil {
			return fmt.Errorf("read the outbox: %w", err)
		}
		if len(events) == 1 && !p.expired(&events[0]) {
			out.Purged = true
			p.meta.unverify(first-1, max(1, info.First)-1)
		}
		return nil
	}
	return nil
}

package idp

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/godwit-gateway/godwit/gateway/failpoint"
	"github.com/godwit-gateway/godwit/transports"
)

const (
	batchMax = 64             // messages that the sink has at a time
	pageFull = 500            // messages of a page behind which there are more, where the gateway does not say so
	aheadMax = 24 * time.Hour // that a mark may be ahead of our clock: one in the far future would make us deaf until then

	overAfter = time.Minute // after which a second is over for the gateway as well: clocks differ
)

// poll looks for messages once: since the mark, or from a message on if there is one. It returns the message to go on from, 0 for the mark, and whether there
// is more to be had at once.
func (t *Transport) poll(ctx, inHand context.Context, sink transports.Sink, from uint64) (next uint64, more bool, err error) {
	t.counts.polls.Add(1)
	mark := t.state.at()
	p, err := t.gateway.ask(ctx, t.gateway.returns(mark, from))
	if err != nil {
		return resume(from, err), false, err
	}
	t.answered()
	failpoint.Pass(failpoint.Received)
	ahead := p.next()
	if ahead.After(t.now().Add(aheadMax)) {
		t.counts.badMarks.Add(1)
		t.warn("the gateway names a mark in the far future, which is not followed", nil)
		ahead = time.Time{}
	}
	settled, whole, err := t.settle(inHand, sink, p)
	failpoint.Pass(failpoint.Replied)
	if !whole {
		ahead = time.Time{}
	}
	if failed := t.state.advance(settled, ahead); failed != nil {
		t.counts.unwritten.Add(1)
		t.warn("the mark was not written: after a restart messages come again", failed)
	}
	failpoint.Pass(failpoint.Answered)
	if err != nil || !whole {
		return 0, false, err
	}
	more = p.More || len(p.Messages) >= pageFull
	if id := uint64(max(p.NextStartID, 0)); more && !ahead.After(mark) && id > 0 && (id > from || id < from && len(settled) > 0) { // or it leads in a circle
		return id, true, nil // one second fills more than a page
	}
	if more && from == 0 && len(p.Messages) > 0 && len(settled) == 0 && !ahead.After(mark) {
		return 0, t.pass(mark), nil
	}
	return 0, more && ahead.After(mark), nil
}

// pass moves the mark behind its second, and reports whether it did. All that the gateway shows of it is settled, and it names no way to what else there is:
// whoever waits for that, loses what comes later instead. Until the second is over it may get messages that are shown.
func (t *Transport) pass(mark time.Time) bool {
	if t.now().Sub(mark) < overAfter {
		return false
	}
	t.counts.overfull.Add(1)
	t.log.Error("one second has more messages than the gateway shows: the others are passed over", slog.String("transport", t.name), slog.Time("second", mark))
	if err := t.state.advance(nil, mark.Add(time.Second)); err != nil {
		t.counts.unwritten.Add(1)
		t.warn("the mark was not written: after a restart messages come again", err)
	}
	return true
}

// resume is the message to go on from after a call that failed. A gateway that wants to be asked less often, or is not there, is asked for the same page again:
// from the mark on, it would come to say so at the same page for ever.
func resume(from uint64, err error) uint64 {
	var failed *callError
	if errors.As(err, &failed) && failed.failure != permanent {
		return from
	}
	return 0
}

// settle gives the messages of a page to the sink, and returns those that are settled. whole: they all are, now or from before.
func (t *Transport) settle(ctx context.Context, sink transports.Sink, p *page) (settled []settledID, whole bool, err error) {
	whole = true
	batch := make([]received, 0, batchMax)
	flush := func() error {
		done, err := t.hand(ctx, sink, batch)
		settled = append(settled, done...)
		whole = whole && len(done) == len(batch)
		batch = batch[:0]
		return err
	}
	twice := make(map[string]bool, len(p.Messages))
	for _, text := range p.Messages {
		m := t.read(text)
		if t.state.knows(m.key) || twice[m.key] {
			t.counts.repeated.Add(1)
			continue
		}
		twice[m.key] = true
		t.counts.received.Add(1)
		if m.foreign {
			t.counts.foreign.Add(1)
		}
		if batch = append(batch, m); len(batch) == batchMax {
			if err := flush(); err != nil {
				return settled, false, err
			}
		}
	}
	if len(batch) > 0 {
		err = flush()
	}
	return settled, whole && err == nil, err
}

// hand gives messages to the sink and returns those that it settled. What it rejects is settled too: it would hold up all that comes behind it.
func (t *Transport) hand(ctx context.Context, sink transports.Sink, batch []received) ([]settledID, error) {
	us := make([]transports.Uplink, len(batch))
	for i := range batch {
		us[i] = batch[i].uplink
	}
	out := make([]transports.Verdict, len(us))
	if err := sink.Uplinks(ctx, us, out); err != nil {
		t.counts.settled[transports.Unsettled].Add(uint64(len(us)))
		t.warn("messages were not stored and stay with the gateway", err)
		return nil, fmt.Errorf("store messages: %w", err)
	}
	var done []settledID
	for i := range out {
		as := min(out[i].Settlement, transports.Rejected)
		t.counts.settled[as].Add(1)
		if as != transports.Unsettled {
			done = append(done, settledID{batch[i].key, batch[i].latest})
		}
	}
	return done, nil
}

const warnedEvery = 10 // seconds

// warn logs what may come again and again, seldom.
func (t *Transport) warn(what string, err error) {
	now, last := t.now().Unix(), t.counts.warned.Load()
	if now-last >= warnedEvery && t.counts.warned.CompareAndSwap(last, now) {
		t.log.Warn("idp link has trouble", slog.String("transport", t.name), slog.String("what", what), slog.Any("error", err))
	}
}

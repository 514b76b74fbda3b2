package cloudloop

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"strconv"
	"time"

	"github.com/godwit-gateway/godwit/gateway/failpoint"
	"github.com/godwit-gateway/godwit/transports"
	"github.com/godwit-gateway/godwit/transports/mark"
)

const (
	grace       = 5 * time.Second // for the page in hand once Run's context is done
	warnedEvery = 10              // seconds
	archiveDay  = 24 * time.Hour  // that the archive is asked for at once
)

// reader is a Run under way.
type reader struct {
	*Transport

	sink   transports.Sink
	inHand context.Context //nolint:containedctx // what is in hand outlives Run's context
	at     string          // the mark, "" if there is none
}

// Run implements transports.Transport. A web service that cannot be asked ends it with an error; a sink that fails is asked again.
func (t *Transport) Run(ctx context.Context, sink transports.Sink) error {
	inHand, done := transports.InHand(ctx, grace)
	defer done()
	r := &reader{Transport: t, sink: sink, inHand: inHand}
	var err error
	if r.at, err = mark.Read(t.cfg.Mark); errors.Is(err, mark.ErrDamaged) {
		t.log.Warn("the archive is read anew", slog.String("transport", t.name), slog.Any("error", err))
	} else if err != nil {
		return err
	}
	t.up.Store(true)
	defer t.up.Store(false)
	for ctx.Err() == nil {
		if err := r.step(ctx); err != nil && ctx.Err() == nil {
			return err
		}
	}
	return nil
}

// step asks once and takes what comes.
func (r *reader) step(ctx context.Context) error {
	p, err := r.poll(ctx, r.at)
	if r.at != "" && refused(err) {
		r.log.Warn("Cloudloop does not know the mark, the archive is read anew", slog.String("transport", r.name), slog.Any("error", err))
		r.at = "" // the file still has it: if that was not what is wrong, nothing has changed
		return nil
	}
	if err != nil {
		return err
	}
	messages := p.parse()
	next := p.next(messages, r.at)
	if r.at == "" && next != "" {
		if err := r.archive(ctx); err != nil {
			return err
		}
	}
	if err := r.take(ctx, messages); err != nil {
		return err
	}
	if next == "" || next == r.at {
		r.rest(ctx) // a web service that does not wait would be asked without end
		return nil
	}
	failpoint.Pass(failpoint.Replied)
	if err := mark.Write(r.cfg.Mark, next); err != nil {
		return err
	}
	failpoint.Pass(failpoint.Answered)
	r.at = next
	return nil
}

// poll asks for what comes after a mark, and waits for it.
func (r *reader) poll(ctx context.Context, at string) (*page, error) {
	r.counts.polls.Add(1)
	query := url.Values{"maxPollTime": {strconv.Itoa(int(r.cfg.Poll / time.Second))}}
	if at != "" {
		query.Set("lastMessageRetrieved", at)
		query.Set("lastMessageReceived", at)
	}
	p := &page{}
	return p, r.ask(ctx, r.cfg.Poll+r.patient, "DataMo/GetMessagesPolled", query, p)
}

// archive takes what each modem has sent of late.
func (r *reader) archive(ctx context.Context) error {
	modems, err := r.modems(ctx)
	if err != nil {
		return err
	}
	end := r.now().UTC().Add(time.Minute) // clocks differ
	for _, m := range modems {
		for from := end.Add(-r.cfg.LookBack); from.Before(end); from = from.Add(archiveDay) {
			to := from.Add(archiveDay)
			if to.After(end) {
				to = end
			}
			p := &page{}
			query := url.Values{"hardware": {string(m.ID)}, "from": {from.Format(timeLayout)}, "to": {to.Format(timeLayout)}}
			err := r.ask(ctx, r.patient, "DataMo/GetMessages", query, p)
			if refused(err) { // of this modem, such as one that was given back
				r.log.Warn("messages of a modem cannot be read", slog.String("transport", r.name), slog.String("hardware", string(m.ID)), slog.Any("error", err))
				break
			}
			if err != nil {
				return err
			}
			if err := r.take(ctx, p.parse()); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *reader) ask(ctx context.Context, limit time.Duration, action string, query url.Values, into any) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return r.service.get(ctx, action, query, into)
}

// take gives messages to the sink until all of them are settled or ctx is done.
func (r *reader) take(ctx context.Context, messages []message) error {
	for {
		us, ids, booked, err := r.uplinks(ctx, messages)
		if err != nil {
			return err
		}
		if (len(us) == 0 || r.hand(us, ids)) && booked {
			return nil
		}
		if r.rest(ctx); ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// uplinks are those of the messages that were not settled before. Sessions without one are booked; it says whether all are.
func (r *reader) uplinks(ctx context.Context, messages []message) (us []transports.Uplink, ids []string, booked bool, err error) {
	booked = true
	for i := range messages {
		m := &messages[i]
		if _, again := r.settled.Get(m.id); m.id != "" && (m.id == r.at || again) {
			continue
		}
		u := transports.Uplink{
			Transport: r.name, From: transports.Address{Bearer: transports.SBD, ID: m.imei}, Ref: m.id, SentAt: m.at, ReceivedAt: r.now(), Payload: m.payload,
		}
		if m.raw != nil {
			u.Content, u.Payload = transports.ContentRaw, m.raw
		}
		if m.imei == "" {
			if u.From.ID, err = r.imeiOf(ctx, m.hardware); err != nil {
				return nil, nil, false, err
			}
		}
		if m.raw == nil && len(m.payload) == 0 {
			if err := transports.Book(r.inHand, r.sink, transports.Check{Transport: r.name, At: u.ReceivedAt, From: u.From, Ref: u.Ref}); err != nil {
				booked = false
				r.counts.settled[transports.Unsettled].Add(1)
				r.warn(err)
				continue
			}
			r.counts.empty.Add(1)
			r.settled.Put(m.id, struct{}{})
			continue
		}
		us, ids = append(us, u), append(ids, m.id)
	}
	return us, ids, booked, nil
}

// hand gives uplinks to the sink and reports whether it settled all of them.
func (r *reader) hand(us []transports.Uplink, ids []string) bool {
	failpoint.Pass(failpoint.Received)
	out := make([]transports.Verdict, len(us))
	if err := r.sink.Uplinks(r.inHand, us, out); err != nil {
		r.counts.settled[transports.Unsettled].Add(uint64(len(us)))
		r.warn(err)
		return false
	}
	all := true
	for i := range out {
		as := min(out[i].Settlement, transports.Rejected)
		r.counts.settled[as].Add(1)
		if as == transports.Unsettled {
			all = false
			continue
		}
		r.settled.Put(ids[i], struct{}{})
		if us[i].Content == transports.ContentRaw {
			r.counts.malformed.Add(1)
		}
	}
	return all
}

// rest waits a moment.
func (r *reader) rest(ctx context.Context) {
	timer := time.NewTimer(r.pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// warn logs that the sink took nothing, which may come again and again, seldom.
func (t *Transport) warn(err error) {
	now, last := t.now().Unix(), t.warned.Load()
	if now-last >= warnedEvery && t.warned.CompareAndSwap(last, now) {
		t.log.Warn("messages were not stored and stay with Cloudloop", slog.String("transport", t.name), slog.Any("error", err))
	}
}

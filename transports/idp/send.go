package idp

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/godwit-gateway/godwit/transports"
	"github.com/godwit-gateway/godwit/transports/isatdata"
)

var errAddress = errors.New("want a mobile ID, as 01234567SKYABCD")

// Send implements transports.Transport.
func (t *Transport) Send(ctx context.Context, d transports.Downlink) (transports.Receipt, error) {
	if err := t.admit(ctx, &d); err != nil {
		return transports.Receipt{}, err
	}
	select {
	case t.submits <- struct{}{}:
	case <-ctx.Done():
		return transports.Receipt{}, &transports.SendError{Outcome: transports.NotSent, Err: ctx.Err()}
	}
	defer func() { <-t.submits }()
	if t.cfg.Flush {
		t.flush(ctx, d.To.ID)
	}
	since := t.now()
	s, err := t.submit(ctx, &d)
	if maybeSent(err) {
		if found := t.lookUp(ctx, &d, since); found != nil {
			s, err = found, nil
		}
	}
	if err != nil {
		t.counts.sendErrors.Add(1)
		return transports.Receipt{}, err
	}
	t.counts.sent.Add(1)
	t.counts.sentBytes.Add(uint64(len(d.Payload)))
	if s.TerminalWakeupPeriod > 0 || s.ScheduledSendUTC != "" {
		t.counts.scheduled.Add(1)
		t.log.Info("message waits for its terminal to wake", slog.String("transport", t.name), slog.Any("to", d.To), slog.Uint64("ref", d.Ref),
			slog.Duration("period", time.Duration(s.TerminalWakeupPeriod)*time.Second), slog.Time("scheduled", parseTime(s.ScheduledSendUTC)))
	}
	t.remember(&d, s)
	return transports.Receipt{Ref: reference(s.id()), At: t.now(), Parts: 1}, nil
}

func maybeSent(err error) bool {
	var failed *transports.SendError
	return errors.As(err, &failed) && failed.Outcome == transports.MaybeSent
}

// flush cancels what waits for a terminal. What cannot be cancelled goes all the same: it is no reason to keep the new message back.
func (t *Transport) flush(ctx context.Context, to string) {
	if err := t.cancel(ctx, func(f *forward) bool { return f.To == to }); err != nil {
		t.warn("what waits for a terminal was not cancelled", err)
	}
}

// admit refuses what cannot be sent.
func (t *Transport) admit(ctx context.Context, d *transports.Downlink) error {
	err := transports.Admit(ctx, d, t.Limits().DownlinkMax, t.now())
	switch {
	case err != nil:
		return err
	case d.To.Bearer != transports.IDP || !isatdata.ValidMobileID(d.To.ID):
		return transports.Refuse(errAddress)
	case !t.Up():
		return &transports.SendError{Outcome: transports.NotSent, Err: transports.ErrDown}
	}
	return nil
}

// submit makes the call and says what is known of the message if it failed.
func (t *Transport) submit(ctx context.Context, d *transports.Downlink) (*submission, error) {
	user := uint32(d.Ref & 0x7fff_ffff)
	p, err := t.gateway.ask(ctx, t.gateway.submit(user, d.To.ID, t.header.Append(nil, d.Payload)))
	if err != nil {
		return nil, t.sendError(err)
	}
	if len(p.Submissions) != 1 {
		return nil, &transports.SendError{Outcome: transports.MaybeSent, Err: fmt.Errorf("%w: it is about %d messages, not one", errAnswer, len(p.Submissions))}
	}
	s := &p.Submissions[0]
	switch {
	case s.ErrorID != 0:
		return nil, t.sendError(&callError{what: whatSubmit, failure: meaning(s.ErrorID), code: s.ErrorID, connected: true, answered: true, err: saidError(s.ErrorID)})
	case s.id() == 0:
		return nil, &transports.SendError{Outcome: transports.MaybeSent, Err: fmt.Errorf("%w: the message has no id", errAnswer)}
	}
	return s, nil
}

// sendError says what is known of a message whose call failed.
func (t *Transport) sendError(err error) error {
	var e *callError
	if !errors.As(err, &e) {
		return &transports.SendError{Outcome: transports.MaybeSent, Err: err}
	}
	out := &transports.SendError{Outcome: transports.NotSent, Code: e.code, Err: err}
	if out.Code == 0 {
		out.Code = e.status
	}
	switch {
	case e.failure == refusedAuth:
		t.refuse(e)
		out.Slow = true // an operator can repair it within days
	case !e.connected:
		out.Slow, out.Unasked = true, true
	case !e.answered:
		out.Outcome = transports.MaybeSent
	case e.failure == permanent && e.code == 0:
		out.Slow = true // it is not there, or does not want us
	case e.failure == tooFast: // it has not looked at the message
		out.Unasked = true
	case queueFull(e.code):
		out.Slow = true // until the terminal has taken some
	case e.failure == permanent:
		out.Outcome = transports.Refused
		if e.code == isatdata.GatewayTooLong {
			out.Err = fmt.Errorf("%w: %w", transports.ErrTooLarge, err)
		}
	}
	return out
}

// remember writes down that a message is under way. What cannot be written is followed until the next restart.
func (t *Transport) remember(d *transports.Downlink, s *submission) {
	f := forward{ID: s.id(), To: d.To.ID, At: t.now().Unix()}
	if !d.Expires.IsZero() {
		f.Expires = d.Expires.Unix()
	}
	at := parseTime(s.StateUTC)
	if at.IsZero() {
		at = t.now().Add(-time.Minute) // clocks differ
	}
	if err := t.state.submitted(f, at); err != nil {
		t.counts.unwritten.Add(1)
		t.warn("a message to a terminal was not written down: it is not cancelled when it expires", err)
	}
	select {
	case t.sent <- struct{}{}:
	default:
	}
}

// queueFull reports whether a code says that the queue of a terminal is full: of all its messages, of small ones, of large ones.
func queueFull(code int) bool { return code == 17681 || code == 21795 || code == 21796 }

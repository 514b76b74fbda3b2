package idpmodem

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/godwit-gateway/godwit/transports"
	"github.com/godwit-gateway/godwit/transports/isatdata"
)

// A request is a Send on its way through the session's loop.
type request struct {
	ctx     context.Context //nolint:containedctx // of the Send, which waits
	payload []byte
	expires time.Time
	reports bool
	result  chan answer // holds one
}

// An answer is what came of a request.
type answer struct {
	receipt transports.Receipt
	err     error
}

var (
	errBearer  = errors.New("want an address on idp")
	errPeer    = errors.New("the link goes to another terminal (peer)")
	errCrowded = errors.New("too many messages wait in the terminal")
)

func sendError(outcome transports.Outcome, err error) error {
	code, _ := codeOf(err)
	return &transports.SendError{Outcome: outcome, Code: code, Err: err}
}

// Send implements transports.Transport. It returns when the terminal has the message in its queue; what becomes of it there is for reports to tell, of
// which delivered says that the network has it. Who it is for cannot be told: the application at the other end has to know, or to give it to all.
func (t *Transport) Send(ctx context.Context, d transports.Downlink) (transports.Receipt, error) {
	receipt, err := t.sendOnce(ctx, &d)
	if err != nil {
		t.counts.sendErrors.Add(1)
		return transports.Receipt{}, err
	}
	t.counts.sent.Add(1)
	t.counts.sentBytes.Add(uint64(len(d.Payload)))
	return receipt, nil
}

// admit refuses what cannot be sent.
func (t *Transport) admit(ctx context.Context, d *transports.Downlink) error {
	err := transports.Admit(ctx, d, t.Limits().DownlinkMax, t.cfg.Now())
	switch {
	case err != nil:
		return err
	case d.To.Bearer != transports.IDP:
		return transports.Refuse(errBearer)
	case t.cfg.Peer != "" && d.To.ID != t.cfg.Peer:
		return transports.Refuse(errPeer)
	}
	return nil
}

func (t *Transport) sendOnce(ctx context.Context, d *transports.Downlink) (transports.Receipt, error) {
	if err := t.admit(ctx, d); err != nil {
		return transports.Receipt{}, err
	}
	s := t.running.Current(ctx, t.timing.start)
	if s == nil {
		return transports.Receipt{}, sendError(transports.NotSent, transports.ErrDown)
	}
	// The payload is copied: the loop keeps it until the network has the message.
	r := &request{ctx: ctx, payload: append([]byte(nil), d.Payload...), expires: d.Expires, reports: d.WantReport, result: make(chan answer, 1)}
	if err := s.requests.Hand(ctx, r, t.timing.queue); err != nil {
		return transports.Receipt{}, transports.Unreached(err)
	}
	select {
	case a := <-r.result:
		return a.receipt, a.err
	case <-ctx.Done():
		return transports.Receipt{}, sendError(transports.MaybeSent, ctx.Err())
	}
}

// transmit queues a message in the terminal, unless that has it already.
func (s *session) transmit(ctx context.Context, r *request) answer {
	if err := r.ctx.Err(); err != nil {
		return answer{err: sendError(transports.NotSent, err)}
	}
	now := s.t.cfg.Now()
	if !r.expires.IsZero() && !now.Before(r.expires) {
		return answer{err: sendError(transports.Refused, transports.ErrExpired)}
	}
	q := &s.t.queue
	if o := q.find(r.payload, s.t.dialect.nameMax); o != nil {
		s.t.counts.known.Add(1)
		return s.took(o, r, now)
	}
	if len(q.messages) >= messagesMax {
		return answer{err: transports.Unreached(errCrowded)}
	}
	o := &outgoing{name: q.nameOf(r.payload, s.t.dialect.nameMax), owed: true}
	o.ref = o.name
	o.ask(r, now, s.t.timing.keep)
	err := s.submit(ctx, o)
	if err == nil {
		q.put(o)
		return s.took(o, r, now)
	}
	err = s.outcome(err)
	var failed *transports.SendError
	if errors.As(err, &failed) && failed.Outcome == transports.MaybeSent {
		q.put(o) // whatever becomes of it, it is not to be sent twice
	}
	return answer{err: err}
}

// took notes that a Send is told that the terminal has its message.
func (s *session) took(o *outgoing, r *request, now time.Time) answer {
	o.ask(r, now, s.t.timing.keep)
	o.owed, o.told = false, time.Now()
	s.count()
	receipt := transports.Receipt{At: now, Parts: 1}
	if r.reports {
		receipt.Ref = o.ref
	}
	return answer{receipt: receipt}
}

// submit queues a message in the terminal. Its name makes sure that it is not there twice.
func (s *session) submit(ctx context.Context, o *outgoing) error {
	o.state = returnReady
	err := s.hand(ctx, o)
	code, refused := codeOf(err)
	switch {
	case err == nil:
		return nil
	case s.cmd.issued == 0, s.cmd.issued == 1 && refused && code != isatdata.TerminalNameInUse && code != 0:
		return err
	}
	// An answer was lost: a command before the one that was refused may have been taken. Whether it has the message, the terminal knows.
	st, found, asked := s.stateOf(ctx, o.name)
	switch {
	case asked != nil:
		return errors.Join(errHanded, err)
	case found:
		o.state = st.state
		return nil
	}
	return fmt.Errorf("the terminal does not have it: %w", err)
}

// errHanded marks an error of a submission that the terminal may have taken.
var errHanded = errors.New("after the message was handed to the terminal")

// outcome says what is known of a message whose submission failed.
func (s *session) outcome(err error) error {
	code, refused := codeOf(err)
	switch {
	case errors.Is(err, errHanded):
		return sendError(transports.MaybeSent, err)
	case refused && (code == isatdata.TerminalLength || code == isatdata.TerminalParameter):
		return sendError(transports.Refused, err)
	case !refused: // the terminal did not even hear of it
		return transports.Unreached(err)
	}
	s.t.mu.Lock()
	slow := s.t.state.network != networkActive // the queue does not get shorter
	s.t.mu.Unlock()
	return &transports.SendError{Outcome: transports.NotSent, Code: code, Slow: slow, Err: err}
}

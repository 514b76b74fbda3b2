package smsmodem

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/godwit-gateway/godwit/transports"
	"github.com/godwit-gateway/godwit/transports/serial"
)

// A request is a Send on its way through the session's loop.
type request struct {
	ctx     context.Context //nolint:containedctx // of the Send, which waits
	to      transports.Address
	parts   []submission
	begun   []int    // references of the parts that the network took in an earlier try
	key     [32]byte // of the message, to go on with it
	expires time.Time
	reports bool
	result  chan answer // holds one
}

// An answer is what came of a request.
type answer struct {
	receipt transports.Receipt
	err     error
}

var errNoWindows = errors.New("sms has no reply windows")

func sendError(outcome transports.Outcome, err error) error {
	return &transports.SendError{Outcome: outcome, Code: codeOf(err), Err: err}
}

// Send implements transports.Transport. A payload that exceeds one message goes out in as many as it needs.
func (t *Transport) Send(ctx context.Context, d transports.Downlink) (transports.Receipt, error) {
	receipt, err := t.sendOnce(ctx, d)
	if err != nil {
		t.counts.sendErrors.Add(1)
		return transports.Receipt{}, err
	}
	t.counts.sent.Add(1)
	return receipt, nil
}

func (t *Transport) sendOnce(ctx context.Context, d transports.Downlink) (transports.Receipt, error) {
	now := t.cfg.Now()
	switch {
	case ctx.Err() != nil:
		return transports.Receipt{}, sendError(transports.NotSent, ctx.Err())
	case d.Window.ID != 0:
		return transports.Receipt{}, sendError(transports.Refused, errNoWindows)
	case len(d.Payload) > t.Limits().DownlinkMax:
		return transports.Receipt{}, sendError(transports.Refused, transports.ErrTooLarge)
	case !d.Expires.IsZero() && !now.Before(d.Expires):
		return transports.Receipt{}, sendError(transports.Refused, transports.ErrExpired)
	}
	r := &request{ctx: ctx, to: d.To, key: partialKey(&d), expires: d.Expires, reports: d.WantReport, result: make(chan answer, 1)}
	var err error
	if r.parts, err = encode(&d, t.cfg.Port, byte(t.refs.Add(1)), now); err != nil {
		return transports.Receipt{}, sendError(transports.Refused, err)
	}
	s := t.running.Current(ctx, t.timing.start)
	if s == nil {
		return transports.Receipt{}, sendError(transports.NotSent, transports.ErrDown)
	}
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

// transmit hands the parts of a request to the network, one after the other, from the first that it does not have.
func (s *session) transmit(ctx context.Context, r *request) answer {
	if err := s.awaitNetwork(ctx, r.ctx); err != nil {
		return answer{err: &transports.SendError{Outcome: transports.NotSent, Code: codeOf(err), Unasked: true, Err: err}}
	}
	if err := r.ctx.Err(); err != nil {
		return answer{err: sendError(transports.NotSent, err)}
	}
	if !r.expires.IsZero() && !s.t.cfg.Now().Before(r.expires) {
		return answer{err: sendError(transports.Refused, transports.ErrExpired)}
	}
	s.t.mu.Lock()
	if p := s.t.partials.take(r.key, s.t.cfg.Now()); p != nil {
		r.parts, r.begun = p.parts, p.references
	}
	s.t.mu.Unlock()
	references := append(make([]int, 0, len(r.parts)), r.begun...)
	for i := len(references); i < len(r.parts); i++ {
		mr, err := s.submit(r.parts[i])
		if err != nil {
			if len(r.parts) > 1 {
				err = fmt.Errorf("part %d of %d: %w", i+1, len(r.parts), err)
			}
			return answer{err: s.interrupted(r, references, s.outcome(err))}
		}
		s.t.counts.sentParts.Add(1)
		references = append(references, mr)
	}
	receipt := transports.Receipt{At: s.t.cfg.Now(), Parts: len(r.parts)}
	if r.reports {
		receipt.Ref = joinReferences(references)
		s.t.mu.Lock()
		s.t.sent.put(&sentMessage{ref: receipt.Ref, to: r.to, at: time.Now(), parts: len(references)}, references)
		s.t.mu.Unlock()
	}
	return answer{receipt: receipt}
}

// interrupted keeps what the network took of a message, so that a later try does not send and pay for it again, and returns err.
func (s *session) interrupted(r *request, references []int, err error) error {
	var failed *transports.SendError
	if len(references) == 0 || errors.As(err, &failed) && failed.Outcome == transports.Refused {
		return err
	}
	s.t.mu.Lock()
	defer s.t.mu.Unlock()
	s.t.partials.put(partial{key: r.key, parts: r.parts, references: references, at: s.t.cfg.Now()})
	return err
}

// errHanded marks an error of a submission whose PDU the modem had been given whole.
var errHanded = errors.New("after the message was handed to the modem")

// errNoReference is a +CMGS that ended well without the reference that it has to give: the answer to something else, perhaps.
var errNoReference = errors.New("modem named no message reference")

// submit has the modem send one PDU and returns its reference.
func (s *session) submit(p submission) (int, error) {
	lines, handed, err := s.cmd.submit(s.inHand, fmt.Sprintf("+CMGS=%d", p.length), p.pdu, s.t.timing.send)
	if err == nil {
		for _, text := range lines {
			if rest, ok := cutPrefixFold(text, "+CMGS:"); ok {
				if mr := number(serial.Fields(rest)[0]); handed && mr >= 0 && mr <= 255 {
					return mr, nil
				}
			}
		}
		s.cmd.dirty = true
		err = errNoReference
	}
	if handed {
		err = fmt.Errorf("%w: %w", errHanded, err)
	}
	return 0, err
}

// outcome says what is known of a downlink whose submission failed, and does about the cause what can be done.
func (s *session) outcome(err error) error {
	handed := errors.Is(err, errHanded)
	c, refused := classOf(err)
	if !refused {
		if handed {
			return sendError(transports.MaybeSent, err)
		}
		return transports.Unreached(err)
	}
	local := false // it is the modem's own trouble
	switch c {
	case classPermanent:
		return sendError(transports.Refused, err)
	case classUnknown:
		if handed {
			return sendError(transports.MaybeSent, err)
		}
	case classAway:
		return &transports.SendError{Outcome: transports.NotSent, Code: codeOf(err), Slow: true, Err: err}
	case classFull:
		s.sweep.Reset(0)
	case classSMSC, classSIM:
		s.setUp, local = true, true
	case classNetwork:
		s.t.mu.Lock()
		s.t.attached = false
		s.t.mu.Unlock()
		local = true
	case classBusy:
		local = true
	case classRetry, classSlot, classPhone: // of the last, health keeps count
	}
	return &transports.SendError{Outcome: transports.NotSent, Code: codeOf(err), Unasked: local, Err: err}
}

// awaitNetwork waits a while for the modem to be registered, as it does after power-up.
func (s *session) awaitNetwork(ctx, sending context.Context) error {
	s.t.mu.Lock()
	attached := s.t.attached
	s.t.mu.Unlock()
	for end := time.Now().Add(s.t.timing.register); !attached; {
		var err error
		if attached, err = s.registered(ctx); err != nil || attached {
			return err
		}
		if sending.Err() != nil {
			return sending.Err()
		}
		if time.Now().After(end) {
			return ErrNotRegistered
		}
		if err := s.line.Pause(ctx, s.t.timing.poll); err != nil {
			return err
		}
	}
	return nil
}

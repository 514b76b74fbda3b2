package sbdmodem

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/godwit-gateway/godwit/transports"
	"github.com/godwit-gateway/godwit/transports/serial"
)

// A request is a Send on its way through the loop.
type request struct {
	ctx     context.Context //nolint:containedctx // of the Send, which waits
	key     string          // of the message
	payload []byte
	expires time.Time
	until   time.Time // when it is given up, by the loop's clock; valid once the loop has it
	last    error     // why the last session failed; of the loop
	status  int       // of that
	state   atomic.Int32
	result  chan answer // holds one
}

// States of a request.
const (
	stateWaits     = iota // no session for it is under way
	stateBegun            // one is
	stateAbandoned        // its Send has returned
)

// An answer is what came of a request.
type answer struct {
	receipt transports.Receipt
	err     error
}

func notSent(err error) answer {
	return answer{err: &transports.SendError{Outcome: transports.NotSent, Err: err}}
}

// Send implements transports.Transport. It returns when a session has shown what becomes of the message, and tries several where they fail. No report
// comes later.
func (t *Transport) Send(ctx context.Context, d transports.Downlink) (transports.Receipt, error) {
	receipt, err := t.sendOnce(ctx, &d)
	if err != nil {
		t.counts.sendErrors.Add(1)
		return transports.Receipt{}, err
	}
	return receipt, nil
}

// admit refuses what cannot be sent.
func (t *Transport) admit(ctx context.Context, d *transports.Downlink) error {
	err := transports.AdmitRockBLOCK(ctx, d, t.cfg.MOMax, t.cfg.Now())
	switch {
	case err != nil:
		return err
	case t.cfg.Peer != "" && d.To.ID != t.cfg.Peer:
		return transports.Refuse(errPeer)
	}
	return nil
}

func (t *Transport) sendOnce(ctx context.Context, d *transports.Downlink) (transports.Receipt, error) {
	if err := t.admit(ctx, d); err != nil {
		return transports.Receipt{}, err
	}
	r := t.running.Current(ctx, t.timing.start)
	if r == nil {
		return transports.Receipt{}, notSent(transports.ErrDown).err
	}
	q := &request{ctx: ctx, key: keyOf(d), payload: append([]byte(nil), d.Payload...), expires: d.Expires, result: make(chan answer, 1)}
	if err := r.requests.Hand(ctx, q, t.cfg.SendTime); err != nil {
		return transports.Receipt{}, transports.Unreached(err)
	}
	select {
	case a := <-q.result:
		return a.receipt, a.err
	case <-ctx.Done():
	}
	if q.state.CompareAndSwap(stateWaits, stateAbandoned) {
		return transports.Receipt{}, notSent(ctx.Err()).err
	}
	select { // the answer may have come meanwhile
	case a := <-q.result:
		return a.receipt, a.err
	default:
		return transports.Receipt{}, &transports.SendError{Outcome: transports.MaybeSent, Err: ctx.Err()}
	}
}

// take takes a request.
func (r *runner) take(q *request) {
	q.until = time.Now().Add(r.t.cfg.SendTime)
	if !q.expires.IsZero() {
		if left := q.expires.Sub(r.t.cfg.Now()); left < r.t.cfg.SendTime {
			q.until = time.Now().Add(left)
		}
	}
	r.held = q
	if r.t.journal.took(q.key) {
		r.t.counts.repeats.Add(1)
		r.answer(answer{receipt: r.receipt()})
	}
}

func (r *runner) receipt() transports.Receipt { return transports.Receipt{At: r.t.cfg.Now(), Parts: 1} }

// answer ends the request in hand, if there is one.
func (r *runner) answer(a answer) {
	if r.held != nil {
		r.held.result <- a
		r.held = nil
	}
}

// drop ends a request whose time is over.
func (r *runner) drop(now time.Time) {
	q := r.held
	switch {
	case q == nil:
	case q.ctx.Err() != nil:
		r.answer(notSent(q.ctx.Err()))
	case !q.expires.IsZero() && !r.t.cfg.Now().Before(q.expires):
		r.answer(answer{err: transports.Refuse(transports.ErrExpired)})
	case now.Before(q.until):
	default:
		err := q.last
		if err == nil && (r.message.waits || r.t.check.waits()) {
			err = errWaits
		}
		if err == nil {
			err = serial.ErrBusy
		}
		// Another try within minutes would find the same sky. A sink that fails recovers sooner.
		r.answer(answer{err: &transports.SendError{
			Outcome: transports.NotSent, Code: q.status, Slow: !errors.Is(err, errWaits), Unasked: q.status == 0 || q.status >= statusNoSignal, Err: err,
		}})
	}
}

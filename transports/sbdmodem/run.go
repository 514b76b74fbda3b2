package sbdmodem

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/godwit-gateway/godwit/transports"
	"github.com/godwit-gateway/godwit/transports/serial"
)

// failuresMax is how many steps in a row may go wrong on the line before it is given up and opened again.
const failuresMax = 3

// A runner is one Run. Its loop is the only one to issue commands; Send hands it requests.
type runner struct {
	t    *Transport
	sink transports.Sink
	line *line
	cmd  *commander

	requests *serial.Requests[*request]

	// Of the loop's goroutine.
	inHand   context.Context //nolint:containedctx // outlives Run's context by the grace period, for what is in hand
	held     *request        // waits for its session, or is in it
	setUp    bool            // the transceiver has to be set up
	old      bool            // its firmware must not start a session without the system's time
	failures int             // steps in a row

	message message   // in the MT buffer
	cleared bool      // the MO buffer is known to be empty
	want    bool      // a session is wanted though nothing is to be sent
	rung    bool      // by the network
	flagged bool      // it was the flag that told so, and not the alert
	flagsAt time.Time // when the flag is believed again, after it told so in vain
	vain    int       // sessions in a row in which what waits did not come
	attach  bool      // a registration is wanted
	status  int       // of the last session that failed
	checkAt time.Time // when the mailbox is looked at unasked; zero: never
	lookAt  time.Time // when the transceiver is
}

// Run implements transports.Transport. It opens the line, sets the transceiver up and serves it until the line is lost.
func (t *Transport) Run(ctx context.Context, sink transports.Sink) error {
	if err := t.running.Begin(); err != nil {
		return fmt.Errorf("sbd link %s: %w", t.name, err)
	}
	defer t.end()
	if err := t.journal.load(); err != nil {
		t.log.Warn("what was known of sessions before the last start cannot be read", slog.Any("error", err))
	}
	rwc, err := t.cfg.Open(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return fmt.Errorf("sbd link %s: %w", t.name, err)
	}
	l := newLine(rwc, &t.counts, t.timing.write)
	r := &runner{
		t: t, sink: sink, line: l, cmd: &commander{line: l, timing: &t.timing, counts: &t.counts}, requests: serial.NewRequests[*request](), setUp: true,
	}
	err = l.Serve(ctx, l.take, t.timing.grace, func(inHand context.Context) error {
		r.inHand = inHand
		return r.run(ctx)
	})
	if err != nil {
		return fmt.Errorf("sbd link %s: %w", t.name, err)
	}
	return nil
}

// run is the loop. It returns nil only if ctx is done.
func (r *runner) run(ctx context.Context) error {
	defer func() {
		r.requests.Close()
		r.answer(notSent(transports.ErrDown)) // none has begun that is not answered
	}()
	for ctx.Err() == nil {
		if r.line.takeEcho() && !r.setUp {
			r.t.counts.reboots.Add(1)
			r.t.log.Warn("the transceiver has started over")
			r.setUp = true
		}
		err := r.step(ctx)
		if err == nil {
			r.failures = 0
			continue
		}
		if lost := r.line.Cause(); lost != nil {
			return lost
		}
		if ctx.Err() != nil {
			return nil
		}
		if r.failures++; r.failures >= failuresMax || errors.Is(err, ErrMute) || errors.Is(err, ErrWrongModem) {
			return err
		}
		r.cmd.dirty = true // an answer that is none may be that to another command
		r.t.log.Warn("the transceiver does not do as told", slog.Any("error", err))
		if err := r.line.Pause(ctx, r.t.timing.poll); err != nil && ctx.Err() == nil {
			return err
		}
	}
	return nil
}

// step does what is most urgent, or waits until something is.
func (r *runner) step(ctx context.Context) error {
	now := time.Now()
	if r.line.takeRing() && !r.t.cfg.NoRings {
		r.ring()
	}
	r.drop(now)
	switch {
	case r.setUp:
		return r.prepare(ctx)
	case r.message.waits && !now.Before(r.message.next):
		return r.receive(ctx)
	case r.t.check.waits() && !now.Before(r.t.check.next):
		r.book()
		return nil
	case r.held == nil && !r.cleared: // what is not to be sent any more must not be there when the process dies
		return r.clear(ctx)
	case !r.lookAt.After(now):
		return r.look(ctx)
	case r.message.waits || r.t.check.waits(): // no session may start
	case !r.checkAt.IsZero() && !r.checkAt.After(now):
		r.checkAt, r.want = now.Add(r.t.cfg.MailboxCheck), true
		return nil
	case (r.held != nil || r.want || r.attach) && !r.t.pace.next.After(now):
		r.invite()
		return r.meet(ctx, now)
	}
	return r.wait(ctx, now)
}

// wait waits until something is due, or comes.
func (r *runner) wait(ctx context.Context, now time.Time) error {
	next := r.lookAt
	until := func(at time.Time) {
		if !at.IsZero() && at.Before(next) {
			next = at
		}
	}
	requests, gone := r.requests.Next(), (<-chan struct{})(nil)
	if r.held != nil {
		requests, gone = nil, r.held.ctx.Done()
		until(r.held.until)
	}
	if r.message.waits {
		until(r.message.next)
	}
	if r.t.check.waits() {
		until(r.t.check.next)
	}
	if !r.message.waits && !r.t.check.waits() {
		until(r.checkAt)
		if r.held != nil || r.want || r.attach {
			until(r.t.pace.next)
		}
	}
	timer := time.NewTimer(max(0, next.Sub(now)))
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-r.line.Lost():
		return r.line.Cause()
	case <-r.line.doorbell:
	case <-gone:
	case <-timer.C:
	case q := <-requests:
		r.take(q)
	}
	return nil
}

// invite lets a message that waits for its turn ride on a session that takes place anyway.
func (r *runner) invite() {
	if r.held != nil {
		return
	}
	select {
	case q := <-r.requests.Next():
		r.take(q)
	default:
	}
}

// ring notes a ring alert.
func (r *runner) ring() {
	if !r.rung {
		r.t.pace.rang(r.status)
	}
	r.want, r.rung = true, true
}

// look asks the transceiver for its buffers. It shows one that has started over by its echo, and a ring alert whose line was lost.
func (r *runner) look(ctx context.Context) error {
	r.lookAt = time.Now().Add(r.t.timing.check)
	s, err := r.state(ctx)
	if err != nil {
		return err
	}
	if now := time.Now(); s.ring && !r.rung && !r.t.cfg.NoRings && !now.Before(r.flagsAt) {
		r.flagged = true
		r.ring()
	}
	return nil
}

// state asks for the buffers and keeps what it says.
func (r *runner) state(ctx context.Context) (state, error) {
	lines, err := r.cmd.command(ctx, "+SBDSX", r.t.timing.command)
	if err != nil {
		return state{}, err
	}
	s, err := parseState(lines)
	if err != nil {
		return state{}, fmt.Errorf("AT+SBDSX: %w", err)
	}
	r.cleared = !s.mo
	if !s.mt {
		r.message = message{} // with the power, if there was one
		return s, nil
	}
	r.message.waits, r.message.mtmsn = true, s.mtmsn
	return s, nil
}

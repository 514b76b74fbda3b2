package idpmodem

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/godwit-gateway/godwit/transports"
	"github.com/godwit-gateway/godwit/transports/serial"
)

// failuresMax is how many steps in a row may fail before the line is given up and opened again.
const failuresMax = 3

// A session is one Run. Its loop owns the line's command side; Send hands it requests.
type session struct {
	t    *Transport
	sink transports.Sink
	line *line
	cmd  *commander
	log  *slog.Logger

	requests *serial.Requests[*request]

	// Of the loop's goroutine.
	inHand   context.Context //nolint:containedctx // outlives Run's context by the grace period, for what is in hand
	setUp    bool            // the terminal has to be set up
	marked   map[string]bool // forward messages that were marked, and may be listed as retrieved
	unread   map[string]int  // how often a forward message could not be read
	failures int             // in a row
	backoff  time.Duration
	slowed   bool // a look is to come later, since the last one
	poll     *time.Timer
	check    *time.Timer
}

// Run implements transports.Transport. It opens the line, sets the terminal up and serves it until the line is lost.
func (t *Transport) Run(ctx context.Context, sink transports.Sink) error {
	if err := t.running.Begin(); err != nil {
		return fmt.Errorf("idp link %s: %w", t.name, err)
	}
	defer t.end()
	rwc, err := t.cfg.Open(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return fmt.Errorf("idp link %s: %w", t.name, err)
	}
	l := newLine(rwc, &t.counts, t.timing.write)
	s := &session{
		t: t, sink: sink, line: l, log: t.log.With(slog.String("transport", t.name)),
		cmd:      &commander{line: l, timing: &t.timing, counts: &t.counts, baud: t.cfg.Baud},
		requests: serial.NewRequests[*request](), setUp: true, marked: map[string]bool{}, unread: map[string]int{},
	}
	err = l.Serve(ctx, l.take, t.timing.grace, func(inHand context.Context) error {
		s.inHand = inHand
		return s.run(ctx)
	})
	s.cmd.close()
	if err != nil {
		return fmt.Errorf("idp link %s: %w", t.name, err)
	}
	return nil
}

// run is the session's loop. It returns nil only if ctx is done.
func (s *session) run(ctx context.Context) error {
	defer s.requests.Close()
	s.poll, s.check = time.NewTimer(0), time.NewTimer(s.t.timing.check)
	defer s.poll.Stop()
	defer s.check.Stop()
	for ctx.Err() == nil {
		if err := s.step(ctx); err != nil {
			if err = s.judge(ctx, err); err != nil {
				return err
			}
			continue
		}
		s.failures = 0
	}
	return nil
}

// step does one thing, or waits for one to do. A terminal that had to be found again may have started over.
func (s *session) step(ctx context.Context) error {
	if s.setUp || s.cmd.anew {
		if err := s.setup(ctx); err != nil {
			return fmt.Errorf("set up the terminal: %w", err)
		}
		s.setUp = false
		s.t.running.Open(s)
		s.poll.Reset(0)
		s.check.Reset(s.t.timing.check)
		return nil
	}
	select {
	case <-ctx.Done():
		return nil
	case <-s.line.Lost():
		return s.line.Cause()
	case <-s.line.restarted:
		s.log.Warn("the terminal has started over")
		s.setUp = true
		return nil
	case r := <-s.requests.Next():
		r.result <- s.transmit(ctx, r)
		return nil
	case <-s.poll.C:
		s.poll.Reset(s.t.cfg.Poll)
		return s.looked(s.look(ctx))
	case <-s.check.C:
		s.check.Reset(s.t.timing.check)
		return s.lookNetwork(ctx)
	}
}

// look asks for both queues.
func (s *session) look(ctx context.Context) error {
	if err := s.receive(ctx); err != nil {
		return err
	}
	return s.follow(ctx)
}

// looked ends the back-off once a look has left nothing to come later.
func (s *session) looked(err error) error {
	if err == nil && !s.slowed {
		s.backoff = 0
	}
	s.slowed = false
	return err
}

// judge decides what an error of a step means for the session: nil if it goes on.
func (s *session) judge(ctx context.Context, err error) error {
	if lost := s.line.Cause(); lost != nil {
		return lost
	}
	if over(ctx) {
		return nil
	}
	if errors.Is(err, ErrMute) || errors.Is(err, ErrWrongTerminal) {
		return err
	}
	if s.failures++; s.failures >= failuresMax {
		return err
	}
	s.log.Warn("terminal does not do as told", slog.Any("error", err))
	if s.setUp || s.cmd.anew {
		return s.line.Pause(ctx, s.t.timing.quiet)
	}
	s.later()
	return nil
}

// over reports whether Run is to end, whatever else has gone wrong.
func over(ctx context.Context) bool { return ctx.Err() != nil }

// later asks for the queues again after a pause that doubles.
func (s *session) later() {
	s.backoff = min(max(2*s.backoff, s.t.timing.backoff), max(backoffMax, s.t.cfg.Poll))
	s.slowed = true
	s.poll.Reset(s.backoff)
}

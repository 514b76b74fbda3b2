package smsmodem

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/godwit-gateway/godwit/transports"
	"github.com/godwit-gateway/godwit/transports/serial"
)

// failuresMax is how many steps in a row may end in a time-out before the line is given up and opened again.
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
	storages []*storage
	phase2   bool     // +CSMS=1: what is handed over directly is to be acknowledged
	cnmi     string   // what +CNMI? says when all is as we set it up; "" if that is not known
	direct   []direct // handed over and not settled
	setUp    bool     // the modem has to be set up
	failures int      // time-outs in a row
	backoff  time.Duration
	sweep    *time.Timer
	check    *time.Timer
}

// Run implements transports.Transport. It opens the line, sets the modem up and serves it until the line is lost.
func (t *Transport) Run(ctx context.Context, sink transports.Sink) error {
	if err := t.running.Begin(); err != nil {
		return fmt.Errorf("sms link %s: %w", t.cfg.Name, err)
	}
	defer t.end()
	rwc, err := t.cfg.Open(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return fmt.Errorf("sms link %s: %w", t.cfg.Name, err)
	}
	log := t.cfg.Log.With(slog.String("transport", t.cfg.Name))
	l := newLine(rwc, log, &t.counts, t.timing.write)
	s := &session{
		t: t, sink: sink, line: l, cmd: &commander{line: l, timing: &t.timing, counts: &t.counts, vendor: vendorOf(t.maker()), health: &t.health}, log: log,
		requests: serial.NewRequests[*request](), setUp: true,
	}
	err = l.Serve(ctx, l.take, t.timing.grace, func(inHand context.Context) error {
		s.inHand = inHand
		return s.run(ctx)
	})
	s.cmd.close()
	if err != nil {
		return fmt.Errorf("sms link %s: %w", t.cfg.Name, err)
	}
	return nil
}

// run is the session's loop. It returns nil only if ctx is done.
func (s *session) run(ctx context.Context) error {
	defer s.requests.Close()
	s.sweep, s.check = time.NewTimer(0), time.NewTimer(s.t.timing.check)
	defer s.sweep.Stop()
	defer s.check.Stop()
	for ctx.Err() == nil {
		if s.t.health.hopeless(time.Now(), &s.t.timing) {
			if err := s.reset(ctx); err != nil {
				return err
			}
		}
		if s.setUp {
			if err := s.prepare(ctx); err != nil {
				if err = s.judge(ctx, err); err != nil {
					return err
				}
				if err := s.line.Pause(ctx, s.t.timing.poll); err != nil && ctx.Err() == nil {
					return err
				}
				continue
			}
		}
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

// prepare sets the modem up and opens the transport for Send.
func (s *session) prepare(ctx context.Context) error {
	if err := s.setup(ctx); err != nil {
		return fmt.Errorf("set up the modem: %w", err)
	}
	s.setUp = false
	s.t.running.Open(s)
	s.sweep.Reset(0)
	s.check.Reset(s.t.timing.check)
	return nil
}

// step waits for one thing to do and does it.
func (s *session) step(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-s.line.Lost():
		return s.line.Cause()
	case <-s.line.doorbell:
		return s.attend(ctx)
	case r := <-s.requests.Next():
		r.result <- s.transmit(ctx, r)
		return nil
	case <-s.sweep.C:
		s.sweep.Reset(s.t.cfg.Sweep)
		return s.sweepAll(ctx)
	case <-s.check.C:
		s.check.Reset(s.t.timing.check)
		return s.look(ctx)
	}
}

// attend does what the modem rang for.
func (s *session) attend(ctx context.Context) error {
	n := s.line.takeNews()
	s.keep(n.direct)
	if n.reboot {
		s.t.counts.reboots.Add(1)
		s.log.Warn("the modem has started over")
		s.setUp = true
		return nil
	}
	if err := s.settleDirect(ctx); err != nil {
		return err
	}
	for mem := range n.rung {
		st, err := s.find(ctx, mem)
		if err != nil {
			return err
		}
		if st == nil {
			return s.sweepAll(ctx)
		}
		if err := s.sweepStorage(ctx, st); err != nil {
			return err
		}
	}
	return nil
}

// judge decides what an error of a step means for the session: nil if it goes on.
func (s *session) judge(ctx context.Context, err error) error {
	if lost := s.line.Cause(); lost != nil {
		return lost
	}
	if over(ctx) {
		return nil
	}
	c, refused := classOf(err)
	settingUp := s.setUp
	switch {
	case errors.Is(err, errRebooted): // attend is next
		return nil
	case errors.Is(err, ErrMute), errors.Is(err, ErrPIN), errors.Is(err, ErrWrongModem), errors.Is(err, ErrNoStorage):
		return err
	case errors.Is(err, errTextMode):
		s.t.counts.reboots.Add(1)
		s.setUp = true
	case refused && c == classSIM:
		s.setUp = true
	}
	if !refused || settingUp { // a storage that refuses is no reason to give up the others
		if s.failures++; s.failures >= failuresMax {
			return err
		}
	}
	s.log.Warn("modem does not do as told", slog.Any("error", err))
	s.later()
	return nil
}

// over reports whether Run is to end, whatever else has gone wrong.
func over(ctx context.Context) bool { return ctx.Err() != nil }

// later lists the storages again after a pause that doubles, up to the ordinary one.
func (s *session) later() {
	s.backoff = min(max(2*s.backoff, s.t.timing.backoff), s.t.cfg.Sweep)
	s.sweep.Reset(s.backoff)
}

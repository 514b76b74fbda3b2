package idpmodem

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"

	"github.com/godwit-gateway/godwit/transports/isatdata"
)

// ErrWrongTerminal is wrapped by the error of a Run that found another terminal than the one configured.
var ErrWrongTerminal = errors.New("another terminal than the one configured")

// try issues a command that a terminal may refuse.
func (s *session) try(ctx context.Context, cmd string) (lines []string, ok bool, err error) {
	lines, err = s.cmd.do(ctx, cmd, 0)
	if _, refused := codeOf(err); refused {
		return nil, false, nil
	}
	return information(lines), err == nil, err
}

// setup brings the terminal, whatever its state, into the one that the session counts on.
func (s *session) setup(ctx context.Context) error {
	select {
	case <-s.line.restarted: // that is what this is for
	default:
	}
	if err := s.cmd.ready(ctx); err != nil {
		return err
	}
	s.cmd.anew = false
	s.t.counts.setups.Add(1)
	for _, step := range []func(context.Context) error{s.greet, s.checksums, s.identify, s.wake, s.lookNetwork, s.adopt} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	if s.cmd.anew {
		return errTimeout // lost it on the way
	}
	s.t.mu.Lock()
	state := s.t.state
	s.t.mu.Unlock()
	s.log.Info("terminal is set up", slog.String("mobile_id", state.mobileID), slog.Bool("checksums", state.sums), slog.Int("network", state.network))
	return nil
}

// greet switches the echo off, and results to words.
func (s *session) greet(ctx context.Context) error {
	for _, cmd := range []string{"E0", "V1"} {
		if _, _, err := s.try(ctx, cmd); err != nil {
			return err
		}
	}
	return nil
}

// checksums switches them on, or off if they are not wanted. The reply is the first to carry one, or the last.
func (s *session) checksums(ctx context.Context) error {
	want := s.t.dialect.checksums != "" && !s.t.cfg.Plain
	switch on := s.line.sums(); {
	case want && !on:
		_, ok, err := s.try(ctx, s.t.dialect.checksums)
		if err != nil {
			return err
		}
		if !ok {
			s.log.Warn("terminal has no checksums: what the line garbles is not noticed")
			break
		}
		if err := s.line.Quiet(ctx, s.t.timing.quiet/2, s.t.timing.drain); err != nil {
			return err
		}
		s.line.setSums(s.line.sawSum())
	case on && !want:
		if err := s.plain(ctx); err != nil {
			return err
		}
	}
	sums := s.line.sums()
	s.t.know(func(st *state) { st.sums = sums })
	return nil
}

// plain switches checksums off. The command has one and its reply has none, so it looks like silence, and finding the terminal again tells.
func (s *session) plain(ctx context.Context) error {
	if _, err := s.cmd.exchange(ctx, "%CRC=0", s.t.timing.probe); err != nil && s.line.Cause() != nil {
		return err
	}
	s.cmd.dirty = true
	if err := s.cmd.ready(ctx); err != nil {
		return err
	}
	s.cmd.anew = false
	return nil
}

// identify asks who the terminal is.
func (s *session) identify(ctx context.Context) error {
	lines, _, err := s.try(ctx, "+GSN")
	if err != nil {
		return err
	}
	id := ""
	for _, text := range lines {
		if isatdata.ValidMobileID(text) {
			id = text
		}
	}
	if want := s.t.cfg.MobileID; want != "" && id != want {
		return fmt.Errorf("%w: it is %q, not %s", ErrWrongTerminal, id, want)
	}
	s.t.know(func(st *state) { st.mobileID = id })
	return nil
}

// wake sets how often the terminal listens.
func (s *session) wake(ctx context.Context) error {
	code, ok := isatdata.WakeCode(s.t.cfg.Wake)
	if !ok {
		return nil
	}
	_, ok, err := s.try(ctx, s.t.dialect.wake+"="+strconv.Itoa(code))
	if err == nil && !ok {
		s.log.Warn("terminal does not take its wake-up period")
	}
	return err
}

// lookNetwork records the state of the network and the signal.
func (s *session) lookNetwork(ctx context.Context) error {
	network, err := s.ask(ctx, s.t.dialect.network)
	if err != nil {
		return err
	}
	signal, err := s.ask(ctx, s.t.dialect.signal)
	if err != nil {
		return err
	}
	s.t.know(func(st *state) { st.network, st.signal = max(0, network), max(0, signal) })
	return nil
}

// ask issues a command that is answered with a number; -1 if it is not.
func (s *session) ask(ctx context.Context, cmd string) (int, error) {
	lines, ok, err := s.try(ctx, cmd)
	if err != nil || !ok || len(lines) == 0 {
		return -1, err
	}
	return number(lines[len(lines)-1]), nil
}

package smsmodem

import (
	"context"
	"log/slog"
	"time"
)

// ailing is how often in a row a command fails before the modem is taken for one that needs a new start.
const ailing = 3

// ailments are the commands that the modem itself fails at (+CMS ERROR: 300, ME failure). Each command has a count of its own: a modem
// that still lists its messages may have lost the part that sends. Used by the loop of the session that runs.
type ailments struct {
	commands map[string]*ailment
	reset    time.Time // when the modem was last told to start over
}

type ailment struct {
	times int // in a row
	since time.Time
}

// did notes a command that worked.
func (a *ailments) did(verb string) { delete(a.commands, verb) }

// failed notes a command that the modem failed at. +CMGR does not count: some modems say so of an empty slot.
func (a *ailments) failed(verb string, now time.Time) {
	if verb == "+CMGR" {
		return
	}
	if a.commands == nil {
		a.commands = make(map[string]*ailment)
	}
	c := a.commands[verb]
	if c == nil {
		c = &ailment{since: now}
		a.commands[verb] = c
	}
	c.times++
}

// hopeless reports whether the modem has failed often and long enough to be started over, and was not lately: one whose hardware is broken
// would not do anything else any more.
func (a *ailments) hopeless(now time.Time, t *timing) bool {
	if !a.reset.IsZero() && now.Sub(a.reset) < t.resets {
		return false
	}
	for _, c := range a.commands {
		if c.times >= ailing && now.Sub(c.since) >= t.persist {
			return true
		}
	}
	return false
}

// reset has the modem start over and waits for its first word after that. One on USB takes the line along, which ends the session: it is opened
// again as after any loss. An error is one of the line.
func (s *session) reset(ctx context.Context) error {
	cmd := s.cmd.vendor.resetCommand()
	s.t.counts.resets.Add(1)
	s.t.health = ailments{reset: time.Now()}
	s.setUp = true
	s.log.Warn("modem fails again and again: it is told to start over", slog.String("command", "AT"+cmd))
	if _, err := s.cmd.command(ctx, cmd, s.t.timing.command); err != nil {
		if lost := s.line.Cause(); lost != nil {
			return lost
		}
		// Many start over without an answer. One that refuses is set up as it is, and told again in an hour.
		if _, refused := classOf(err); refused {
			s.log.Warn("modem does not start over", slog.Any("error", err))
			return nil
		}
	}
	return s.awaitStart(ctx)
}

// awaitStart waits until a modem that starts over says so. Some never do, and are set up after a while.
func (s *session) awaitStart(ctx context.Context) error {
	timer := time.NewTimer(s.t.timing.boot)
	defer timer.Stop()
	for !s.line.rebooted() {
		select {
		case <-s.line.doorbell:
		case <-s.line.Lost():
			return s.line.Cause()
		case <-timer.C:
			return nil
		case <-ctx.Done():
			return nil
		}
	}
	return nil
}

package sbdmodem

import "time"

// Hasten makes the driver wait milliseconds where it waits seconds, for transceivers that answer at once.
func (t *Transport) Hasten() {
	t.timing = timing{
		command: 2 * time.Second, signal: 2 * time.Second, session: 2 * time.Second, tail: 2 * time.Second, probe: 200 * time.Millisecond,
		write: 2 * time.Second, quiet: 8 * time.Millisecond, drain: 200 * time.Millisecond, check: time.Hour, start: 2 * time.Second,
		poll: 10 * time.Millisecond, short: time.Millisecond, middle: 2 * time.Millisecond, long: 5 * time.Millisecond, register: 10 * time.Millisecond,
		backoff: 5 * time.Millisecond, grace: 3 * time.Second, doubt: time.Hour,
	}
}

// SessionFor sets how long a session may take, and CommandFor how long a command may.
func (t *Transport) SessionFor(d time.Duration) { t.timing.session = d }

// CommandFor sets how long a command may take.
func (t *Transport) CommandFor(d time.Duration) { t.timing.command = d }

// LookEvery sets how often the transceiver is looked at.
func (t *Transport) LookEvery(d time.Duration) { t.timing.check = d }

// GraceOf sets how long what is in hand may take.
func (t *Transport) GraceOf(d time.Duration) { t.timing.grace = d }

// SendFor sets how long a message is tried, below what a configuration may say.
func (t *Transport) SendFor(d time.Duration) { t.cfg.SendTime = d }

// CheckEvery sets how often the mailbox is looked at, below what a configuration may say.
func (t *Transport) CheckEvery(d time.Duration) { t.cfg.MailboxCheck = d }

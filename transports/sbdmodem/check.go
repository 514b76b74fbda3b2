package sbdmodem

import (
	"log/slog"
	"time"

	"github.com/godwit-gateway/godwit/transports"
)

// A retry spaces out what the sink does not take.
type retry struct {
	next  time.Time     // not before
	pause time.Duration // the last one
}

// later puts the next try off: for first, then twice as long each time, up to a minute.
func (t *retry) later(first time.Duration) {
	t.pause = min(max(2*t.pause, first), backoffMax)
	t.next = time.Now().Add(t.pause)
}

// A check is a mailbox check that the sink has not booked.
type check struct {
	at time.Time // zero: there is none
	retry
}

func (c *check) waits() bool { return !c.at.IsZero() }

// checked notes a mailbox check, which is paid for, and has it booked.
func (r *runner) checked() {
	r.t.counts.checks.Add(1)
	r.t.check = check{at: r.t.cfg.Now()}
	r.book()
}

// book has the sink book the mailbox check. Until it has, no session starts: there is never more than one that a crash could make forgotten.
func (r *runner) book() {
	c := &r.t.check
	if err := transports.Book(r.inHand, r.sink, transports.Check{Transport: r.t.name, At: c.at}); err != nil {
		r.t.log.Warn("no session starts: a mailbox check cannot be booked", slog.Any("error", err))
		c.later(r.t.timing.backoff)
		return
	}
	*c = check{}
}

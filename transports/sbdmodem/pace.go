package sbdmodem

import (
	"math/rand/v2"
	"time"
)

// A pace says when the next session may start.
type pace struct {
	rng      *rand.Rand
	failures int       // sessions in a row
	next     time.Time // zero: at once
}

// failed notes a session that failed, and says when the next may start.
func (p *pace) failed(now time.Time, status int, t *timing) {
	pause := t.long
	switch {
	case p.failures < 2:
		pause = p.upTo(t.short)
	case p.failures < 4:
		pause = p.upTo(t.middle)
	}
	p.failures++
	if status == statusTooSoon {
		pause = max(pause, t.register)
	}
	p.next = now.Add(pause)
}

// held notes that no session could be tried.
func (p *pace) held(now time.Time, pause time.Duration) { p.next = now.Add(pause) }

// succeeded notes a session that went well.
func (p *pace) succeeded() { p.failures, p.next = 0, time.Time{} }

// rang notes a ring alert: the sky is in sight. After status 36 the pause stands.
func (p *pace) rang(status int) {
	if status != statusTooSoon {
		p.succeeded()
	}
}

func (p *pace) upTo(d time.Duration) time.Duration { return time.Duration(p.rng.Int64N(int64(d) + 1)) }

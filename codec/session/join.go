package session

import (
	"time"

	"github.com/godwit-gateway/godwit/codec"
)

// An Answer is what a gateway says to a join.
type Answer uint8

// Answers.
const (
	Silence   Answer = iota // nothing: it is an old one, or nothing can be said
	Accept                  // an acceptance
	Challenge               // a challenge
	Wait                    // a challenge, but not yet: the last one that cost money was not long ago
)

// String names the answer.
func (a Answer) String() string {
	switch a {
	case Accept:
		return "accept"
	case Challenge:
		return "challenge"
	case Wait:
		return "wait"
	case Silence:
		return "silence"
	default:
		return "invalid"
	}
}

// Request settles a join request whose MAC verified. nonce is a fresh random one, used if a new one is needed; free says that an answer costs
// nothing. For an acceptance the epoch is Second, for a challenge the nonce is in Challenge.
func (g *Gateway) Request(j codec.Join, nonce codec.Nonce, free bool, now time.Time) Answer {
	switch {
	case g.waits(j):
		return Accept // the acceptance was lost
	case g.began(j):
		return Silence // a late copy, or a replay: the device is there already
	case j.Boot > g.Boot:
		return g.join(j, nonce)
	}
	ms := now.UnixMilli()
	if g.ChallengeAt == 0 || !within(ms, g.ChallengeAt, ChallengeLife) {
		g.Challenge, g.ChallengeAt = nonce, ms
	}
	if !free {
		if g.ChallengedAt != 0 && within(ms, g.ChallengedAt, ChallengeEvery) {
			return Wait
		}
		g.ChallengedAt = ms
	}
	return Challenge
}

// within reports whether a moment lies less than d before now. A clock that was set back does not make the moment last.
func within(now, at int64, d time.Duration) bool { return now >= at && now-at < d.Milliseconds() }

// waits reports whether the join began the pending epoch, and frames of that are taken.
func (g *Gateway) waits(j codec.Join) bool {
	return g.Role == Pending && g.Second.Number >= g.Least && j.Began(g.Second.Salt)
}

// began reports whether the join began an epoch in which the device was heard.
func (g *Gateway) began(j codec.Join) bool {
	return g.Current.Number > 0 && j.Began(g.Current.Salt) || g.Role == Previous && g.Second.Number > 0 && j.Began(g.Second.Salt)
}

// Challenged is the nonce that a confirmation of the attempt must be for; false if there is none.
func (g *Gateway) Challenged(j codec.Join) (codec.Nonce, bool) {
	if g.waits(j) || g.began(j) {
		for _, e := range []*Epoch{&g.Second, &g.Current} {
			if e.Number > 0 && j.Began(e.Salt) {
				return nonceOf(e), true // a late copy of a confirmation verifies as well
			}
		}
	}
	return g.Challenge, g.ChallengeAt != 0
}

func nonceOf(e *Epoch) codec.Nonce { return codec.Nonce(e.Salt[8:]) }

// PendingNonce is the gateway's half of the pending epoch, for its acceptance.
func (g *Gateway) PendingNonce() codec.Nonce { return nonceOf(&g.Second) }

// Confirm settles a confirmation whose MAC verified with the nonce that Challenged gave.
func (g *Gateway) Confirm(j codec.Join) Answer {
	switch {
	case g.waits(j):
		return Accept
	case g.began(j) || g.ChallengeAt == 0:
		return Silence
	}
	return g.join(j, g.Challenge)
}

func (g *Gateway) join(j codec.Join, nonce codec.Nonce) Answer {
	if !g.begin(j.Salt(nonce)) {
		return Silence
	}
	// The boot counter never goes back, also if the device's does: what it said before it was lost must not be taken again.
	g.Boot = max(g.Boot, j.Boot)
	g.ChallengeAt = 0
	return Accept
}

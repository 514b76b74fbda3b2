package radio

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// Bursts are times without coverage, after Gilbert (1960) and Elliott (1963): a link is well or in a burst, each for a time that is exponential
// around a mean. While it is well, Model.Loss holds. The zero value has no bursts.
type Bursts struct {
	Good, Bad time.Duration // means of how long it is well, and of a burst
	Loss      float64       // in a burst
}

// Share is the part of the time that is in a burst, from 0 to 1.
func (b *Bursts) Share() float64 {
	if b.Bad == 0 {
		return 0
	}
	return b.Bad.Seconds() / (b.Good.Seconds() + b.Bad.Seconds())
}

func (b *Bursts) validate() error {
	if b.Good < 0 || b.Bad < 0 || b.Bad > 0 && b.Good == 0 || !probability(b.Loss) {
		return fmt.Errorf("bursts are %+v, want times above 0 and a probability", *b)
	}
	return nil
}

// Coverage says when a place is in a burst. Links of one device share it: see [Link.Share].
type Coverage struct {
	bursts Bursts
	rng    *rand.Rand
	bad    bool
	until  time.Time // the state holds before this
}

// at is the state of a time, which must not be before that of an earlier call, and until when it lasts. However long ago the earlier call was, it
// takes two draws: of a Markov chain in continuous time the state after a gap is known in distribution, and what is left of it is exponential.
func (c *Coverage) at(now time.Time) (bad bool, until time.Time) {
	if c.bursts.Bad == 0 || now.Before(c.until) {
		return c.bad, c.until
	}
	p := c.bursts.Share()
	if !c.until.IsZero() {
		after := 0.0
		if !c.bad {
			after = 1
		}
		rate := 1/c.bursts.Good.Seconds() + 1/c.bursts.Bad.Seconds()
		p += (after - p) * math.Exp(-rate*now.Sub(c.until).Seconds())
	}
	c.bad = c.rng.Float64() < p
	mean := c.bursts.Good
	if c.bad {
		mean = c.bursts.Bad
	}
	c.until = now.Add(time.Duration(c.rng.ExpFloat64() * float64(mean)))
	return c.bad, c.until
}

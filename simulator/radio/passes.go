package radio

import (
	"fmt"
	"time"
)

// Passes are the times at which a satellite is in sight: one in each period, at a moment that varies, and not all of them, as part of the sky is
// hidden. They are a function of the seed and the time, so both directions of a device see the same ones. The zero value is a sky that is always
// open.
type Passes struct {
	Period time.Duration // from one pass to the next, in the mean
	Length time.Duration
	Jitter time.Duration // a pass begins up to so much later than its turn
	Hidden float64       // part of the passes that the place does not see
	Wait   time.Duration // a payload waits in the modem for a pass for so long; 0: it must be in sight when it is sent
	Seed   uint64        // of the place
}

func (p *Passes) validate() error {
	if *p == (Passes{Seed: p.Seed}) {
		return nil
	}
	if p.Length <= 0 || p.Jitter < 0 || p.Wait < 0 || p.Length+p.Jitter > p.Period || !(p.Hidden >= 0 && p.Hidden < 1) {
		return fmt.Errorf("passes are %+v, want a length and a jitter within the period, and some of the sky open", *p)
	}
	return nil
}

// sight is the first time from t on, and at most wait later, at which a satellite is in sight.
func (p *Passes) sight(t time.Time, wait time.Duration) (time.Time, bool) {
	if p.Period == 0 {
		return t, true
	}
	place, period := luck(p.Seed), int64(p.Period)
	phase := int64(place.uniform(byPhase, 0) * float64(period))
	at := t.UnixNano() - phase
	for n := at / period; ; n++ { // a pass that began in the period before is over by now
		begin := n*period + int64(place.uniform(byJitter, int(n))*float64(p.Jitter))
		switch {
		case begin > at+int64(wait):
			return time.Time{}, false
		case begin+int64(p.Length) <= at || place.uniform(bySky, int(n)) < p.Hidden:
		case begin <= at:
			return t, true
		default:
			return t.Add(time.Duration(begin - at)), true
		}
	}
}

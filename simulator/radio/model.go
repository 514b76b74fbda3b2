package radio

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// A Model says what a link does to what is sent over it. Probabilities are from 0 to 1. The zero value is a perfect link that costs nothing.
type Model struct {
	Loss      float64 // that a try to send a payload fails
	Duplicate float64 // that a payload which is not lost arrives a second time
	Reorder   float64 // that an arriving copy is held back, so that later ones overtake it
	Truncate  float64 // that an arriving copy of a payload with a size is cut
	Delay     Delay
	HoldBack  Delay // more delay of a copy that is held back
	Bursts    Bursts
	Passes    Passes
	Pauses    Pauses // between the tries that a modem makes by itself

	// Validity is how long the network keeps what it cannot deliver, as a short message centre does: in a burst, or while the recipient is off,
	// payloads wait instead of being lost, and those that wait for longer expire. 0: nothing is kept.
	Validity time.Duration

	Reports bool // the sender is told of what was given up or expired, as a delivery that failed; not if Pending copies are under way
	SizeMax int  // larger payloads are lost (see Link.SendSized); 0: no limit
	Pending int  // copies under way at most, more are lost; 0: PendingDefault
	Tariff  Tariff
}

// PendingDefault is the number of copies that a link has under way at most unless its model says otherwise.
const PendingDefault = 1 << 16

// Pauses are the longest pauses before the second and each further try; the first 0 ends the tries. Each lasts up to so long by chance.
type Pauses [8]time.Duration

// A Delay is a distribution of delays: Least, and on top of it a share by chance so that the mean is Mean before the cut at Most. The share is
// the time in queues; Most is the network's own limit.
type Delay struct {
	Least, Mean, Most time.Duration

	Tail float64 // 0: the share is exponential; else it is log-normal, and this the standard deviation of its logarithm
}

// Validate reports everything that makes no sense in the model.
func (m *Model) Validate() error {
	var errs []error
	for _, p := range []struct {
		name  string
		value float64
	}{{"loss", m.Loss}, {"duplicate", m.Duplicate}, {"reorder", m.Reorder}, {"truncate", m.Truncate}} {
		if !probability(p.value) {
			errs = append(errs, fmt.Errorf("%s is %v, want a probability from 0 to 1", p.name, p.value))
		}
	}
	for _, d := range []struct {
		name  string
		value Delay
	}{{"delay", m.Delay}, {"hold back", m.HoldBack}} {
		if d.value.Least < 0 || d.value.Mean < d.value.Least || d.value.Most < d.value.Mean {
			errs = append(errs, fmt.Errorf("%s is %+v, want 0 <= least <= mean <= most", d.name, d.value))
		}
		if !(d.value.Tail >= 0 && d.value.Tail <= tailMax) {
			errs = append(errs, fmt.Errorf("%s has a tail of %v, want 0 to %d", d.name, d.value.Tail, tailMax))
		}
	}
	if m.SizeMax < 0 || m.Pending < 0 || m.Validity < 0 {
		errs = append(errs, fmt.Errorf("size limit is %d, pending limit %d, validity %s, want none below 0", m.SizeMax, m.Pending, m.Validity))
	}
	for _, p := range m.Pauses {
		if p < 0 {
			errs = append(errs, fmt.Errorf("a pause is %s, want none below 0", p))
		}
	}
	return errors.Join(append(errs, m.Bursts.validate(), m.Passes.validate(), m.Tariff.validate())...)
}

// tailMax bounds the tail of a delay: beyond it next to all delays are the least or the most.
const tailMax = 4

// probability reports whether a number is one; NaN is not.
func probability(p float64) bool { return p >= 0 && p <= 1 }

// grain is what drawn delays are rounded to. The last bits of a logarithm depend on the processor; a history must not.
const grain = time.Millisecond

// draw returns a delay for a uniform u from [0, 1), by inversion.
func (d *Delay) draw(u float64) time.Duration {
	if d.Mean == d.Least {
		return d.Least
	}
	share := float64(d.Mean - d.Least)
	if d.Tail == 0 {
		share *= -math.Log1p(-u)
	} else {
		share *= math.Exp(d.Tail*math.Sqrt2*math.Erfinv(2*u-1) - d.Tail*d.Tail/2)
	}
	if share >= float64(d.Most-d.Least) {
		return d.Most
	}
	return min(max((d.Least+time.Duration(share)).Round(grain), d.Least), d.Most)
}

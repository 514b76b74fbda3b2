package verdict

import (
	"math"

	"github.com/godwit-gateway/godwit/scheduler/presence"
)

// slack is by how much the k-th regular contact may be late: jitters of three and more contacts add up like a random walk.
func (l *link) slack(k, interval int64) int64 {
	spread := float64(k)
	if k > 3 {
		spread = math.Sqrt(float64(3 * k))
	}
	return int64(spread * float64(l.jitter*interval/1000))
}

// closes is when contact k from 1 on that the device owes is missed.
func (j *Judge) closes(d *device, k int) uint32 {
	l := &j.links[j.strata[d.stratum].Link]
	at := int64(d.origin)
	if d.is(burning) {
		b := j.programme(d, l)
		if k <= len(b) {
			return clamp(at + int64(b[k-1]) + l.grace + 1)
		}
		k -= len(b)
	}
	if d.interval == 0 {
		return none
	}
	n, interval := int64(k), int64(d.interval)
	return clamp(at + n*interval + l.slack(n, interval) + l.grace + 1)
}

// programme is the contacts of the device's burst that come before the first regular one.
func (j *Judge) programme(d *device, l *link) presence.Burst {
	if d.burst == 0 {
		return nil
	}
	b := j.config.Bursts[d.burst-1]
	if d.interval == 0 {
		return b
	}
	interval := int64(d.interval)
	opens := interval - l.slack(1, interval)
	for len(b) > 0 && int64(b[len(b)-1])+l.grace > opens {
		b = b[:len(b)-1]
	}
	return b
}

// gap is how long before the next contact that is looked at the one before it was, or would have been.
func (j *Judge) gap(d *device) float64 {
	before := d.origin
	if d.checks > 0 {
		before = j.closes(d, steps[d.checks])
	}
	return float64(j.closes(d, steps[d.checks+1]) - before)
}

// opens is when the first contact counts as one that was owed.
func (j *Judge) opens(d *device) uint32 {
	l := &j.links[j.strata[d.stratum].Link]
	interval := int64(d.interval)
	return clamp(int64(d.origin) + interval - l.slack(1, interval))
}

// span is how long a window of the device is, and risk how likely a living device, or one that dies by itself, is silent through it.
func (j *Judge) span(d *device) int64 {
	l := &j.links[j.strata[d.stratum].Link]
	k, interval := int64(j.usual(d).window), int64(d.interval)
	return k*interval + l.slack(k, interval) + l.grace
}

// usual is what is usual for devices like this one.
func (j *Judge) usual(d *device) *usual {
	return &j.links[j.strata[d.stratum].Link].octaves[presence.Octave(d.interval)]
}

func (j *Judge) risk(d *device) float64 {
	hazard, interval := j.hazard[j.strata[d.stratum].group], float64(d.interval)
	return (float64(hazard*interval) + j.usual(d).tail) * (float64(j.span(d)) / interval)
}

func clamp(t int64) uint32 { return uint32(min(t, none-1)) } //nolint:gosec // times are not negative

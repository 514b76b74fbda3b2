package verdict

import "math"

const (
	recent     = 6 // hours over which first attempts are looked at
	outageMany = 2 // an outage is more than so many times the missed attempts that are usual ...
	outageZ    = 4 // ... and so many standard deviations
)

// attempts is what became of controls' first contacts after one that was met, over one link. The dead do not add to them.
type attempts struct {
	hours [recent]struct {
		n, missed int64
		expected  fixed // of missed
	}
	told bool // by the caller
	seen bool // by its attempts
}

// on reports whether the link is out: missed contacts are no evidence.
func (a *attempts) on() bool { return a.told || a.seen }

// Veto says that a link is out, or is back: missed contacts over it are no evidence meanwhile. Outages that show among the controls are seen without
// it. When the gateway itself was away, all links were out.
func (j *Judge) Veto(now int64, link uint8, on bool) {
	j.advance(now)
	if int(link) < len(j.vetoes) {
		j.vetoes[link].told = on
	}
}

// Absent says that nobody listened since the last call, if that is longer ago than so many seconds: all links count as out from then on, until Veto says
// that they are back. It reports whether they do. What devices said meanwhile may still be on its way.
func (j *Judge) Absent(now, least int64) bool {
	if now-j.base-int64(j.tick)*tick < least {
		return false
	}
	for i := range j.vetoes {
		j.vetoes[i].told = true
	}
	j.advance(now)
	return true
}

// attend counts a control that was heard, if it had to be.
func (j *Judge) attend(d *device, at uint32) {
	if d.interval != 0 && !d.is(missed) && d.origin != 0 && at >= j.opens(d) {
		j.attempted(d, false)
	}
}

// attempted counts the first contact that a control owed.
func (j *Judge) attempted(d *device, miss bool) {
	s := &j.strata[d.stratum]
	h := &j.vetoes[s.Link].hours[j.tick*tick/hour%recent]
	h.n++
	h.expected += fix(j.usual(d).missed[0])
	if miss {
		h.missed++
	}
}

// lookForOutages begins and ends outages by what controls have missed of late.
func (j *Judge) lookForOutages(now uint32) {
	for i := range j.vetoes {
		a := &j.vetoes[i]
		var n, missed int64
		var sum fixed
		for h := range a.hours {
			n += a.hours[h].n
			missed += a.hours[h].missed
			sum += a.hours[h].expected
		}
		x, expected := float64(missed), sum.float()
		switch {
		case x <= float64(outageMany*expected):
			a.seen = false
		case !a.seen:
			a.seen = 2*(math.Sqrt(x)-math.Sqrt(expected)) > outageZ*math.Sqrt(1-expected/float64(n))
		}
		if next := (now + tick) / hour; next != now/hour {
			a.hours[next%recent] = struct {
				n, missed int64
				expected  fixed
			}{}
		}
	}
}

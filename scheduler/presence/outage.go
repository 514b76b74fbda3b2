package presence

import "math"

const (
	hours     = 6
	hour      = 3600
	day       = 86400
	fadeUsual = 0.97716 // of a day: one half in 30 days
	alarmZ    = 4
	alarmMany = 2
	guess     = 20      // attempts that the first guess of what is usual is worth
	outageMax = 2 * day // what goes on for longer is how the link is now
)

// attempts is the control statistic of a link or cell: what became of first attempts after a contact.
type attempts struct {
	hour         int64 // number of the hour that ring[hour % hours] counts
	ring         [hours]struct{ n, missed uint32 }
	n, missed    float64 // as usual: those that left the ring outside of outages, fading
	since, until int64   // of the last outage by the times at which windows closed; until 0: it goes on; since 0: there was none
}

// usual is the normal share of missed first attempts: 5 % before anything is known.
func (a *attempts) usual() float64 { return (a.missed + guess/20) / (a.n + guess) }

func (a *attempts) on() bool { return a.since != 0 && a.until == 0 }

func (a *attempts) recent() (n, missed float64) {
	for _, r := range a.ring {
		n += float64(r.n)
		missed += float64(r.missed)
	}
	return n, missed
}

// z is by how many standard deviations more are missed than usual, on the scale of square roots. What is usual is an estimate too: at first hardly more
// than a guess, which no fleet with a worse link must be held against.
func (a *attempts) z() float64 {
	n, missed := a.recent()
	p := a.usual()
	return 2 * (math.Sqrt(missed) - math.Sqrt(n*p)) / math.Sqrt((1-p)*(1+n/(a.n+guess)))
}

// excess is the share of the recent misses that is more than usual: how likely one of them is due to the outage.
func (a *attempts) excess() float64 {
	n, missed := a.recent()
	if missed == 0 {
		return 0
	}
	return max(1-n*a.usual()/missed, 0)
}

// advance lets hours pass until now.
func (a *attempts) advance(now int64) {
	h := now / hour
	if a.hour == 0 {
		a.hour = h
	}
	for steps := 0; a.hour < h; steps++ {
		if steps > hours {
			a.hour = h // the ring is empty
		} else {
			a.hour++
		}
		r := &a.ring[a.hour%hours]
		if !a.on() || a.hour*hour-a.since > outageMax {
			a.n += float64(r.n)
			a.missed += float64(r.missed)
		}
		r.n, r.missed = 0, 0
		if n, missed := a.recent(); a.on() && missed <= alarmMany*n*a.usual() {
			a.until = a.hour * hour
		}
	}
}

// observe counts a first attempt that was met or missed now, late hours included.
func (a *attempts) observe(now int64, missed bool) {
	a.advance(now)
	r := &a.ring[a.hour%hours]
	r.n++
	if !missed {
		return
	}
	r.missed++
	n, sum := a.recent()
	if a.on() || sum <= alarmMany*n*a.usual() || a.z() <= alarmZ {
		return
	}
	a.until = 0
	for h := a.hour; h > a.hour-hours && h > 0; h-- { // it began with the first of the bad hours
		if r := a.ring[h%hours]; float64(r.missed) > alarmMany*float64(r.n)*a.usual() {
			a.since = h * hour
		}
	}
}

// covers reports whether a window, by when its contact was expected and when it closed, lies in the outage.
func (a *attempts) covers(at, closes int64) bool {
	return a.since != 0 && closes >= a.since && (a.until == 0 || at <= a.until)
}

// An Outage is what is known of a link's or cell's last outage.
type Outage struct {
	Since, Until int64   // 0: there was none; Until 0: it goes on
	Probability  float64 // that a first attempt which was missed in the last six hours was missed because of it; 0 when there is none now
	Usual        float64 // share of first attempts that are missed as usual
	Recent       float64 // and in the last six hours
	Attempts     int     // first attempts in the last six hours
	Z            float64 // by how many standard deviations they differ
}

func (a *attempts) outage() Outage {
	n, missed := a.recent()
	o := Outage{Since: a.since, Until: a.until, Usual: a.usual(), Attempts: int(n), Z: a.z()}
	if n > 0 {
		o.Recent = missed / n
	}
	if a.on() {
		o.Probability = a.excess()
	}
	return o
}

package presence

import "math"

const (
	hours       = 6
	hour        = 3600
	day         = 86400
	fadeUsual   = 0.97716 // of a day: one half in 30 days
	alarmZ      = 4
	alarmMany   = 2
	leastExcess = 0.01    // of what is missed in an outage is due to it
	guess       = 20      // attempts that the first guess of what is usual is worth
	outageMax   = 2 * day // what goes on for longer is how the link is now, and who has not come back is not waited for
)

// attempts is the control statistic of a link or cell: what became of first attempts after a contact.
type attempts struct {
	hour         int64        // number of the hour that ring[hour % hours] counts
	ring         [hours]tally // by the hour in which windows closed
	n, missed    float64      // as usual: those that left the ring outside of outages, fading
	since, until int64        // of the last outage by the times at which windows closed; until 0: it goes on; since 0: there was none
	during       tally        // of the windows that closed in it
	most         uint32       // that were away at a time
}

// A tally is first attempts, of them those that were missed, and of these the devices that were heard again.
type tally struct{ n, missed, back uint32 }

// away is how many devices that missed have not been heard since.
func (t *tally) away() uint32 { return t.missed - t.back }

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

// excess is the share of the outage's misses that is more than usual: how likely one of them is due to it.
func (a *attempts) excess() float64 {
	return share(float64(a.during.n), float64(a.during.missed), a.usual())
}

// excessOf is the same of a miss in it, by when its window closed: of late it is that of the last hours, in which first attempts may be met as usual again
// while those who are cut off owe none.
func (a *attempts) excessOf(closed int64) float64 {
	if a.at(closed) == nil {
		return a.excess()
	}
	n, missed := a.recent()
	return max(share(n, missed, a.usual()), leastExcess)
}

// share is the part of the missed that is beyond the usual share of n.
func share(n, missed, usual float64) float64 {
	if missed == 0 {
		return 0
	}
	return max(1-float64(n*usual)/missed, 0)
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
		*r = tally{}
		if a.on() && a.over() {
			a.until = a.hour * hour
		}
	}
}

// over reports whether the outage has ended: no more is missed than usual, and of the devices that were away at a time half have come back, unless it has
// been so long that they are not waited for. First attempts alone do not tell, since who is cut off makes none.
func (a *attempts) over() bool {
	n, missed := a.recent()
	if missed > float64(alarmMany*n)*a.usual() {
		return false
	}
	return 2*uint64(a.during.away()) <= uint64(a.most) || a.hour*hour-a.since > outageMax
}

// at is what is counted of the hour of a time that is not after now; nil if it is too long ago.
func (a *attempts) at(t int64) *tally {
	if h := t / hour; h > a.hour-hours && h >= 0 {
		return &a.ring[min(h, a.hour)%hours]
	}
	return nil
}

// observe counts a first attempt that was met now, or missed when its window closed. What closed longer ago than is looked at says nothing of now.
func (a *attempts) observe(now, closed int64, missed bool) {
	a.advance(now)
	r := a.at(closed)
	if r != nil {
		r.count(missed)
	}
	if a.on() {
		if closed >= a.since {
			a.during.count(missed)
			a.most = max(a.most, a.during.away())
		}
		return
	}
	if n, sum := a.recent(); r != nil && missed && sum > float64(alarmMany*n)*a.usual() && a.z() > alarmZ {
		a.begin()
	}
}

func (t *tally) count(missed bool) {
	if t.n++; missed {
		t.missed++
	}
}

// begin begins an outage, with the first of the bad hours.
func (a *attempts) begin() {
	a.since, a.until = a.hour*hour, 0
	for h := a.hour; h > a.hour-hours && h > 0; h-- {
		if r := &a.ring[h%hours]; float64(r.missed) > float64(alarmMany*float64(r.n))*a.usual() {
			a.since = h * hour
		}
	}
	a.gather()
	a.most = a.during.away()
}

// gather finds what closed in the outage from what is known of the last hours.
func (a *attempts) gather() {
	a.during = tally{}
	for h := max(a.since/hour, a.hour-hours+1, 0); h <= a.hour; h++ {
		r := &a.ring[h%hours]
		a.during.n += r.n
		a.during.missed += r.missed
		a.during.back += r.back
	}
}

// revive has an outage go on that was written when nobody counted who comes back: who is away then is not waited for.
func (a *attempts) revive() {
	if a.on() {
		a.gather()
		a.during.back = a.during.missed
	}
}

// returned says that a device is heard now whose first attempt was counted as missed, when its window closed.
func (a *attempts) returned(now, closed int64) {
	a.advance(now)
	if r := a.at(closed); r != nil && r.away() > 0 {
		r.back++
	}
	if a.on() && closed >= a.since && a.during.away() > 0 {
		a.during.back++
	}
}

// An Outage is what is known of a link's or cell's last outage.
type Outage struct {
	Since, Until int64   // 0: there was none; Until 0: it goes on
	Probability  float64 // that a first attempt which was missed in it was missed because of it; 0 when there is none now
	Usual        float64 // share of first attempts that are missed as usual
	Recent       float64 // and in the last six hours
	Attempts     int     // first attempts in the last six hours
	Z            float64 // by how many standard deviations they differ
	Away, Most   int     // devices that missed their first attempt in the last outage and were not heard again while it went on; the most there were
}

func (a *attempts) outage() Outage {
	n, missed := a.recent()
	o := Outage{Since: a.since, Until: a.until, Usual: a.usual(), Attempts: int(n), Z: a.z(), Away: int(a.during.away()), Most: int(a.most)}
	if n > 0 {
		o.Recent = missed / n
	}
	if a.on() {
		o.Probability = a.excess()
	}
	return o
}

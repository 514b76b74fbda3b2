package scheduler

import "math"

// tolerance is by how much a device may run beyond a limit before it is told, whatever that costs: limits move a little with what is learned.
const tolerance = 0.04

// Decide finds what one device is to do at the prices of a plan. The device and the tables must be such as Check accepts, and the links those that
// were solved for.
func Decide(p *Plan, f *Fleet, d *Device, o Occasion) Decision {
	at := prices{money: p.Price(), pools: p.Pools, links: p.LinkPools}
	var ways [MaxVias]entry
	n := f.ways(&ways, d, f.Weigh(d, o.Now), at.links)
	var j judgement
	f.judge(&j, &at, d, o, ways[:n], &ways)
	return j.Decision
}

// Decide is the function Decide for the i-th device of the fleet that was solved for last, and which has not changed since. At the moment that was solved
// for it is faster: what does not depend on prices is at hand.
func (s *Solver) Decide(p *Plan, f *Fleet, i int, o Occasion) Decision {
	if o.Now != s.now {
		return Decide(p, f, &f.Devices[i], o)
	}
	at := prices{money: p.Price(), pools: p.Pools, links: p.LinkPools}
	var j judgement
	f.judge(&j, &at, &f.Devices[i], o, s.waysOf(i), &s.later)
	return j.Decision
}

// A judgement is a decision with what led to it.
type judgement struct {
	Decision
	best     choice
	aim      Secs    // the interval that would be right
	worth    float64 // weighted stale-hours that the change saves until the interval is likely to move again, less what taking it back costs
	downlink float64 // weighted stale-hours that telling costs
	must     bool    // the device runs what it may not
}

// judge decides by the entries of a device's links at the moment of the occasion. Those of a later one go into later. It returns those that count.
func (f *Fleet) judge(j *judgement, at *prices, d *Device, o Occasion, ways []entry, later *[MaxVias]entry) []entry {
	f.choose(&j.best, d, ways, at)
	counts := f.counts(d, &j.best, o.Now)
	if counts > o.Now && j.best.via >= 0 {
		ways = later[:f.ways(later, d, f.Weigh(d, counts), at.links)]
		j.best = choice{}
		f.choose(&j.best, d, ways, at)
	}
	current := Secs(d.Current)
	if j.best.via < 0 {
		j.Code, j.Interval = exact(current)
		j.Via, j.Link = -1, -1
		j.Due = NextDue(d.Number, current, Secs(d.Heard), o.Now)
		return ways
	}
	j.Code, j.aim = j.best.level(&ways[j.best.via])
	j.Interval = j.aim
	j.Via, j.Link = j.best.via, int(d.Links[j.best.via].Link)-1
	if current == 0 {
		j.Send = carried(o)
		j.Due = NextDue(d.Number, j.Interval, Secs(d.Heard), o.Now)
		return ways
	}
	j.Due = NextDue(d.Number, current, Secs(d.Heard), o.Now)
	f.weighChange(j, at, d, o, ways, counts)
	if j.Send == SendNone {
		j.Code, j.Interval = exact(current)
		if d.Via > 0 && d.Links[d.Via-1].Link > 0 {
			j.Via, j.Link = int(d.Via)-1, int(d.Links[d.Via-1].Link)-1
		}
	}
	return ways
}

// counts is the moment whose weight counts for what a device is told now. At the last contact of an episode this is its end: the next contact comes
// after it in either case, and a device that is told then has made one contact too many. A contact a little before the end is not worth its price
// either.
func (f *Fleet) counts(d *Device, c *choice, now Secs) Secs {
	const last = 1.25 // intervals
	if rest := d.attended(now); rest > 0 && rest.Hours() <= float64(last*c.hours) {
		return now + rest
	}
	return now
}

// attended is how long the device's episode of attention still lasts; 0: there is none.
func (d *Device) attended(now Secs) Secs {
	if ends := Secs(d.BoostEnds); d.Boost > 0 && now < ends {
		return ends - now
	}
	return 0
}

// level is the choice's interval as it is told.
func (c *choice) level(e *entry) (Code, Secs) {
	if e.fixed || c.filled {
		return exact(Secs(math.Floor(float64(3600*c.hours) + 0.001)))
	}
	return quantise(c.hours, e.lo, c.hi)
}

// carried is how a policy goes to a device.
func carried(o Occasion) Send {
	if o.Ack > 0 {
		return SendPiggyback
	}
	return SendOwn
}

// weighChange finds whether a device that runs an interval is told another one: if what that saves until the target is likely to move again exceeds
// what telling costs. What holds for an episode of attention will have to be taken back, which costs that once more. This is |ln(T0/T*)| > sqrt(d/(c n)), without its logarithm and right as well where limits hold.
func (f *Fleet) weighChange(j *judgement, at *prices, d *Device, o Occasion, ways []entry, counts Secs) {
	via := j.best.via
	if d.Via > 0 && d.Links[d.Via-1].Link > 0 {
		via = int(d.Via) - 1
	}
	current := Secs(d.Current)
	same := via == j.best.via
	if same && alike(current, j.aim) && (!ways[via].fixed || current == j.aim) {
		return
	}
	e := &ways[via]
	now, hours := choice{money: e.money, bytes: e.bytes}, current.Hours()
	if d.Growth > 0 {
		var y way
		f.way(&y, d, at.links, via)
		now.money, now.bytes = y.cost(size(d, hours))
	}
	now.price = at.of(e.pool, now.money, now.bytes)
	j.must = hours < e.lo*(1-tolerance) || hours > e.hi*(1+tolerance) || e.fixed
	horizon := min(f.Policies[d.Policy].horizon(), f.moves(d, counts))
	j.downlink = f.telling(at, int(d.Links[via].Link)-1, o)
	back := 0.0
	if rest := d.attended(counts); rest > 0 && rest <= horizon {
		back = j.downlink
	}
	j.worth = float64((now.at(e, hours)-j.best.at(&ways[j.best.via], j.aim.Hours()))*horizon.Hours()) - back
	if j.must || j.worth > j.downlink {
		j.Send = carried(o)
	}
}

// moves is when the device's weight is known to change: at the end of an episode, or as the fear of an update fades.
func (f *Fleet) moves(d *Device, now Secs) Secs {
	until := DefaultMax * 52
	if rest := d.attended(now); rest > 0 {
		until = rest
	}
	if d.Hazard > 0 && d.Updated > 0 {
		if h := &f.Hazards[d.Hazard-1]; now-Secs(d.Updated) < 4*h.Tau {
			until = min(until, h.Tau)
		}
	}
	return until
}

// telling is what it costs to tell a device over a link: nothing, if the policy fits into what is paid for an ack that goes anyway.
func (f *Fleet) telling(at *prices, link int, o Occasion) float64 {
	l := &f.Links[link]
	bytes := o.Policy
	if bytes == 0 {
		bytes = PolicyBytes
	}
	pool := at.links[link]
	if l.Down.Pool == "" || l.Down.Pool != l.Up.Pool {
		pool = -1
	}
	if pool >= 0 && o.Ack > 0 {
		return at.of(pool, 0, float64(l.Down.Billed(o.Ack+bytes)-l.Down.Billed(o.Ack)))
	}
	if pool >= 0 {
		return at.of(pool, float64(l.Down.Fixed)*perUnit, float64(l.Down.Billed(bytes)))
	}
	money := l.Down.Cost(o.Ack + bytes)
	if o.Ack > 0 {
		money -= l.Down.Cost(o.Ack)
	}
	return at.of(-1, float64(money)*perUnit, 0)
}

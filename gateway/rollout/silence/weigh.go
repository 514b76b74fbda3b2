package silence

import (
	"math"

	"github.com/godwit-gateway/godwit/scheduler/presence"
)

// What is taken as known of the causes before anything points at one. The figures are rough; what points at a cause outweighs them.
const (
	contractShare = 0.08  // of the dead are cards and contracts
	contractPeers = 0.5   // of an excess of silent devices of one operator is its contracts' when all others of the link are well
	refusedRatio  = 60.0  // times likelier is a refusal for good where the card is the reason
	refusedMost   = 3600  // however many there were
	deliveredTo   = 0.02  // of devices that took a downlink since are cut off or without power
	pastOutage    = 0.8   // of an outage's misses are its own, where nobody says how many
	pastFades     = 86400 // seconds after an outage at which a device that has not come back is half as likely to be still in it
	certain       = 0.995 // what a single opinion may say at most
	least         = 1e-12 // of what is divided by
)

// weights are those of the classes: the probability of what was seen under each.
type weights [Classes]float64

// weigh is the weight of each class. What it finds on the way it adds to why.
func weigh(q *Quiet, why *evidence) (w weights) {
	st := &q.Standing
	switch {
	case q.Retired:
		w[Retired] = 1
		why.add(1, "it was taken out of service")
		return w
	case !q.Heard:
		w[Unknown] = 1
		why.add(1, "it was never heard")
		return w
	case st.Interval == 0:
		w[Unknown] = 1
		why.add(1, "how often it speaks is not known")
		return w
	}
	dead := min(max(st.Dead, 0), 1)
	if st.Missed == 0 {
		w[NotDue], w[Unknown] = 1-dead, dead
	} else {
		w[Late] = max(st.Tail, least)
		w[Unknown] = float64(w[Late]*dead) / max(1-dead, least)
	}
	why.heard(st)
	w.contract(q, why)
	w.battery(q, why)
	w.update(q, why)
	w.outage(q, why)
	w.refused(q, why)
	w.delivered(q, why)
	return w
}

// sum is that of the weights, in their order.
func (w *weights) sum() (s float64) {
	for _, v := range w {
		s += v
	}
	return s
}

// give lets a class have the share p of all weights: what others weigh among themselves stays.
func (w *weights) give(c Class, p float64) {
	p = min(max(p, 0), certain)
	rest := w.sum() - w[c]
	if got := float64(rest*p) / (1 - p); got > w[c] {
		w[c] = got
	}
}

// contract weighs the card and the contract: their part of the dead, and whether all of an operator are silent.
func (w *weights) contract(q *Quiet, why *evidence) {
	c := &q.Card
	if q.Standing.Missed == 0 && c.Refused == 0 {
		return
	}
	part := float64(w[Unknown] * contractShare)
	w[Unknown] -= part
	w[Contract] = part
	if p := c.excess(); p > 0 {
		w.give(Contract, p)
		why.peers(c, p)
	}
}

// refused weighs that the network refused downlinks for good, which is no more to be expected in an outage than otherwise.
func (w *weights) refused(q *Quiet, why *evidence) {
	c := &q.Card
	if c.Refused == 0 {
		return
	}
	ratio := 1.0
	for range min(c.Refused, 4) {
		ratio = min(float64(ratio*refusedRatio), refusedMost)
	}
	// A card that is cut off while its device speaks regularly is as seldom as one in a silent device is frequent.
	w[Contract] = float64(max(w[Contract], float64(w.sum()*0.01)) * ratio)
	why.refused(c)
}

// excess is the share of an operator's silent devices that is beyond what the others of the link let expect; 0 where chance may have done it.
func (c *Card) excess() float64 {
	if c.Peers < 4 || c.Silent < 3 {
		return 0
	}
	usual := (float64(c.Quiet) + 1) / (float64(c.Others) + 20)
	expected := float64(float64(c.Peers) * usual)
	z := 2 * (math.Sqrt(float64(c.Silent)) - math.Sqrt(expected)) / math.Sqrt(max(1-usual, 0.05))
	if z < 4 || float64(c.Silent) < 2*expected {
		return 0
	}
	p := 1 - expected/float64(c.Silent)
	if 2*c.Silent < c.Peers { // not all of them: the contract is one reason among several
		p *= contractPeers
	}
	return p
}

// battery weighs the probability that the battery ran out since the device was last heard, as its trend has it.
func (w *weights) battery(q *Quiet, why *evidence) {
	if q.Standing.Missed == 0 {
		return
	}
	t, ok := q.Power.trend()
	if !ok {
		return
	}
	now, before := t.out(q.Now), t.out(q.Standing.Last)
	w[Battery] = max(now-float64(before*0.9), 0) // whom the trend gave up before was there none the less
	why.battery(&q.Power, &t, now)
}

// harm is how many of a thousand updates silence a device for good at a step, as long as no verdict says better. A device tells a step when it can:
// one that is at "downloaded" may have installed, and not come up.
var harm = map[string]float64{
	"accepted": 1, "deferred": 0.1, "downloading": 3, "downloaded": 15, "verified": 15, "installing": 30, "rebooting": 30, "confirmed": 3, "rolled_back": 5,
	"failed": 1,
}

// harmFades is how long after it began to run a software silences a device: half of those that it does within so many seconds.
const harmFades = 2 * 86400

// within is the part of the harm that comes between a device's last contact and the one that it missed first, for a software that has run since a time.
func within(st *presence.Standing, since int64) float64 {
	rest := func(at int64) float64 { return harmFades / (harmFades + float64(max(at-since, 0))) }
	return rest(st.Last) - rest(st.Last+int64(st.Interval))
}

// update weighs the update: against late and dead devices as the verdict says, or as updates are known to do harm.
func (w *weights) update(q *Quiet, why *evidence) {
	u := &q.Update
	if u.Rollout == "" || q.Standing.Missed == 0 {
		return
	}
	rest := w[Late] + w[Unknown]
	if u.Judged {
		p := min(max(u.Suspect, 0), certain)
		w[Update] = float64(rest*p) / (1 - p)
	} else {
		p := harm[u.Step] / 1000
		if p == 0 {
			return // it has not touched the device, or the device did not want it
		}
		if u.Step == "confirmed" || u.Step == "rolled_back" {
			p *= within(&q.Standing, u.Since)
		}
		w[Update] = p
	}
	why.update(q, w)
}

// outage lets the outages have what they explain: of living devices, and only as far as they cover what was missed.
func (w *weights) outage(q *Quiet, why *evidence) {
	st := &q.Standing
	if st.Missed == 0 {
		return
	}
	p, best := st.Outage, -1
	if p == 0 && st.Covered > 0 {
		p = pastOutage
	}
	covered := float64(st.Covered) / float64(st.Missed)
	p = float64(p * covered)
	for i := range q.Outages {
		o := &q.Outages[i]
		if have := o.explains(q); have > p || have > 0 && best < 0 {
			p, best = max(p, have), i
		}
	}
	if p == 0 {
		return
	}
	w.give(Outage, p)
	why.outage(q, best)
}

// explains is the share of the device's silence that a disturbance explains.
func (o *Disturbance) explains(q *Quiet) float64 {
	st := &q.Standing
	end := o.Until
	if end == 0 || end > q.Now {
		end = q.Now
	}
	due := st.Last + int64(st.Interval)
	if o.Since > q.Now || end < due { // before it there was nothing to miss, and after it there was an opportunity
		return 0
	}
	p := o.Probability
	if p == 0 {
		p = pastOutage
	}
	if missed := o.Since - due; missed > 0 { // contacts before it are not its doing
		p /= 1 + float64(missed)/float64(st.Interval)
	}
	if over := q.Now - end - int64(st.Interval); over > 0 {
		p *= pastFades / (pastFades + float64(over))
	}
	return p
}

// delivered is about a network that says that the device took a downlink: it is on, and its card is good.
func (w *weights) delivered(q *Quiet, why *evidence) {
	if q.Card.Delivered <= q.Standing.Last || q.Standing.Missed == 0 {
		return
	}
	for _, c := range [...]Class{Contract, Battery, Unknown} {
		w[c] *= deliveredTo
	}
	why.delivered(q.Card.Delivered)
}

package rollout

import (
	"cmp"
	"slices"
	"time"

	"github.com/godwit-gateway/godwit/codec"
)

// Offers of one try that are not answered are repeated with growing pauses, so many times.
const (
	offerPause  = time.Hour // before the first one, unless Config.Repeat says otherwise
	offerShifts = 6
	offersMax   = 8
	deferFor    = 24 * time.Hour // a device that put an update off is asked again after that
	busyFor     = 24 * time.Hour // since its last step, a device may be at what a rollout began that is halted or over
)

// repeat is after how long an offer that is not answered is sent once more.
func (m *Machine) repeat() time.Duration { return cmp.Or(m.config.Repeat, offerPause) }

// Offer is what a device that speaks now over a link is to be offered. It changes nothing, and may be asked again when the message leaves. The burst
// programme is in it if Config.Burst gives one.
func (m *Machine) Offer(now time.Time, at Place, link int) (o codec.Offer, ok bool) {
	if len(m.live) == 0 || link < 0 || link >= len(m.config.Links) {
		return o, false
	}
	var f Facts
	m.config.Fleet.Facts(at, &f)
	r, d := m.claim(now, f.Number)
	if r == nil || !m.offerable(now, r, d, link) {
		return o, false
	}
	rel := m.release(r)
	if reason, _ := m.admits(rel, &f, now); reason != NoReason {
		return o, false
	}
	o = r.Spec.offer(rel, r.Numbers[d.round-1])
	if m.config.Burst != nil {
		o.Burst = m.config.Burst(at)
	}
	return o, true
}

// claim is the rollout that a device belongs to now: the newest whose wave is open for it and which does not refuse it, unless the device is busy.
func (m *Machine) claim(now time.Time, number uint32) (*rollout, *device) {
	var r *rollout
	var d *device
	for _, x := range slices.Backward(m.live) {
		y := x.following(number)
		switch {
		case y == nil || y.standing == Refused || y.standing == Superseded:
		case x.keeps(now, y):
			return nil, nil
		case r == nil && x.active() && y.is(flagOpen):
			r, d = x, y
		}
	}
	return r, d
}

// keeps reports whether a device is busy with a rollout, so that no other one may have it. One that is halted or over gives nobody up any more: it keeps
// who was heard of lately only, or the rollout that mends things would never come to those that it left half way.
func (r *rollout) keeps(now time.Time, d *device) bool {
	if !d.standing.underway() || d.is(flagGivenUp) {
		return false
	}
	_, last := d.story()
	return r.State == Running || r.State == Paused || now.Before(unstamp(last.known).Add(busyFor))
}

// offerable reports whether a device may be sent an offer of a rollout over a link.
func (m *Machine) offerable(now time.Time, r *rollout, d *device, link int) bool {
	if r.State != Running || !r.Spec.open(now) || !r.Spec.carries(m.config.Links[link]) || slices.Contains(r.Held, r.from(d)) {
		return false
	}
	if !m.release(r).Withdrawn.IsZero() {
		return false
	}
	switch d.standing {
	case Eligible:
		return true
	case Offered:
		return !d.is(flagTaken) && d.tries < offersMax && !now.Before(unstamp(d.sent).Add(m.repeat()<<min(max(d.tries, 1)-1, offerShifts)))
	case Deferred:
		_, last := d.story()
		return d.tries < offersMax && !now.Before(unstamp(max(last.known, d.sent)).Add(deferFor))
	default:
		return false
	}
}

// Offered says that an offer was handed to the network. That the same message is handed to it once more, soon after, makes no other offer of it.
func (m *Machine) Offered(now time.Time, at Place, number uint32) {
	m.offer(now, at, number, func(r *rollout, d *device) {
		was := d.sent
		d.sent, d.waits = stamp(now), r.clock(now)
		again := was > 0 && d.tries > 0 && d.sent < was+seconds(m.repeat())
		if s, _ := d.story(); d.offered == 0 || again && d.offered == was && s == 0 && d.ran.known == 0 {
			d.offered = d.sent
			d.set(flagLost, false)
		}
		d.heard = max(d.heard, stampOf(m.facts.Last))
		if !again {
			d.tries = min(d.tries, 254) + 1
		}
	})
}

// Delivered says that the device acknowledged an offer. It will not be sent again in this try.
func (m *Machine) Delivered(now time.Time, at Place, number uint32) {
	m.offer(now, at, number, func(_ *rollout, d *device) {
		d.came(now)
		if d.offered == 0 {
			return
		}
		d.set(flagTaken, true)
		if d.sent == 0 { // the network had given it up too early
			d.sent = stamp(now)
		}
	})
}

// Undelivered says that the network gave an offer up: the device does not know of it. It costs none of the offers of this try.
func (m *Machine) Undelivered(now time.Time, at Place, number uint32) {
	m.offer(now, at, number, func(_ *rollout, d *device) {
		if s, _ := d.story(); s != 0 || d.is(flagTaken) || d.sent == 0 {
			return
		}
		if d.offered == d.sent && d.ran.known == 0 { // it was the first
			d.offered = 0
			d.set(flagLost, true)
		}
		d.sent, d.tries = 0, max(d.tries, 1)-1
	})
}

// came takes a device for one that was offered the release, if the network had given up the first offer and it knows of it nevertheless.
func (d *device) came(now time.Time) {
	if d.is(flagLost) {
		d.offered = stamp(now)
		d.set(flagLost, false)
	}
}

// offer notes what became of an offer of the current try.
func (m *Machine) offer(now time.Time, at Place, number uint32, change func(*rollout, *device)) {
	m.now = now
	t, ok := m.byNumber[number]
	if !ok {
		return
	}
	m.config.Fleet.Facts(at, &m.facts)
	r := m.rollouts[t.id]
	if d := m.device(r, m.facts.Number); d != nil && int(d.round) == t.at {
		m.settle(now, r, d, func(d *device) { change(r, d) })
		m.supersede(now, r, d.number)
	}
}

// supersede ends what older rollouts want of a device, unless it is busy with it.
func (m *Machine) supersede(now time.Time, by *rollout, number uint32) {
	for _, r := range m.live {
		if r.ID >= by.ID {
			return
		}
		d := r.following(number)
		if d == nil || d.standing == Superseded || d.standing == HeldOut || d.ran.known > 0 || r.keeps(now, d) {
			continue
		}
		m.settle(now, r, d, func(d *device) {
			d.set(flagSuperseded, true)
			if d.standing.underway() { // until it tells of another step
				d.set(flagGivenUp, true)
			}
		})
		if r.judge != nil {
			r.judge.Leave(now.Unix(), uint32(d.place))
		}
	}
}

// Retry offers the release anew to devices that failed, declined, deferred or were given up; no numbers: to all of them.
func (m *Machine) Retry(now time.Time, by Actor, id ID, numbers []uint32, remark string) (n int, a Authorisation, err error) {
	m.now = now
	r := m.rollouts[id]
	list, err := m.retried(r, id, by, numbers, remark)
	if err != nil {
		return 0, a, err
	}
	number := m.number()
	r.Numbers = append(r.Numbers, number)
	m.byNumber[number] = try{id, len(r.Numbers)}
	for _, d := range list {
		m.settle(now, r, d, func(d *device) {
			d.floor = d.newest()
			d.ran, d.runs, d.back, d.other, d.wrong = mark{}, mark{}, mark{}, mark{}, Order{}
			d.round, d.tries, d.sent, d.soak, d.soaked, d.settled, d.code = uint8(len(r.Numbers)), 0, 0, 0, 0, 0, 0 //nolint:gosec // at most triesMax
			d.flags &= flagOpen
			d.waits = r.clock(now)
		})
	}
	what := "rollout.retry"
	r.note(now, by, what, remark)
	m.dirty.head(id)
	m.tell(r, Action{Kind: ActRetried, Time: now, Reason: remark, Actor: by})
	return len(list), Authorisation{Time: now, Actor: by, What: what, Subject: r.subject(), Remark: remark, Detail: retryLine(list, numbers)}, nil
}

// newest is the newest of a device's marks.
func (d *device) newest() mark {
	best := d.floor
	for _, x := range []mark{d.ran, d.runs, d.back, d.other} {
		if x.known > 0 && (best.known == 0 || x.order.compare(best.order) > 0) {
			best = x
		}
	}
	return best
}

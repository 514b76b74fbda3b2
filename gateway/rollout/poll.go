package rollout

import "time"

// looksPerPoll bounds the devices of a rollout that one Poll looks at, so that frames do not wait for long.
const looksPerPoll = 16384

// Poll does what is due by time alone: verdicts, deadlines, waves, and the end of rollouts. more: it should be called again at once.
func (m *Machine) Poll(now time.Time) (more bool) {
	m.now = now
	m.ripen()
	if !m.back.IsZero() && !now.Before(m.back) {
		m.back = time.Time{}
		for _, r := range m.live {
			m.listens(now, r)
		}
	}
	for _, r := range m.live {
		if !r.active() {
			continue
		}
		if r.judge != nil {
			more = m.weigh(now, r) || more
		}
		if r.State == Running {
			more = m.proceed(now, r) || more
		}
	}
	m.watch()
	return more
}

// proceed does what is due in a rollout that runs.
func (m *Machine) proceed(now time.Time, r *rollout) (more bool) {
	if r.inviting {
		if m.inviteSome(now, r); r.inviting {
			return true
		}
	}
	more = m.expire(now, r)
	if r.opened() == 0 {
		m.another(now, r)
	}
	if r.opened() >= r.last() {
		m.finish(now, r)
		return more
	}
	if wave := r.opened() + 1; passed(m.gates(now, r, wave)) {
		m.openWave(now, r, machine)
	}
	return more || r.inviting
}

// followFor is how long devices are followed that a rollout left half way when it ended.
const followFor = 90 * 24 * time.Hour

// watch finds the rollouts that frames of devices may change.
func (m *Machine) watch() {
	m.live = m.live[:0]
	for _, id := range m.ids {
		if r := m.rollouts[id]; r.active() || r.busy > 0 && m.now.Before(r.Ended.Add(followFor)) {
			m.live = append(m.live, r)
		}
	}
}

// expire gives up devices of which too little was heard for too long, some at a time. more: there are others to be looked at.
func (m *Machine) expire(now time.Time, r *rollout) (more bool) {
	clock := r.clock(now)
	for range looksPerPoll {
		if r.cursor >= len(r.devices) {
			r.cursor = 0
			return false
		}
		d := &r.devices[r.cursor]
		r.cursor++
		if !d.is(flagOpen) || d.done() {
			continue
		}
		if m.opportunities(r, d, clock) >= r.Spec.Deadline {
			m.settle(now, r, d, func(d *device) { d.set(flagGivenUp, true) })
		}
	}
	return true
}

// opportunities is how many contacts a device should have made since something is expected of it. To one that may be offered the release each contact
// that it makes is a new chance: windows and links may have been closed. One that is refused is looked at each time, but not for ever.
func (m *Machine) opportunities(r *rollout, d *device, clock uint32) int {
	since := d.waits
	every := d.interval
	if d.offered == 0 || d.standing == Eligible {
		m.config.Fleet.Facts(d.place, &m.facts)
		every = seconds(m.facts.Interval)
		if !m.facts.Last.IsZero() && d.standing != Refused {
			since = max(since, stamp(m.facts.Last.Add(-r.Rested)))
		}
	}
	if every == 0 {
		every = intervalDefault
	}
	if d.standing == Deferred {
		since += seconds(deferFor)
	}
	if clock <= since {
		return 0
	}
	return int((clock - since) / every)
}

// finish ends a rollout that nothing more is expected of, once it was watched for long enough: what an update breaks may show days later.
func (m *Machine) finish(now time.Time, r *rollout) {
	clock := r.clock(now)
	if r.awaits() {
		if r.Settled > 0 {
			r.Settled = 0
			m.dirty.head(r.ID)
		}
		return
	}
	if r.Settled == 0 {
		r.Settled = clock
		m.dirty.head(r.ID)
	}
	n := r.total(0, r.last())
	if n[Confirmed] == 0 || clock-min(clock, r.Settled) >= seconds(r.Spec.Watch) {
		m.complete(now, r)
	}
}

// awaits reports whether something is expected of any device of the open waves. Of those of a version that is held nothing is but of who has begun: they
// would be asked for ever.
func (r *rollout) awaits() bool {
	if len(r.Held) == 0 || r.pending == 0 {
		return r.pending > 0
	}
	for i := range r.devices {
		if d := &r.devices[i]; d.is(flagOpen) && !d.done() && (!r.barred(d) || d.standing == Soaking) {
			return true
		}
	}
	return false
}

// complete ends a rollout of which nothing more is expected.
func (m *Machine) complete(now time.Time, r *rollout) {
	r.enter(now, Completed)
	r.Reason = "nothing more is expected of any device"
	r.note(now, machine, "rollout.complete", r.Reason)
	m.close(now, r)
	m.tell(r, Action{Kind: ActCompleted, Time: now, Reason: r.Reason, Actor: machine})
}

// end stops a rollout that people stopped.
func (m *Machine) end(now time.Time, r *rollout, was State) {
	m.close(now, r)
	if was < Running {
		r.Started = time.Time{}
	}
	m.watch()
}

// close drops what is needed only while a rollout can still go on.
func (m *Machine) close(now time.Time, r *rollout) {
	r.Ended = now.UTC()
	if r.judge != nil {
		v := r.judge.Verdict()
		r.Final = r.verdictLine(&v)
		r.Silent, r.Usual, r.Low, r.High = longSilences(&v)
		r.Survival = r.survival()
		r.judge = nil
		m.dirty.drop(r)
	}
	m.dirty.head(r.ID)
}

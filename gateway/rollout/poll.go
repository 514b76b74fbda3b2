package rollout

import "time"

// looksPerPoll bounds the devices of a rollout that one Poll looks at.
const looksPerPoll = 8192

// Poll does what is due by time alone: verdicts, deadlines, waves, and the end of rollouts. more: it should be called again at once.
func (m *Machine) Poll(now time.Time) (more bool) {
	m.now = now
	m.ripen()
	for _, r := range m.live {
		if !r.active() {
			continue
		}
		if r.judge != nil {
			m.weigh(now, r)
		}
		if r.State != Running {
			continue
		}
		m.expire(now, r)
		if r.opened() == 0 {
			m.another(now, r)
		}
		if r.opened() < r.last() {
			if wave := r.opened() + 1; passed(m.gates(now, r, wave)) {
				m.openWave(now, r, machine)
			}
			continue
		}
		if r.pending == 0 {
			m.complete(now, r)
		}
	}
	m.watch()
	return false
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

// expire gives up devices of which too little was heard for too long, some at a time.
func (m *Machine) expire(now time.Time, r *rollout) {
	clock := r.clock(now)
	for range min(looksPerPoll, len(r.devices)) {
		if r.cursor >= len(r.devices) {
			r.cursor = 0
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
		r.Silent, r.Usual, r.Low, r.High = silence(&v)
		r.judge = nil
		m.dirty.drop(r)
	}
	m.dirty.head(r.ID)
}

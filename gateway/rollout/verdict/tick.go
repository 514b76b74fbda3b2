package verdict

// none is a time that never comes.
const none = 1<<32 - 1

// ring is how many ticks ahead a timer is kept, a week: longer ones are looked at in between.
const ring = 2048

// timers are lists of places, one for each tick to come. A device is in one of them at most.
type timers [ring]uint32

// arm has the device looked at by the tick after its next due time, unless it is anyway by then.
func (j *Judge) arm(p Place, d *device) {
	due := j.due(d)
	if due == none {
		return
	}
	at := min(max((due+tick-1)/tick, j.tick+1), j.tick+ring-1)
	if d.armed != 0 && d.armed <= at {
		return
	}
	j.disarm(p, d)
	d.armed = at
	head := &j.timers[at%ring]
	if d.next = *head; d.next != 0 {
		j.peek(d.next - 1).prev = p + 1
	}
	*head = p + 1
}

func (j *Judge) disarm(p Place, d *device) {
	if d.armed == 0 {
		return
	}
	if d.prev != 0 {
		j.peek(d.prev - 1).next = d.next
	} else {
		j.timers[d.armed%ring] = d.next
	}
	if d.next != 0 {
		j.peek(d.next - 1).prev = d.prev
	}
	d.armed, d.prev, d.next = 0, 0, 0
}

// peek is the device at a place that is known. Its timer is no change of it.
func (j *Judge) peek(p Place) *device { return &j.pages[p/pageSize].devices[p%pageSize] }

// rel is a time in seconds since base.
func (j *Judge) rel(now int64) uint32 {
	return uint32(min(max(now-j.base, int64(j.tick)*tick), none-1)) //nolint:gosec // bounded
}

// advance lets all ticks pass up to now, and returns it in seconds since base. Contacts within a tick may come in any order.
func (j *Judge) advance(now int64) uint32 {
	at := j.rel(now)
	for j.tick < at/tick {
		j.tick++
		j.pass()
	}
	return at
}

// Poll lets time pass. How often it is called does not matter for what is decided, only for when.
func (j *Judge) Poll(now int64) { j.advance(now) }

// pass lets one tick pass: what was due in it and did not come.
func (j *Judge) pass() {
	now := j.tick * tick
	first := j.timers[j.tick%ring]
	j.timers[j.tick%ring] = 0
	for i := first; i != 0; { // controls first, so that an outage is seen before anything is held against others
		d := j.peek(i - 1)
		if d.control() && d.interval != 0 && !d.is(missed) && j.closes(d, 1) <= now {
			j.at(i - 1).flags |= missed
			j.attempted(d, true)
		}
		i = d.next
	}
	j.lookForOutages(now)
	for i := first; i != 0; {
		p := i - 1
		d := j.peek(p)
		i = d.next
		d.armed, d.prev, d.next = 0, 0, 0
		if j.lapse(d, now) {
			j.at(p)
		}
		j.arm(p, d)
	}
	if j.tick%(batch/tick) == 0 {
		j.fold()
	}
	j.decide(now)
}

// due is when the device's silence changes anything next.
func (j *Judge) due(d *device) uint32 {
	at := uint32(none)
	if d.until != 0 {
		at = d.until
	}
	return min(at, j.check(d))
}

// check is when a contact of the device is missed next that is looked at.
func (j *Judge) check(d *device) uint32 {
	switch {
	case d.treated() && d.flags&(burning|cycling) != 0 && d.checks < most:
		if k := steps[d.checks+1]; k <= manySteps || int64(k)*int64(d.interval) <= longRun {
			return j.closes(d, k)
		}
		return none
	case d.control() && d.interval != 0 && !d.is(missed):
		return j.closes(d, 1)
	default:
		return none
	}
}

// lapse counts what the device missed until now, and reports whether that has changed it.
func (j *Judge) lapse(d *device, now uint32) bool {
	changed := false
	for d.treated() && j.check(d) <= now {
		j.miss(d)
		changed = true
	}
	for d.until != 0 && d.until <= now {
		j.closeWindow(d)
		changed = true
	}
	return changed
}

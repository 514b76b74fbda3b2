package verdict

// Contact says that the device was heard now, and must be heard again after an interval: the longest that it may be running. 0: it need not be. All
// devices count that the rollout may be compared with, also those that it does not touch. A time before that of an earlier call counts as that one.
func (j *Judge) Contact(now int64, p Place, s Stratum, interval uint32) {
	at := j.advance(now)
	d := j.at(p)
	number := d.stratum
	if !d.is(known) || j.strata[number].Stratum != s {
		number = j.number(s)
	}
	if d.is(started) { // its group is the one in which it was counted
		n := uint16(len(j.links)) //nolint:gosec // at most 256
		number = d.stratum/n*n + number%n
	}
	moved := number != d.stratum || interval != d.interval || !d.is(known)
	if !d.is(known) { // a wave may have opened for it before
		d.flags, d.stratum, d.interval = d.flags&assigned|known, number, interval
	}
	at = max(at, d.last()) // calls of one tick may come in any order
	if d.is(burning) && at <= d.started {
		return // another frame of the contact that delivered the update
	}
	switch {
	case d.treated():
		j.heard(d, at)
		if d.is(out) {
			j.evidence[j.strata[d.stratum].group].silent--
		}
	case d.control():
		j.attend(d, at)
	}
	if moved && d.until != 0 {
		j.cutWindow(d, at)
	}
	d.origin, d.stratum, d.interval, d.checks = at, number, interval, 0
	d.flags &^= out | missed | burning
	if j.cycles(d) {
		d.flags |= cycling
	} else {
		d.flags &^= cycling
	}
	d.alive, d.dead, d.usual = 1, 0, 1
	if d.until == 0 && interval != 0 && (d.control() || d.treated()) {
		j.openWindow(d, 0)
	}
	j.arm(p, d)
}

// Assign says that a wave opens now with these devices. They are no controls any more from here on, heard or not.
func (j *Judge) Assign(now int64, places []Place) {
	j.advance(now)
	for _, p := range places {
		j.assign(p)
	}
}

func (j *Judge) assign(p Place) {
	if d := j.kept(p); d != nil && d.flags&(assigned|gone) != 0 {
		return
	}
	d := j.at(p)
	d.flags |= assigned
	d.until = 0
	j.drop(d)
}

// Start says that the device's last contact delivered the update, or announced the boot into it: it will be away for the downtime in seconds, then
// follow the burst, an index in Config.Bursts or -1 for none, until it is heard. Called again, as for a second try, it starts anew: how that ends is told
// anew, and a device whose first try failed takes part again. What was held against it then stays. It is to be called when nothing of the old software
// will be heard any more, since the next contact counts as the new one's.
func (j *Judge) Start(now int64, p Place, burst int, downtime uint32) {
	at := j.advance(now)
	d := j.at(p)
	if !d.is(known) || d.flags&(gone|reported) == gone {
		return
	}
	d.flags &^= gone | reported
	e := &j.evidence[j.strata[d.stratum].group]
	if !d.is(started) {
		e.started++
	}
	if d.is(resolved) {
		e.resolved--
	}
	if d.is(soaked) {
		e.soaked--
	}
	d.started = max(at, d.last())
	d.origin = clamp(int64(d.started) + int64(downtime))
	d.flags = d.flags&^(resolved|soaked|cycling|out|missed) | assigned | started | burning
	d.burst, d.checks = 0, 0
	if burst >= 0 && burst < len(j.config.Bursts) {
		d.burst = uint8(burst) + 1 //nolint:gosec // at most 255
	}
	d.alive, d.dead, d.usual = 1, 0, 1
	if d.until = 0; d.interval != 0 {
		j.openWindow(d, int64(downtime))
	}
	j.arm(p, d)
}

// Report says how the update of a started device ended by its own word: confirmed, or failed or rolled back. Only the first word of a try counts. A device
// that failed runs the old software, and its silence is not the update's any more.
func (j *Judge) Report(now int64, p Place, failed bool) {
	j.advance(now)
	d := j.find(p)
	if d == nil || !d.treated() || d.is(reported) {
		return
	}
	d = j.at(p)
	d.flags |= reported
	e := &j.evidence[j.strata[d.stratum].group]
	if e.reports++; failed {
		e.failures++
		e.failed++
		j.remove(d)
	}
	j.decision.due = true
}

// Leave takes the device out of all comparisons, without a judgement: it was retired, updated otherwise, or moved to another owner.
func (j *Judge) Leave(now int64, p Place) {
	j.advance(now)
	if d := j.find(p); d != nil && !d.is(gone) {
		j.remove(j.at(p))
	}
}

// remove ends what is counted of the device. What has been held against it stays: it was true when it was.
func (j *Judge) remove(d *device) {
	e := &j.evidence[j.strata[d.stratum].group]
	if d.is(out) && d.treated() {
		e.silent--
	}
	if d.treated() && !d.is(soaked) {
		d.flags |= soaked
		e.soaked++
	}
	d.flags = d.flags&^(burning|cycling|out) | gone
	d.until = 0
	j.drop(d)
}

// drop removes a timer that nothing is due for any more.
func (j *Judge) drop(d *device) {
	if j.due(d) == none {
		j.disarm(d)
	}
}

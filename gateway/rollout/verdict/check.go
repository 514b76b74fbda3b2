package verdict

// shares are the shares of devices that an update may silence, of which one is held against none at a time.
const shares = 5

var shareGrid = [shares]float64{0.005, 0.01, 0.03, 0.1, 0.3}

// What chances are multiplied by, so that they are above the true ones: of the first missed contact and of each further one, given those before. It
// must be conditional chances: inflating only the product of them would not do.
const (
	inflateFirst = 2
	inflateLater = 1.2
	inflateCap   = 0.95
	inflateDeath = 3   // times as many may die by themselves as did before
	deflate      = 0.5 // and so that they are below, where evidence is sought that the update does no harm
)

// slow is the mean time in seconds until an update silences a device that came back from it, and cycleDays how long after it that is looked for.
const (
	slow     = 24 * hour
	cycleEnd = 7 * day
)

// A group is soaked when so much of what has got the update was heard so long after it: by then most of what harms late has done so.
const (
	soak      = 48 * hour
	soakShare = 0.8
)

// cycles reports whether the device's contacts are still looked at for late harm.
func (j *Judge) cycles(d *device) bool {
	return d.treated() && d.interval != 0 && d.last()-d.started < cycleEnd && d.last() != d.started
}

// fading is the part of late harm that falls between two times after the update.
func fading(from, to int64) float64 {
	return exp(-float64(from)/slow) - exp(-float64(to)/slow)
}

// A wager is one device's part in the evidence: how much more likely its silence is for each share of harmed devices, and for Config.Excess.
type wager struct {
	odds [shares]fixed
	safe fixed
}

// quiet is the wager on a device whose run of missed contacts has a chance among the living, unless a part of the harmed is silent now.
func (j *Judge) quiet(d *device, part float64) (w wager) {
	if d.usual == 1 {
		return w
	}
	chance := float64(d.alive) + float64(d.dead)
	for i, q := range shareGrid {
		h := float64(q * part)
		w.odds[i] = fix(ln((h + float64((1-h)*chance)) / chance))
	}
	h, low := float64(j.config.Excess*part), float64(deflate*float64(d.usual))
	w.safe = fix(ln((h + float64((1-h)*low)) / low))
	return w
}

// spoke is the wager on a device that was heard.
func (j *Judge) spoke(part float64) (w wager) {
	for i, q := range shareGrid {
		w.odds[i] = fix(ln(1 - float64(q*part)))
	}
	w.safe = fix(ln(1 - float64(j.config.Excess*part)))
	return w
}

// A stake is the sum of wagers of a group.
type stake struct{ wager }

func (s *stake) replace(old, next *wager) {
	for i := range s.odds {
		s.odds[i] += next.odds[i] - old.odds[i]
	}
	s.safe += next.safe - old.safe
}

// part is the part of the harmed that would be silent in the device's present run.
func (j *Judge) part(d *device) float64 {
	if d.is(burning) {
		return 1
	}
	from := int64(d.origin - d.started)
	return fading(from, from+int64(d.interval))
}

// run is the stake that the device's present run counts in.
func (j *Judge) run(d *device) *stake {
	e := &j.evidence[j.strata[d.stratum].group]
	if d.is(burning) {
		return &e.burst
	}
	return &e.cycle
}

// miss counts a contact that a treated device missed. While its link is out, that says nothing.
func (j *Judge) miss(d *device) {
	s := &j.strata[d.stratum]
	gap, chance := j.gap(d), j.chance(d)
	if d.checks++; j.vetoes[s.Link].on() {
		return
	}
	part := j.part(d)
	old := j.quiet(d, part)
	inflated := inflateLater * chance
	dies := float64(inflateDeath * j.hazard[s.group] * gap)
	if d.usual == 1 {
		kappa := j.kappa(s)
		inflated = float64(inflateFirst*chance) * kappa
		dies *= kappa
	}
	d.dead = float32(float64(d.dead) + float64(float64(d.alive)*dies))
	d.alive = float32(float64(d.alive) * min(inflated, inflateCap))
	d.usual = float32(float64(d.usual) * min(chance, inflateCap))
	next := j.quiet(d, part)
	j.run(d).replace(&old, &next)
	j.decision.due = true
}

// chance is that of the next contact that is looked at, among the living.
func (j *Judge) chance(d *device) float64 {
	if d.is(burning) {
		return j.links[j.strata[d.stratum].Link].burst[d.checks]
	}
	return j.usual(d).missed[d.checks]
}

// heard counts a contact of a treated device.
func (j *Judge) heard(d *device, at uint32) {
	e := &j.evidence[j.strata[d.stratum].group]
	if d.is(burning) {
		e.resolved++
		d.flags |= resolved
	}
	if !d.is(soaked) && at-d.started >= soak {
		e.soaked++
		d.flags |= soaked
	}
	if d.flags&(burning|cycling) == 0 {
		return
	}
	part := j.part(d)
	old := j.quiet(d, part)
	if d.checks == 0 && d.is(cycling) && at < j.opens(d) { // by itself: it shows that the device lived until now, and no longer
		from := int64(d.origin - d.started)
		part = fading(from, from+int64(at-d.origin))
	}
	next := j.spoke(part)
	j.run(d).replace(&old, &next)
}

package verdict

import "slices"

// batch is the time in seconds over which windows are compared with each other.
const batch = 6 * hour

// arm is whom a window belongs to.
type arm int

const (
	control arm = iota
	soon        // updated not long before the window began
	later

	arms
)

// A tally is windows that have closed: their risk, and how many were silent.
type tally struct {
	risk   fixed
	events int64
}

func (t *tally) add(o tally) {
	t.risk += o.risk
	t.events += o.events
}

// A stratum is what closed in it in this batch, and in all.
type stratum struct {
	Stratum
	group int // index in Judge.evidence
	now   [arms]tally
	all   [arms]tally
}

// prepareStrata makes room for all links of all groups. What belongs to no group is together.
func (j *Judge) prepareStrata() {
	j.groups = make(map[Group]int, len(j.config.Groups))
	for g, group := range append(slices.Clone(j.config.Groups), Group{}) {
		if g < len(j.config.Groups) {
			j.groups[group] = g
		}
		for l := range j.links {
			j.strata = append(j.strata, stratum{Stratum: Stratum{Group: group, Link: uint8(l)}, group: g})
		}
	}
}

// number is the place of a stratum in Judge.strata.
func (j *Judge) number(s Stratum) uint16 {
	g, ok := j.groups[s.Group]
	if !ok {
		g = len(j.config.Groups)
	}
	return uint16(g*len(j.links) + min(int(s.Link), len(j.links)-1)) //nolint:gosec // bounded by Config.check
}

// settling is how long after the update its window is an early one, unless it is longer itself.
const settling = 48 * hour

// openWindow begins a window at the device's last contact.
func (j *Judge) openWindow(d *device, delay int64) {
	span := j.span(d)
	d.began = d.last()
	d.until = clamp(int64(d.began) + delay + span)
	d.flags &^= early
	if d.treated() && int64(d.began-d.started) <= max(settling, span) {
		d.flags |= early
	}
}

func (d *device) arm() arm {
	switch {
	case !d.treated():
		return control
	case d.is(early):
		return soon
	default:
		return later
	}
}

// closeWindow counts a window that is over. If the device was heard in it, the next one began at the last contact.
func (j *Judge) closeWindow(d *device) {
	t := &j.strata[d.stratum].now[d.arm()]
	t.risk += fix(j.risk(d))
	if d.last() > d.began {
		j.openWindow(d, 0)
		return
	}
	t.events++
	d.until = 0
	d.flags |= out
	if d.treated() {
		j.evidence[j.strata[d.stratum].group].silent++
		if !d.is(fell) {
			d.flags |= fell
			j.falls[span(d.began-d.started)]++
		}
	}
}

// cutWindow ends a window by a contact before its time, because another one must be measured differently: the device speaks at another interval from
// now on, or over another link. The part until now counts.
func (j *Judge) cutWindow(d *device, now uint32) {
	part := float64(now-d.began) / float64(d.until-d.began)
	j.strata[d.stratum].now[d.arm()].risk += fix(float64(j.risk(d) * part))
	d.until = 0
}

package rollout

import (
	"cmp"
	"encoding/hex"
	"slices"
	"strings"
	"time"
)

// Know is told of a device that is new, or of another product, customer or state than before.
func (m *Machine) Know(now time.Time, at Place) {
	m.now = now
	m.touch(at)
	f := &m.facts
	m.config.Fleet.Facts(at, f)
	for _, r := range m.live {
		if !r.active() {
			continue
		}
		i, known := slices.BinarySearchFunc(r.devices, f.Number, compareNumber)
		if known {
			if !f.Active {
				r.judge.Leave(now.Unix(), uint32(at))
			}
			continue
		}
		d, ok := r.member(now, at, f)
		if !ok {
			continue
		}
		r.devices = slices.Insert(r.devices, i, d)
		r.count(&r.devices[i], 1)
		m.dirty.device(r.ID, f.Number)
		if d.wave != held && int(d.wave) <= r.opened() {
			m.invite(now, r, &r.devices[i])
			r.judge.Assign(now.Unix(), []uint32{uint32(at)})
		}
	}
}

// Heard is told of each authentic frame that is new.
func (m *Machine) Heard(now time.Time, at Place, c Contact) {
	m.now = now
	if len(m.live) == 0 {
		return
	}
	f := &m.facts
	m.config.Fleet.Facts(at, f)
	for _, r := range m.live {
		d := r.following(f.Number)
		if r.judge != nil && c.Newest {
			m.judgeContact(now, r, d, at, c.Link)
		}
		if d == nil {
			continue
		}
		if d.offered > 0 && c.Newest {
			d.hear(now, f)
			m.dirty.mark(r.ID, d.number)
			m.soak(now, r, d, c)
		}
		m.look(now, r, d)
	}
}

// hear notes when a device was heard, and that it was overdue before.
func (d *device) hear(now time.Time, f *Facts) {
	t := stamp(now)
	if d.heard > 0 && late(t, d.heard, d.interval) {
		if len(d.gaps) == gapsMax {
			d.gaps = slices.Delete(d.gaps, 0, 1)
		}
		d.gaps = append(d.gaps, gap{d.heard + patience(d.interval), t})
	}
	d.heard, d.interval = max(d.heard, t), seconds(f.Interval)
}

// patience is how long nothing may be heard of a device before it is overdue: two of its intervals and what delivery may take.
func patience(interval uint32) uint32 {
	if interval == 0 {
		interval = intervalDefault
	}
	return 2*min(interval, 1<<30) + 600
}

// intervalDefault is how often a device is taken to speak of which that is unknown, in seconds.
const intervalDefault = 24 * 3600

// contactGap is how far apart frames are that are not one contact, unless Config.Gap says otherwise.
const contactGap = time.Minute

// soak counts a contact of a device that runs the release.
func (m *Machine) soak(now time.Time, r *rollout, d *device, c Contact) {
	if d.standing != Soaking || !c.Newest || c.Boot || c.Order.compare(d.ran.order) <= 0 {
		return
	}
	if t := stamp(now); t >= d.soaked+seconds(cmp.Or(m.config.Gap, contactGap)) {
		d.soak, d.soaked = min(d.soak, 254)+1, t
		if int(d.soak) >= r.Spec.Soak {
			m.ripe = append(m.ripe, ripe{r, d.number})
		}
	}
}

// look finds anew whether a device that speaks may have the release. One that was given up because it did not call is back.
func (m *Machine) look(now time.Time, r *rollout, d *device) {
	if !r.active() || !d.is(flagOpen) || d.standing != Eligible && d.standing != Refused && d.standing != Expired {
		return
	}
	if d.sent > 0 && (len(d.gaps) == 0 || d.gaps[len(d.gaps)-1].to != stamp(now)) {
		return // it was there, and did not answer
	}
	rel := m.release(r)
	reason, _ := m.admits(rel, &m.facts, now)
	if reason == d.reason && d.standing != Expired {
		return
	}
	m.settle(now, r, d, func(d *device) {
		d.reason = reason
		if d.is(flagGivenUp) {
			d.set(flagGivenUp, false)
			d.sent, d.tries, d.waits = 0, 0, r.clock(now)
		}
	})
	if reason == NoReason {
		m.supersede(now, r, d.number)
	}
}

// Reported is told what a frame says of the software that its device runs.
func (m *Machine) Reported(now time.Time, at Place, s Software) {
	m.now = now
	if s.At.IsZero() {
		s.At = now
	}
	if s.Version != s.Was {
		m.touch(at)
	}
	f := &m.facts
	m.config.Fleet.Facts(at, f)
	explained := false
	for _, id := range m.ids {
		r := m.rollouts[id]
		d := m.reporting(r, f, &s)
		if d == nil {
			continue
		}
		what := s.of(r.Spec.Version, m.build(r))
		if what == saysNothing || what == saysOther && d.offered == 0 && !d.is(flagLost) {
			continue
		}
		m.settle(now, r, d, func(d *device) {
			if what == saysRuns {
				d.came(now)
			}
			m.software(now, r, d, &s, what)
		})
		if d.standing == Outside {
			if r.judge != nil {
				r.judge.Leave(now.Unix(), uint32(at))
			}
			continue
		}
		explained = explained || d.ran.known > 0 && !d.is(flagMoved)
		if d.standing == Soaking && r.judge != nil && !d.is(flagJudged) { // nothing was heard of it before it had booted
			d.set(flagJudged, true)
			r.judge.Start(now.Unix(), uint32(at), -1, 0)
			m.dirty.judge(r.ID)
			m.dirty.device(r.ID, d.number)
		}
	}
	if s.Newest && s.Was != "" && s.Version != "" && s.Version != s.Was && !explained {
		m.actions = append(m.actions, Action{
			Kind: ActOutside, Place: at, Time: now, Product: f.Product, Version: s.Version, From: s.Was, DeviceTime: s.At,
		})
	}
}

// reporting is the device of a rollout that a report is of. One that is not in memory is read back where the report is news.
func (m *Machine) reporting(r *rollout, f *Facts, s *Software) *device {
	if r.freeing.freed && (r.Spec.Product != f.Product || s.Version == s.Was) {
		return r.following(f.Number)
	}
	return m.device(r, f.Number)
}

// says is what a report says of a release.
type says uint8

const (
	saysNothing says = iota
	saysRuns
	saysOther
	saysWrong // its version, of another build
)

// of finds what a report says of a release.
func (s *Software) of(version, build string) says {
	switch {
	case s.Version != "" && s.Version != version:
		return saysOther
	case s.Build == "" || build == "":
		if s.Version == "" {
			return saysNothing
		}
		return saysRuns
	case strings.HasPrefix(build, s.Build) || strings.HasPrefix(s.Build, build):
		return saysRuns
	case s.Version == "":
		return saysOther
	default:
		return saysWrong
	}
}

// software notes what a report says. The marks are the same in whatever order the reports come.
func (m *Machine) software(now time.Time, r *rollout, d *device, s *Software, what says) {
	if d.floor.known > 0 && s.Order.compare(d.floor.order) <= 0 {
		return // it was sent before this try
	}
	x := mark{order: s.Order, at: stamp(s.At), known: stamp(now), built: s.Build != "" && m.build(r) != ""}
	switch what {
	case saysRuns:
		d.runsRelease(x)
	case saysWrong:
		if s.Order.compare(d.wrong) > 0 {
			d.wrong = s.Order
		}
		if !d.ran.built { // the version alone was not enough
			d.ran, d.runs, d.soak = mark{}, mark{}, 0
		}
		d.runsOther(x)
	case saysOther:
		if m.beyond(r, d, s) {
			if x.order.compare(d.runs.order) > 0 {
				d.set(flagMoved, true)
			}
			return
		}
		d.runsOther(x)
	case saysNothing:
	}
}

// beyond reports whether a device that ran the release has gone on to something else, rather than back.
func (m *Machine) beyond(r *rollout, d *device, s *Software) bool {
	from := r.from(d)
	if s.Version == "" || s.Version == from {
		return false
	}
	o := m.releases[releaseKey{r.Spec.Product, s.Version}]
	if o == nil {
		return from != "" // of one whose version was not known before it may be that
	}
	return o.Sequence > m.release(r).Sequence
}

// release is the release that a rollout leads to.
func (m *Machine) release(r *rollout) *Release {
	return m.releases[releaseKey{r.Spec.Product, r.Spec.Version}]
}

// build is the hash of its build, "" if it has none.
func (m *Machine) build(r *rollout) string { return hex.EncodeToString(m.release(r).Build) }

func (d *device) runsRelease(x mark) {
	if d.wrong != (Order{}) {
		if !x.built {
			return
		}
		if x.order.compare(d.wrong) > 0 {
			d.wrong = Order{}
		}
	}
	if d.ran.known == 0 || x.order.compare(d.ran.order) < 0 {
		d.ran = x
		d.soaked = max(d.soaked, x.known)
	}
	if d.runs.known == 0 || x.order.compare(d.runs.order) > 0 {
		d.runs = x
		d.set(flagMoved, false)
	}
	if d.back.known > 0 && d.back.order.compare(d.runs.order) < 0 { // it came to run it again
		d.back, d.soak, d.soaked = mark{}, 0, d.runs.known
	}
	if d.back.known == 0 && d.other.known > 0 && d.other.order.compare(d.runs.order) > 0 {
		d.back, d.soak = d.other, 0
	}
	d.set(flagGivenUp, false)
}

func (d *device) runsOther(x mark) {
	if d.other.known == 0 || x.order.compare(d.other.order) > 0 {
		d.other = x
	}
	if d.ran.known > 0 && x.order.compare(d.runs.order) > 0 && (d.back.known == 0 || x.order.compare(d.back.order) < 0) {
		d.back, d.soak = x, 0
	}
}

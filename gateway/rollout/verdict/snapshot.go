package verdict

import (
	"fmt"
	"math/bits"
)

// A Judge is written in three parts, so that a caller can keep what changed in the batch of the frame that changed it: AppendFixed once, AppendState
// and the devices of Dirty with each batch. AppendBinary is all of it in one. Each begins with a version.

// AppendFixed appends what does not change: the configuration and the null tables, about 1 kB for each link.
func (j *Judge) AppendFixed(b []byte) []byte {
	f := flow{b: b}
	j.flowFixed(&f)
	return f.b
}

// AppendState appends the evidence and the sums behind it: about 1 kB for each link and each group.
func (j *Judge) AppendState(b []byte) []byte {
	f := flow{b: b}
	j.flowState(&f)
	return f.b
}

// AppendDevice appends a device, 39 bytes; nothing if none is known at the place, and no wave has opened for it.
func (j *Judge) AppendDevice(b []byte, p Place) []byte {
	d := j.kept(p)
	if d == nil {
		return b
	}
	f := flow{b: b}
	d.flow(&f)
	return f.b
}

// Load is a Judge from the fixed part and the state. Its devices are to be given to LoadDevice before anything else is told to it.
func Load(fixed, state []byte) (*Judge, error) {
	j := &Judge{}
	f := flow{b: fixed, reading: true}
	j.flowFixed(&f)
	if err := f.end("fixed part"); err != nil {
		return nil, err
	}
	if err := j.config.check(); err != nil {
		return nil, fmt.Errorf("fixed part: %w: %w", ErrSnapshot, err)
	}
	if err := j.validTables(); err != nil {
		return nil, err
	}
	j.prepare()
	f = flow{b: state, reading: true}
	j.flowState(&f)
	if err := f.end("state"); err != nil {
		return nil, err
	}
	return j, j.valid()
}

// LoadDevice reads what AppendDevice wrote.
func (j *Judge) LoadDevice(p Place, b []byte) error {
	f := flow{b: b, reading: true}
	var d device
	d.flow(&f)
	if err := f.end("device"); err != nil {
		return err
	}
	chance := func(x float32) bool { return x > 0 && x <= 1 }
	unheard := d == device{flags: assigned}
	if !unheard && (!d.is(known) || d.flags&^allFlags != 0 || int(d.stratum) >= len(j.strata) || int(d.burst) > len(j.config.Bursts) || d.checks > most ||
		!chance(d.alive) || !chance(d.usual) || !(d.dead >= 0) || d.until != 0 && (d.until <= d.began || d.interval == 0)) {
		return fmt.Errorf("device with flags %#x in stratum %d: %w", d.flags, d.stratum, ErrSnapshot)
	}
	to := j.at(p)
	j.disarm(to)
	*to = d
	j.arm(p, to)
	return nil
}

// LoadAssigned says, after LoadDevice and before anything else, that a wave had opened for a device. What was written says so by itself, unless that was done
// by a version for which a device was a control that was heard only after its wave had opened.
func (j *Judge) LoadAssigned(p Place) { j.assign(p) }

// Dirty appends the places whose devices changed since it was called last, ascending, and forgets them.
func (j *Judge) Dirty(to []Place) []Place {
	for n, g := range j.pages {
		if g == nil {
			continue
		}
		for i, word := range g.dirty {
			for ; word != 0; word &= word - 1 {
				to = append(to, Place(n*pageSize+i*64+bits.TrailingZeros64(word))) //nolint:gosec // places are 32 bits
			}
		}
		g.dirty = [len(g.dirty)]uint64{}
	}
	return to
}

// AppendBinary appends the whole Judge.
func (j *Judge) AppendBinary(b []byte) ([]byte, error) {
	f := flow{b: b}
	fixed, state := j.AppendFixed(nil), j.AppendState(nil)
	f.text(4, &fixed)
	f.text(4, &state)
	for n, g := range j.pages {
		for i := 0; g != nil && i < pageSize; i++ {
			if d := &g.devices[i]; d.flags != 0 {
				p := Place(n*pageSize + i)
				carry(&f, 4, &p)
				d.flow(&f)
			}
		}
	}
	return f.b, nil
}

// deviceSize is the length of a device, maxPlace bounds what a damaged snapshot can make Restore allocate.
const (
	deviceSize = 39
	maxPlace   = 1 << 26
)

// Restore reads what AppendBinary wrote.
func Restore(b []byte) (*Judge, error) {
	f := flow{b: b, reading: true}
	var fixed, state []byte
	f.text(4, &fixed)
	f.text(4, &state)
	if f.err != nil {
		return nil, f.err
	}
	j, err := Load(fixed, state)
	for err == nil && len(f.b) > 0 {
		var p Place
		carry(&f, 4, &p)
		if p > maxPlace {
			f.fail("place %d", p)
		}
		if one := f.take(deviceSize); f.err == nil {
			err = j.LoadDevice(p, one)
		} else {
			err = f.err
		}
	}
	if err != nil {
		return nil, err
	}
	j.Dirty(nil)
	return j, nil
}

func (j *Judge) flowFixed(f *flow) {
	c := &j.config
	f.version(1)
	carry(f, 8, &j.base)
	f.floats(&c.Alpha, &c.Beta, &c.Excess, &c.Failures)
	length(f, &c.Groups, 4)
	for i := range c.Groups {
		carry(f, 2, &c.Groups[i].Product, &c.Groups[i].From)
	}
	length(f, &j.hazard, 8)
	for i := range j.hazard {
		f.floats(&j.hazard[i])
	}
	length(f, &c.Links, 8)
	if f.reading {
		j.links = make([]link, len(c.Links))
	}
	for i := range c.Links {
		l := &c.Links[i]
		name := []byte(l.Name)
		f.text(2, &name)
		l.Name = string(name)
		carry(f, 4, &l.Grace)
		carry(f, 2, &l.Jitter)
		f.flag(&l.Wakeable)
		j.links[i].flow(f)
		j.links[i].grace, j.links[i].jitter = int64(l.Grace), int64(l.Jitter)
	}
	length(f, &c.Bursts, 2)
	for i := range c.Bursts {
		b := (*[]uint32)(&c.Bursts[i])
		length(f, b, 4)
		for n := range *b {
			carry(f, 4, &(*b)[n])
		}
	}
}

func (l *link) flow(f *flow) {
	for i := range l.burst {
		f.floats(&l.burst[i])
	}
	for o := range l.octaves {
		u := &l.octaves[o]
		for i := range u.missed {
			f.floats(&u.missed[i])
		}
		carry(f, 2, &u.window)
		f.floats(&u.tail)
	}
}

func (j *Judge) flowState(f *flow) {
	version := f.version(2) // 1 knew neither of groups that are set aside nor of falls
	d := &j.decision
	carry(f, 4, &j.tick, &d.halted)
	carry(f, 4, &d.overrides)
	carry(f, 1, &d.by)
	f.flag(&d.due)
	for c := range d.peak {
		f.floats(&d.peak[c])
	}
	j.common.across.flow(f)
	for i := range j.strata {
		for a := range arms {
			j.strata[i].now[a].flow(f)
			j.strata[i].all[a].flow(f)
		}
	}
	for i := range j.vetoes {
		v := &j.vetoes[i]
		for h := range v.hours {
			carry(f, 8, &v.hours[h].n, &v.hours[h].missed)
			carry(f, 8, &v.hours[h].expected)
		}
		f.flag(&v.told)
		f.flag(&v.seen)
	}
	for _, all := range [2][]past{j.linkPast, j.groupPast} {
		for i := range all {
			f.floats(&all[i].events, &all[i].expected)
			for w := range all[i].week {
				all[i].week[w].flow(f)
			}
		}
	}
	for i := range j.evidence {
		j.evidence[i].flow(f)
		if version >= 2 {
			f.flag(&j.evidence[i].aside)
		}
	}
	for i := 0; i < len(j.falls) && version >= 2; i++ {
		carry(f, 4, &j.falls[i])
	}
}

func (t *tally) flow(f *flow) {
	carry(f, 8, &t.risk)
	carry(f, 8, &t.events)
}

func (w *windows) flow(f *flow) {
	for p := range w {
		for t := range w[p] {
			carry(f, 8, &w[p][t])
		}
	}
}

func (e *evidence) flow(f *flow) {
	for _, s := range [2]*stake{&e.burst, &e.cycle} {
		for i := range s.odds {
			carry(f, 8, &s.odds[i])
		}
		carry(f, 8, &s.safe)
	}
	e.paired.flow(f)
	e.across.flow(f)
	e.historic.flow(f)
	carry(f, 8, &e.reports, &e.failures, &e.started, &e.resolved, &e.silent, &e.soaked, &e.failed)
	carry(f, 4, &e.halted)
}

func (d *device) flow(f *flow) {
	f.version(1)
	carry(f, 4, &d.origin, &d.began, &d.until, &d.started, &d.interval)
	f.singles(&d.alive, &d.dead, &d.usual)
	carry(f, 2, &d.stratum)
	carry(f, 1, &d.checks, &d.burst)
	carry(f, 2, &d.flags)
}

// validTables refuses chances that no history leads to.
func (j *Judge) validTables() error {
	chance := func(p float64) bool { return p > 0 && p <= 1 }
	if len(j.hazard) != len(j.config.Groups)+1 {
		return fmt.Errorf("%d hazards of %d groups: %w", len(j.hazard), len(j.config.Groups), ErrSnapshot)
	}
	for _, h := range j.hazard {
		if !(h >= 0 && h < 1) {
			return fmt.Errorf("hazard %g: %w", h, ErrSnapshot)
		}
	}
	for i := range j.links {
		l := &j.links[i]
		all := []chances{l.burst}
		for o := range l.octaves {
			u := &l.octaves[o]
			if all = append(all, u.missed); u.window == 0 || u.window > longestWindow || !chance(u.tail) {
				return fmt.Errorf("link %d: a window of %d contacts, silent with %g: %w", i, u.window, u.tail, ErrSnapshot)
			}
		}
		for _, c := range all {
			for _, p := range c {
				if !chance(p) {
					return fmt.Errorf("link %d: chance %g: %w", i, p, ErrSnapshot)
				}
			}
		}
	}
	return nil
}

// valid refuses a state that no calls lead to.
func (j *Judge) valid() error {
	if j.tick == 0 || j.tick > none/tick || j.decision.by >= Components || j.decision.overrides < 0 {
		return fmt.Errorf("tick %d, halted by %d: %w", j.tick, j.decision.by, ErrSnapshot)
	}
	for i := range j.evidence {
		e := &j.evidence[i]
		if e.reports < 0 || e.failures < 0 || e.failures > e.reports || e.started < 0 || e.resolved < 0 || e.silent < 0 {
			return fmt.Errorf("group %d: counts below 0: %w", i, ErrSnapshot)
		}
	}
	return nil
}

package rollout

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/godwit-gateway/godwit/gateway/rollout/verdict"
)

// A Starting is the start of a rollout, of some devices at a time, so that frames need not wait until it is done:
//
//	for s.Some(n) {}         looks at the devices; each is in the rollout as it is then, or as it says until the start is done
//	s.Sort()                 takes a while and asks nothing of the machine, which may be used by others meanwhile
//	for s.Write(rows, n) {}  writes their rows ahead; without this Begin has all of them written
//	s.Begin(now)             the rollout runs
//
// Until Begin the rollout is what it was. Rows that were written ahead of a start that never came to its end are not read back, and are deleted.
type Starting struct {
	m      *Machine
	r      *rollout // that is to run
	draft  *rollout // with what was found
	by     Actor
	remark string

	next    int // place
	chunks  [][]device
	ready   int // devices of the draft that are counted
	wrote   bool
	groups  []verdict.Group
	touched []Place // devices of which something came to be known since it began
}

// Starting begins a start.
func (m *Machine) Starting(now time.Time, by Actor, id ID, remark string) (*Starting, error) {
	r := m.rollouts[id]
	if r == nil {
		return nil, fmt.Errorf("rollout %d: %w", id, ErrUnknown)
	}
	s := &Starting{m: m, r: r, draft: &rollout{head: head{ID: id, Spec: r.Spec, Numbers: r.Numbers, Started: now.UTC()}}, by: by, remark: remark}
	if err := s.allowed(); err != nil {
		return nil, err
	}
	if m.startOf(id) != nil {
		return nil, fmt.Errorf("start rollout %d that is being started: %w", id, ErrState)
	}
	m.starting = append(m.starting, s)
	return s, nil
}

// startOf is the start of a rollout that is on its way, or nil.
func (m *Machine) startOf(id ID) *Starting {
	for _, s := range m.starting {
		if s.r.ID == id {
			return s
		}
	}
	return nil
}

func (s *Starting) allowed() error {
	if err := s.r.allowed(s.by, Start, s.remark); err != nil {
		return err
	}
	return s.m.possible(s.r, Start)
}

// Some looks at the next devices, so many at most. It reports whether there are more.
func (s *Starting) Some(most int) (more bool) {
	end := min(s.next+most, s.m.config.Fleet.Len())
	list := make([]device, 0, end-s.next)
	for ; s.next < end; s.next++ {
		s.m.config.Fleet.Facts(Place(s.next), &s.m.facts) //nolint:gosec // places are of 32 bits
		if d, ok := s.draft.member(s.draft.Started, Place(s.next), &s.m.facts); ok {
			list = append(list, d)
		}
	}
	s.chunks = append(s.chunks, list)
	return s.next < s.m.config.Fleet.Len()
}

// Sort brings the devices into their order, once there are no more.
func (s *Starting) Sort() {
	s.draft.devices, s.chunks = slices.Concat(s.chunks...), nil
	slices.SortFunc(s.draft.devices, func(a, b device) int { return cmp.Compare(a.number, b.number) })
}

// Write writes the rows of the next devices, so many at most. It reports whether there are more. The rows must become durable before those of the Drain
// after Begin.
func (s *Starting) Write(to Rows, most int) (more bool) {
	d, list := &s.m.dirty, s.draft.devices
	if !s.wrote {
		s.wrote = true
		d.unstage(to, s.r.ID)
	}
	for end := min(s.ready+most, len(list)); s.ready < end; s.ready++ {
		x := &list[s.ready]
		s.count(x)
		d.key = deviceRow(d.key[:0], rowDevice, s.r.ID, x.number)
		d.value = x.append(d.value[:0])
		to.PutRollout(d.key, d.value)
	}
	return s.ready < len(list)
}

// count adds a device to what is known of all.
func (s *Starting) count(d *device) {
	s.draft.count(d, 1)
	s.group(d)
}

// groupsMax is how many groups of devices a verdict tells apart.
const groupsMax = 64

// group adds the group of a device to those that the verdict tells apart.
func (s *Starting) group(d *device) {
	g := verdict.Group{Product: s.m.rule(d.place), From: uint16(d.from)}
	if len(s.groups) < groupsMax && !slices.Contains(s.groups, g) {
		s.groups = append(s.groups, g)
	}
}

// Begin has the rollout run, and opens its first wave. An error changes nothing.
func (s *Starting) Begin(now time.Time) (Authorisation, error) {
	m, r := s.m, s.r
	m.now = now
	if err := s.allowed(); err != nil {
		return Authorisation{}, err
	}
	for ; s.ready < len(s.draft.devices); s.ready++ { // those that were not written ahead
		d := &s.draft.devices[s.ready]
		s.count(d)
		m.dirty.device(r.ID, d.number)
	}
	changed, gone, came := s.refresh()
	judge, err := m.newJudge(now, r.ID, s.groups)
	if err != nil {
		return Authorisation{}, err
	}
	s.forget()
	r.devices, r.counts, r.Versions, r.judge = s.draft.devices, s.draft.counts, s.draft.Versions, judge
	r.tried, r.busy, r.pending = s.draft.tried, s.draft.busy, s.draft.pending
	for _, number := range changed {
		m.dirty.device(r.ID, number)
	}
	m.dirty.gone = append(m.dirty.gone, gone...)
	m.listens(now, r)
	a := m.moved(now, s.by, r, Start, s.remark)
	m.begin(now, r, s.by)
	for _, at := range came {
		m.Know(now, at)
	}
	return a, nil
}

// refresh looks once more at the devices of which something came to be known meanwhile: changed are those whose row must be written again, gone those that
// are not in the rollout any more, for they run its release, and came those that may be in it now.
func (s *Starting) refresh() (changed []uint32, gone []deviceKey, came []Place) {
	slices.Sort(s.touched)
	drops := make(map[uint32]bool)
	for _, at := range slices.Compact(s.touched) {
		s.m.config.Fleet.Facts(at, &s.m.facts)
		i, known := slices.BinarySearchFunc(s.draft.devices, s.m.facts.Number, compareNumber)
		d, ok := s.draft.member(s.draft.Started, at, &s.m.facts)
		switch {
		case known && ok:
			s.draft.devices[i] = d
			s.group(&d)
			changed = append(changed, d.number)
		case known:
			s.draft.count(&s.draft.devices[i], -1)
			drops[s.m.facts.Number] = true
			gone = append(gone, deviceKey{s.r.ID, s.m.facts.Number})
		case ok:
			came = append(came, at)
		}
	}
	if s.touched = nil; len(drops) > 0 {
		s.draft.devices = slices.DeleteFunc(s.draft.devices, func(d device) bool { return drops[d.number] })
	}
	return changed, gone, came
}

// Cancel ends a start that did not come to Begin. After that it does nothing.
func (s *Starting) Cancel() {
	if s.m.startOf(s.r.ID) != s {
		return
	}
	s.forget()
	if s.wrote {
		s.m.dirty.unstaged = append(s.m.dirty.unstaged, s.r.ID)
		s.m.dirty.must = true
	}
}

func (s *Starting) forget() {
	s.m.starting = slices.DeleteFunc(s.m.starting, func(x *Starting) bool { return x == s })
}

// touch notes that something came to be known of a device.
func (m *Machine) touch(at Place) {
	for _, s := range m.starting {
		s.touched = append(s.touched, at)
	}
}

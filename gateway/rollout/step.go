package rollout

import (
	"cmp"
	"slices"
	"time"

	"github.com/godwit-gateway/godwit/codec"
)

// step is a step of an update as a device told it.
type step struct {
	round  uint8 // the try it is of
	step   codec.UpdateStep
	code   uint8
	over   bool   // it was then or earlier
	at     uint32 // by the device
	within uint32 // at may be off by so many seconds
	known  uint32 // received first
}

// stepsKept bounds the story of a device; the oldest go first.
const stepsKept = 40

// Steps is told of a step log. made is when the device made it, as StepLog.Made says.
func (m *Machine) Steps(now, made time.Time, at Place, l *codec.StepLog) {
	t, ok := m.byNumber[l.Rollout]
	if !ok {
		return
	}
	r := m.rollouts[t.id]
	m.config.Fleet.Facts(at, &m.facts)
	d := m.device(r, m.facts.Number)
	if d == nil || d.offered == 0 && !d.is(flagLost) || d.is(flagSuperseded) && d.sent == 0 { // what was never offered was not accepted
		return
	}
	var fresh []step
	m.settle(now, r, d, func(d *device) {
		current := false
		for i := range l.Steps {
			e := &l.Steps[i]
			s := step{
				round: uint8(t.at), step: e.Step, code: e.Code, over: e.Over, at: stamp(made.Add(-e.Age)), //nolint:gosec // few
				within: 60 + seconds(e.Age)/64, known: stamp(now),
			}
			if d.add(s) {
				fresh = append(fresh, s)
				current = current || s.round == d.round
			}
		}
		if !current {
			return
		}
		d.came(now)
		d.set(flagGivenUp, false)
		d.set(flagTaken, true)
		d.waits = r.clock(now)
		_, last := d.story()
		d.code = last.code
	})
	for _, s := range fresh {
		m.tell(r, Action{
			Kind: ActStep, Place: at, Time: now, Step: s.step, Code: s.code, DeviceTime: unstamp(s.at), From: r.from(d),
		})
	}
	if len(fresh) > 0 {
		m.judgeStart(now, r, d)
	}
}

// add puts a step into the story, unless it is there. Two tellings of one step differ in how well they know when it was: the better one counts.
func (d *device) add(s step) bool {
	for i := range d.steps {
		o := &d.steps[i]
		if o.round != s.round || o.step != s.step || o.code != s.code || apart(o.at, s.at) > max(o.within, s.within)+slack {
			continue
		}
		if s.within < o.within || s.within == o.within && s.at < o.at {
			o.at, o.within, o.over = s.at, s.within, s.over
			defer slices.SortFunc(d.steps, compareSteps)
		}
		o.known = min(o.known, s.known)
		return false
	}
	at, _ := slices.BinarySearchFunc(d.steps, s, compareSteps)
	d.steps = slices.Insert(d.steps, at, s)
	if len(d.steps) > stepsKept {
		d.steps = slices.Delete(d.steps, 0, 1)
		return at > 0
	}
	return true
}

func apart(a, b uint32) uint32 { return max(a, b) - min(a, b) }

func compareSteps(a, b step) int {
	return cmp.Or(cmp.Compare(a.round, b.round), cmp.Compare(a.at, b.at), cmp.Compare(a.step, b.step), cmp.Compare(a.code, b.code))
}

// latest is the step that a device came to last in a round up to a time, by what was known at another one: of those at the latest time, as well as that is
// known, the one furthest on. known is 0 if there is none.
func latest(steps []step, round uint8, at, asOf uint32) (last step) {
	newest := uint32(0)
	for i := range steps {
		if s := &steps[i]; s.round == round && s.at <= at && s.known <= asOf {
			newest = max(newest, s.at)
		}
	}
	for i := range steps {
		s := &steps[i]
		if s.round != round || s.at > at || s.known > asOf || s.at+s.within+slack < newest {
			continue
		}
		if last.known == 0 || rank(s.step) > rank(last.step) || s.step == last.step && s.at >= last.at {
			last = *s
		}
	}
	return last
}

// rank is how far on a step is: who put an update off or refused it may accept it later.
func rank(s codec.UpdateStep) int {
	switch s {
	case codec.StepDeferred:
		return 1
	case codec.StepDeclined:
		return 2
	case codec.StepAccepted:
		return 3
	default:
		return int(s)
	}
}

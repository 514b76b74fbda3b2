package rollout

import (
	"slices"
	"strconv"
	"time"

	"github.com/godwit-gateway/godwit/gateway/rollout/silence"
)

// Why is what the silence of a device is put down to, by all that is known of it and by where it stands in the newest rollout that may have to do with it. Where
// that has ended it reads the store: it is for single devices, and for pages of them.
func (m *Machine) Why(now time.Time, at Place) silence.Finding {
	var f Facts
	m.config.Fleet.Facts(at, &f)
	return silence.Judge(m.quiet(now, at, f.Number, nil, nil, m.device))
}

// quiet is what is known of the silence of a device, of which d is one that was found in r, if anything is. It is overwritten by the next call. The device
// in rollouts others than r is looked for by find.
func (m *Machine) quiet(now time.Time, at Place, number uint32, r *rollout, d *device, find func(*rollout, uint32) *device) *silence.Quiet {
	q := &m.silent
	m.config.Fleet.Quiet(now, at, q)
	q.Update = silence.Installation{}
	for _, id := range slices.Backward(m.ids) {
		x := m.rollouts[id]
		y := d
		if x != r {
			y = find(x, number)
		}
		if y != nil && y.concerns() {
			q.Update = x.installation(y)
			break
		}
	}
	return q
}

// concerns reports whether an update may have something to do with a silence. One that was never offered has not.
func (d *device) concerns() bool {
	switch s := d.standing; s {
	case Expired, Superseded:
		return d.sent > 0
	case Offered, Deferred, Soaking, Confirmed, RolledBack:
		return true
	default:
		return s.underway()
	}
}

// installation is where a device is with the update, for whom its silence is to be explained to.
func (r *rollout) installation(d *device) silence.Installation {
	u := silence.Installation{Rollout: strconv.FormatUint(uint64(r.ID), 10), Version: r.Spec.Version, Since: int64(d.since)}
	if d.judged() {
		u.Suspect = r.suspect(d)
		u.Judged = u.Suspect > 0
	}
	if step, told := d.stepOf(); told {
		u.Step = step.String()
	}
	return u
}

// explain says what the silence of a device is put down to, if it has missed a contact. Where the verdict has nothing to say of the update yet, as while the
// image is fetched, what updates are known to do at that step does.
func (m *Machine) explain(now time.Time, r *rollout, d *device, v *DeviceView, judge func(*silence.Quiet) silence.Finding) {
	if v.Missed == 0 {
		return
	}
	q := m.quiet(now, d.place, d.number, r, d, (*rollout).following)
	v.Cause = judge(q)
	if !d.judged() && !d.is(flagEnded) && q.Update.Rollout == strconv.FormatUint(uint64(r.ID), 10) {
		v.Suspect = v.Cause.Shares[silence.Update]
	}
}

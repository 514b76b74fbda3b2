package rollout

import (
	"slices"
	"strconv"
	"time"

	"github.com/godwit-gateway/godwit/gateway/rollout/silence"
)

// Why is what the silence of a device is put down to, by all that is known of it and by where it stands in the newest rollout that may have to do with it.
func (m *Machine) Why(now time.Time, at Place) silence.Finding {
	var f Facts
	m.config.Fleet.Facts(at, &f)
	return silence.Judge(m.quiet(now, at, f.Number, nil, nil))
}

// quiet is what is known of the silence of a device, of which d is one that was found in r, if anything is. It is overwritten by the next call. Of rollouts
// that have left memory others than r count as long as the device is busy with them: nothing is read back for this.
func (m *Machine) quiet(now time.Time, at Place, number uint32, r *rollout, d *device) *silence.Quiet {
	q := &m.silent
	m.config.Fleet.Quiet(now, at, q)
	q.Update = silence.Installation{}
	for _, id := range slices.Backward(m.ids) {
		x := m.rollouts[id]
		y := d
		if x != r {
			y = x.following(number)
		}
		if y != nil && y.standing.concerns() {
			q.Update = x.installation(y)
			break
		}
	}
	return q
}

// concerns reports whether an update may have something to do with a silence.
func (s Standing) concerns() bool {
	return s.underway() || s == Offered || s == Deferred || s == Soaking || s == Confirmed || s == RolledBack || s == Expired
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
	q := m.quiet(now, d.place, d.number, r, d)
	v.Cause = judge(q)
	if !d.judged() && !d.is(flagEnded) && q.Update.Rollout == strconv.FormatUint(uint64(r.ID), 10) {
		v.Suspect = v.Cause.Shares[silence.Update]
	}
}

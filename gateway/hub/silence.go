package hub

import (
	"strconv"
	"time"

	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/gateway/rollout"
	"github.com/godwit-gateway/godwit/gateway/rollout/silence"
	"github.com/godwit-gateway/godwit/scheduler/core"
)

// why is what the silence of a device is put down to, by what presence and rollouts know. mu is held for writing: rollouts may reckon.
func (h *Hub) why(now time.Time, i fleet.Index) silence.Finding {
	state := h.fleet.Head(i).State
	q := silence.Quiet{Now: now.Unix(), Retired: state == fleet.Retired || state == fleet.Rejected}
	q.Standing, q.Heard = h.core.Standing(now, core.Place(i))
	for _, v := range h.rollouts.Device(now, rollout.Place(i)) {
		if !concerns(v.Standing) {
			continue
		}
		q.Update = silence.Installation{
			Rollout: strconv.FormatUint(uint64(v.Rollout), 10), Version: v.Version, Step: v.Step, Since: v.Since.Unix(), Judged: v.Suspect > 0, Suspect: v.Suspect,
		}
		break // the newest
	}
	return silence.Judge(&q)
}

// concerns says that an update may have something to do with a silence.
func concerns(s rollout.Standing) bool {
	switch s {
	case rollout.Offered, rollout.Accepted, rollout.Deferred, rollout.Downloading, rollout.Downloaded, rollout.Verified, rollout.Installing, rollout.Rebooting,
		rollout.Soaking, rollout.Confirmed, rollout.RolledBack, rollout.Expired:
		return true
	default:
		return false
	}
}

// A Cause is what the silence of a device is put down to.
type Cause struct {
	Cause       string   `json:"cause" enum:"not_due,late,outage,contract,battery,update,retired,unknown"`
	Probability float64  `json:"cause_probability"`
	Why         []string `json:"cause_evidence"` // the weightiest first
}

func causeOfSilence(f *silence.Finding) Cause {
	return Cause{f.Class.Label(), f.Probability, append([]string{}, f.Evidence...)}
}

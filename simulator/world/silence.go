package world

import (
	"strconv"

	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/gateway/rollout"
	"github.com/godwit-gateway/godwit/gateway/rollout/silence"
)

// silence is what the gateway puts down the silence of a device to.
func (w *world) silence(d *fleet.Device, p *hub.Prospects) silence.Finding {
	q := silence.Quiet{Now: w.now.Unix(), Heard: p.Heard, Standing: p.Standing, Retired: d.State == fleet.Retired || d.State == fleet.Rejected}
	if updates, err := w.gateway.hub.UpdatesOf(d.Name); err == nil {
		for i := range updates {
			if v := &updates[i]; concerns(v.Standing) {
				q.Update = silence.Installation{
					Rollout: strconv.FormatUint(uint64(v.Rollout), 10), Version: v.Version, Step: v.Step, Since: v.Since.Unix(), Judged: v.Suspect > 0, Suspect: v.Suspect,
				}
				break
			}
		}
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

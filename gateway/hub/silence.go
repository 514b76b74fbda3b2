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
	q := h.quiet(now, i)
	return silence.Judge(&q)
}

// quiet is what is known of the silence of a device, but for its downlinks.
func (h *Hub) quiet(now time.Time, i fleet.Index) silence.Quiet {
	state := h.fleet.Head(i).State
	q := silence.Quiet{Now: now.Unix(), Retired: state == fleet.Retired || state == fleet.Rejected}
	q.Standing, q.Heard = h.core.Standing(now, core.Place(i))
	for _, v := range h.rollouts.Device(now, rollout.Place(i)) {
		if !concerns(v.Standing) {
			continue
		}
		version := v.Version
		if s, err := h.rollouts.Get(v.Rollout); err == nil {
			version = s.Spec.Version // that it goes to, not the one that it runs
		}
		q.Update = silence.Installation{
			Rollout: strconv.FormatUint(uint64(v.Rollout), 10), Version: version, Step: v.Step, Since: v.Since.Unix(), Judged: v.Suspect > 0, Suspect: v.Suspect,
		}
		break // the newest
	}
	return q
}

// Silence is what the silence of a device is put down to, also by what the networks said of its downlinks since it was heard.
func (h *Hub) Silence(ref string) (silence.Finding, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	i, err := h.find(ref)
	if err != nil {
		return silence.Finding{}, err
	}
	return h.whyOne(h.clock.Now(), i), nil
}

// whyOne is why for a single device: looking through all downlinks for each of many would hold frames up.
func (h *Hub) whyOne(now time.Time, i fleet.Index) silence.Finding {
	q := h.quiet(now, i)
	q.Card = h.card(h.fleet.Head(i).Number, q.Standing.Last)
	return silence.Judge(&q)
}

// card is what networks said of a device since a time: where each message is paid for they know whether there is somebody, and report what arrived.
func (h *Hub) card(number uint32, since int64) (c silence.Card) {
	for _, d := range h.outgoing.byRef {
		if l := h.links[d.Link]; d.Number != number || l == nil || !l.Metered || d.Changed.Unix() <= since {
			continue
		}
		switch {
		case d.State == DownlinkFailed && d.Attempts < attemptsMax:
			c.Refused, c.Code = c.Refused+1, max(c.Code, d.Error) // of several the same one each time
		case d.State == DownlinkDelivered:
			c.Delivered = max(c.Delivered, d.Changed.Unix())
		}
	}
	return c
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

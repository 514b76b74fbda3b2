package hub

import (
	"strconv"
	"time"

	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/gateway/rollout"
	"github.com/godwit-gateway/godwit/gateway/rollout/silence"
)

// Silence says why nothing is heard of a device, as things are now: of what its schedule, its rollouts and its network say. It changes nothing, and
// who asks again when more is known gets another answer.
func (h *Hub) Silence(ref string) (silence.Finding, error) {
	d, err := h.Device(ref)
	if err != nil {
		return silence.Finding{}, err
	}
	p, _ := h.Prospects(d.Name)
	updates, err := h.UpdatesOf(d.Name)
	if err != nil {
		return silence.Finding{}, err
	}
	downlinks, err := h.Downlinks(d.Name)
	if err != nil {
		return silence.Finding{}, err
	}
	q := silence.Quiet{
		Now: h.clock.Now().Unix(), Heard: p.Heard, Standing: p.Standing, Retired: d.State == fleet.Retired || d.State == fleet.Rejected,
		Update: installation(updates), Card: h.card(downlinks, d.LastSeen),
	}
	return silence.Judge(&q), nil
}

// installation is where a device is with the newest rollout that may have something to do with its silence.
func installation(updates []rollout.DeviceView) silence.Installation {
	for i := range updates {
		v := &updates[i]
		switch v.Standing {
		case rollout.HeldOut, rollout.Waiting, rollout.Eligible, rollout.Refused, rollout.Declined, rollout.Failed, rollout.Superseded, rollout.Outside:
			continue // it was never there, or the device runs what it ran
		default:
		}
		return silence.Installation{
			Rollout: strconv.FormatUint(uint64(v.Rollout), 10), Version: v.Version, Step: v.Step, Since: v.Since.Unix(), Judged: v.Suspect > 0, Suspect: v.Suspect,
		}
	}
	return silence.Installation{}
}

// card is what the network said of a device since it was heard last: where each message is paid for it knows whether there is somebody, and reports
// what arrived.
func (h *Hub) card(downlinks []DownlinkRecord, heard time.Time) (c silence.Card) {
	for i := range downlinks {
		d := &downlinks[i]
		if l := h.links[d.Link]; l == nil || !l.Metered || !d.Changed.After(heard) {
			continue
		}
		switch {
		case d.State == DownlinkFailed && d.Attempts < attemptsMax:
			c.Refused, c.Code = c.Refused+1, d.Error
		case d.State == DownlinkDelivered:
			c.Delivered = max(c.Delivered, d.Changed.Unix())
		}
	}
	return c
}

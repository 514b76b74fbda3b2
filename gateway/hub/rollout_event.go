package hub

import (
	"strconv"

	"github.com/godwit-gateway/godwit/gateway/audit"
	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/gateway/rollout"
)

// Kinds of events of updates. Those about a device are on its subject; those about a rollout on godwit.v1.{gateway}.rollout.{number}.{what}, their
// type is io.godwit.rollout.{what}.
const (
	KindConfirmed  = "update.confirmed"  // the device runs the release of a rollout, and kept on for the soak
	KindFailed     = "update.failed"     // it says that the update failed
	KindRolledBack = "update.rolledback" // it ran the release, and runs something else
	KindOutside    = "update.outside"    // it runs another version, and no rollout is the reason

	KindRollout = "rollout" // begins the kinds of events about rollouts
)

// tellUpdates emits what the rollouts have to say, and writes down what they did by themselves.
func (h *Hub) tellUpdates(c *commit) {
	for _, a := range h.rollouts.Actions() {
		if a.Audit != nil {
			h.authorisedBy(c, a.Audit)
		}
		switch a.Kind {
		case rollout.ActStep: // the frame that told it is an event
		case rollout.ActConfirmed, rollout.ActFailed, rollout.ActRolledBack, rollout.ActOutside:
			h.updateEvent(c, a.Kind.String(), &a)
		default:
			h.rolloutEvent(c, a.Kind.String(), &a)
		}
	}
}

// updateEvent tells what became of an update on a device. The time of the event is when that was, as far as the device says.
func (h *Hub) updateEvent(c *commit, kind string, a *rollout.Action) {
	at := a.DeviceTime
	if at.IsZero() {
		at = a.Time
	}
	e := h.gatewayEvent(c, fleet.Index(a.Place), kind, at)
	if a.Rollout > 0 {
		e.payload = appendUintMember(e.payload, "rollout", uint64(a.Rollout))
		e.payload = appendTextMember(e.payload, "rollout_name", a.Name)
	}
	e.payload = appendTextMember(e.payload, "version", a.Version)
	e.payload = appendTextMember(e.payload, "from", a.From)
	if a.Kind == rollout.ActFailed {
		e.payload = appendUintMember(e.payload, "code", uint64(a.Code))
	}
	e.payload = appendTimeMember(e.payload, "device_time", a.DeviceTime)
	e.payload = appendTimeMember(e.payload, "earliest", a.Earliest)
	e.payload = appendTimeMember(e.payload, "known_at", a.Time)
	e.payload = appendTextMember(e.payload, "reason", a.Reason)
	h.emit(c, nil, e)
}

// rolloutEvent tells of a rollout.
func (h *Hub) rolloutEvent(c *commit, what string, a *rollout.Action) {
	number := strconv.FormatUint(uint64(a.Rollout), 10)
	e := h.plainEvent(c, "rollout."+number+"."+what, KindRollout+"."+what, number, a.Time)
	e.payload = appendUintMember(e.payload, "rollout", uint64(a.Rollout))
	e.payload = appendTextMember(e.payload, "rollout_name", a.Name)
	e.payload = appendTextMember(e.payload, "product", a.Product)
	e.payload = appendTextMember(e.payload, "version", a.Version)
	if a.Kind == rollout.ActWave {
		e.payload = appendUintMember(e.payload, "wave", uint64(a.Wave)) //nolint:gosec // not negative
	}
	e.payload = appendTextMember(e.payload, "reason", a.Reason)
	e.payload = appendTextMember(e.payload, "who", a.Actor.Name)
	h.emit(c, nil, e)
}

// authorisedBy writes down what the machine of rollouts says that somebody, or it itself, allowed.
func (h *Hub) authorisedBy(c *commit, a *rollout.Authorisation) {
	who := audit.Gateway
	if a.Actor.Name != rollout.ByMachine {
		who = audit.Actor{Name: a.Actor.Name, Role: a.Actor.Role.String()}
	}
	h.authorised(c, who, a.What, a.Subject, joined(a.Remark, a.Detail))
}

// joined is a remark and what it is about.
func joined(remark, detail string) string {
	if remark == "" || detail == "" {
		return remark + detail
	}
	return remark + " (" + detail + ")"
}

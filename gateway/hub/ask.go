package hub

import (
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/gateway/store"
	"github.com/godwit-gateway/godwit/scheduler/core"
)

// askSilent queues a request for a device that missed a contact, until its next one is due. Where it cannot be reached, or its queue is full, it is not asked.
func (h *Hub) askSilent(c *commit, i fleet.Index, a *core.Action, now time.Time) {
	if !h.tells || !a.Until.After(now) || h.outgoing.has(h.fleet.Head(i).Number, downlinkRequest) {
		return
	}
	if d := h.ask(c, i, h.linkList[a.Link], codec.RequestKeyframe, min(a.Until.Sub(now), downlinkTTLMax)); d != nil {
		h.outgoing.asked[d.Ref] = true
		h.core.AskedFor(now, core.Place(i))
	}
}

// errHeard ends a request whose device has spoken meanwhile.
const errHeard = "the device has spoken meanwhile"

// needless says why a downlink need not go any more, if so: its device is out of service, or it is a request of our own to one that was heard since. After a
// restart nobody knows which requests are.
func (h *Hub) needless(i fleet.Index, d *store.Downlink) string {
	if state := h.fleet.Head(i).State; state.Dismissed() {
		return "the device is " + state.String()
	}
	if h.outgoing.asked[d.Ref] && h.fleet.Profile(i).LastSeen.After(d.QueuedAt) {
		return errHeard
	}
	return ""
}

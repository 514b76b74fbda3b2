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

// needless reports whether a downlink is a request of our own to a device that was heard since. After a restart nobody knows which requests are.
func (h *Hub) needless(i fleet.Index, d *store.Downlink) bool {
	return h.outgoing.asked[d.Ref] && h.fleet.Device(i).LastSeen.After(d.QueuedAt)
}

package hub

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/godwit-gateway/godwit/codec/session"
	"github.com/godwit-gateway/godwit/gateway/store"
)

// adoptDownlink takes over what became of a downlink that waits in a store which is brought back: what has left since is not sent and paid for again. References
// go on behind the last one that was used.
func (h *Hub) adoptDownlink(c *commit, state string, at time.Time, data json.RawMessage) error {
	var e struct {
		Number   uint32
		Ref      uint64
		Downlink string
		Attempts uint16
		Error    string
	}
	if err := json.Unmarshal(data, &e); err != nil {
		return fmt.Errorf("read the event: %w", err)
	}
	h.outgoing.next = max(h.outgoing.next, e.Ref+1)
	d := h.outgoing.byRef[e.Ref]
	if d == nil || final(d.State) || d.Number != e.Number || d.Kind != e.Downlink || at.Before(d.QueuedAt) {
		return nil // another store, brought back before, may have used the same reference
	}
	switch state {
	case DownlinkQueued: // an attempt did not leave
		d.InHand, d.HandedAt, d.Due = 0, time.Time{}, at
	case DownlinkSent:
		d.Due = at.Add(maybeAfter)
	case DownlinkAccepted, DownlinkDelivered, DownlinkFailed, DownlinkExpired:
	default:
		return nil
	}
	d.State, d.Changed, d.Attempts, d.Error = state, at, int(e.Attempts), e.Error
	if over(d) { // only the lost store knew by which name the network would report on it
		h.outgoing.close(d)
	}
	c.batch.PutDownlink(d)
	return nil
}

// errBroughtBack is what ends a downlink that only the store which was lost could have sent.
const errBroughtBack = "the store was brought back since, and nobody knows in which epoch the device is"

// reviewDownlinks looks at what waits in a store that was brought back. Rekeys and answers to joins lead to an epoch that may not be the right one any more, and
// would be paid for in vain: whoever wants one asks again. Messages follow a device whose frames tell that it has another epoch since.
func (h *Hub) reviewDownlinks(c *commit) {
	now, dropped := h.clock.Now(), 0
	for _, number := range h.outgoing.numbers() {
		for _, ref := range slices.Clone(h.outgoing.open[number]) {
			if d := h.outgoing.byRef[ref]; d.State != DownlinkAccepted && ofEpoch(d) {
				h.drop(c, d, errBroughtBack, now)
				dropped++
			}
		}
		i, ok := h.fleet.ByNumber(number)
		if !ok {
			continue
		}
		if g := h.fleet.Session(i); g.Role == session.Previous {
			h.reseal(c, i, &g)
			c.touch(i)
		}
	}
	if dropped > 0 {
		h.log.Warn("store was brought back: rekeys and answers to joins that wait in it are not sent", slog.Int("downlinks", dropped))
	}
}

// ofEpoch reports whether a downlink leads its device to an epoch.
func ofEpoch(d *store.Downlink) bool { return d.Kind == downlinkRekey || d.Kind == downlinkJoin }

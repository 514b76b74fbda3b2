package hub

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/gateway/store"
	"github.com/godwit-gateway/godwit/transports"
)

// Report implements transports.Sink.
func (h *Hub) Report(ctx context.Context, r transports.Report) error {
	return h.do(ctx, func(c *commit) error {
		if !h.takeReport(c, &r) {
			h.keepEarly(&r)
		}
		return nil // also of a downlink that is no longer known: settled all the same
	})
}

// takeReport settles the downlink that a report is on; false: there is none.
func (h *Hub) takeReport(c *commit, r *transports.Report) bool {
	d := h.reported(r)
	if d == nil {
		return false
	}
	h.reportedFor(d, r.ReceivedAt)
	switch r.State {
	case transports.ReportDelivered:
		h.said(d, r.ReceivedAt, "")
		h.offerArrived(d, r.ReceivedAt)
		h.move(c, d, DownlinkDelivered, r.ReceivedAt)
	case transports.ReportFailed:
		d.Error = "the network gave up"
		if noSubscriber(r.Code) {
			h.said(d, r.ReceivedAt, fmt.Sprintf("status %#02x", r.Code))
		}
		h.offerLost(d, r.ReceivedAt)
		h.move(c, d, DownlinkFailed, r.ReceivedAt)
	case transports.ReportPending:
		c.batch.PutDownlink(d) // the report may have been paid for
	}
	return true
}

// earlyMax is how many reports are kept that may be early.
const earlyMax = 64

// keepEarly keeps a report on a downlink that is not known while a network has one in hand: networks may report before the receipt is filed. It is in memory only,
// for without the receipt, which goes to disk with what the report says, it is on nothing.
func (h *Hub) keepEarly(r *transports.Report) {
	l := h.links[r.Transport]
	if l == nil || len(l.early) >= earlyMax {
		return
	}
	for _, refs := range h.outgoing.open {
		for _, ref := range refs {
			if d := h.outgoing.byRef[ref]; d.Link == l.Name && d.InHand > 0 {
				l.early = append(l.early, *r)
				return
			}
		}
	}
}

// takeEarly takes the reports that came before the receipt that has been filed now.
func (h *Hub) takeEarly(c *commit, l *link) {
	for k := range l.early {
		h.takeReport(c, &l.early[k])
	}
	l.early = nil
}

// only is the device that alone is known by an address.
func (h *Hub) only(a *transports.Address) (fleet.Index, bool) {
	var found [fleet.CandidatesMax]fleet.Index
	list := slices.DeleteFunc(h.fleet.ByAddress(found[:0], string(a.Bearer), a.ID), func(i fleet.Index) bool {
		return !h.fleet.HasAddress(i, string(a.Bearer), a.ID)
	})
	if len(list) != 1 {
		return 0, false
	}
	return list[0], true
}

// reported finds the newest downlink of a report. A message of several parts is delivered when the report for its last part says so:
// the receipt joins the references of the parts with "+". Networks number messages from 0 to 255 and begin again, so the number that the
// report is about counts as well.
func (h *Hub) reported(r *transports.Report) *store.Downlink {
	var best *store.Downlink
	for _, refs := range h.outgoing.open {
		for _, ref := range refs {
			d := h.outgoing.byRef[ref]
			if d.Link != r.Transport || d.State != DownlinkAccepted || d.Receipt == "" || best != nil && d.Ref < best.Ref {
				continue
			}
			if (d.Receipt == r.Ref || strings.HasSuffix(d.Receipt, "+"+r.Ref)) && h.wentTo(d, r.To.ID) {
				best = d
			}
		}
	}
	return best
}

// wentTo reports whether a downlink may have gone to an address. A network that names none is believed.
func (h *Hub) wentTo(d *store.Downlink, id string) bool {
	i, ok := h.fleet.ByNumber(d.Number)
	l := h.links[d.Link]
	if !ok || l == nil {
		return false
	}
	address, ok := h.fleet.AcceptedAddress(i, string(l.Bearer))
	return ok && (id == "" || sameNumber(address, id))
}

// subscriberDigits are enough to tell two subscribers apart whatever stands before them.
const subscriberDigits = 7

// sameNumber compares telephone numbers by their last digits: a report may name the national form of what was sent to the international one.
func sameNumber(a, b string) bool {
	if a == b {
		return true
	}
	a, b = significant(a), significant(b)
	if len(a) < len(b) {
		a, b = b, a
	}
	return len(b) >= subscriberDigits && strings.HasSuffix(a, b)
}

// significant is the digits of a number without the zeros that it is dialled with.
func significant(s string) string {
	digits := strings.Map(func(c rune) rune {
		if c < '0' || c > '9' {
			return -1
		}
		return c
	}, s)
	return strings.TrimLeft(digits, "0")
}

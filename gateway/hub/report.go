package hub

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/gateway/store"
	"github.com/godwit-gateway/godwit/scheduler/core"
	"github.com/godwit-gateway/godwit/transports"
)

// Report implements transports.Sink.
func (h *Hub) Report(ctx context.Context, r transports.Report) error {
	return h.do(ctx, func(c *commit) error {
		d := h.reported(&r)
		if d == nil {
			return nil // of a downlink that is no longer known: settled all the same
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
		return nil
	})
}

// Checked implements transports.Payer.
func (h *Hub) Checked(ctx context.Context, x transports.Check) error {
	return h.do(ctx, func(*commit) error {
		l := h.links[x.Transport]
		if l == nil {
			return nil
		}
		if x.From == (transports.Address{}) {
			h.core.Check(x.At, l.place)
		} else if i, ok := h.only(&x.From); ok {
			h.core.Empty(x.At, core.Place(i), l.place)
		} else {
			h.core.EmptyStranger(x.At, l.place)
		}
		return nil
	})
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

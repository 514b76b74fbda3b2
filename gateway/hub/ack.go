package hub

import (
	"bytes"
	"slices"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/gateway/store"
	"github.com/godwit-gateway/godwit/scheduler/core"
	"github.com/godwit-gateway/godwit/scheduler/ledger"
	"github.com/godwit-gateway/godwit/transports"
)

// acknowledge answers a verified frame as the link's policy says. On a free link the acknowledgement rides on the verdict; it leaves after
// the sync that the verdict waits for. Where each message is paid for it becomes a downlink, one for all frames of a minute.
func (h *Hub) acknowledge(c *commit, l *link, u *transports.Uplink, o *opened, out *transports.Verdict, repeat bool) {
	if l.Ack == AckNever || l.Ack == AckAsked && !h.asked(o) {
		return
	}
	if l.Metered {
		h.queueAck(c, l, o.device, u.ReceivedAt)
		if repeat {
			h.outgoing.insist(h.fleet.Head(o.device).Number)
		}
		return
	}
	if repeat && !h.admitRepeat(o.device, u) {
		return
	}
	h.scratch.row = h.appendAck(h.scratch.row[:0], o.device, o.epoch, o.counter)
	if len(out.Reply)+len(h.scratch.row) > len(u.Payload)+replyExtra {
		return
	}
	out.Reply = append(out.Reply, h.scratch.row...)
	l.count.replies.Add(1)
	h.core.Charge(u.ReceivedAt, core.Place(o.device), core.Downlink{Link: l.place, Bytes: len(h.scratch.row), Cause: ledger.CauseAck})
	h.ackedFree(c, u, o, repeat)
}

// ackedFree ends the paid acknowledgements that wait for a device once its newest frame was acknowledged for nothing, which says as much. A frame that comes
// again counts for that only from where the device was last: from elsewhere it may be a recording, and the device would pay for asking once more.
func (h *Hub) ackedFree(c *commit, u *transports.Uplink, o *opened, repeat bool) {
	head := h.fleet.Head(o.device)
	if len(h.outgoing.open[head.Number]) == 0 || o.epoch != head.Epoch || o.counter != h.fleet.Counters(o.device).Highest {
		return
	}
	if repeat && h.route(o.device).source != hashSource(u.From.ID) || h.outgoing.insists(head.Number) {
		return
	}
	h.supersede(c, head.Number, u.ReceivedAt)
}

// insist notes that a device asks once more, over a paid link, for the acknowledgement that is queued: whatever told it of that frame before, it did not hear.
// That is forgotten at a start; at worst it asks once more.
func (o *outgoing) insist(number uint32) {
	if d := o.first(number, func(d *store.Downlink) bool { return d.Kind == downlinkAck && d.State == DownlinkQueued }); d != nil {
		o.insisted[d.Ref] = true
	}
}

// insists reports whether a device waits for an acknowledgement over a paid link because it hears no other.
func (o *outgoing) insists(number uint32) bool {
	return o.first(number, func(d *store.Downlink) bool { return o.insisted[d.Ref] && d.State != DownlinkAccepted }) != nil
}

// ackTaken ends the other acknowledgements of a device once the network has taken one that says all that there is to say.
func (h *Hub) ackTaken(c *commit, taken *store.Downlink, now time.Time) {
	i, ok := h.fleet.ByNumber(taken.Number)
	if !ok || taken.Kind != downlinkAck {
		return
	}
	h.scratch.row = h.appendAck(h.scratch.row[:0], i, h.fleet.Head(i).Epoch, h.fleet.Counters(i).Highest)
	if bytes.Equal(taken.Payload, h.scratch.row) { // else more was heard since
		h.supersede(c, taken.Number, now)
	}
}

// errSuperseded is what a downlink ends with that was not to be sent, or not again, because another one had said the same.
const errSuperseded = "another one has said the same since"

// supersede ends the acknowledgements that wait for a device to which all that they have to say has been said: they would be paid for. One that a network has
// in hand may have left, but is not repeated.
func (h *Hub) supersede(c *commit, number uint32, now time.Time) {
	for _, ref := range slices.Clone(h.outgoing.open[number]) {
		d := h.outgoing.byRef[ref]
		switch {
		case d.Kind != downlinkAck || d.State == DownlinkAccepted:
		case d.InHand > 0:
			d.Superseded = true
			c.batch.PutDownlink(d)
		default:
			h.drop(c, d, errSuperseded, now)
		}
	}
}

// appendAck appends an acknowledgement that covers the counter: of the highest counter and the 32 before it, or, for a frame older than
// those, of its own counter alone.
func (h *Hub) appendAck(dst []byte, i fleet.Index, epoch uint32, counter uint64) []byte {
	s, key := h.fleet.AckOf(i, epoch)
	if s == nil {
		return dst // the epoch is over
	}
	a := codec.Ack{Counter: s.Highest, Bitmap: uint32(s.Window)} //nolint:gosec // the lowest 32 bits are meant
	if counter+32 < s.Highest {
		a = codec.Ack{Counter: counter}
	}
	return codec.AppendAck(dst, key, h.fleet.Head(i).Number, epoch, a)
}

// asked reports whether the device asked for an acknowledgement: base 1 in a keyframe, bit 0 of the base in an extended frame.
func (h *Hub) asked(o *opened) bool {
	switch o.header.Kind() {
	case codec.KindKeyframe:
		return o.header.Base() == 1
	case codec.KindExtended:
		return o.header.Base()&1 == 1
	case codec.KindDelta, codec.KindBatch:
	}
	return false
}

// admitRepeat bounds acknowledgements of duplicates: once a second to the device's own source, once in ten seconds to any other, so that
// a captured frame sent from a forged source does not make this gateway a reflector.
func (h *Hub) admitRepeat(i fleet.Index, u *transports.Uplink) bool {
	r := h.route(i)
	every := strangerRepeat
	if r.source == hashSource(u.From.ID) {
		every = repeatInterval
	}
	now := u.ReceivedAt.UnixMilli()
	if now-r.acked < every.Milliseconds() && now >= r.acked {
		return false
	}
	r.acked = now
	return true
}

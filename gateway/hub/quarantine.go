package hub

import (
	"strconv"
	"time"

	"github.com/godwit-gateway/godwit/gateway/store"
	"github.com/godwit-gateway/godwit/transports"
)

// ring is the last payloads of a link that did not verify, in memory of a fixed size.
type ring struct {
	items [quarantineRing]QuarantineRecord
	next  int
}

// ringPayloadMax bounds what the ring keeps of one payload, in bytes.
const ringPayloadMax = 256

func (r *ring) add(q QuarantineRecord) {
	slot := &r.items[r.next%quarantineRing]
	kept := append(slot.Payload[:0], q.Payload[:min(len(q.Payload), ringPayloadMax)]...) //nolint:gocritic // the slot's own memory again
	*slot = q
	slot.Payload = kept
	r.next++
}

// A QuarantineRecord is a payload that did not become a frame. Seq is 0 for one that is kept in memory only.
type QuarantineRecord struct {
	Seq        uint64    `json:"seq"`
	Link       string    `json:"link"`
	Bearer     string    `json:"bearer"`
	From       string    `json:"from"`
	Number     uint32    `json:"number"` // device, if one is certain
	Reason     string    `json:"reason"`
	ReceivedAt time.Time `json:"received_at"`
	Payload    []byte    `json:"-"`
}

// unverified settles a payload that no key opened. It is counted; on a link where each message is paid for it is stored, within limits, and
// what is not stored is kept in a ring in memory. Open IP links never write for a stranger.
func (h *Hub) unverified(c *commit, l *link, u *transports.Uplink, why Reason) transports.Settlement {
	settled := transports.Rejected
	if l.Metered {
		settled = h.keep(c, l, u, why, 0)
	}
	if settled != transports.Quarantined { // else a list would show it twice
		l.ring.add(QuarantineRecord{
			Link: l.Name, Bearer: string(u.From.Bearer), From: u.From.ID, Reason: why.String(), ReceivedAt: u.ReceivedAt, Payload: u.Payload,
		})
	}
	return settled
}

// keep stores a payload in the quarantine if its sender has room today. number is the device, 0 if none is certain.
func (h *Hub) keep(c *commit, l *link, u *transports.Uplink, why Reason, number uint32) transports.Settlement {
	if why == ReasonText {
		l.count.rejected[why].Add(1)
	}
	if !h.senders.keepUnverified(hashSource(u.From.ID), u.ReceivedAt) {
		return transports.Rejected
	}
	seq := c.batch.PutQuarantine(&store.Quarantine{
		Link: u.Transport, Bearer: string(u.From.Bearer), From: u.From.ID, Ref: u.Ref, SentAt: u.SentAt, ReceivedAt: u.ReceivedAt,
		Port: u.Port, Content: uint8(u.Content), Number: number, Reason: why.String(), Verified: number != 0, Position: store.Position(u.Position),
		Payload: u.Payload,
	})
	if why == ReasonText {
		h.linkEvent(c, l, u, seq)
	}
	return transports.Quarantined
}

// linkEvent tells that something came over a link that is no data.
func (h *Hub) linkEvent(c *commit, l *link, u *transports.Uplink, seq uint64) {
	e := h.plainEvent(c, "link."+l.Name+".log", "link.log", l.Name, u.ReceivedAt)
	e.payload = appendTextMember(e.payload, "level", "notice")
	e.payload = appendTextMember(e.payload, "link", l.Name)
	e.payload = appendUintMember(e.payload, "quarantine", seq)
	if u.Content == transports.ContentText {
		e.payload = appendTextMember(e.payload, "text", string(u.Payload))
	} else {
		e.payload = appendHexMember(e.payload, "raw", u.Payload)
	}
	h.emit(c, l, e)
}

// plainEvent begins an event that is about no device. Its subject on the stream is godwit.v1.{gateway}.{subject}, and about is what it is about.
func (h *Hub) plainEvent(c *commit, subject, kind, about string, at time.Time) *eventBuffer {
	e := &h.events
	e.gateway, e.kind, e.time, e.name = h.gateway, kind, at, append(e.name[:0], about...)
	e.id = h.appendGatewayID(e.id[:0], c)
	e.subject = append(append(append(append(e.subject[:0], "godwit.v1."...), h.gateway...), '.'), subject...)
	e.frame = e.frame[:0]
	p := append(append(e.payload[:0], `{"specversion":"1.0","id":"`...), e.id...)
	p = append(append(p, `","source":"/godwit/`...), h.gateway...)
	p = append(append(p, `","type":"io.godwit.`...), kind...)
	p = appendText(append(p, `","subject":`...), about)
	p = appendTime(append(p, `,"time":"`...), at)
	e.payload = append(append(p, `","datacontenttype":"application/json","data":{"gateway":"`...), h.gateway...)
	e.payload = append(e.payload, '"')
	return e
}

// appendGatewayID appends {gateway}.g.{milliseconds}.{place in the outbox}. Places alone would come again with other events where the store and the
// stream are lost together, and who is idempotent by the id would never hear of those.
func (h *Hub) appendGatewayID(dst []byte, c *commit) []byte {
	dst = append(dst, h.gateway...)
	dst = append(dst, ".g."...)
	dst = strconv.AppendInt(dst, h.clock.Now().UnixMilli(), 10)
	dst = append(dst, '.')
	return appendUint(dst, c.batch.NextEvent())
}

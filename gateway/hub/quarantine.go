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
		Port: u.Port, Content: uint8(u.Content), Number: number, Reason: why.String(), Verified: number != 0, Payload: u.Payload,
	})
	if why == ReasonText {
		h.linkEvent(c, l, u, seq)
	}
	return transports.Quarantined
}

// linkEvent tells that something came over a link that is no data.
func (h *Hub) linkEvent(c *commit, l *link, u *transports.Uplink, seq uint64) {
	e := &h.events
	e.gateway, e.kind, e.time, e.name = h.gateway, KindAlarm, u.ReceivedAt, append(e.name[:0], l.Name...)
	e.id = h.appendGatewayID(e.id[:0], c)
	e.subject = append(e.subject[:0], "godwit.v1."...)
	e.subject = append(e.subject, h.gateway...)
	e.subject = append(e.subject, ".link."...)
	e.subject = append(e.subject, l.Name...)
	e.subject = append(e.subject, ".log"...)
	e.frame = e.frame[:0]
	p := e.payload[:0]
	p = append(p, `{"specversion":"1.0","id":"`...)
	p = append(p, e.id...)
	p = append(p, `","source":"/godwit/`...)
	p = append(p, h.gateway...)
	p = append(p, `","type":"io.godwit.link.log","subject":"`...)
	p = append(p, l.Name...)
	p = append(p, `","time":"`...)
	p = appendTime(p, u.ReceivedAt)
	p = append(p, `","datacontenttype":"application/json","data":{"level":"notice"`...)
	p = appendTextMember(p, "link", l.Name)
	p = appendUintMember(p, "quarantine", seq)
	if u.Content == transports.ContentText {
		p = appendTextMember(p, "text", string(u.Payload))
	} else {
		p = appendHexMember(p, "raw", u.Payload)
	}
	e.payload = p
	h.emit(c, l, e)
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

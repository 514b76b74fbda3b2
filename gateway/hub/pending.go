package hub

import (
	"fmt"
	"slices"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/codec/session"
	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/gateway/store"
	"github.com/godwit-gateway/godwit/transports"
)

// keptFrame is a frame in the quarantine of a device that waits for approval. Equal readings make equal hashes: the counter is what tells one
// frame from the next.
type keptFrame struct {
	seq     uint64 // of the row
	epoch   uint32
	counter uint64
	hash    [8]byte
}

// keepPending keeps an authentic frame of a device that waits for approval, so that nothing is lost if it is let in. The device gets no
// acknowledgement. Its counters go on, or the short ones on air could not be completed any more.
func (h *Hub) keepPending(c *commit, u *transports.Uplink, item *codec.Item, o *opened) (transports.Settlement, Reason) {
	number := h.fleet.Head(o.device).Number
	if h.accept(c, o, u.ReceivedAt) {
		c.touch(o.device)
	}
	// Rows age out, and may have made room for others.
	kept := slices.DeleteFunc(h.pending[number], func(k keptFrame) bool { return !c.batch.HoldsQuarantine(k.seq) })
	h.pending[number] = kept
	for _, k := range kept {
		if k.epoch == o.epoch && k.counter == o.counter && k.hash == o.hash {
			return transports.Duplicate, ReasonNone
		}
	}
	if len(kept) >= pendingFrames {
		return transports.Rejected, ReasonPending
	}
	q := store.Quarantine{
		Link: u.Transport, Bearer: string(u.From.Bearer), From: u.From.ID, Ref: u.Ref, SentAt: u.SentAt, ReceivedAt: u.ReceivedAt,
		Port: u.Port, Number: number, Reason: ReasonPending.String(), Verified: true,
		Opened: true, Epoch: o.epoch, Counter: o.counter, Hash: o.hash, Position: store.Position(u.Position), Payload: item.Raw,
	}
	q.Seq = c.batch.PutQuarantine(&q)
	c.kept = append(c.kept, q)
	h.pending[number] = append(kept, keptFrame{q.Seq, o.epoch, o.counter, o.hash})
	return transports.Quarantined, ReasonPending
}

func (h *Hub) loadPending(q *store.Quarantine) error {
	if i, ok := h.fleet.ByNumber(q.Number); ok && q.Reason == ReasonPending.String() && h.fleet.Head(i).State != fleet.Active {
		h.pending[q.Number] = append(h.pending[q.Number], keptFrame{q.Seq, q.Epoch, q.Counter, q.Hash})
	}
	return nil
}

// release processes the frames kept for a device that was let in, oldest first, as if they had come now. A row whose frame cannot be taken
// stays for people. Called with mu held.
func (h *Hub) release(c *commit, i fleet.Index) error {
	number := h.fleet.Head(i).Number
	// The device is heard from its first frame on: what is newest is newest among those that were released.
	known := *h.fleet.Counters(i)
	*h.fleet.Counters(i) = session.Counters{Floor: known.Floor}
	for after, more := uint64(0), true; more; {
		rows, err := h.store.QuarantineOf(number, ReasonPending.String(), after, pendingFrames)
		if err != nil {
			c.fail(err)
			return fmt.Errorf("read the frames kept for device %d: %w", number, err)
		}
		more = len(rows) == pendingFrames
		for k := range rows {
			after = rows[k].Seq
			h.releaseRow(c, i, &rows[k])
		}
	}
	for k := range c.kept {
		if c.kept[k].Number == number {
			h.releaseRow(c, i, &c.kept[k])
		}
	}
	acceptAll(h.fleet.Counters(i), &known)
	delete(h.pending, number)
	return nil
}

// acceptAll notes in s what is known in another state of the same counters.
func acceptAll(s, known *session.Counters) {
	if !known.Seen {
		return
	}
	s.Accept(known.Highest)
	for back := range uint64(session.WindowLen) {
		if known.Window>>back&1 == 1 && known.Highest > back {
			s.Accept(known.Highest - 1 - back)
		}
	}
}

func (h *Hub) releaseRow(c *commit, i fleet.Index, q *store.Quarantine) {
	l := h.links[q.Link]
	if l == nil {
		// The link is configured no more. What came over it counts all the same, but for no other link.
		l = &link{place: -1, Link: Link{Name: q.Link, Bearer: transports.Bearer(q.Bearer), Metered: transports.Bearer(q.Bearer) != transports.UDP}}
	}
	u := transports.Uplink{
		Transport: q.Link, From: transports.Address{Bearer: transports.Bearer(q.Bearer), ID: q.From}, Ref: q.Ref,
		SentAt: q.SentAt, ReceivedAt: q.ReceivedAt, Port: q.Port, Position: transports.Position(q.Position), Payload: q.Payload,
	}
	item, _, err := codec.NextItem(q.Payload)
	if err != nil {
		return
	}
	o, ok := h.openKept(c, l, &u, &item, i, q)
	if !ok {
		return
	}
	var out transports.Verdict
	h.scratch.paid = true // as what nobody was known to have sent
	if s, _ := h.verified(c, l, &u, &item, &o, &out); s != transports.Rejected {
		c.batch.DeleteQuarantine(q.Seq)
	}
}

// openKept opens a frame that was opened before. By now its counter may be too far behind to be completed: the row has it whole.
func (h *Hub) openKept(c *commit, l *link, u *transports.Uplink, item *codec.Item, i fleet.Index, q *store.Quarantine) (opened, bool) {
	if !q.Opened {
		o, why := h.openAs(c, l, u, item, i)
		return o, why == ReasonNone
	}
	d := h.fleet.Head(i)
	o := opened{device: i, tagLen: tagLength(l, d, item.Content)}
	sealed, err := codec.ParseSealed(item.Content, d.CTRBits, o.tagLen)
	if err != nil {
		return opened{}, false
	}
	o.header = sealed.Header
	key, ok := h.fleet.UplinkKey(i, o.tagLen)
	if q.Epoch != d.Epoch {
		e, second := h.fleet.Second(i, o.tagLen)
		key, ok, o.second = second, e != nil && e.Number == q.Epoch, true
	}
	return o, ok && h.try(&o, h.cipher(key), &sealed, d.Number, q.Epoch, q.Counter)
}

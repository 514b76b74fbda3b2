package hub

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/gateway/store"
	"github.com/godwit-gateway/godwit/transports"
)

// fragments is the messages that devices are sending in pieces. The rows of the store are the truth. Guarded by Hub.mu.
type fragments struct {
	devices map[uint32]*codec.Reassembler
	memory  int // that all of them take
}

func (f *fragments) init() { f.devices = make(map[uint32]*codec.Reassembler) }

// of is the device's reassembler; nil if there may be no further one.
func (f *fragments) of(number uint32) *codec.Reassembler {
	r := f.devices[number]
	if r == nil && len(f.devices) < fragmentDevices {
		r = new(codec.Reassembler)
		f.devices[number] = r
	}
	return r
}

// changed keeps the sum of memory, and lets go of a reassembler that holds nothing.
func (f *fragments) changed(number uint32, before int) {
	r := f.devices[number]
	f.memory += r.Memory() - before
	if r.Empty() {
		delete(f.devices, number)
	}
}

// fragment takes a piece of a message. The piece that makes the message whole gives the message's event, any other one that says how far it
// is. Where there is no room for the piece, its event holds it.
func (h *Hub) fragment(c *commit, l *link, u *transports.Uplink, o *opened, e *eventBuffer, f *codec.Fragment) {
	r := h.fragments.of(e.number)
	if r == nil || h.fragments.memory+len(f.Data) > fragmentMemory {
		if r != nil {
			h.fragments.changed(e.number, r.Memory())
		}
		h.fragmentEvent(c, l, u, o, e, f, "refused", 0)
		return
	}
	before := r.Memory()
	out := r.Add(u.ReceivedAt, f)
	have, _, _ := r.Progress(f.Set)
	for _, set := range out.Dropped {
		c.batch.DeleteFragments(e.number, set)
	}
	row := store.Fragment{Number: e.number, Set: f.Set, Index: f.Index, Last: f.Last, ReceivedAt: u.ReceivedAt, Data: f.Data}
	switch out.Outcome {
	case codec.FragmentKept:
		c.batch.PutFragment(&row)
		h.fragmentEvent(c, l, u, o, e, f, "kept", have)
	case codec.FragmentComplete:
		c.batch.DeleteFragments(e.number, f.Set)
		row.Index, row.Data = store.FragmentsDone, r.AppendSet(nil, f.Set)
		c.batch.PutFragment(&row)
		h.whole(c, l, u, o, e, out.Message, have)
	case codec.FragmentDuplicate:
		h.fragmentEvent(c, l, u, o, e, f, "duplicate", have)
	case codec.FragmentCorrupt:
		h.fragmentEvent(c, l, u, o, e, f, "corrupt", 0)
	}
	h.fragments.changed(e.number, before)
	if h.asked(o) {
		h.queueFragmentStatus(c, l, o.device, f.Set, u.ReceivedAt)
	}
}

// whole decodes a message that came in pieces as if it had come in one.
func (h *Hub) whole(c *commit, l *link, u *transports.Uplink, o *opened, e *eventBuffer, message []byte, pieces int) {
	w := *o
	w.plaintext, w.fragments = message, pieces
	if kind := codec.MessageType(message[0]); kind == codec.MessageFragment || !h.message(c, l, u, &w, e) {
		h.raw(c, l, u, &w, e)
	}
}

func (h *Hub) fragmentEvent(c *commit, l *link, u *transports.Uplink, o *opened, e *eventBuffer, f *codec.Fragment, outcome string, have int) {
	e.startFrame(KindFragment, u.ReceivedAt, u, o)
	e.payload = appendTextMember(e.payload, "outcome", outcome)
	e.payload = appendFragment(e.payload, f)
	if have > 0 {
		e.payload = appendUintMember(e.payload, "have", uint64(have))
	}
	if outcome == "refused" {
		e.payload = appendHexMember(e.payload, "bytes", f.Data)
	}
	h.emit(c, l, e)
}

func appendFragment(dst []byte, f *codec.Fragment) []byte {
	dst = appendUintMember(dst, "set", uint64(f.Set))
	dst = appendUintMember(dst, "index", uint64(f.Index))
	dst = appendUintMember(dst, "of", uint64(f.Last)+1)
	return appendUintMember(dst, "data_bytes", uint64(len(f.Data)))
}

// queueFragmentStatus queues word of what arrived of a message, where the device asks for it. One that waits already, whatever it was tried, is that: it is
// made when it leaves.
func (h *Hub) queueFragmentStatus(c *commit, l *link, i fleet.Index, set uint8, now time.Time) {
	recipe := []byte{byte(codec.MessageFragmentStatus), set}
	number := h.fleet.Head(i).Number
	waits := func(d *store.Downlink) bool {
		return d.Kind == downlinkFragments && (d.State == DownlinkQueued || d.State == DownlinkSent && d.InHand == 0) && slices.Equal(d.Payload, recipe)
	}
	if l.Ack == AckNever || l.Transport == nil || h.reachable(i, l) != nil {
		return
	}
	due := now
	if l.Metered {
		due = now.Add(ackInterval)
	}
	switch d := h.outgoing.first(number, waits); {
	case d != nil && (d.Link != l.Name || d.State == DownlinkSent):
		h.rescue(c, d, l, due)
		h.move(c, d, DownlinkQueued, now)
	case d != nil || len(h.outgoing.byRef) >= downlinkMax:
	default:
		h.enqueue(c, i, &store.Downlink{
			Number: number, Kind: downlinkFragments, Link: l.Name, State: DownlinkQueued, Payload: recipe,
			QueuedAt: now, Due: due, Expires: now.Add(ttlOf(downlinkFragments)), Changed: now,
		})
	}
}

// fragmentStatus is the plaintext of a status that fits into room bytes; what is cut from its bitmap counts as missing.
func (h *Hub) fragmentStatus(number uint32, set uint8, room int) ([]byte, error) {
	st := codec.FragmentStatus{Set: set}
	if r := h.fragments.devices[number]; r != nil {
		st = r.Status(set)
	}
	const heads = 1 + 1 + 3 // type, set, missing
	st.Bitmap = st.Bitmap[:min(len(st.Bitmap), max(0, room-heads))]
	for n := len(st.Bitmap); n > 0 && st.Bitmap[n-1] == 0; n = len(st.Bitmap) {
		st.Bitmap = st.Bitmap[:n-1]
	}
	return codec.AppendFragmentStatus(nil, &st)
}

// expireFragments forgets messages of which nothing was heard for a day. Each piece is in the history of its device all the same.
func (h *Hub) expireFragments(c *commit, now time.Time) {
	for _, n := range slices.Sorted(maps.Keys(h.fragments.devices)) {
		r := h.fragments.devices[n]
		before := r.Memory()
		for _, set := range r.Expire(now) {
			c.batch.DeleteFragments(n, set)
		}
		h.fragments.changed(n, before)
	}
}

func (h *Hub) loadFragment(f *store.Fragment) error {
	r := h.fragments.devices[f.Number]
	if r == nil {
		r = new(codec.Reassembler)
		h.fragments.devices[f.Number] = r
	}
	before := r.Memory()
	if f.Index == store.FragmentsDone {
		if err := r.Load(f.Data); err != nil {
			return fmt.Errorf("device %d: %w", f.Number, err)
		}
	} else {
		r.Add(f.ReceivedAt, &codec.Fragment{Set: f.Set, Index: f.Index, Last: f.Last, Data: f.Data})
	}
	h.fragments.changed(f.Number, before)
	return nil
}

package hub

import (
	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/gateway/store"
	"github.com/godwit-gateway/godwit/transports"
)

// packed emits the events of a delta or batch. If its base is not there it waits; if it does not fit the template or the base, neither status
// nor waits is set and nothing is done.
func (h *Hub) packed(c *commit, l *link, u *transports.Uplink, o *opened, e *eventBuffer) taken {
	hash := h.fleet.Template(o.device, o.header.Slot())
	v := h.templates[hash]
	if v == nil {
		return taken{}
	}
	distance, _, err := codec.DeltaBase(o.header, o.plaintext)
	if err != nil {
		return taken{}
	}
	s := &h.scratch.state
	if distance > 0 {
		switch h.base(c, s, v, hash, e.key, o.header.Slot(), distance) {
		case baseMissing:
			return taken{waits: true, distance: distance}
		case baseUseless:
			return taken{}
		case baseKnown:
		}
	}
	if !h.statuses(c, l, u, o, e, v, s) {
		return taken{}
	}
	h.scratch.stored = codec.AppendState(append(h.scratch.stored[:0], hash[:]...), s)
	return taken{status: true, state: h.scratch.stored}
}

// statuses decodes a delta or batch from the state of its base, which becomes the one after it, and emits its events.
func (h *Hub) statuses(c *commit, l *link, u *transports.Uplink, o *opened, e *eventBuffer, v *templateView, s *codec.State) bool {
	if o.header.Kind() == codec.KindDelta {
		status := &h.scratch.status
		if v.template.DecodeDelta(status, s, o.header, o.plaintext, reference(u)) != nil {
			return false
		}
		h.status(c, l, u, o, e, v, status, single)
		return true
	}
	list, err := v.template.DecodeBatch(h.scratch.statuses, s, o.header, o.plaintext, reference(u))
	h.scratch.statuses = list
	if err != nil {
		return false
	}
	for i := range list {
		e.id = appendEventID(e.id[:0], e.name, e.key.Epoch, e.key.Counter, i)
		h.status(c, l, u, o, e, v, &list[i], inBatch{index: i, count: len(list)})
	}
	return true
}

// baseResult is what became of the search for a base.
type baseResult uint8

const (
	baseKnown   baseResult = iota
	baseMissing            // it may still come
	baseUseless            // it is there and no state, or it can come no more
)

// base finds the state after the status that the frame of key is counted from.
func (h *Hub) base(c *commit, s *codec.State, v *templateView, hash fleet.TemplateHash, key store.FrameKey, slot, distance uint8) baseResult {
	if key.Counter < uint64(distance) {
		return baseUseless
	}
	key.Counter -= uint64(distance)
	if h.isParked(key) {
		return baseMissing
	}
	if f, ok := c.fresh[key]; ok {
		return readBase(s, v, hash, slot, f.header, c.bases[f.from:f.upto])
	}
	if b, ok := c.cachedBase(key); ok {
		return readBase(s, v, hash, slot, b.header, b.state)
	}
	f, ok, err := h.store.Frame(key)
	switch {
	case err != nil:
		c.fail(err)
		return baseUseless
	case ok:
		return readBase(s, v, hash, slot, codec.Header(f.Header), baseOf(&f))
	}
	if i, ok := h.fleet.ByNumber(key.Number); ok && key.Counter < h.fleet.Counters(i).Floor {
		return baseUseless
	}
	return baseMissing
}

// baseOf is the part of a stored frame that tells the state after it.
func baseOf(f *store.Frame) []byte {
	if codec.Header(f.Header).Kind() == codec.KindKeyframe {
		return f.Plaintext
	}
	return f.State
}

// readBase reads the state after a status: a keyframe tells it itself, other frames have it beside them, with the template that it is of.
func readBase(s *codec.State, v *templateView, hash fleet.TemplateHash, slot uint8, header codec.Header, b []byte) baseResult {
	if header.Slot() != slot {
		return baseUseless
	}
	switch header.Kind() {
	case codec.KindKeyframe:
		if v.template.ReadKeyframe(s, header, b) != nil {
			return baseUseless
		}
	case codec.KindDelta, codec.KindBatch:
		if len(b) < len(hash) || fleet.TemplateHash(b[:len(hash)]) != hash || codec.ParseState(s, v.template, b[len(hash):]) != nil {
			return baseUseless
		}
	default:
		return baseUseless
	}
	return baseKnown
}

package hub

import (
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/codec/session"
	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/transports"
)

// cipher is that of a key, until another one is asked for. To make it ready takes some tens of nanoseconds, about what it would to find it in memory; on
// other processors than amd64 it takes an allocation too, see package aes128.
func (h *Hub) cipher(key codec.SealKey) *codec.Cipher {
	h.scratch.cipher.Use(&key)
	return &h.scratch.cipher
}

// open finds the device that sealed a frame: the connection id or the sender's address gives the candidates, the tag decides.
func (h *Hub) open(c *commit, l *link, u *transports.Uplink, item *codec.Item) (opened, Reason) {
	h.scratch.candidates = h.resolve(h.scratch.candidates[:0], u, item)
	if len(h.scratch.candidates) == 0 {
		return opened{}, ReasonUnknown
	}
	reason := ReasonAuth
	var failed [fleet.CandidatesMax]fleet.Index
	n := 0
	for _, i := range h.scratch.candidates {
		if !h.failures.admit(h.failureKey(u, i), u.ReceivedAt) {
			reason = ReasonLimit
			continue
		}
		o, why := h.openAs(c, l, u, item, i)
		if why == ReasonNone {
			return o, ReasonNone
		}
		if why != ReasonAuth {
			reason = why
			continue
		}
		failed[n] = i
		n++
	}
	// One address may lead to several devices: only now it is known that the frame is of none.
	for _, i := range failed[:n] {
		h.failures.fail(h.failureKey(u, i), u.ReceivedAt)
		h.failed(c, i, u.ReceivedAt)
	}
	return opened{}, reason
}

func (h *Hub) resolve(dst []fleet.Index, u *transports.Uplink, item *codec.Item) []fleet.Index {
	if item.Form == codec.FormAddressed {
		if i, ok := h.fleet.ByNumber(item.CID); ok {
			dst = append(dst, i)
		}
		return dst
	}
	if u.From.ID == "" {
		return dst
	}
	return h.fleet.ByAddress(dst, string(u.From.Bearer), u.From.ID)
}

// openAs tries a frame with the keys of one device: those of its current epoch, and those of a second one if it has one.
func (h *Hub) openAs(c *commit, l *link, u *transports.Uplink, item *codec.Item, i fleet.Index) (opened, Reason) {
	d := h.fleet.Head(i)
	if !d.Keyed {
		return opened{}, ReasonUnknown
	}
	tagLen := tagLength(l, d, item.Content)
	sealed, err := codec.ParseSealed(item.Content, d.CTRBits, tagLen)
	if err != nil {
		return opened{}, ReasonMalformed
	}
	if tagLen == 4 && !h.senders.admitWeak(l, uint64(d.Number), u.ReceivedAt, h.fleet.HasAddress(i, string(u.From.Bearer), u.From.ID)) {
		return opened{}, ReasonLimit
	}
	key, ok := h.fleet.UplinkKey(i, tagLen)
	if !ok {
		return opened{}, ReasonUnknown
	}
	o := opened{device: i, header: sealed.Header, tagLen: tagLen, weak: tagLen == 4 && l.weak.n > weakFailuresDay}
	if h.tryEpoch(c, &o, u, &sealed, d.Number, d.Epoch, h.fleet.Counters(i), key) {
		return o, ReasonNone
	}
	if h.fleet.HasSecond(i, u.ReceivedAt) {
		if e, key := h.fleet.Second(i, tagLen); e != nil && h.tryEpoch(c, &o, u, &sealed, d.Number, e.Number, &e.Counters, key) {
			o.second = true
			return o, ReasonNone
		}
	}
	if tagLen == 4 {
		h.senders.failWeak(l, uint64(d.Number), u.ReceivedAt)
	}
	return opened{}, ReasonAuth
}

// tryEpoch tries a frame with the keys of one epoch, with the counter that comes next, and with the one that the frame had when the network
// took it.
func (h *Hub) tryEpoch(
	c *commit, o *opened, u *transports.Uplink, sealed *codec.Sealed, number, epoch uint32, s *session.Counters, key codec.SealKey,
) bool {
	cipher := h.cipher(key)
	counter := codec.CompleteCounter(sealed.CTR, sealed.CTRBits, s.Highest, s.Seen)
	if h.try(o, cipher, sealed, number, epoch, counter) {
		return true
	}
	late, ok := h.lateCounter(c, u, number, epoch, sealed.CTR, sealed.CTRBits)
	return ok && late != counter && h.try(o, cipher, sealed, number, epoch, late)
}

func (h *Hub) try(o *opened, cipher *codec.Cipher, sealed *codec.Sealed, number, epoch uint32, counter uint64) bool {
	plaintext, err := cipher.Open(h.scratch.plaintext[:0], sealed, codec.Position{
		Direction: codec.Up, Number: number, Epoch: epoch, Counter: counter,
	})
	if err != nil {
		return false
	}
	o.epoch = epoch
	h.scratch.plaintext = plaintext
	o.plaintext, o.counter, o.hash = plaintext, counter, codec.ContentHash(sealed.Header, plaintext)
	return true
}

// tagLength is known before a key is tried: the 4-byte tag is for statuses on links where each byte is paid for, and only for devices
// that were set up so.
func tagLength(l *link, d fleet.Head, content []byte) uint8 {
	if d.TagLen == 4 && l.Metered && len(content) > 0 && codec.Header(content[0]).Kind() != codec.KindExtended {
		return 4
	}
	return 8
}

// lateCounter completes the counter of a frame that the network held back, by the frames that were received when it was sent.
func (h *Hub) lateCounter(c *commit, u *transports.Uplink, number, epoch uint32, low uint64, bits uint8) (uint64, bool) {
	if bits == 40 || u.SentAt.IsZero() || u.ReceivedAt.Sub(u.SentAt) <= lateAfter {
		return 0, false
	}
	near, ok, err := h.store.FrameNear(number, u.SentAt)
	if err != nil {
		c.fail(err) // what cannot be read must not make a genuine frame a forgery
		return 0, false
	}
	if !ok || near.Epoch != epoch {
		return 0, false
	}
	return codec.CompleteCounter(low, bits, near.Counter, true), true
}

// deviceTime settles when a status was taken: the device's own time if it is sure of its clock, else the time of receipt.
func deviceTime(s *codec.Status, u *transports.Uplink) (time.Time, bool) {
	if !s.ClockValid {
		return u.ReceivedAt, false
	}
	return s.Time, true
}

// reference is the time by which a shortened device time is completed.
func reference(u *transports.Uplink) time.Time {
	if u.SentAt.IsZero() {
		return u.ReceivedAt
	}
	return u.SentAt
}

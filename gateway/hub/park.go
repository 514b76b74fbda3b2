package hub

import (
	"maps"
	"slices"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/gateway/store"
	"github.com/godwit-gateway/godwit/scheduler"
	"github.com/godwit-gateway/godwit/scheduler/core"
	"github.com/godwit-gateway/godwit/transports"
)

// parkedFrame is a delta or batch that was acknowledged before its base came. The rows of the store are the truth; these are what is needed to go on
// when the base comes. Guarded by Hub.mu.
type parkedFrame struct {
	store.Parked

	key   store.FrameKey
	frame store.Frame
}

// Parked is how many frames wait for their base. Each is acknowledged, and no event yet.
func (h *Hub) Parked() int {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.parkedCount
}

func (h *Hub) isParked(key store.FrameKey) bool {
	for i := range h.parked[key.Number] {
		if h.parked[key.Number][i].key == key {
			return true
		}
	}
	return false
}

// park keeps a frame until its base comes. At the limit the oldest is let go as it is: it was acknowledged, so it is published raw.
func (h *Hub) park(c *commit, u *transports.Uplink, key store.FrameKey, f *store.Frame, distance uint8) {
	p := parkedFrame{key: key, Parked: store.Parked{Base: key.Counter - uint64(distance), Position: store.Position(u.Position)}, frame: *f}
	p.frame.Plaintext = append([]byte(nil), f.Plaintext...)
	p.frame.Raw = append([]byte(nil), f.Raw...)
	c.batch.PutParked(key, &p.Parked)
	if list := h.parked[key.Number]; len(list) >= parkedEach || h.parkedCount >= parkedMax && len(list) > 0 {
		h.giveUp(c, key.Number, 0)
	}
	h.parked[key.Number] = append(h.parked[key.Number], p)
	if h.parkedCount++; h.parkedCount > parkedMax {
		h.giveUp(c, key.Number, len(h.parked[key.Number])-1)
	}
}

// takeParked removes one frame from the list of those that wait.
func (h *Hub) takeParked(c *commit, number uint32, at int) parkedFrame {
	list := h.parked[number]
	p := list[at]
	list = append(list[:at], list[at+1:]...)
	if h.parked[number] = list; len(list) == 0 {
		delete(h.parked, number)
	}
	h.parkedCount--
	c.batch.DeleteParked(p.key)
	return p
}

// resume gives what decode needs of a stored frame.
func (h *Hub) resume(p *parkedFrame) (l *link, u transports.Uplink, o opened, ok bool) {
	i, ok := h.fleet.ByNumber(p.key.Number)
	if !ok {
		return nil, u, o, false
	}
	f := &p.frame
	u = transports.Uplink{
		Transport: f.Link, From: transports.Address{Bearer: transports.Bearer(f.Bearer), ID: f.From}, Ref: f.Ref, SentAt: f.SentAt, ReceivedAt: f.ReceivedAt,
		Position: transports.Position(p.Position), Payload: f.Raw,
	}
	o = opened{
		device: i, header: codec.Header(f.Header), epoch: p.key.Epoch, counter: p.key.Counter, tagLen: f.TagLen, weak: f.Weak, plaintext: f.Plaintext, hash: f.Hash,
		newest: p.key.Epoch == h.fleet.Head(i).Epoch && p.key.Counter == h.fleet.Counters(i).Highest,
	}
	l = h.links[f.Link]
	switch {
	case f.Charged:
		o.cost = core.Cost{Booked: true, Bytes: f.Billed, Micros: scheduler.Micros(f.Micros), Currency: h.currency}
	case l != nil:
		o.cost.Currency = h.core.Currency(f.ReceivedAt, l.place)
	}
	return l, u, o, true
}

// giveUp publishes a waiting frame raw.
func (h *Hub) giveUp(c *commit, number uint32, at int) {
	p := h.takeParked(c, number, at)
	if l, u, o, ok := h.resume(&p); ok {
		h.raw(c, l, &u, &o, h.frameEvent(&o, p.key, h.fleet.Head(o.device)))
	}
}

// unpark goes on with the frames that waited for the frame of key, and with those that waited for them.
func (h *Hub) unpark(c *commit, i fleet.Index, key store.FrameKey) {
	if len(h.parked) == 0 {
		return
	}
	for next := []store.FrameKey{key}; len(next) > 0; next = next[1:] {
		for at := 0; at < len(h.parked[key.Number]); {
			if p := &h.parked[key.Number][at]; p.Base != next[0].Counter || p.key.Epoch != next[0].Epoch {
				at++
				continue
			}
			p := h.takeParked(c, key.Number, at)
			l, u, o, ok := h.resume(&p)
			if !ok {
				continue
			}
			t := h.decode(c, l, &u, &o, p.key, h.fleet.Head(i))
			p.frame.State = t.state
			c.note(p.key, o.hash, o.header, t.base(&o))
			c.batch.PutFrame(p.key, &p.frame)
			next = append(next, p.key)
		}
	}
}

// expireParked gives up frames that have waited long enough.
func (h *Hub) expireParked(c *commit, now time.Time) {
	for _, number := range slices.Sorted(maps.Keys(h.parked)) { // each gives an event: the same in the same order
		list := h.parked[number]
		for at := len(list) - 1; at >= 0; at-- {
			if now.Sub(list[at].frame.ReceivedAt) >= parkedTTL {
				h.giveUp(c, number, at)
			}
		}
	}
}

// How long a frame waits for its base before its device is asked for a status that needs none. On links that keep messages for
// days, a base may still come, and the question is paid for.
const (
	askAfter        = 10 * time.Minute
	askAfterMetered = 24 * time.Hour
)

// askForWhole asks devices for a whole status whose frames have waited for a base. The base may be lost for good, with a disk or with a backup that is
// older than the device, and each further status would wait behind it.
func (h *Hub) askForWhole(c *commit, now time.Time) {
	for number := range h.wholeAsked {
		if len(h.parked[number]) == 0 {
			delete(h.wholeAsked, number)
		}
	}
	for _, number := range slices.Sorted(maps.Keys(h.parked)) {
		list, asked := h.parked[number], h.wholeAsked[number]
		k := slices.IndexFunc(list, func(p parkedFrame) bool { return p.frame.ReceivedAt.After(asked) })
		if k < 0 {
			continue // they were asked about
		}
		waits := &list[k].frame
		l := h.links[waits.Link]
		if l == nil {
			continue
		}
		after := askAfter
		if l.Metered {
			after = askAfterMetered
		}
		if now.Sub(waits.ReceivedAt) < after {
			continue
		}
		h.wholeAsked[number] = now // whatever comes of it
		if i, ok := h.fleet.ByNumber(number); ok && !h.outgoing.has(number, downlinkRequest) {
			h.ask(c, i, l, codec.RequestKeyframe, 0)
		}
	}
}

// ask queues a request of the gateway's own. Where there is no way to the device nothing is asked, and it returns nil.
func (h *Hub) ask(c *commit, i fleet.Index, l *link, what uint8, ttl time.Duration) *store.Downlink {
	plaintext, err := codec.AppendRequest(nil, &codec.Request{What: what})
	if err != nil {
		return nil
	}
	d, err := h.newDownlink(i, downlinkRequest, l.Name, ttl, plaintext)
	if err != nil {
		h.log.Debug("request", attrErr(err))
		return nil
	}
	c.touch(i)
	h.enqueue(c, i, d)
	return d
}

func (h *Hub) loadParked(key store.FrameKey, p store.Parked) error {
	f, ok, err := h.store.Frame(key)
	if err != nil || !ok {
		return err // a row of which the frame was forgotten says nothing any more
	}
	h.parked[key.Number] = append(h.parked[key.Number], parkedFrame{key: key, Parked: p, frame: f})
	h.parkedCount++
	return nil
}

package hub

import (
	"strconv"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/codec/session"
	"github.com/godwit-gateway/godwit/gateway/failpoint"
	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/gateway/store"
	"github.com/godwit-gateway/godwit/scheduler/core"
	"github.com/godwit-gateway/godwit/transports"
)

// scratch is memory that the committer uses again for each frame.
type scratch struct {
	cipher     codec.Cipher
	candidates []fleet.Index
	plaintext  []byte
	row        []byte
	status     codec.Status
	statuses   []codec.Status // of a batch
	state      codec.State
	stored     []byte // a state as it is stored
	frame      store.Frame
	levels     []core.Level // of Quiet: whoever asks, with Hub.mu held
	paid       bool         // what the uplink costs is booked
	missing    int          // messages before the uplink that the network lost, until they are told of
}

// uplink settles one uplink. Called with mu held.
func (h *Hub) uplink(c *commit, u *transports.Uplink, out *transports.Verdict) transports.Settlement {
	l := h.links[u.Transport]
	if l == nil {
		return transports.Rejected
	}
	l.count.received.Add(1)
	l.count.bytes.Add(uint64(len(u.Payload)))
	if !u.SentAt.IsZero() {
		l.count.delay.Observe(max(0, u.ReceivedAt.Sub(u.SentAt)))
	}
	h.scratch.paid, h.scratch.missing = false, u.Missing
	var s transports.Settlement
	switch {
	case u.Content != transports.ContentData:
		s = h.keep(c, l, u, ReasonText, 0)
	case !u.Part.Whole():
		s = h.part(c, l, u, out)
	default:
		var why Reason
		// A frame that found no room among those of its device that wait is authentic: it is refused, for the device to send it again.
		if s, why = h.payload(c, l, u, out); s == transports.Rejected && why != ReasonPending {
			s = h.unverified(c, l, u, why)
		}
	}
	if !h.scratch.paid && u.Part.Whole() { // the parts of a message are paid for when it is whole
		h.core.Stranger(u.ReceivedAt, l.place, len(u.Payload))
	}
	switch s {
	case transports.Stored:
		l.count.stored.Add(1)
	case transports.Duplicate:
		l.count.duplicate.Add(1)
	case transports.Quarantined:
		l.count.quarantine.Add(1)
	case transports.Unsettled, transports.Rejected:
	}
	return s
}

// rank orders settlements: what a payload of several frames comes to is the best of them.
var rank = [...]int{transports.Unsettled: 0, transports.Rejected: 1, transports.Quarantined: 2, transports.Duplicate: 3, transports.Stored: 4}

// payload settles a whole payload: a CBOR sequence (RFC 8742) of frames, each on its own. What is amiss behind a good frame is counted and
// takes nothing away from it. The reason is why the last frame that was not stored was not.
func (h *Hub) payload(c *commit, l *link, u *transports.Uplink, out *transports.Verdict) (transports.Settlement, Reason) {
	best, why := transports.Rejected, ReasonNone
	rest := u.Payload
	for n := 0; len(rest) > 0 || n == 0; n++ {
		item, tail, err := codec.NextItem(rest)
		if err != nil || n == codec.ItemsMax || len(u.Payload) > codec.TransmissionMax {
			why = ReasonMalformed
			l.count.rejected[why].Add(1)
			break
		}
		rest = tail
		s, reason := h.item(c, l, u, &item, out)
		if reason != ReasonNone {
			why = reason
			l.count.rejected[why].Add(1)
		}
		if rank[s] > rank[best] {
			best = s
		}
	}
	return best, why
}

// item settles one frame. The reason is ReasonNone unless the frame was not stored.
func (h *Hub) item(c *commit, l *link, u *transports.Uplink, item *codec.Item, out *transports.Verdict) (transports.Settlement, Reason) {
	if item.Form != codec.FormSealed && item.Form != codec.FormAddressed {
		// Open maps are for links that authenticate the sender, of which there is none yet; signed manifests go down only.
		return transports.Rejected, ReasonForm
	}
	if _, control := codec.Control(item.Content); control {
		return h.join(c, l, u, item, out)
	}
	o, reason := h.open(c, l, u, item)
	if reason == ReasonUnknown && item.Form == codec.FormAddressed {
		o, reason = h.firstContact(c, l, u, item)
	}
	if reason != ReasonNone {
		return transports.Rejected, reason
	}
	return h.verified(c, l, u, item, &o, out)
}

// opened is a frame whose tag verified.
type opened struct {
	device    fleet.Index
	header    codec.Header
	epoch     uint32
	second    bool // the epoch is the device's second one
	counter   uint64
	tagLen    uint8
	newest    bool      // above every counter before
	weak      bool      // a 4-byte tag on a link that sees too many forgeries
	plaintext []byte    // in Hub.scratch
	fragments int       // of which it was put together; 0: it came in one piece
	cost      core.Cost // that no event has told of yet
	hash      [8]byte
}

// verified settles an authentic frame.
func (h *Hub) verified(
	c *commit, l *link, u *transports.Uplink, item *codec.Item, o *opened, out *transports.Verdict,
) (transports.Settlement, Reason) {
	failpoint.Pass(failpoint.Opened)
	d := h.fleet.Head(o.device)
	if o.epoch < d.Least {
		return transports.Rejected, ReasonTooOld // nobody knows what was taken of it; kept for an approval it would take the place of what counts
	}
	switch d.State {
	case fleet.Active:
	case fleet.Pending:
		return h.keepPending(c, u, item, o)
	default:
		return transports.Rejected, ReasonState
	}
	key := store.FrameKey{Number: d.Number, Epoch: o.epoch, Counter: o.counter}
	class := h.classify(o)
	if class == session.TooOld {
		return transports.Rejected, ReasonTooOld
	}
	if class != session.New {
		known, hash := h.stored(c, key)
		if known && hash != o.hash {
			return h.reused(c, l, u, o, key)
		}
		if known { // the window alone proves nothing: of a device that waited for approval it knows frames that were not kept
			h.fleet.HeardAgain(o.device)
			h.heardAgain(l, u, o)
			h.acknowledge(c, l, u, o, out, true)
			return transports.Duplicate, ReasonNone
		}
	}
	lost := h.lost(o)
	o.newest = h.accept(c, o, u.ReceivedAt)
	h.fleet.Heard(o.device, u.ReceivedAt, l.Name)
	h.heard(l, u, o, lost)
	cost := o.cost
	c.touch(o.device)
	if o.newest {
		h.noteRoute(c, o.device, u, l)
	}
	h.noteAddress(c, l, u, o.device, d)
	taken := h.decode(c, l, u, o, key, d)
	c.note(key, o.hash, o.header, taken.base(o))
	f := h.putFrame(c, u, item, o, key, taken.state, cost)
	if taken.waits {
		h.park(c, u, key, f, taken.distance)
	} else {
		h.unpark(c, o.device, key)
	}
	h.acknowledge(c, l, u, o, out, false)
	h.tellMissing(c, u, o)
	if o.newest {
		h.tellInterval(c, l, o.device, u.ReceivedAt)
		h.offerUpdate(c, l, o.device, u.ReceivedAt)
		h.rekeyFollows(c, l, o.device, u.ReceivedAt)
	}
	if h.fleet.RekeyDue(o.device, u.ReceivedAt, !l.Metered) {
		h.rekeyDue(c, l, o.device, u.ReceivedAt)
	}
	return transports.Stored, ReasonNone
}

// tellMissing raises an alarm if the network lost messages of the device: their frames were sent, and nobody will send them again.
func (h *Hub) tellMissing(c *commit, u *transports.Uplink, o *opened) {
	if n := h.scratch.missing; n > 0 {
		h.scratch.missing = 0 // once for all frames of the payload
		h.alarm(c, o.device, u.ReceivedAt, AlarmMissing, strconv.Itoa(n)+" messages that the network numbered before this one did not come", o.counter)
	}
}

// classify says what the counter of a verified frame is in its epoch.
func (h *Hub) classify(o *opened) session.Class {
	if !o.second {
		return h.fleet.Counters(o.device).Classify(o.counter)
	}
	g := h.fleet.Session(o.device)
	return g.Classify(true, o.counter)
}

// accept notes the counter of a new frame. It reports whether nothing newer is known of the device.
func (h *Hub) accept(c *commit, o *opened, now time.Time) (newest bool) {
	if o.second {
		return h.acceptSecond(c, o.device, o.counter, now)
	}
	s := h.fleet.Counters(o.device)
	newest = !s.Seen || o.counter > s.Highest
	s.Accept(o.counter)
	return newest
}

// stored finds the content hash of a frame that was stored before, in an earlier batch or in this one.
func (h *Hub) stored(c *commit, key store.FrameKey) (bool, [8]byte) {
	if f, ok := c.fresh[key]; ok {
		return true, f.hash
	}
	hash, ok, err := h.store.FrameHash(key)
	if err != nil {
		c.fail(err)
		return false, [8]byte{}
	}
	return ok, hash
}

func (h *Hub) putFrame(c *commit, u *transports.Uplink, item *codec.Item, o *opened, key store.FrameKey, state []byte, cost core.Cost) *store.Frame {
	f := &h.scratch.frame
	*f = store.Frame{
		Hash: o.hash, Link: u.Transport, Bearer: string(u.From.Bearer), From: u.From.ID, Ref: u.Ref,
		SentAt: u.SentAt, ReceivedAt: u.ReceivedAt, TagLen: o.tagLen, Weak: o.weak,
		Header: byte(o.header), State: state, Plaintext: o.plaintext, Raw: item.Raw,
		Charged: cost.Booked && cost.Currency != "", Billed: cost.Bytes, Micros: int64(cost.Micros),
	}
	c.batch.PutFrame(key, f)
	return f
}

// reused settles a frame whose counter carried other content before: the device lost its state, or there are two of it. Nothing stored
// is changed; the first in each batch of a device is also an event.
func (h *Hub) reused(c *commit, l *link, u *transports.Uplink, o *opened, key store.FrameKey) (transports.Settlement, Reason) {
	s := h.keep(c, l, u, ReasonReuse, key.Number)
	if s == transports.Quarantined {
		h.alarm(c, o.device, u.ReceivedAt, AlarmCounterReuse, "a counter was used again with other content: lost state or a cloned device", key.Counter)
	}
	return s, ReasonReuse
}

// noteRoute remembers where a device can be answered: only a verified frame with a counter above all before may move it.
func (h *Hub) noteRoute(c *commit, i fleet.Index, u *transports.Uplink, l *link) {
	if u.Window.ID == 0 {
		return
	}
	r := h.route(i)
	r.window, r.until, r.link, r.source = u.Window.ID, u.Window.Until.UnixMilli(), l, hashSource(u.From.ID)
	if len(h.outgoing.open[h.fleet.Head(i).Number]) > 0 {
		c.wake = true
	}
}

// route is where a device was last heard from on an IP link. It lives in memory only and serves replies only.
type route struct {
	link   *link
	window uint64
	until  int64 // Unix milliseconds
	source uint64
	acked  int64 // Unix milliseconds of the last acknowledgement of a duplicate
}

// route is the device's route; after a start nothing is known of it yet.
func (h *Hub) route(i fleet.Index) *route {
	for int(i) >= len(h.routes) {
		h.routes = append(h.routes, make([]route, max(1024, len(h.routes)/4))...)
	}
	return &h.routes[i]
}

func hashSource(id string) uint64 {
	const offset, prime = 14695981039346656037, 1099511628211 // FNV-1a
	x := uint64(offset)
	for i := range len(id) {
		x = (x ^ uint64(id[i])) * prime
	}
	return x
}

// noteAddress records an address that names the device on its network. An IP source does not: it changes with every NAT binding.
func (h *Hub) noteAddress(c *commit, l *link, u *transports.Uplink, i fleet.Index, d fleet.Head) {
	if l.Bearer == transports.UDP || u.From.ID == "" || h.fleet.HasAddress(i, string(u.From.Bearer), u.From.ID) {
		return
	}
	if !h.fleet.NoteAddress(i, string(u.From.Bearer), u.From.ID, u.ReceivedAt) {
		return
	}
	c.batch.PutAddress(string(u.From.Bearer), u.From.ID, d.Number)
	if h.senders.firstToday(hashSource(u.From.ID)^uint64(d.Number), u.ReceivedAt) {
		e := h.gatewayEvent(c, i, KindAddress, u.ReceivedAt)
		e.payload = appendTextMember(e.payload, "bearer", string(u.From.Bearer))
		e.payload = appendTextMember(e.payload, "address", u.From.ID)
		h.emit(c, l, e)
	}
}

// dayOf numbers the days of UTC, for daily limits.
func dayOf(t time.Time) int64 { return t.Unix() / 86400 }

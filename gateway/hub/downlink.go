package hub

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/codec/session"
	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/gateway/store"
	"github.com/godwit-gateway/godwit/scheduler"
	"github.com/godwit-gateway/godwit/scheduler/core"
)

// Limits of downlinks.
const (
	downlinkMax     = 10_000         // kept in all
	downlinkEach    = 16             // open per device
	downlinkTTL     = 24 * time.Hour // if the sender names none
	downlinkTTLMax  = 7 * 24 * time.Hour
	messageMax      = 4096             // bytes of a user message: what a day's budget of text messages carries
	retryAfter      = 30 * time.Second // first pause after a downlink that surely did not leave; doubles up to retryMax
	retryMax        = 30 * time.Minute
	slowAfter       = 15 * time.Minute // the same when the network says that it will not go better soon
	slowMax         = 4 * time.Hour
	pauseDoubled    = 9                // times at most: by then each pause is as long as it gets
	maybeAfter      = 10 * time.Minute // pause after a downlink that may have left
	attemptsMax     = 8
	downlinkHistory = 24 * time.Hour // how long a finished downlink can be listed
)

// Downlink states.
const (
	DownlinkQueued    = "queued"    // waits for its link
	DownlinkSent      = "sent"      // attempted; what the network said is not known
	DownlinkAccepted  = "accepted"  // the network took it: the last word, unless it was asked for a report
	DownlinkDelivered = "delivered" // the network's report says that the device has it
	DownlinkFailed    = "failed"
	DownlinkExpired   = "expired"
)

// ErrDownlink is wrapped by errors for a downlink that cannot be queued.
var ErrDownlink = errors.New("downlink")

// A Message is what an operator sends to a device's application.
type Message struct {
	Payload []byte        // 1 to 4,096 bytes
	Link    string        // name of a transport; "": the link that the device was last heard on
	TTL     time.Duration // 0: 24 h
}

// A DownlinkRecord is a snapshot of one downlink.
type DownlinkRecord struct {
	Ref      uint64 `json:"ref"`
	Number   uint32 `json:"number"`
	Kind     string `json:"kind"` // message, ack, request, time, sleep, template, policy, offer, fragments, join or rekey
	Link     string `json:"link"`
	State    string `json:"state"`
	Counter  uint64 `json:"counter"` // of the frame, or of the last fragment that left
	Bytes    int    `json:"bytes"`
	Attempts int    `json:"attempts"`
	Parts    int    `json:"parts"` // billed by the network, after it took the downlink

	Billed int64            `json:"billed_bytes"` // at the link's tariff, by all attempts so far
	Price  scheduler.Micros `json:"price"`        // of these, in the currency of the tariff

	Error    string `json:"error,omitempty"`
	Unfunded bool   `json:"unfunded,omitempty"` // it waits for a budget that has the money, or ended so

	Fragments int `json:"fragments,omitempty"` // in which it goes, 0: in one frame
	Arrived   int `json:"arrived,omitempty"`   // of these, those that the device has

	QueuedAt time.Time `json:"queued_at"`
	Expires  time.Time `json:"expires"`
	Changed  time.Time `json:"changed_at"`
}

// ttlOf is for how long a downlink of the gateway's own is tried.
func ttlOf(kind string) time.Duration {
	switch kind {
	case downlinkRekey:
		return session.Grace
	case downlinkJoin:
		return session.ChallengeLife
	case downlinkFragments:
		return codec.FragmentTTL
	default:
		return downlinkTTL
	}
}

// Kinds of downlinks.
const (
	downlinkMessage = "message"
	downlinkAck     = "ack"
	downlinkJoin    = "join"
	downlinkRekey   = "rekey"
)

// outgoing is all downlinks that are open or were lately. Guarded by Hub.mu.
type outgoing struct {
	byRef    map[uint64]*store.Downlink
	open     map[uint32][]uint64         // by number, oldest first
	next     uint64                      // next ref
	spent    map[uint32]dayCount         // paid downlinks by number
	asked    map[uint64]bool             // requests of the gateway's own, by ref
	insisted map[uint64]bool             // acknowledgements that their device asked for once more, by ref
	held     map[uint64]scheduler.Micros // by ref: what those may cost that a network has in hand
	vain     map[uint64]vain             // by ref: tries in which the network was not reached

	unknown []uint64 // refs of those that a network had in hand when the gateway ended
}

func (o *outgoing) init() {
	o.byRef = make(map[uint64]*store.Downlink)
	o.open = make(map[uint32][]uint64)
	o.spent = make(map[uint32]dayCount)
	o.held = make(map[uint64]scheduler.Micros)
	o.asked = make(map[uint64]bool)
	o.insisted = make(map[uint64]bool)
	o.vain = make(map[uint64]vain)
	o.next = 1
}

// full reports whether there is no room for one more to a device. What the network took, and only its report is due of, takes none: some never report.
func (o *outgoing) full(number uint32) bool {
	waiting := 0
	for _, ref := range o.open[number] {
		if o.byRef[ref].State != DownlinkAccepted {
			waiting++
		}
	}
	return len(o.byRef) >= downlinkMax || waiting >= downlinkEach
}

func (o *outgoing) put(d *store.Downlink) {
	o.byRef[d.Ref] = d
	o.next = max(o.next, d.Ref+1)
	if !over(d) {
		o.open[d.Number] = append(o.open[d.Number], d.Ref)
	}
}

func (o *outgoing) close(d *store.Downlink) {
	delete(o.asked, d.Ref)
	delete(o.insisted, d.Ref)
	delete(o.vain, d.Ref)
	list := slices.DeleteFunc(o.open[d.Number], func(ref uint64) bool { return ref == d.Ref })
	if len(list) == 0 {
		delete(o.open, d.Number)
		return
	}
	o.open[d.Number] = list
}

// first is the oldest downlink under way to a device of which is says so; nil if there is none.
func (o *outgoing) first(number uint32, is func(*store.Downlink) bool) *store.Downlink {
	for _, ref := range o.open[number] {
		if d := o.byRef[ref]; is(d) {
			return d
		}
	}
	return nil
}

// has reports whether a downlink of a kind is under way to a device, and waits whether one of a kind waits for its way there.
func (o *outgoing) has(number uint32, kind string) bool {
	return o.first(number, func(d *store.Downlink) bool { return d.Kind == kind }) != nil
}

func (o *outgoing) waits(number uint32, kind string) bool {
	return o.first(number, func(d *store.Downlink) bool { return d.Kind == kind && d.State == DownlinkQueued }) != nil
}

// doubtful is a downlink of a kind that may have left over a link and waits to be repeated; nil if there is none.
func (o *outgoing) doubtful(number uint32, l *link, kind string) *store.Downlink {
	return o.first(number, func(d *store.Downlink) bool {
		return d.Kind == kind && d.Link == l.Name && d.State == DownlinkSent && d.InHand == 0
	})
}

func final(state string) bool {
	return state == DownlinkDelivered || state == DownlinkFailed || state == DownlinkExpired
}

// over reports whether nothing more will be heard of a downlink, and it is not to be sent again.
func over(d *store.Downlink) bool {
	return final(d.State) || d.State == DownlinkAccepted && d.Receipt == ""
}

// loadDownlink takes a downlink of an earlier process. Times that lie further ahead than they can were written by a clock that was set back since.
func (h *Hub) loadDownlink(d *store.Downlink) error {
	now := h.clock.Now()
	if most := now.Add(downlinkTTLMax); d.Expires.After(most) {
		d.Expires, d.Due = most, now
	}
	if ahead := d.Changed.Sub(now); ahead > 0 {
		d.Changed, d.Due = now, d.Due.Add(-ahead)
	}
	if waitsForMoney(d) || d.State == DownlinkQueued && d.Attempts == 0 && d.Error != "" {
		d.Due = earlier(d.Due, now) // its network was not reached, or there was no money: a start, with new budgets perhaps, is a reason to try
	}
	if inFragments(d) {
		if _, err := parseParcel(d.Payload); err != nil {
			return fmt.Errorf("downlink %d: %w", d.Ref, err)
		}
	}
	if d.HandedAt.After(now) {
		d.HandedAt = now
	}
	if h.outgoing.put(d); d.InHand > 0 {
		h.outgoing.unknown = append(h.outgoing.unknown, d.Ref)
	}
	if l := h.links[d.Link]; l != nil && l.Metered {
		h.outgoing.spend(d, h.clock.Now())
	}
	return nil
}

// SendMessage seals a message for a device's application and queues it. It is on disk when SendMessage returns.
func (h *Hub) SendMessage(ctx context.Context, ref string, m Message) (DownlinkRecord, error) {
	if len(m.Payload) == 0 || len(m.Payload) > messageMax {
		return DownlinkRecord{}, fmt.Errorf("%w: %d bytes: want 1 to %d", ErrDownlink, len(m.Payload), messageMax)
	}
	return h.send(ctx, ref, func(_ *commit, i fleet.Index) (*store.Downlink, error) {
		return h.newDownlink(i, downlinkMessage, m.Link, m.TTL, append([]byte{byte(codec.MessageUser)}, m.Payload...))
	})
}

// send makes a downlink for a device and queues it.
func (h *Hub) send(ctx context.Context, ref string, build func(*commit, fleet.Index) (*store.Downlink, error)) (DownlinkRecord, error) {
	var rec DownlinkRecord
	err := h.do(ctx, func(c *commit) error {
		i, err := h.find(ref)
		if err != nil {
			return err
		}
		d, err := build(c, i)
		if err != nil {
			return err
		}
		c.touch(i)
		h.enqueue(c, i, d)
		rec = record(d)
		return nil
	})
	return rec, err
}

// newDownlink seals a plaintext for a device, or keeps it as it is if the downlink is made when it leaves.
func (h *Hub) newDownlink(i fleet.Index, kind, name string, ttl time.Duration, plaintext []byte) (*store.Downlink, error) {
	if ttl < 0 || ttl > downlinkTTLMax {
		return nil, fmt.Errorf("%w: time to live %s: want up to %s", ErrDownlink, ttl, downlinkTTLMax)
	}
	l, err := h.outlet(i, name)
	if err != nil {
		return nil, err
	}
	d := h.draft(i, l, kind, plaintext)
	if ttl > 0 {
		d.Expires = d.QueuedAt.Add(ttl)
	}
	if late(kind, plaintext) {
		return d, nil
	}
	if room := wholeRoom(l); len(plaintext) > room {
		d.Payload, err = h.packParcel(d.Number, plaintext, room)
		return d, err
	}
	key, err := h.deviceKey(i)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDownlink, err)
	}
	d.Counter, d.Payload, err = h.sealNext(i, plaintext, &key, 0)
	return d, err
}

// outlet is the link of a downlink for the device, if it can have one more. Without a name it is the link that the device was last heard on.
func (h *Hub) outlet(i fleet.Index, name string) (*link, error) {
	dev := h.fleet.Device(i)
	if dev.State != fleet.Active {
		return nil, fmt.Errorf("%w: the device is %s: %w", ErrDownlink, dev.State, fleet.ErrState)
	}
	if name == "" {
		name = dev.LastLink
	}
	if name == "" {
		return nil, fmt.Errorf("%w: the device was not heard on any link: name one", ErrDownlink)
	}
	l := h.links[name]
	if l == nil || l.Transport == nil {
		return nil, fmt.Errorf("%w: link %q: no such link, or it cannot send", ErrDownlink, name)
	}
	if err := h.reachable(i, l); err != nil {
		return nil, err
	}
	if h.outgoing.full(dev.Number) {
		return nil, fmt.Errorf("%w: the queue is full (%d open per device, %d in all)", ErrDownlink, downlinkEach, downlinkMax)
	}
	return l, nil
}

// draft is a downlink with what it is to say in clear.
func (h *Hub) draft(i fleet.Index, l *link, kind string, plaintext []byte) *store.Downlink {
	now := h.clock.Now()
	return &store.Downlink{
		Number: h.fleet.Head(i).Number, Kind: kind, Link: l.Name, Payload: plaintext,
		State: DownlinkQueued, QueuedAt: now, Due: now, Expires: now.Add(downlinkTTL), Changed: now,
	}
}

// wholeRoom is the longest plaintext that a link carries in one message. Where a window also takes the reply to its uplink, some is left for that.
func wholeRoom(l *link) int {
	limits := l.Transport.Limits()
	most := limits.DownlinkMax
	if limits.PerMessage > 0 {
		most = min(most, limits.PerMessage)
	}
	if !l.Metered {
		most -= replyRoom
	}
	room := most - downlinkSize(0)
	for room > 0 && downlinkSize(room) > most {
		room--
	}
	return room
}

// downlinkSize is the most that a plaintext takes as a sealed downlink: head of the byte string, header, whole counter, tag.
func downlinkSize(plaintext int) int {
	n := 1 + 5 + plaintext + 8
	switch {
	case n < 24:
		return 1 + n
	case n < 256:
		return 2 + n
	default:
		return 3 + n
	}
}

// Widths of a downlink's counter on air and of its tag.
const (
	downCTRBits = 16
	downTagLen  = 8
)

// sealNext seals a plaintext under the device's next downlink counter. The counter is part of this batch, so it is on disk before the frame can
// leave and is never used again. After a restore nobody knows how far the device is, so the frame carries the whole counter.
//
// ask is 1 if the device is to answer with a fragment status, else 0.
func (h *Hub) sealNext(i fleet.Index, plaintext []byte, key *[32]byte, ask uint8) (uint64, []byte, error) {
	g, head := h.fleet.Session(i), h.fleet.Head(i)
	slot := uint8(0)
	if head.Guarded {
		slot = 1
	}
	counter := h.fleet.NextDown(i)
	cipher := codec.NewCipher(codec.DeriveSealKey(key, g.Current.SaltBytes(), codec.LabelDown, head.Number, head.Epoch))
	payload, err := cipher.AppendSealed(nil, codec.MakeHeader(codec.KindExtended, slot, ask),
		codec.Position{Direction: codec.Down, Number: head.Number, Epoch: head.Epoch, Counter: counter}, downCTRBits, downTagLen, plaintext)
	if err != nil {
		return 0, nil, fmt.Errorf("%w: seal: %w", ErrDownlink, err)
	}
	return counter, payload, nil
}

// reachable reports whether a link has, or may come to have, a way to the device.
func (h *Hub) reachable(i fleet.Index, l *link) error {
	if !l.Metered {
		return nil // at the device's next uplink
	}
	if _, ok := h.fleet.AcceptedAddress(i, string(l.Bearer)); !ok {
		return fmt.Errorf("%w: the device has no accepted %s address", ErrDownlink, l.Bearer)
	}
	return nil
}

func (h *Hub) enqueue(c *commit, i fleet.Index, d *store.Downlink) {
	d.Ref = h.outgoing.next
	h.outgoing.put(d)
	c.batch.PutDownlink(d)
	c.wake = true
	h.downlinkEvent(c, i, d)
}

// queueAck queues an acknowledgement on a link where each message is paid for, unless one is queued already: it will cover all frames
// that came before it leaves.
func (h *Hub) queueAck(c *commit, l *link, i fleet.Index, now time.Time) {
	number := h.fleet.Head(i).Number
	if l.Transport == nil || h.reachable(i, l) != nil {
		return
	}
	if d := h.stranded(number, l, downlinkAck); d != nil {
		h.rescue(c, d, l, now.Add(ackInterval))
	}
	if h.outgoing.waits(number, downlinkAck) || len(h.outgoing.byRef) >= downlinkMax {
		return
	}
	if d := h.outgoing.doubtful(number, l, downlinkAck); d != nil { // else that one would be repeated as well
		d.Due, d.Expires = earlier(d.Due, now.Add(ackInterval)), now.Add(downlinkTTL)
		h.move(c, d, DownlinkQueued, now)
		c.wake = true
		return
	}
	h.enqueue(c, i, &store.Downlink{
		Number: number, Kind: downlinkAck, Link: l.Name, State: DownlinkQueued,
		QueuedAt: now, Due: now.Add(ackInterval), Expires: now.Add(downlinkTTL), Changed: now,
	})
}

// Downlinks lists a device's open and recent downlinks, oldest first.
func (h *Hub) Downlinks(ref string) ([]DownlinkRecord, error) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	i, err := h.find(ref)
	if err != nil {
		return nil, err
	}
	number := h.fleet.Head(i).Number
	var out []DownlinkRecord
	for _, d := range h.outgoing.byRef {
		if d.Number == number {
			out = append(out, record(d))
		}
	}
	slices.SortFunc(out, func(a, b DownlinkRecord) int { return cmp.Compare(a.Ref, b.Ref) })
	return out, nil
}

func record(d *store.Downlink) DownlinkRecord {
	r := DownlinkRecord{
		Ref: d.Ref, Number: d.Number, Kind: d.Kind, Link: d.Link, State: d.State, Counter: d.Counter, Bytes: len(d.Payload),
		Attempts: d.Attempts, Parts: d.Parts, Billed: d.Billed, Price: scheduler.Micros(d.Micros), Error: d.Error, Unfunded: d.Unfunded,
		QueuedAt: d.QueuedAt, Expires: d.Expires, Changed: d.Changed,
	}
	if p := parcelOf(d); p != nil {
		r.Bytes = p.Len()
		r.Fragments, r.Arrived = p.Fragments()
	}
	return r
}

func (h *Hub) downlinkEvent(c *commit, i fleet.Index, d *store.Downlink) {
	e := h.gatewayEvent(c, i, KindDownlink+"."+d.State, d.Changed)
	e.payload = appendUintMember(e.payload, "ref", d.Ref)
	e.payload = appendTextMember(e.payload, "downlink", d.Kind)
	e.payload = appendTextMember(e.payload, "link", d.Link)
	e.payload = appendUintMember(e.payload, "attempts", uint64(d.Attempts)) //nolint:gosec // small and positive
	e.payload = appendTextMember(e.payload, "error", d.Error)
	if l := h.links[d.Link]; l != nil {
		cost := core.Cost{Bytes: d.Billed, Micros: scheduler.Micros(d.Micros), Currency: h.core.Currency(d.Changed, l.place)}
		e.payload = appendCost(e.payload, &cost)
	}
	e.payload = append(append(appendName(e.payload, "correlation"), '"'), e.name...)
	e.payload = append(strconv.AppendUint(append(e.payload, ".d."...), d.Ref, 10), '"')
	h.emit(c, nil, e)
}

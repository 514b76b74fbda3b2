package hub

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/gateway/rollout"
	"github.com/godwit-gateway/godwit/gateway/store"
	"github.com/godwit-gateway/godwit/scheduler/core"
	"github.com/godwit-gateway/godwit/transports"
)

// openRollouts makes the machine of updates, with what c says of its pauses, and brings back what it knew. The fleet and the schedule are there.
func (h *Hub) openRollouts(c rollout.Config) error {
	c.Fleet, c.Store = updatable{h}, h.store
	c.Programme = func(at rollout.Place) int { return h.core.Programme(core.Place(at)) }
	c.Burst = func(at rollout.Place) []uint16 { return h.core.Burst(core.Place(at)) }
	c.Model, c.Presence = h.core.Presence()
	for _, l := range h.linkList {
		c.Links = append(c.Links, l.Name)
	}
	h.rollouts = rollout.New(c)
	if err := h.rollouts.Load(h.clock.Now(), h.store); err != nil {
		return fmt.Errorf("load rollouts: %w", err)
	}
	var err error
	if _, h.inDoubt, err = h.store.Meta(metaDoubt); err != nil {
		return fmt.Errorf("load rollouts: %w", err)
	}
	from, known, err := h.store.Meta(metaOffers)
	if err != nil || known && len(from) != 4 {
		return fmt.Errorf("load from where offers are numbered, %x: %w", from, errors.Join(err, ErrFatal))
	}
	if known {
		h.rollouts.Raise(binary.BigEndian.Uint32(from))
	}
	return h.loadByHand()
}

// updatable is the fleet as rollouts see it. It answers within calls of the machine, with mu held.
type updatable struct{ h *Hub }

// Len implements rollout.Fleet.
func (f updatable) Len() int { return f.h.fleet.Len() }

// Find implements rollout.Fleet.
func (f updatable) Find(number uint32) (rollout.Place, bool) {
	i, ok := f.h.fleet.ByNumber(number)
	return rollout.Place(i), ok
}

// Facts implements rollout.Fleet.
func (f updatable) Facts(at rollout.Place, to *rollout.Facts) {
	p := f.h.fleet.Profile(fleet.Index(at))
	every, _, _ := f.h.core.Running(core.Place(at))
	quiet := f.h.core.Quiet(core.Place(at))
	if every > 0 {
		every += quiet
	}
	*to = rollout.Facts{
		Number: p.Number, Name: p.Name, Product: p.Product, Customer: p.Customer, Version: p.Version, Build: p.Build, Hardware: p.Hardware,
		FreeMemory: p.FreeMemory, Interval: time.Duration(every) * time.Second, Last: p.LastSeen, Active: p.State == fleet.Active, Hushed: quiet > 0,
	}
	if l := f.h.links[p.LastLink]; l != nil {
		to.Link = l.place
	}
}

// heardForUpdate tells the rollouts of an authentic frame that is new, before what it says.
func (h *Hub) heardForUpdate(l *link, u *transports.Uplink, o *opened) {
	h.rollouts.Heard(u.ReceivedAt, rollout.Place(o.device), rollout.Contact{Link: l.place, Order: orderOf(o), Newest: o.newest, Boot: isHello(o), At: u.SentAt})
}

// orderOf is where a frame stands among those of its device.
func orderOf(o *opened) rollout.Order { return rollout.Order{Epoch: o.epoch, Counter: o.counter} }

// runs tells the rollouts what a frame says of the software that its device runs, before the fleet is told. at is when the frame was sent; zero: now.
func (h *Hub) runs(o *opened, version, build string, at, now time.Time) {
	h.rollouts.Reported(now, rollout.Place(o.device), rollout.Software{
		Version: version, Build: build, Was: h.fleet.Version(o.device), Order: orderOf(o), Newest: o.newest, At: at,
	})
}

// stepped takes what a device tells of the steps of an update. Where it is about to boot other software nothing is heard of it for a while, and then
// more than usual.
func (h *Hub) stepped(o *opened, body []byte, u *transports.Uplink) {
	l, err := codec.DecodeStepLog(body)
	if err != nil || len(l.Steps) == 0 {
		return
	}
	h.rollouts.Steps(u.ReceivedAt, l.Made(reference(u)), rollout.Place(o.device), &l)
	if s := l.Steps[len(l.Steps)-1].Step; o.newest && (s == codec.StepInstalling || s == codec.StepRebooting) {
		h.core.Installing(u.ReceivedAt, core.Place(o.device))
	}
}

// An offer of a rollout is made when it leaves, so that it says how things are then: the rollout may be halted by that time. Until then its
// payload holds its type, the number of the rollout and about how long it will be. One that takes several messages is made when it is queued,
// and only let go if it still holds.
const offerStub = 1 + 4 + 2

func appendOfferStub(dst []byte, number uint32, size int) []byte {
	dst = binary.BigEndian.AppendUint32(append(dst, byte(codec.MessageOffer)), number)
	return binary.BigEndian.AppendUint16(dst, uint16(size)) //nolint:gosec // it fits into one message of a link
}

// isOfferStub tells a downlink that is a rollout's offer in one message. A sealed one is longer than a stub.
func isOfferStub(kind string, payload []byte) bool {
	return kind == downlinkOffer && len(payload) == offerStub && payload[0] == byte(codec.MessageOffer)
}

// rolloutOf is the number of a rollout's offer, by which the device tells of its steps; 0: the downlink is none. Those that people offer by hand have
// other numbers.
func (h *Hub) rolloutOf(d *store.Downlink) uint32 {
	if d.Kind != downlinkOffer {
		return 0
	}
	if isOfferStub(d.Kind, d.Payload) {
		return binary.BigEndian.Uint32(d.Payload[1:])
	}
	p := parcelOf(d)
	if p == nil {
		return 0
	}
	o, err := codec.DecodeOffer(p.Message()[1:])
	if err != nil || !h.isRollout(o.Rollout) {
		return 0
	}
	return o.Rollout
}

// isRollout reports whether the number of an offer is one of the machine's.
func (h *Hub) isRollout(number uint32) bool {
	_, ok := h.rollouts.Of(number)
	return ok
}

// sizeOf is about how many bytes a downlink will have that is made when it leaves.
func sizeOf(d *store.Downlink) int {
	if isOfferStub(d.Kind, d.Payload) {
		return int(binary.BigEndian.Uint16(d.Payload[1+4:]))
	}
	return max(len(d.Payload), scheduleSize)
}

// offerUpdate queues what a device that speaks now is to be offered, if it is to be offered anything and none is on its way.
func (h *Hub) offerUpdate(c *commit, l *link, i fleet.Index, now time.Time) {
	number := h.fleet.Head(i).Number
	stranded := h.stranded(number, l, downlinkOffer)
	if stranded != nil && (h.rolloutOf(stranded) == 0 || stranded.Attempts > 0 && inFragments(stranded) || h.reachable(i, l) != nil) {
		stranded = nil // there is no other way for it
	}
	if l.Transport == nil || stranded == nil && h.offering(number, now) {
		return
	}
	offer, ok := h.rollouts.Offer(now, rollout.Place(i), l.place)
	if !ok {
		return
	}
	if stranded != nil { // links differ in what they carry, so it is made anew
		h.drop(c, stranded, "the device speaks over another link now", now)
	}
	h.queueOffer(c, l, i, number, offer)
}

// queueOffer is apart from its caller so that a frame that brings no offer, as nearly all do, makes none in memory.
func (h *Hub) queueOffer(c *commit, l *link, i fleet.Index, number uint32, offer codec.Offer) {
	if _, err := h.outlet(i, l.Name); err != nil {
		return // no way there, or no room: it speaks again
	}
	plaintext, err := codec.AppendOffer(nil, &offer)
	if err != nil {
		h.log.Error("an offer cannot be made", attrNumber(number), attrErr(err))
		return
	}
	d := h.draft(i, l, downlinkOffer, nil)
	if room := wholeRoom(l); len(plaintext) > room {
		d.Payload, err = h.packParcel(number, plaintext, room)
		if err != nil {
			h.log.Error("an offer cannot be cut into fragments", attrNumber(number), attrErr(err))
			return
		}
	} else {
		d.Payload = appendOfferStub(nil, offer.Rollout, downlinkSize(len(plaintext)))
	}
	h.enqueue(c, i, d)
}

// offering reports whether an offer waits to leave for a device, or may have left. Whether one that the network took is to be repeated is for the
// machine to say.
func (h *Hub) offering(number uint32, now time.Time) bool {
	return h.outgoing.first(number, func(d *store.Downlink) bool {
		return d.Kind == downlinkOffer && d.State != DownlinkAccepted && now.Before(d.Expires)
	}) != nil
}

// errWithdrawn ends an offer that holds no more.
var errWithdrawn = errors.New("the device is not to be offered this any more")

// offerPlaintext is what a device is offered now.
func (h *Hub) offerPlaintext(l *link, i fleet.Index, d *store.Downlink, now time.Time) ([]byte, error) {
	o, ok := h.rollouts.Offer(now, rollout.Place(i), l.place)
	if !ok || o.Rollout != h.rolloutOf(d) {
		return nil, errWithdrawn
	}
	return codec.AppendOffer(nil, &o)
}

// holds reports whether a rollout's offer in fragments may go on.
func (h *Hub) holds(l *link, i fleet.Index, d *store.Downlink, now time.Time) bool {
	number := h.rolloutOf(d)
	if number == 0 || d.Attempts > 0 {
		return true // what has begun is brought to its end: the device decides
	}
	o, ok := h.rollouts.Offer(now, rollout.Place(i), l.place)
	return ok && o.Rollout == number
}

// What becomes of offers is told to the machine: that one leaves with the first attempt, in its batch; then what the network or the device says
// of it. Of one that may have left nothing is told.

func (h *Hub) offered(i fleet.Index, d *store.Downlink, now time.Time) {
	if number := h.rolloutOf(d); number > 0 && (d.Attempts == 0 || !inFragments(d)) {
		h.rollouts.Offered(now, rollout.Place(i), number)
	}
}

func (h *Hub) offerArrived(d *store.Downlink, now time.Time) {
	h.offerOver(d, now, h.rollouts.Delivered)
}

func (h *Hub) offerLost(d *store.Downlink, now time.Time) {
	h.offerOver(d, now, h.rollouts.Undelivered)
}

func (h *Hub) offerOver(d *store.Downlink, now time.Time, tell func(time.Time, rollout.Place, uint32)) {
	if number := h.rolloutOf(d); number > 0 {
		if i, ok := h.fleet.ByNumber(d.Number); ok {
			tell(now, rollout.Place(i), number)
		}
	}
}

// campaignOf is what a downlink is charged to.
func (h *Hub) campaignOf(d *store.Downlink) string {
	return h.campaign(h.rolloutOf(d))
}

// campaign is what is charged of what the number of an offer stands for: its rollout.
func (h *Hub) campaign(number uint32) string {
	if id, ok := h.rollouts.Of(number); ok {
		return strconv.FormatUint(uint64(id), 10)
	}
	return ""
}

// campaignOfFrame is what a frame is charged to: the rollout whose steps it tells of.
func (h *Hub) campaignOfFrame(o *opened) string {
	if o.header.Kind() != codec.KindExtended || len(o.plaintext) == 0 || codec.MessageType(o.plaintext[0]) != codec.MessageStepLog {
		return ""
	}
	l, err := codec.DecodeStepLog(o.plaintext[1:])
	if err != nil {
		return ""
	}
	return h.campaign(l.Rollout)
}

// rareSoftware is what a rare block says of the software. A version index that the product's release table does not have is kept as "#index", so
// that it is seen that the device changed.
func (h *Hub) rareSoftware(i fleet.Index, r *codec.Rare) (version, build string) {
	if r.VersionIndex == versionExplicit {
		return "", hex.EncodeToString(binary.BigEndian.AppendUint32(nil, r.Build))
	}
	if p := h.products[h.fleet.Head(i).Product]; p != nil {
		version = p.Releases[r.VersionIndex]
	}
	if version == "" {
		version = string(appendUint([]byte("#"), uint64(r.VersionIndex)))
	}
	return version, ""
}

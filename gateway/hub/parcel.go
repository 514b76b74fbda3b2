package hub

import (
	"fmt"
	"math"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/codec/session"
	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/gateway/store"
	"github.com/godwit-gateway/godwit/transports"
)

// A downlink that does not fit into one message of its link goes in fragments. Its row holds the parcel instead of a frame: which fragments the
// device has and how often each was sent. The row is written before a fragment leaves, so after a restart only what the device has not
// confirmed is sent, and what was spent stays spent. Each fragment is sealed when it leaves, under a counter of its own: devices refuse a
// counter below one that they took, so a repeat under the old one would be lost where the network reorders.

// The payload of a downlink in fragments: parcelMark, with which no frame and no message type begins; how often in a row a fragment surely did not
// leave; the parcel.
const (
	parcelMark = 0
	parcelHead = 2
)

// Time without a fragment status after which the device is asked again; twice as long each time.
const (
	parcelFree    = 30 * time.Second
	parcelMetered = time.Hour
	parcelDoubled = 5 // times at most
)

func inFragments(d *store.Downlink) bool { return len(d.Payload) > 0 && d.Payload[0] == parcelMark }

// parcelOf is the parcel of a downlink; nil if it goes in one frame.
func parcelOf(d *store.Downlink) *session.Parcel {
	if !inFragments(d) {
		return nil
	}
	p, err := parseParcel(d.Payload)
	if err != nil {
		panic("hub: " + err.Error()) // loadDownlink has read it, or packParcel or keepParcel wrote it
	}
	return p
}

func parseParcel(payload []byte) (*session.Parcel, error) {
	if len(payload) < parcelHead {
		return nil, fmt.Errorf("downlink in fragments: %w", codec.ErrMalformed)
	}
	return session.ParseParcel(payload[parcelHead:])
}

// keepParcel writes the parcel into its downlink. vain is how often in a row a fragment surely did not leave.
func keepParcel(d *store.Downlink, p *session.Parcel, vain uint8) {
	d.Payload = p.AppendState([]byte{parcelMark, vain})
}

func inVain(d *store.Downlink) uint8 { return d.Payload[1] }

// packParcel is the payload of a new downlink in fragments. Its set is one that the device cannot take for an earlier one: it remembers sets for a
// day, and finished downlinks are listed as long. Which one is first is drawn: a store that was restored does not know those that were used since,
// and would repeat what it counts.
func (h *Hub) packParcel(number uint32, plaintext []byte, room int) ([]byte, error) {
	var draw [1]byte
	h.random(draw[:])
	set := draw[0]
	var used [256]bool
	for _, d := range h.outgoing.byRef {
		if d.Number == number && inFragments(d) {
			used[parcelOf(d).Set()] = true
		}
	}
	for n := 0; n < len(used) && used[set]; n++ {
		set++
	}
	p, err := session.NewParcel(set, plaintext, room)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDownlink, err)
	}
	return p.AppendState([]byte{parcelMark, 0}), nil
}

// spentParcel ends a downlink of which something is missing that may not be sent again.
func (h *Hub) spentParcel(c *commit, d *store.Downlink, now time.Time) bool {
	p := parcelOf(d)
	if !p.Exhausted() {
		return false
	}
	all, arrived := p.Fragments()
	why := d.Error // of the last attempt: often it tells more than that there were too many
	if why == "" {
		why = "what is missing was sent as often as it may be"
	}
	d.Error = fmt.Sprintf("%s; %d of %d fragments arrived", why, arrived, all)
	h.offerLost(d, now)
	h.move(c, d, DownlinkFailed, now)
	c.wake = true // another one may have waited for its end
	return true
}

// nextFragment seals the fragment that comes next, and notes when the one after it, or the question for what is missing, is due. Where the device
// must speak before it can be answered each fragment asks, so that the answer brings the way for the next one.
func (h *Hub) nextFragment(c *commit, l *link, i fleet.Index, d *store.Downlink, now time.Time) (payload []byte, index uint16, err error) {
	p := parcelOf(d)
	index, last, ok := p.Next()
	if !ok && p.Probe() {
		index, last, ok = p.Next()
	}
	if !ok {
		return nil, 0, fmt.Errorf("%w: no fragment is left to send", ErrDownlink)
	}
	plaintext, err := p.AppendPlaintext(nil, index)
	if err != nil {
		return nil, 0, fmt.Errorf("%w: %w", ErrDownlink, err)
	}
	key, err := h.deviceKey(i)
	if err != nil {
		return nil, 0, fmt.Errorf("%w: %w", ErrDownlink, err)
	}
	ask := uint8(0)
	if last || !l.Metered {
		ask = 1
	}
	if d.Counter, payload, err = h.sealNext(i, plaintext, &key, ask); err != nil {
		return nil, 0, err
	}
	c.touch(i)
	p.Sent(index, last)
	if d.Due = now; last {
		wait := parcelFree
		if l.Metered {
			wait = parcelMetered
		}
		d.Due = now.Add(wait << min(p.Probes(), parcelDoubled))
	}
	keepParcel(d, p, inVain(d))
	return payload, index, nil
}

// settleFragment writes down what came of sending a fragment. That it was sent says little: the device's own word ends the downlink. A window
// that is gone is no reason to give up on links where each uplink opens one. What surely did not leave cost nothing, so only the downlink's expiry
// ends that.
func (h *Hub) settleFragment(c *commit, d *store.Downlink, a *attempt, receipt transports.Receipt, err error, now time.Time) {
	if err == nil {
		d.Parts += receipt.Parts
		keepParcel(d, parcelOf(d), 0)
		h.move(c, d, d.State, now)
		return
	}
	d.Error = err.Error()
	l := h.links[d.Link]
	switch outcome := outcomeOf(err); {
	case outcome == transports.Refused && l != nil && l.Metered:
		h.offerLost(d, now)
		h.move(c, d, DownlinkFailed, now)
		c.wake = true
	case outcome == transports.MaybeSent:
		keepParcel(d, parcelOf(d), 0)
		h.move(c, d, d.State, now)
	default:
		p, vain := parcelOf(d), inVain(d)
		vain += min(1, math.MaxUint8-vain)
		p.Unsent(a.fragment)
		keepParcel(d, p, vain)
		if p.Left() == 0 { // nothing of it ever left: an offer may still be withdrawn
			d.Attempts = 0
			h.offerLost(d, now)
		}
		if l != nil && l.Metered {
			h.outgoing.refund(d.Number, now)
		}
		d.Due = a.next(err, int(vain), now)
		h.move(c, d, DownlinkQueued, now)
	}
}

// confirmed takes a device's word of what it has of a message that it is sent in fragments.
func (h *Hub) confirmed(c *commit, l *link, u *transports.Uplink, o *opened, e *eventBuffer, st *codec.FragmentStatus) {
	d, p := h.parcelUnderWay(e.number, st.Set)
	e.startFrame(KindFragment, u.ReceivedAt, u, o)
	e.payload = appendTextMember(e.payload, "outcome", "status")
	e.payload = appendFragmentStatus(e.payload, st)
	if d != nil {
		e.payload = appendUintMember(e.payload, "ref", d.Ref)
	}
	h.emit(c, l, e)
	if d == nil {
		return
	}
	p.Take(st)
	keepParcel(d, p, inVain(d))
	d.Error = ""
	c.wake = true
	if p.Done() {
		h.offerArrived(d, u.ReceivedAt)
		h.move(c, d, DownlinkDelivered, u.ReceivedAt)
		return
	}
	d.Due = u.ReceivedAt
	h.move(c, d, d.State, u.ReceivedAt)
}

// parcelUnderWay is the device's open downlink in fragments of a set that has begun; nil if there is none.
func (h *Hub) parcelUnderWay(number uint32, set uint8) (*store.Downlink, *session.Parcel) {
	for _, ref := range h.outgoing.open[number] {
		d := h.outgoing.byRef[ref]
		if p := parcelOf(d); p != nil && p.Set() == set && d.Attempts > 0 {
			return d, p
		}
	}
	return nil, nil
}

func appendFragmentStatus(dst []byte, st *codec.FragmentStatus) []byte {
	dst = appendUintMember(dst, "set", uint64(st.Set))
	dst = appendUintMember(dst, "missing", uint64(st.Missing))
	if len(st.Bitmap) == 0 {
		return dst
	}
	return appendHexMember(dst, "bitmap", st.Bitmap)
}

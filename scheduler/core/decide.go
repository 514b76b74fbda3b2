package core

import (
	"cmp"
	"time"

	"github.com/godwit-gateway/godwit/scheduler"
	"github.com/godwit-gateway/godwit/scheduler/presence"
)

// An Offer is what a device is to be told.
type Offer struct {
	scheduler.Decision
	Revision uint8
	Links    []int // places in Config.Links, in the order in which to try them; empty: the device has one
}

// Offers that are not acknowledged are repeated, or followed by others, with growing pauses: a device whose firmware cannot say that it took one must not cost a
// downlink at each contact.
const (
	offerPause  = time.Hour
	offerShifts = 10
)

// Decide finds what a device is to do. ack is the size of a downlink that goes to it anyway and may carry the policy, 0 if none does. send is false
// if the device keeps what it runs, or has been told already.
func (k *Core) Decide(now time.Time, at Place, ack int) (o Offer, send bool) {
	d := k.find(at)
	if d == nil || d.retired || k.planned.IsZero() {
		return Offer{}, false
	}
	planned := k.planning(&k.known[at], d)
	o.Decision = scheduler.Decide(&k.plan, &k.fleet, &planned, scheduler.Occasion{Now: scheduler.Secs(now.Unix()), Ack: ack})
	if o.Send == scheduler.SendNone || o.Via < 0 || o.Interval <= 0 {
		return o, false
	}
	p := &d.offered
	if p.interval > 0 && now.Before(time.Unix(int64(p.at), 0).Add(offerPause<<min(p.tries-1, offerShifts))) {
		return o, false
	}
	o.Revision = p.revision
	if p.interval != uint32(o.Interval) || int(p.via) != o.Via+1 { //nolint:gosec // intervals are below 2^32
		o.Revision = k.next(at, d)
	}
	o.Links = d.order(o.Via)
	return o, true
}

// next is the revision of a policy that the device was not told lately, nor quiet hours by it; 0 is none. Revisions begin again after the last, so one of the half
// above is later.
func (k *Core) next(at Place, d *device) uint8 {
	r := max(cmp.Or(d.offered.revision, d.revision)+1, 1)
	if q := k.hushed[at]; q != nil && q.revision-r < 1<<7 {
		r = max(q.revision+1, 1)
	}
	return r
}

// order is a device's links, the chosen one first.
func (d *device) order(first int) []int {
	if d.links[1] == 0 {
		return nil
	}
	list := []int{int(d.links[first]) - 1}
	for i := range d.links {
		if i != first && d.links[i] > 0 {
			list = append(list, int(d.links[i])-1)
		}
	}
	return list
}

// Offered says that the policy was handed to the network.
func (k *Core) Offered(now time.Time, at Place, o Offer) {
	d := k.find(at)
	if d == nil || o.Via < 0 {
		return
	}
	p := &d.offered
	if p.revision != o.Revision {
		*p = offer{interval: uint32(o.Interval), revision: o.Revision, via: uint8(o.Via) + 1, tries: p.tries} //nolint:gosec // below 2^32 seconds; at most MaxVias
	}
	p.at, p.tries = stamp(now), min(p.tries, offerShifts)+1
	delete(k.ordered, at)
	d.presence.Offer(now.Unix(), presence.Policy{Interval: uint32(o.Interval), Link: uint8(o.Link)}) //nolint:gosec // as above
	k.await(now, at)
	k.touch(at)
}

// NextRevision is one that names another policy than those that a device was told lately.
func (k *Core) NextRevision(at Place) uint8 {
	if d := k.find(at); d != nil {
		return k.next(at, d)
	}
	return 1
}

// settle has a device have nothing on offer any more. What is left of the offer may be its revision.
func (k *Core) settle(at Place, left offer) {
	k.record(at).offered = left
	delete(k.ordered, at)
}

// An Order is a policy that somebody tells a device: when it was made, and the caller's number of it, for several may be made in one second.
type Order struct {
	At     time.Time
	Number uint64
}

// ToldByHand says that somebody tells a device an interval whatever is planned: it is what the device runs once it says so by the revision, of which its low bits
// count, and until then no more is expected of it than the slower of both has. Of a device that was never heard nothing is expected yet.
func (k *Core) ToldByHand(by Order, at Place, every scheduler.Secs, revision uint8) {
	if k.at(at) == nil || every <= 0 {
		return
	}
	d := k.record(at)
	if d.heard == 0 {
		d.offered = offer{interval: uint32(every), at: stamp(by.At), revision: revision, via: 1, tries: 1} //nolint:gosec // below 2^32 seconds
		k.ordered[at] = by.Number
		k.touch(at)
		return
	}
	o := Offer{Revision: revision}
	o.Interval, o.Via, o.Link = every, int(max(d.via, 1))-1, int(d.link())
	d.offered.revision = revision + 1 // one that was used before is not taken for what it was
	k.Offered(by.At, at, o)
	k.ordered[at] = by.Number
}

// Withdrawn says that what an order was to tell never left, and never will. Where something was told before that the device may have taken, no more is
// expected of it all the same.
func (k *Core) Withdrawn(now time.Time, at Place, by Order) {
	k.untold(now, at, by)
	d := k.find(at)
	if number, ordered := k.ordered[at]; d == nil || !ordered || number != by.Number || d.offered.at != stamp(by.At) {
		return
	}
	if d.offered.tries == 1 {
		d.presence.Acknowledge(d.presence.InForce())
	}
	k.settle(at, offer{revision: d.offered.revision})
	k.await(now, at)
	k.touch(at)
}

// Unsent says that the policy that was planned, and offered last, surely did not leave: it may be told at once, and costs none of the repeats. Where somebody
// has told the device another one since, that one stays as it is.
func (k *Core) Unsent(at Place) {
	d := k.find(at)
	if _, ordered := k.ordered[at]; d == nil || d.offered.interval == 0 || ordered {
		return
	}
	d.offered.at, d.offered.tries = 0, max(d.offered.tries, 1)-1
	k.touch(at)
}

// Running is what a device runs: as it acknowledged, or, if told is false, as it was seen to. 0: unknown. pending is what it was offered since.
func (k *Core) Running(at Place) (every scheduler.Secs, told bool, pending scheduler.Secs) {
	d := k.find(at)
	if d == nil {
		return 0, false, 0
	}
	return scheduler.Secs(d.interval()), d.current > 0, scheduler.Secs(d.offered.interval)
}

// Burst is the programme of contacts after an update, in minutes after the boot, for a device.
func (k *Core) Burst(at Place) []uint16 {
	m := k.at(at)
	if m == nil {
		return nil
	}
	return k.burst(int(m.rule))
}

func (k *Core) burst(rule int) []uint16 {
	if b := k.fleet.Policies[rule].Burst; b != nil {
		return b
	}
	return scheduler.DefaultBurst()
}

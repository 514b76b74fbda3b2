package hub

import (
	"errors"
	"time"

	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/gateway/store"
	"github.com/godwit-gateway/godwit/transports"
)

// vain is what is remembered of tries of a downlink in which the network was not reached, since it was last or since the start.
type vain struct {
	tries int
	down  bool // in the last one the line was down
}

// tried notes whether an attempt reached the network.
func (o *outgoing) tried(d *store.Downlink, a *attempt, err error) {
	if !transports.Unasked(err) && !lapsed(a, err) {
		delete(o.vain, d.Ref)
		return
	}
	o.vain[d.Ref] = vain{tries: o.vain[d.Ref].tries + 1, down: errors.Is(err, transports.ErrDown)}
}

// dueOn is when a downlink is due, and when to look for that again. Pauses get long while a line is down: once it is back what waits for it is due.
func (o *outgoing) dueOn(l *link, d *store.Downlink, now time.Time) (due, look time.Time) {
	line, tells := l.Transport.(transports.Line)
	if !tells || d.State != DownlinkQueued || !o.vain[d.Ref].down {
		return d.Due, d.Due
	}
	if line.Up() {
		due = earlier(d.Due, d.Changed.Add(retryAfter))
		return due, due
	}
	return d.Due, earlier(d.Due, now.Add(retryAfter))
}

// stranded is a downlink of a kind that waits for another link than the one that its device now speaks over, having been tried there in vain, or for one that
// is configured no more; nil if there is none. On a link without charge it waits for the device, not for the link.
func (h *Hub) stranded(number uint32, l *link, kind string) *store.Downlink {
	return h.outgoing.first(number, func(d *store.Downlink) bool {
		on := h.links[d.Link]
		return d.Kind == kind && d.State == DownlinkQueued && on != l && (on == nil || on.Transport == nil || on.Metered && d.Error != "")
	})
}

// rescue lets a downlink go over the link that its device speaks over: one that is made when it leaves, or whose bytes serve there as well. It has as long for
// that as a new one, which it is instead of.
func (h *Hub) rescue(c *commit, d *store.Downlink, l *link, due time.Time) {
	d.Link, d.Due, d.Expires, d.Error, d.Unfunded = l.Name, due, due.Add(ttlOf(d.Kind)), "", false
	delete(h.outgoing.vain, d.Ref)
	c.batch.PutDownlink(d)
	c.wake = true
}

// movable is what is stranded of a kind, if the link that its device speaks over has a way for it.
func (h *Hub) movable(l *link, i fleet.Index, kind string) *store.Downlink {
	d := h.stranded(h.fleet.Head(i).Number, l, kind)
	if d == nil || l.Transport == nil || h.reachable(i, l) != nil {
		return nil
	}
	return d
}

// follow is rescue for what is movable of a kind, of which one that waits to go over the link that the device speaks over is enough. It reports whether one
// was rescued.
func (h *Hub) follow(c *commit, l *link, i fleet.Index, kind string, now time.Time) (rescued bool) {
	for d := h.movable(l, i, kind); d != nil; d = h.movable(l, i, kind) {
		if h.queued(d.Number, l, kind) == nil {
			h.rescue(c, d, l, now)
			rescued = true
			continue
		}
		h.drop(c, d, "another one waits for the link that the device speaks over", now)
	}
	return rescued
}

// reached makes due the next one of those that wait since the network of a link was not reached: it is there now. When that one is taken, the one after it
// follows. All at once would be in vain again where a network takes some at a time.
func (o *outgoing) reached(l *link, now time.Time) {
	var next *store.Downlink
	for ref := range o.vain {
		d := o.byRef[ref]
		if d == nil || d.Link != l.Name || d.State != DownlinkQueued || waitsForMoney(d) || !now.Before(d.Due) {
			continue
		}
		if next == nil || d.Due.Before(next.Due) || d.Due.Equal(next.Due) && d.Ref < next.Ref {
			next = d
		}
	}
	if next != nil {
		next.Due = now
	}
}

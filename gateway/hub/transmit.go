package hub

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/gateway/store"
	"github.com/godwit-gateway/godwit/scheduler"
	"github.com/godwit-gateway/godwit/scheduler/core"
	"github.com/godwit-gateway/godwit/transports"
)

// attempt is a downlink about to be handed to its transport.
type attempt struct {
	ref      uint64
	fragment uint16 // of a downlink in fragments
	rider    uint64 // another downlink in the same message; 0: none
	link     *link
	down     transports.Downlink
}

// poke wakes the loops of all links: something may have become due.
func (h *Hub) poke() {
	for _, l := range h.linkList {
		select {
		case l.wakeup <- struct{}{}:
		default:
		}
	}
}

// Woken reports whether downlinks of a link may have become due since it was asked last. It is for a program that calls TransmitOnce by itself, without Run.
func (h *Hub) Woken(name string) bool {
	l := h.links[name]
	if l == nil {
		return false
	}
	select {
	case <-l.wakeup:
		return true
	default:
		return false
	}
}

// TransmitOnce makes at most one attempt on a link: it writes the attempt down, synced, sends, and writes down what came of it. It returns when
// something is due next; zero if nothing is open. So after a crash a downlink whose fate is unknown is known as such.
func (h *Hub) TransmitOnce(ctx context.Context, name string) (time.Time, error) {
	l := h.links[name]
	if l == nil {
		return time.Time{}, fmt.Errorf("%w: no link %q", ErrDownlink, name)
	}
	var a *attempt
	var wake time.Time
	err := h.do(ctx, func(c *commit) error {
		a, wake = h.nextAttempt(c, l, h.clock.Now())
		return nil
	})
	if err != nil || a == nil {
		return wake, err
	}
	receipt, sendErr := a.send(ctx)
	// What was sent was sent, even if ctx is done: the result is written down in any case.
	err = h.do(context.WithoutCancel(ctx), func(c *commit) error {
		h.settle(c, a, receipt, sendErr)
		return nil
	})
	return h.clock.Now(), err
}

// sendGrace is how long an attempt that is under way may take to end when the hub does: one that is broken off may have left, and would be paid for again.
const sendGrace = 5 * time.Second

// send hands a downlink to its transport.
func (a *attempt) send(ctx context.Context) (transports.Receipt, error) {
	if ctx.Err() != nil {
		return transports.Receipt{}, &transports.SendError{Outcome: transports.NotSent, Err: ctx.Err()}
	}
	sending, done := transports.InHand(ctx, sendGrace)
	defer done()
	return a.link.Transport.Send(sending, a.down) //nolint:wrapcheck // a SendError says what is known
}

// nextAttempt picks the link's oldest downlink that is due and has a way to its device, and ends those that are too old. Called with mu held.
func (h *Hub) nextAttempt(c *commit, l *link, now time.Time) (*attempt, time.Time) {
	var wake time.Time
	for _, number := range h.outgoing.numbers() {
		parcel := false // a downlink in fragments is under way on this link: the device puts few together at a time
		for _, ref := range append([]uint64(nil), h.outgoing.open[number]...) {
			d := h.outgoing.byRef[ref]
			if d.Link != l.Name {
				continue // one on a link that is dead must not hold up those on others
			}
			if !now.Before(d.Expires) {
				h.expire(c, d, now)
				continue
			}
			waits := inFragments(d) && parcel
			parcel = parcel || inFragments(d)
			if waits {
				wake = earlier(wake, earlier(d.Expires, now.Add(time.Hour)))
				continue
			}
			if d.State == DownlinkAccepted {
				wake = earlier(wake, d.Expires)
				continue
			}
			if due, look := h.outgoing.dueOn(l, d, now); now.Before(due) {
				wake = earlier(wake, look)
				continue
			}
			if a := h.prepareAttempt(c, l, d, now); a != nil {
				return a, now
			}
			wake = earlier(wake, noWay(d, now))
		}
	}
	return nil, wake
}

// noWay is when to look again for a downlink that has no way to its device now. An uplink from it pokes the loop; a budget or an address may come without one, and
// money that is held is free again soon.
func noWay(d *store.Downlink, now time.Time) time.Time {
	look := earlier(d.Expires, now.Add(time.Hour))
	if now.Before(d.Due) {
		look = earlier(look, d.Due)
	}
	return look
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

// paidWay addresses a downlink where each message is paid for, and says what it may cost; false if there is no address, or no money.
func (h *Hub) paidWay(c *commit, l *link, i fleet.Index, d *store.Downlink, down *transports.Downlink, now time.Time) (price scheduler.Micros, ok bool) {
	id, ok := h.fleet.AcceptedAddress(i, string(l.Bearer))
	if !ok {
		return 0, false
	}
	down.To = transports.Address{Bearer: l.Bearer, ID: id}
	if price, ok = h.affordable(c, l, i, d, down.WantReport, now); !ok || !h.outgoing.afford(d.Number, now) {
		return 0, false
	}
	return price, true
}

// prepareAttempt writes the attempt into the batch. It returns nil if there is no way to the device now.
func (h *Hub) prepareAttempt(c *commit, l *link, d *store.Downlink, now time.Time) *attempt {
	i, ok := h.fleet.ByNumber(d.Number)
	if !ok || l.Transport == nil {
		return nil
	}
	if inFragments(d) && h.spentParcel(c, d, now) {
		return nil
	}
	if why := h.needless(i, d); why != "" {
		h.drop(c, d, why, now)
		c.wake = true // another one may have waited for its end
		return nil
	}
	down := transports.Downlink{Ref: d.Ref, Expires: d.Expires, WantReport: l.Metered && !inFragments(d)} // of fragments the device itself tells
	var price scheduler.Micros
	if l.Metered {
		if price, ok = h.paidWay(c, l, i, d, &down, now); !ok {
			return nil
		}
	} else {
		if int(i) >= len(h.routes) || h.routes[i].window == 0 || h.routes[i].link != l || now.UnixMilli() >= h.routes[i].until {
			return nil
		}
		r := &h.routes[i]
		down.Window = transports.Window{ID: r.window, Until: time.UnixMilli(r.until)}
	}
	if d.Kind == downlinkAck {
		s := h.fleet.Counters(i)
		d.Payload, d.Counter = h.appendAck(nil, i, h.fleet.Head(i).Epoch, s.Highest), s.Highest
	}
	a := &attempt{ref: d.Ref, link: l, down: down}
	d.Due = now.Add(maybeAfter) // holds if nothing is heard of this attempt
	if err := h.fill(c, l, i, d, a, now); err != nil {
		d.Error = err.Error()
		ends := DownlinkFailed
		if errors.Is(err, errSettled) || errors.Is(err, errWithdrawn) {
			ends = DownlinkExpired
			if l.Metered {
				h.outgoing.refund(d.Number, now)
			}
		}
		h.move(c, d, ends, now)
		c.wake = true // another one may have waited for its end
		return nil
	}
	if !l.Metered {
		h.routes[i].window = 0 // one answer per window, and none taken by what ends unsent
	}
	if d.Kind == downlinkAck && l.Metered {
		h.ride(c, l, i, a, now)
	}
	if price > 0 {
		h.outgoing.held[d.Ref] = price
	}
	h.offered(i, d, now)
	d.InHand, d.HandedAt = max(1, len(a.down.Payload)), now
	d.Attempts++
	d.State, d.Changed = DownlinkSent, now
	c.batch.PutDownlink(d)
	// Each attempt is told, also one after another: it may have taken a counter, and a store that is brought back has only the stream to learn that from.
	h.downlinkEvent(c, i, d)
	return a
}

// fill gives an attempt its payload: what was sealed when the downlink was queued, or what is sealed now.
func (h *Hub) fill(c *commit, l *link, i fleet.Index, d *store.Downlink, a *attempt, now time.Time) (err error) {
	switch {
	case inFragments(d) && !h.holds(l, i, d, now):
		err = errWithdrawn
	case inFragments(d):
		a.down.Payload, a.fragment, err = h.nextFragment(c, l, i, d, now)
	case late(d.Kind, d.Payload):
		a.down.Payload, err = h.makeLate(c, l, i, d, now)
	case d.Kind == downlinkRekey:
		err = h.renewRekey(c, i, d)
		a.down.Payload = d.Payload
	default:
		a.down.Payload = d.Payload
	}
	return err
}

// settle writes down what came of an attempt, for all that was in its message. Called with mu held.
func (h *Hub) settle(c *commit, a *attempt, receipt transports.Receipt, err error) {
	now := h.clock.Now()
	delete(h.outgoing.held, a.ref)
	if d := h.outgoing.byRef[a.ref]; d != nil {
		d.InHand, d.HandedAt = 0, time.Time{}
		if final(d.State) {
			c.batch.PutDownlink(d)
		}
		if err == nil || outcomeOf(err) == transports.MaybeSent {
			billed, micros := d.Billed, d.Micros
			h.charge(c, d, len(a.down.Payload), receipt.Parts, now)
			if final(d.State) && (d.Billed != billed || d.Micros != micros) {
				h.chargedLate(c, d)
			}
		}
		if refusedByNumber(err) {
			h.said(d, now, err.Error())
		}
		h.settleOne(c, d, a, receipt, err, now)
	}
	if d := h.outgoing.byRef[a.rider]; d != nil {
		receipt.Ref = "" // the report is about the message, and counts for the one that it was sent for
		h.settleOne(c, d, a, receipt, err, now)
	}
	h.takeEarly(c, a.link)
	if err == nil {
		h.outgoing.reached(a.link, now)
	}
}

// chargedLate writes down and tells what an attempt has cost of a downlink that ended while it was under way: nothing else comes of it.
func (h *Hub) chargedLate(c *commit, d *store.Downlink) {
	c.batch.PutDownlink(d)
	if i, ok := h.fleet.ByNumber(d.Number); ok {
		h.downlinkEvent(c, i, d)
	}
}

// settleUnknown books the attempts that were under way when the gateway ended before this start: nobody knows whether they left, so they count as if they
// had. It is done once, in the first batch of Run; the attempt that comes next is the same as after one that may have left.
func (h *Hub) settleUnknown(c *commit) {
	for _, ref := range h.outgoing.unknown {
		d := h.outgoing.byRef[ref]
		if d == nil || d.InHand == 0 {
			continue
		}
		bytes, at := d.InHand, d.HandedAt
		d.InHand, d.HandedAt = 0, time.Time{}
		h.charge(c, d, bytes, 0, at)
		if d.State == DownlinkSent {
			d.Error = "the gateway ended before it was known whether this left"
		}
		switch {
		case over(d):
			h.chargedLate(c, d)
		case d.Superseded:
			h.drop(c, d, errSuperseded, h.clock.Now())
		case d.Attempts >= attemptsMax && !inFragments(d):
			h.move(c, d, DownlinkFailed, h.clock.Now())
		default:
			c.batch.PutDownlink(d)
		}
	}
	h.outgoing.unknown = nil
}

func (h *Hub) settleOne(c *commit, d *store.Downlink, a *attempt, receipt transports.Receipt, err error, now time.Time) {
	if final(d.State) {
		return
	}
	d.Error = ""
	h.outgoing.tried(d, a, err)
	if inFragments(d) {
		h.settleFragment(c, d, a, receipt, err, now)
		return
	}
	if err == nil {
		d.Receipt, d.Parts, d.Superseded = receipt.Ref, receipt.Parts, false // its report is awaited also if it was not to be repeated
		h.move(c, d, DownlinkAccepted, now)
		h.ackTaken(c, d, now)
		return
	}
	d.Error = err.Error()
	untried := transports.Unasked(err) || lapsed(a, err)
	if untried {
		h.untried(d, a, now)
	}
	switch outcome := outcomeOf(err); {
	case d.Superseded:
		h.drop(c, d, errSuperseded, now)
	case untried:
		d.Due = a.next(err, h.outgoing.vain[d.Ref].tries, now)
		h.move(c, d, DownlinkQueued, now)
	case outcome == transports.Refused || d.Attempts >= attemptsMax:
		if outcome != transports.MaybeSent {
			h.offerLost(d, now)
		}
		h.move(c, d, DownlinkFailed, now)
	case outcome == transports.NotSent:
		h.unsent(d, now)
		d.Due = a.next(err, d.Attempts, now)
		h.move(c, d, DownlinkQueued, now)
	default:
		d.Due = now.Add(maybeAfter)
		h.move(c, d, DownlinkSent, now)
	}
}

// untried takes back an attempt in which the network was never reached: it is none of the few that a downlink has, nor of a day's. So a network that
// is down for a night costs a downlink nothing but time.
func (h *Hub) untried(d *store.Downlink, a *attempt, now time.Time) {
	d.Attempts--
	h.unsent(d, now)
	if l := h.links[d.Link]; l != nil && l.Metered && d.Ref == a.ref {
		h.outgoing.refund(d.Number, now)
	}
}

// unsent tells those who have something to say of a downlink that surely did not leave and is tried again: they say it anew.
func (h *Hub) unsent(d *store.Downlink, now time.Time) {
	h.offerLost(d, now)
	if i, ok := h.fleet.ByNumber(d.Number); ok && d.Kind == downlinkSchedule {
		h.core.Unsent(core.Place(i))
	}
}

// outcomeOf is what is known of a downlink that could not be handed over.
func outcomeOf(err error) transports.Outcome {
	var se *transports.SendError
	if errors.As(err, &se) {
		return se.Outcome
	}
	return transports.MaybeSent
}

// lapsed reports whether an attempt found its window gone. That says nothing about the payload: the device's next uplink opens another one.
func lapsed(a *attempt, err error) bool {
	return a.down.Window.ID != 0 && outcomeOf(err) == transports.Refused && !errors.Is(err, transports.ErrTooLarge)
}

// next is when a downlink is due again after so many attempts that did not leave, the last of which ended with err. Where the device must speak first that is
// what it waits for: after a pause it would miss an uplink.
func (a *attempt) next(err error, attempts int, now time.Time) time.Time {
	if a.down.Window.ID != 0 {
		return now
	}
	return now.Add(pauseAfter(err, attempts))
}

// pauseAfter is how long to wait after so many attempts, the last of which ended with err. A network that was not reached may be there again in a moment, and
// such a try costs nothing: the first pause is a short one.
func pauseAfter(err error, attempts int) time.Duration {
	first, most := retryAfter, retryMax
	var se *transports.SendError
	if errors.As(err, &se) && se.Slow {
		if most = slowMax; !transports.Unasked(err) {
			first = slowAfter
		}
	}
	return min(first<<min(attempts-1, pauseDoubled), most)
}

// move brings a downlink into a state, tells of it, and makes it part of the batch.
func (h *Hub) move(c *commit, d *store.Downlink, state string, now time.Time) {
	changed := d.State != state
	d.State, d.Changed = state, now
	if over(d) {
		h.outgoing.close(d)
	}
	c.batch.PutDownlink(d)
	if i, ok := h.fleet.ByNumber(d.Number); ok && changed {
		if d.Kind == downlinkPolicy && d.Attempts == 0 && over(d) {
			h.core.Withdrawn(now, core.Place(i), core.Order{At: d.QueuedAt, Number: d.Ref})
		}
		h.downlinkEvent(c, i, d)
	}
}

// drop ends a downlink that is not to leave, or not again, and says why: it does not wait for money any more.
func (h *Hub) drop(c *commit, d *store.Downlink, why string, now time.Time) {
	d.Unfunded, d.Error = false, why
	h.move(c, d, DownlinkExpired, now)
}

// expire ends a downlink that is too old. What the network took, it took: if no report came, that is all that will ever be known.
func (h *Hub) expire(c *commit, d *store.Downlink, now time.Time) {
	c.wake = true // another one may have waited for its end
	if d.State == DownlinkAccepted {
		h.outgoing.close(d)
		return
	}
	h.move(c, d, DownlinkExpired, now)
}

// numbers returns the devices with open downlinks, in the order of their oldest.
func (o *outgoing) numbers() []uint32 {
	list := make([]uint32, 0, len(o.open))
	for n := range o.open {
		list = append(list, n)
	}
	slices.SortFunc(list, func(a, b uint32) int { return cmp.Compare(o.open[a][0], o.open[b][0]) })
	return list
}

// transmit makes attempts on a link until ctx is done. Each link has a loop of its own: a modem may hold one attempt for minutes.
func (h *Hub) transmit(ctx context.Context, l *link) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.wakeup:
		case <-timer.C:
		}
		wake, err := h.TransmitOnce(ctx, l.Name)
		switch {
		case err != nil:
			if ctx.Err() == nil && !errors.Is(err, ErrClosed) {
				h.log.Error("transmit", slog.String("link", l.Name), attrErr(err))
			}
			timer.Reset(retryAfter)
		case wake.IsZero():
			timer.Reset(time.Hour)
		default:
			timer.Reset(max(0, wake.Sub(h.clock.Now())))
		}
	}
}

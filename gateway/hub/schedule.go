package hub

import (
	"errors"
	"fmt"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/gateway/rollout"
	"github.com/godwit-gateway/godwit/gateway/store"
	"github.com/godwit-gateway/godwit/scheduler"
	"github.com/godwit-gateway/godwit/scheduler/core"
	"github.com/godwit-gateway/godwit/scheduler/ledger"
	"github.com/godwit-gateway/godwit/transports"
)

// Schedule says how the hub finds out when devices should speak, and what that may cost. The zero Schedule watches for silence and counts bytes.
type Schedule struct {
	Core core.Config // its links are in the order of Options.Links; nil: made of these
	Send bool        // devices are told; otherwise it is only known what they would be told
}

// downlinkSchedule is the kind of a downlink that tells an interval. Its content is made when it leaves, so that it is never older than that.
const downlinkSchedule = "schedule"

// scheduleSize is about what a policy takes as a downlink.
const scheduleSize = 24

// openSchedule makes the machine, and brings back what it knew.
func (h *Hub) openSchedule(s Schedule) error {
	c := s.Core
	if c.Links == nil {
		for _, l := range h.linkList {
			c.Links = append(c.Links, core.Link{Name: l.Name, Wakes: l.Metered})
		}
	}
	if len(c.Links) != len(h.linkList) {
		return fmt.Errorf("%d links of schedules, %d of the hub", len(c.Links), len(h.linkList))
	}
	var err error
	if h.core, err = core.New(c, h.clock.Now()); err != nil {
		return err
	}
	h.core.BookFees(h.lineOf)
	h.tells, h.currency, h.budgets = s.Send, c.Currency, c.Budgets
	for i := range h.fleet.All {
		h.know(i)
	}
	err = h.core.Load(h.store, h.clock.Now(), func(number uint32) (core.Place, bool) {
		i, ok := h.fleet.ByNumber(number)
		return core.Place(i), ok
	})
	if err != nil {
		return fmt.Errorf("load schedules: %w", err)
	}
	return nil
}

// lineOf is for how long a device has had its lines: since it was heard first, until it was rejected or retired. One that is approved after that has them as
// if they had never ended: it is not activated anew, and pays for the months that are not closed.
func (h *Hub) lineOf(at core.Place) core.Line {
	p := h.fleet.Profile(fleet.Index(at))
	l := core.Line{Begun: p.FirstSeen, Suspended: h.suspensions(fleet.Index(at))}
	if p.State.Dismissed() {
		if l.Ended = p.Dismissed; l.Ended.IsZero() {
			l.Ended = p.LastSeen
		}
	}
	return l
}

// know makes a device, or what changed of it, known to the schedule and to rollouts.
func (h *Hub) know(i fleet.Index) {
	d := h.fleet.Head(i)
	h.core.Know(core.Place(i), d.Number, d.Product, d.Customer)
	if d.State.Dismissed() {
		h.core.Retire(core.Place(i))
	}
	if h.rollouts != nil { // they ask for what was there when they came
		h.rollouts.Know(h.clock.Now(), rollout.Place(i))
	}
}

// heard tells the schedule and the rollouts of an authentic frame. lost is how many before it never came. The first frame of a transmission bears all
// that it costs.
func (h *Hub) heard(l *link, u *transports.Uplink, o *opened, lost int) {
	o.cost = h.core.Heard(u.ReceivedAt, core.Place(o.device), core.Contact{
		Link: l.place, Bytes: len(u.Payload), Parts: int(u.Part.Total), Cause: causeOf(o), Newest: o.newest, Lost: lost, Paid: h.scratch.paid,
		Campaign: h.campaignOfFrame(o), Square: squareOf(&u.Position),
	})
	if !o.cost.Booked {
		o.cost.Currency = h.core.Currency(u.ReceivedAt, l.place)
	}
	h.scratch.paid = true
	h.heardForUpdate(l, u, o)
}

// squareOf is where the network believes a device to be, as coarsely as outages of regions want it; 0: it does not say.
func squareOf(p *transports.Position) uint16 {
	if !p.Known {
		return 0
	}
	return core.Square(p.Latitude, p.Longitude)
}

// heardAgain tells the schedule of a frame that was known: it costs what the first one did.
func (h *Hub) heardAgain(l *link, u *transports.Uplink, o *opened) {
	h.core.Heard(u.ReceivedAt, core.Place(o.device), core.Contact{Link: l.place, Bytes: len(u.Payload), Parts: int(u.Part.Total), Cause: ledger.CauseRepeat, Again: true, Paid: h.scratch.paid})
	h.scratch.paid = true
}

// lostMost is how many counters may be missing for them to be frames that were lost: more are of a device that was out of reach or restarted.
const lostMost = 16

// lost is how many frames before a new one never came, as far as the counters tell: of an epoch that was seen.
func (h *Hub) lost(o *opened) int {
	s := h.fleet.Counters(o.device)
	if o.second || !s.Seen || o.counter <= s.Highest || isHello(o) {
		return 0
	}
	if n := o.counter - s.Highest - 1; n <= lostMost {
		return int(n)
	}
	return 0
}

func isHello(o *opened) bool {
	return o.header.Kind() == codec.KindExtended && len(o.plaintext) > 0 && codec.MessageType(o.plaintext[0]) == codec.MessageHello
}

// causeOf is what a frame was sent for.
func causeOf(o *opened) ledger.Cause {
	if o.header.Kind() != codec.KindExtended || len(o.plaintext) == 0 {
		return ledger.CauseStatus
	}
	switch codec.MessageType(o.plaintext[0]) {
	case codec.MessageHello:
		return ledger.CauseHello
	case codec.MessageOpen:
		return ledger.CauseStatus
	case codec.MessageUser, codec.MessageFragment, codec.MessageAlarm:
		return ledger.CauseMessage
	case codec.MessageStepLog:
		return ledger.CauseUpdate
	case codec.MessageFragmentStatus:
		return ledger.CauseAck
	default:
		return ledger.CauseOther
	}
}

// causeOfKind is what a downlink of a kind is sent for.
func causeOfKind(kind string) ledger.Cause {
	switch kind {
	case downlinkAck, downlinkFragments:
		return ledger.CauseAck
	case downlinkSchedule, downlinkPolicy:
		return ledger.CausePolicy
	case downlinkOffer:
		return ledger.CauseUpdate
	case downlinkMessage:
		return ledger.CauseMessage
	case downlinkRequest:
		return ledger.CausePoll
	default:
		return ledger.CauseSession
	}
}

// charge books so many bytes of a downlink that the network took, or may have taken.
func (h *Hub) charge(c *commit, d *store.Downlink, bytes, parts int, now time.Time) {
	l := h.links[d.Link]
	i, ok := h.fleet.ByNumber(d.Number)
	if l == nil || !ok {
		return
	}
	cost := h.core.Charge(now, core.Place(i), core.Downlink{Link: l.place, Bytes: bytes, Parts: parts, Cause: causeOfKind(d.Kind), Campaign: h.campaignOf(d)})
	addCost(d, cost)
	if cost.Currency != "" {
		c.batch.PutCharge(&store.Charge{
			Number: d.Number, At: now, Ref: d.Ref, Attempt: uint32(max(d.Attempts, 0)), Link: d.Link, Kind: d.Kind, Billed: cost.Bytes, Micros: int64(cost.Micros), //nolint:gosec // small
		})
	}
}

// addCost adds to what a downlink has cost.
func addCost(d *store.Downlink, cost core.Cost) {
	if cost.Currency != "" {
		d.Billed, d.Micros = d.Billed+cost.Bytes, d.Micros+int64(cost.Micros)
	}
}

// reportedFor books a report of the network about a downlink.
func (h *Hub) reportedFor(d *store.Downlink, now time.Time) {
	l := h.links[d.Link]
	if i, ok := h.fleet.ByNumber(d.Number); ok && l != nil {
		addCost(d, h.core.Report(now, core.Place(i), l.place))
	}
}

// budgetPause is how long a downlink waits that no budget has money for.
const budgetPause = time.Hour

func waitsForMoney(d *store.Downlink) bool { return d.State == DownlinkQueued && d.Unfunded }

// fund ends the wait of a downlink for money.
func fund(d *store.Downlink) {
	if d.Unfunded {
		d.Unfunded, d.Error = false, ""
	}
}

// affordable reports whether every hard budget allows a downlink, and its report, besides those that are under way over other links; if not, it waits.
func (h *Hub) affordable(c *commit, l *link, i fleet.Index, d *store.Downlink, report bool, now time.Time) (price scheduler.Micros, ok bool) {
	var held scheduler.Micros
	for _, m := range h.outgoing.held {
		held += m
	}
	down := core.Downlink{Link: l.place, Bytes: sizeOf(d), Cause: causeOfKind(d.Kind), Report: report, Held: held}
	price, scope, ok := h.core.Price(now, core.Place(i), down)
	if ok {
		fund(d)
		return price, true
	}
	pause := budgetPause
	if down.Held = 0; held > 0 {
		if _, _, alone := h.core.Price(now, core.Place(i), down); alone { // what is under way is over soon, and may be of another budget
			pause = retryAfter
		}
	}
	d.Due, d.Unfunded, d.Error = now.Add(pause), true, "the budget is spent: that of "+scope.String()
	c.batch.PutDownlink(d)
	return price, false
}

// tellInterval queues what a device that speaks now should do from now on, if that is worth telling.
func (h *Hub) tellInterval(c *commit, l *link, i fleet.Index, now time.Time) {
	number := h.fleet.Head(i).Number
	if !h.tells || l.Transport == nil || h.reachable(i, l) != nil {
		return
	}
	due, ack := now, 0
	if d := h.queued(number, l, downlinkAck); d != nil {
		due, ack = d.Due, ackSize
	}
	if d := h.stranded(number, l, downlinkSchedule); d != nil {
		h.rescue(c, d, l, due)
	}
	if h.outgoing.has(number, downlinkSchedule) {
		return
	}
	if _, ok := h.core.Decide(now, core.Place(i), ack); !ok {
		return
	}
	if h.outgoing.full(number) {
		return
	}
	d := h.draft(i, l, downlinkSchedule, nil)
	d.Due = due
	h.enqueue(c, i, d)
}

// ackSize is the size of an acknowledgement on a link where it goes alone.
const ackSize = 16

// queued is a downlink of a kind that waits to go over a link. If it was tried it did not leave.
func (h *Hub) queued(number uint32, l *link, kind string) *store.Downlink {
	return h.outgoing.first(number, func(d *store.Downlink) bool {
		return d.Kind == kind && d.Link == l.Name && d.State == DownlinkQueued
	})
}

// errSettled ends a downlink that has nothing to say any more.
var errSettled = errors.New("the device runs what it should")

// schedulePlaintext is what a device is told now.
func (h *Hub) schedulePlaintext(i fleet.Index, now time.Time) ([]byte, error) {
	o, ok := h.core.Decide(now, core.Place(i), ackSize)
	if !ok {
		return nil, errSettled
	}
	p := codec.Policy{Interval: uint32(o.Interval), Revision: uint32(o.Revision)} //nolint:gosec // at most some years
	for _, at := range o.Links {
		p.Links = append(p.Links, string(h.linkList[at].Bearer))
	}
	b, err := codec.AppendPolicy(nil, &p)
	if err == nil {
		h.core.Offered(now, core.Place(i), o)
	}
	return b, err
}

// ride puts a waiting interval into the message that carries an acknowledgement, if that does not make it another message.
func (h *Hub) ride(c *commit, l *link, i fleet.Index, a *attempt, now time.Time) {
	limits := l.Transport.Limits()
	d := h.queued(h.fleet.Head(i).Number, l, downlinkSchedule)
	if d == nil || len(a.down.Payload)+scheduleSize+6*len(h.linkList) > min(limits.DownlinkMax, max(limits.PerMessage, 1)) {
		return
	}
	payload, err := h.makeLate(c, l, i, d, now)
	if err != nil {
		h.drop(c, d, err.Error(), now)
		return
	}
	a.down.Payload, a.rider = append(append([]byte(nil), a.down.Payload...), payload...), d.Ref
	d.Attempts++
	d.Due = now.Add(maybeAfter)
	h.move(c, d, DownlinkSent, now)
}

// receipt notes which policy a device says that it runs. The event of that comes after the one of the status, which is being made.
func (h *Hub) receipt(i fleet.Index, revision uint8, now time.Time) {
	before, _, pending := h.core.Running(core.Place(i))
	if h.core.Receipt(now, core.Place(i), revision) {
		h.changed = append(h.changed, change{i, before, pending, revision, now})
	}
}

// gauge tells the schedule how full the battery is, where a policy says which field that is.
func (h *Hub) gauge(i fleet.Index, v *templateView, s *codec.Status, now time.Time) {
	g := h.core.Gauge(core.Place(i))
	if g == nil {
		return
	}
	for n, f := range v.template.Fields() {
		if f.Name == g.Field && s.Values[n].State != codec.NotMeasured {
			h.core.Battery(now, core.Place(i), g.Percent(f.Float(s.Values[n])))
		}
	}
}

// setVersion notes the software that a device says it runs, and that it is new.
func (h *Hub) setVersion(i fleet.Index, version, build string, now time.Time) {
	known := h.fleet.Version(i) != ""
	if h.fleet.SetVersion(i, version, build) && known {
		h.core.Updated(now, core.Place(i))
	}
}

// greeted notes what a hello says.
func (h *Hub) greeted(i fleet.Index, m *codec.Hello, now time.Time) {
	known := h.fleet.Version(i) != ""
	if h.fleet.ApplyHello(i, m) && known {
		h.core.Updated(now, core.Place(i))
	}
}

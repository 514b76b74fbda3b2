package core

import (
	"time"

	"github.com/godwit-gateway/godwit/scheduler"
	"github.com/godwit-gateway/godwit/scheduler/ledger"
	"github.com/godwit-gateway/godwit/scheduler/tariff"
)

// A Downlink is something that is to go to a device.
type Downlink struct {
	Link     int // place in Config.Links
	Bytes    int // of payload
	Parts    int // in which the network took it; 0: as many as its bytes need
	Cause    ledger.Cause
	Campaign string
	Failed   bool             // the network took it and it did not arrive
	Report   bool             // a report of the network is asked for, which may be paid for too
	Held     scheduler.Micros // what others that are under way may come to: they are not booked yet
}

// Price is what a downlink would cost, and whether all hard budgets allow that; if not, of is the one that does not.
func (k *Core) Price(now time.Time, at Place, dl Downlink) (price scheduler.Micros, of ledger.Scope, ok bool) {
	t := k.Tariff(now, dl.Link)
	if t == nil || k.at(at) == nil {
		return 0, ledger.Scope{}, true
	}
	own, shared := k.copiesOf(t, at, dl.Link)
	c := k.price(t, dl.Link, own, shared, dl.event(now))
	if dl.Report {
		c.Micros += t.Price(own, shared, tariff.Event{Time: now, Direction: tariff.MT, Kind: tariff.StatusReport}).Micros
	}
	e := k.entry(t, now, at, dl.Link, c, dl.Cause, tariff.MT, int64(dl.Bytes))
	if e.Micros > 0 {
		e.Micros += dl.Held
	}
	of, ok = k.ledger.Allow(&e)
	return c.Micros, of, ok
}

// Quote is what a transmission from or to a device costs next, and in which currency; "" where the link has no tariff.
func (k *Core) Quote(now time.Time, at Place, link int, way tariff.Direction, bytes int) (scheduler.Micros, string) {
	t := k.Tariff(now, link)
	if t == nil || k.at(at) == nil {
		return 0, ""
	}
	own, shared := k.copiesOf(t, at, link)
	return k.price(t, link, own, shared, tariff.Event{Time: now, Direction: way, Bytes: int64(bytes)}).Micros, t.Currency
}

// price is what an event over a link costs. Where the gateway's end is a mobile too, a message is one from mobile to mobile.
func (k *Core) price(t *tariff.Tariff, link int, own, pool *tariff.Meter, ev tariff.Event) tariff.Charge {
	if ev.Kind == tariff.Message && k.config.Links[link].Relays {
		ev.Direction = tariff.Relay
	}
	return t.Price(own, pool, ev)
}

// Rates are what one more message over a link would cost by a tariff, up and down, as plans reckon.
func (k *Core) Rates(t *tariff.Tariff, link int) [2]scheduler.Rate {
	return k.config.Links[link].rates(t)
}

func (dl *Downlink) event(now time.Time) tariff.Event {
	return tariff.Event{Time: now, Direction: tariff.MT, Bytes: int64(dl.Bytes), Parts: int64(dl.Parts), Failed: dl.Failed}
}

// A Cost is what was booked for a frame.
type Cost struct {
	Booked   bool  // false: another frame of its transmission bears all
	Bytes    int64 // billed
	Micros   scheduler.Micros
	Currency string // "": the link has no tariff
}

// Tariff is that of a link at a time, nil if it has none, or is configured no more.
func (k *Core) Tariff(at time.Time, link int) *tariff.Tariff {
	if link < 0 || link >= len(k.config.Links) {
		return nil
	}
	return k.config.tariff(&k.config.Links[link], at)
}

// TariffNamed is one of Config.Tariffs, nil if none of the name holds.
func (k *Core) TariffNamed(name string, at time.Time) *tariff.Tariff {
	if k.config.Tariffs == nil {
		return nil
	}
	return k.config.Tariffs.At(name, at)
}

// Currency is that of a link's tariff, "" if it has none.
func (k *Core) Currency(now time.Time, link int) string {
	if t := k.Tariff(now, link); t != nil {
		return t.Currency
	}
	return ""
}

// Charge books a downlink that left.
func (k *Core) Charge(now time.Time, at Place, dl Downlink) Cost {
	if k.at(at) == nil || dl.Link < 0 || dl.Link >= len(k.config.Links) {
		return Cost{}
	}
	k.dirty.must = k.dirty.must || dl.Cause != ledger.CauseAck
	return k.charge(now, at, dl.Link, dl.event(now), dl.Cause, dl.Campaign)
}

// Stranger books a transmission that came over a link and is of no device that is known; all of them count as one device. It is written with what comes next.
func (k *Core) Stranger(now time.Time, link, bytes int) {
	k.chargeLink(now, link, tariff.Event{Time: now, Direction: tariff.MO, Bytes: int64(bytes)}, ledger.CauseUnknown)
}

// Check books a mailbox check of a link's own transceiver, which is no device. It is written with the commit that it comes in: a transceiver has one at a
// time, and cannot make the disk write by itself.
func (k *Core) Check(now time.Time, link int) {
	if k.chargeLink(now, link, tariff.Event{Time: now, Direction: tariff.MO, Kind: tariff.MailboxCheck}, ledger.CauseCheck) {
		k.dirty.must = true
	}
}

// Empty books a session in which a device looked for messages and sent none.
func (k *Core) Empty(now time.Time, at Place, link int) Cost {
	if k.at(at) == nil || link < 0 || link >= len(k.config.Links) {
		return Cost{}
	}
	k.dirty.must = true
	return k.charge(now, at, link, tariff.Event{Time: now, Direction: tariff.MO, Kind: tariff.MailboxCheck}, ledger.CauseEmpty, "")
}

// EmptyStranger is Empty of who is no device that is known.
func (k *Core) EmptyStranger(now time.Time, link int) {
	if k.chargeLink(now, link, tariff.Event{Time: now, Direction: tariff.MO, Kind: tariff.MailboxCheck}, ledger.CauseEmpty) {
		k.dirty.must = true
	}
}

// chargeLink prices and books what is of no device. It reports whether the link has a tariff: what is of nobody and costs nothing is not booked.
func (k *Core) chargeLink(now time.Time, link int, ev tariff.Event, cause ledger.Cause) bool {
	t := k.Tariff(now, link)
	if t == nil {
		return false
	}
	c := k.price(t, link, &k.plain, k.poolOf(t), ev)
	k.spent.up += c.Micros
	k.book(&ledger.Entry{
		Time: t.Local(now), Link: k.config.Links[link].Name, Pool: t.PoolName(), Cause: cause, Direction: ev.Direction, Currency: t.Currency,
		Count: 1, Payload: ev.Bytes, Billed: c.Bytes, Micros: c.Micros,
	}, 0)
	return true
}

// Report books a status report of the network.
func (k *Core) Report(now time.Time, at Place, link int) Cost {
	if k.at(at) == nil || link < 0 || link >= len(k.config.Links) {
		return Cost{}
	}
	k.dirty.must = true
	return k.charge(now, at, link, tariff.Event{Time: now, Direction: tariff.MT, Kind: tariff.StatusReport}, ledger.CauseOther, "")
}

// charge prices an event, and books it.
func (k *Core) charge(now time.Time, at Place, link int, ev tariff.Event, cause ledger.Cause, campaign string) Cost {
	t := k.config.tariff(&k.config.Links[link], now)
	var c tariff.Charge
	if t != nil {
		meter, pool := k.metersOf(t, at, link)
		c = k.price(t, link, meter, pool, ev)
		if meter != &k.plain {
			k.mark(at)
		}
	} else {
		c.Bytes = ev.Bytes
	}
	e := k.entry(t, now, at, link, c, cause, ev.Direction, ev.Bytes)
	e.Campaign = campaign
	if ev.Direction == tariff.MT {
		k.spent.down += c.Micros
	} else {
		k.spent.up += c.Micros
	}
	k.book(&e, at)
	cost := Cost{Booked: true, Bytes: c.Bytes, Micros: c.Micros}
	if t != nil {
		cost.Currency = t.Currency
	}
	return cost
}

// book adds an entry to its accounts. It is about the device at a place, if it is about one.
func (k *Core) book(e *ledger.Entry, at Place) {
	changed, err := k.ledger.Add(*e)
	if err != nil {
		return // a year that no account has; nothing that a frame says can be the reason
	}
	k.dirty.account(changed.Device)
	k.dirty.account(changed.Group)
	for _, a := range changed.Scopes {
		k.dirty.account(a)
	}
	for i := range changed.Warnings {
		k.actions = append(k.actions, Action{Kind: ActBudget, Warning: &changed.Warnings[i], Place: at})
	}
}

func (k *Core) entry(t *tariff.Tariff, now time.Time, at Place, link int, c tariff.Charge, cause ledger.Cause, way tariff.Direction, payload int64) ledger.Entry {
	e := ledger.Entry{
		Time: k.Local(now), Device: k.known[at].number, Customer: k.customers.list[k.known[at].customer], Link: k.config.Links[link].Name, Cause: cause,
		Direction: way, Currency: k.config.Currency, Count: 1, Payload: payload, Billed: c.Bytes, Micros: c.Micros,
	}
	if t != nil {
		e.Time, e.Currency, e.Pool = t.Local(now), t.Currency, t.PoolName()
	}
	return e
}

// metersOf are the meters of a device's use of a link, and of its pool if the tariff has one.
func (k *Core) metersOf(t *tariff.Tariff, at Place, link int) (own, pool *tariff.Meter) {
	pool = k.poolOf(t)
	stays, ok := k.stays[t]
	if !ok {
		stays = remembers(t)
		k.stays[t] = stays
	}
	if !stays {
		return &k.plain, pool
	}
	key := meterKey{at, uint8(link)} //nolint:gosec // at most linksMax
	if own = k.meters[key]; own == nil {
		own = new(tariff.Meter)
		k.meters[key] = own
	}
	return own, pool
}

// copiesOf are copies of these, to find a price by.
func (k *Core) copiesOf(t *tariff.Tariff, at Place, link int) (own, pool *tariff.Meter) {
	own, pool = k.metersOf(t, at, link)
	copied := own.Clone()
	if pool != nil {
		shared := pool.Clone()
		pool = &shared
	}
	return &copied, pool
}

// poolOf is the meter of a tariff's pool, whose row is written when it is used; nil if the tariff has none.
func (k *Core) poolOf(t *tariff.Tariff) *tariff.Meter {
	name := t.PoolName()
	if name == "" {
		return nil
	}
	pool := k.pools[name]
	if pool == nil {
		pool = new(tariff.Meter)
		k.pools[name] = pool
	}
	pool.Members = k.config.pool(name).Members
	k.dirty.pool(name)
	return pool
}

// remembers reports whether what an event of one device costs depends on those before it.
func remembers(t *tariff.Tariff) bool {
	for i := range t.Terms {
		m := &t.Terms[i]
		if m.Scope != tariff.OfMessage || m.Unit == tariff.Session || m.Allowance != nil && !m.Allowance.Pooled || len(m.Tiers) > 0 || m.Step > 0 {
			return true
		}
	}
	return false
}

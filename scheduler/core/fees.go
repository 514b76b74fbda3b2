package core

import (
	"time"

	"github.com/godwit-gateway/godwit/scheduler"
	"github.com/godwit-gateway/godwit/scheduler/ledger"
	"github.com/godwit-gateway/godwit/scheduler/tariff"
)

// A Line is for how long a device has subscriptions to the links that it uses.
type Line struct {
	Begun time.Time // zero: it never had any
	Ended time.Time // zero: it has them still

	Suspended []Suspension
}

// A Suspension is for which days an operator has suspended a line.
type Suspension struct {
	Link int
	tariff.Days
}

// suspended are the days for which the line on a link is suspended.
func (l *Line) suspended(link int) (list []tariff.Days) {
	for _, s := range l.Suspended {
		if s.Link == link {
			list = append(list, s.Days)
		}
	}
	return list
}

// BookFees has the rental and other fees of lines and pools booked from now on, with each month that is closed: only then it is known who was silent all
// the while. line tells of the device at a place.
func (k *Core) BookFees(line func(at Place) Line) { k.line = line }

// Fees are what a month that is not closed would come to without its traffic, by what is known now, in the currency of the plan.
func (k *Core) Fees(at tariff.Month) (sum scheduler.Micros) {
	k.eachFee(at, func(_ int, t *tariff.Tariff, _ string, amount scheduler.Micros) {
		if t.Currency == k.config.Currency {
			sum += amount
		}
	})
	return sum
}

// bookFees books the fees of a month that is about to be closed. They are the customers' and the links'; a device's account has its traffic alone, by which
// it is compared with others.
func (k *Core) bookFees(at tariff.Month) {
	k.eachFee(at, func(link int, t *tariff.Tariff, customer string, amount scheduler.Micros) {
		last := at.Next().Begins(t.Local(time.Time{}).Location()).Add(-time.Second)
		k.book(&ledger.Entry{
			Time: last, Customer: customer, Link: k.config.Links[link].Name, Pool: t.PoolName(), Cause: ledger.CauseFee, Direction: tariff.MO, Currency: t.Currency, Micros: amount,
		}, 0)
	})
}

// eachFee gives the fees of a line for each device and link that it has used, by the tariff of the month's end, then what each pool costs as a whole since
// its first line.
func (k *Core) eachFee(at tariff.Month, give func(link int, t *tariff.Tariff, customer string, amount scheduler.Micros)) {
	rented, some := k.rented(at)
	if k.line == nil || !some {
		return
	}
	first := make(map[string]time.Time) // when a tariff's first line was begun
	k.eachLine(func(place Place, link int, l Line) {
		t := rented[link]
		if t == nil {
			return
		}
		if begun, ok := first[t.Name]; !ok || l.Begun.Before(begun) {
			first[t.Name] = l.Begun
		}
		m := &k.known[place]
		s := tariff.Subscription{
			Begun: l.Begun, Ended: l.Ended, Suspended: l.suspended(link), Silent: !k.ledger.Used(at, m.number, k.config.Links[link].Name, t.Currency),
		}
		for _, f := range t.Fees(at, s) {
			give(link, t, k.customers.list[m.customer], f.Micros)
		}
	})
	for link, t := range rented {
		if t == nil || first[t.Name].IsZero() {
			continue
		}
		begun := first[t.Name]
		delete(first, t.Name) // a pool is paid once, whatever links it has
		for _, f := range t.GroupFees(at, begun) {
			give(link, t, "", f.Micros)
		}
	}
}

// eachLine gives the line of each device on each link that it has used.
func (k *Core) eachLine(give func(at Place, link int, l Line)) {
	for p := range k.known {
		at := Place(p)
		d := k.find(at)
		if d == nil {
			continue
		}
		l := k.line(at)
		if l.Begun.IsZero() {
			continue
		}
		for _, via := range d.links {
			if via != 0 {
				give(at, int(via)-1, l)
			}
		}
	}
}

// rented is for each link the tariff that it has at the end of a month, nil if that has no fees, and whether any has.
func (k *Core) rented(at tariff.Month) (list []*tariff.Tariff, some bool) {
	list = make([]*tariff.Tariff, len(k.config.Links))
	for i := range list {
		if t := k.Tariff(at.Next().Begins(k.zone).Add(-time.Second), i); t != nil && t.Rental != (tariff.Rental{}) {
			list[i], some = t, true
		}
	}
	return list, some
}

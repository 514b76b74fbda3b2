package ledger

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/godwit-gateway/godwit/scheduler"
	"github.com/godwit-gateway/godwit/scheduler/tariff"
)

// By names what totals are kept apart by. Currencies always are.
type By uint8

// What totals may be kept apart by, added with |.
const (
	ByCustomer By = 1 << iota
	ByLink
	ByPool
	ByCampaign
	ByCause
	ByDirection
	ByCorrection
)

// byNames are the words for them, in their order.
var byNames = [...]string{"customer", "link", "pool", "campaign", "cause", "direction", "correction"}

// ParseBy reads what totals are kept apart by.
func ParseBy(words []string) (by By, err error) {
	for _, word := range words {
		i := slices.Index(byNames[:], word)
		if i < 0 {
			return 0, fmt.Errorf("sums are not kept apart by %q: want some of %s", word, strings.Join(byNames[:], ", "))
		}
		by |= 1 << i
	}
	return by, nil
}

// only is the group with nothing but what is kept apart.
func (by By) only(g Group) Group {
	o := Group{Currency: g.Currency}
	if by&ByCustomer != 0 {
		o.Customer = g.Customer
	}
	if by&ByLink != 0 {
		o.Link = g.Link
	}
	if by&ByPool != 0 {
		o.Pool = g.Pool
	}
	if by&ByCampaign != 0 {
		o.Campaign = g.Campaign
	}
	if by&ByCause != 0 {
		o.Cause = g.Cause
	}
	if by&ByDirection != 0 {
		o.Direction = g.Direction
	}
	o.Correction = by&ByCorrection != 0 && g.Correction
	return o
}

// A Total is what groups of a month have spent together.
type Total struct {
	Group // what it is not kept apart by is zero
	Sums
	Ours scheduler.Micros `json:"ours"` // of Micros, by the gateway's doing
}

// Totals are the sums of a month over the groups that match, kept apart as by says, in order. A nil match takes all.
func (l *Ledger) Totals(at tariff.Month, by By, match func(*Group) bool) []Total {
	m := l.months[at]
	if m == nil {
		return nil
	}
	sums := make(map[Group]*Total)
	for _, g := range m.groups {
		if match != nil && !match(&g.Group) {
			continue
		}
		key := by.only(g.Group)
		t := sums[key]
		if t == nil {
			t = &Total{Group: key}
			sums[key] = t
		}
		t.Add(g.sums)
		if ours(g.Cause, g.Direction) {
			t.Ours = scheduler.Micros(add(int64(t.Ours), int64(g.sums.Micros)))
		}
	}
	list := make([]Total, 0, len(sums))
	for _, t := range sums {
		list = append(list, *t)
	}
	slices.SortFunc(list, func(a, b Total) int { return a.compare(&b.Group) })
	return list
}

// A DeviceTotal is what a device has spent on a link in a month.
type DeviceTotal struct {
	Device   uint32 `json:"device"`
	Link     string `json:"link"`
	Currency string `json:"currency"`
	Up       Sums   `json:"up"`
	Down     Sums   `json:"down"`
}

// Devices are the totals of all devices of a month, in the order of their numbers, then of links.
func (l *Ledger) Devices(at tariff.Month) iter.Seq[DeviceTotal] {
	return func(yield func(DeviceTotal) bool) {
		m := l.months[at]
		if m == nil {
			return
		}
		places := make([]uint32, m.devices.n)
		for i := range places {
			places[i] = uint32(i)
		}
		slices.SortFunc(places, func(x, y uint32) int {
			a, b := m.devices.at(x), m.devices.at(y)
			return cmp.Or(cmp.Compare(a.device, b.device), cmp.Compare(l.links[a.link].name, l.links[b.link].name), cmp.Compare(l.links[a.link].currency, l.links[b.link].currency))
		})
		for _, place := range places {
			if !yield(l.total(m.devices.at(place))) {
				return
			}
		}
	}
}

func (l *Ledger) total(a *deviceAccount) DeviceTotal {
	name := l.links[a.link]
	return DeviceTotal{Device: a.device, Link: name.name, Currency: name.currency, Up: a.sums(tariff.MO), Down: a.sums(tariff.MT)}
}

// Device is what one device has spent in a month, by link.
func (l *Ledger) Device(at tariff.Month, device uint32) []DeviceTotal {
	m := l.months[at]
	if m == nil {
		return nil
	}
	var list []DeviceTotal
	for i := range l.links {
		if place, ok := m.devicePlace[deviceKey{device, uint16(i)}]; ok {
			list = append(list, l.total(m.devices.at(place)))
		}
	}
	slices.SortFunc(list, func(a, b DeviceTotal) int {
		return cmp.Or(cmp.Compare(a.Link, b.Link), cmp.Compare(a.Currency, b.Currency))
	})
	return list
}

// A Statement is what a closed month comes to.
type Statement struct {
	Month tariff.Month    `json:"month"`
	Lines []StatementLine `json:"lines"`
}

// A StatementLine is what one customer has spent on one link.
type StatementLine struct {
	Total
	Invoice scheduler.Micros `json:"invoice"` // rounded to the currency's smallest unit
}

// ErrClosed is wrapped by errors about months that cannot be closed.
var ErrClosed = errors.New("month")

// Closable reports why a month cannot be closed: months are closed in their order, and only once they are over; now is in the zone in which they are billed.
func (l *Ledger) Closable(at tariff.Month, now time.Time) error {
	switch {
	case at <= l.closed:
		return fmt.Errorf("close %s: %w: closed already, with all until %s", at, ErrClosed, l.closed)
	case tariff.MonthOf(now) <= at:
		return fmt.Errorf("close %s: %w: it is not over", at, ErrClosed)
	}
	for _, m := range slices.Sorted(maps.Keys(l.months)) {
		if m > l.closed && m < at {
			return fmt.Errorf("close %s: %w: %s is to be closed before", at, ErrClosed, m)
		}
	}
	return nil
}

// Close closes a month that is Closable for ever: what comes for it from now on is a correction of the next. now should not be before Tariff.Closes. The
// account's row has to be written.
func (l *Ledger) Close(at tariff.Month, now time.Time) (Statement, Account, error) {
	if err := l.Closable(at, now); err != nil {
		return Statement{}, Account{}, err
	}
	l.closed = at
	return l.Statement(at), Account{month: at, kind: closedRow}, nil
}

// Statement is what a month comes to, so far if it is open.
func (l *Ledger) Statement(at tariff.Month) Statement {
	s := Statement{Month: at}
	for _, t := range l.Totals(at, ByCustomer|ByLink|ByCorrection, nil) {
		s.Lines = append(s.Lines, StatementLine{Total: t, Invoice: tariff.Invoice(t.Currency, t.Micros)})
	}
	return s
}

// Used reports whether anything of a device was booked over a link in a month.
func (l *Ledger) Used(at tariff.Month, device uint32, link, currency string) bool {
	m := l.months[at]
	if m == nil {
		return false
	}
	name, ok := l.link(linkName{link, currency})
	if !ok {
		return false
	}
	place, ok := m.devicePlace[deviceKey{device, name}]
	return ok && m.devices.at(place).count != [2]uint32{}
}

// Busy reports whether anything but fees was booked in a month.
func (l *Ledger) Busy(at tariff.Month) bool {
	m := l.months[at]
	return m != nil && slices.ContainsFunc(m.groups, func(g *group) bool { return g.Cause != CauseFee })
}

// Closed is the last month that is closed, 0 if none is.
func (l *Ledger) Closed() tariff.Month { return l.closed }

// Months are those that have accounts, in order.
func (l *Ledger) Months() []tariff.Month { return slices.Sorted(maps.Keys(l.months)) }

// Forget drops the accounts of a closed month, whose rows a store keeps.
func (l *Ledger) Forget(at tariff.Month) error {
	if at > l.closed {
		return fmt.Errorf("forget %s: %w: it is open", at, ErrClosed)
	}
	delete(l.months, at)
	return nil
}

package ledger

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/godwit-gateway/godwit/scheduler"
	"github.com/godwit-gateway/godwit/scheduler/tariff"
)

// A Ledger keeps the accounts of the months that are open, and of closed ones until they are forgotten. It is not safe for use by several at
// once. New makes one.
type Ledger struct {
	months map[tariff.Month]*month
	closed tariff.Month // the last that is; 0: none

	links     []linkName // of device accounts
	linkPlace map[linkName]uint16

	budgets       map[Scope]*Budget
	deviceBudgets bool
}

// near is how many links and groups are looked through before an index is: what is spent mostly goes to a few.
const near = 8

type linkName struct{ name, currency string }

type month struct {
	groups     []*group
	groupPlace map[Group]uint32
	lately     [near]uint32 // groups that were added to, by place
	next       uint8        // in lately
	scopes     []*scope
	scopePlace map[Scope]uint32

	devices     deviceAccounts
	devicePlace map[deviceKey]uint32
}

// An Account names one of the ledger's accounts while the ledger lives. The zero Account is none.
type Account struct {
	month tariff.Month
	kind  kind
	place uint32
}

type kind uint8

const (
	deviceRow kind = 'd'
	groupRow  kind = 'g'
	scopeRow  kind = 's'
	closedRow kind = 'c'
)

// Changed is what became of an entry. A row has to be written for each account.
type Changed struct {
	Device   Account // none for an entry without a device
	Group    Account
	Scopes   []Account // that warned
	Warnings []Warning
}

// New makes an empty ledger.
func New() *Ledger {
	return &Ledger{months: make(map[tariff.Month]*month), linkPlace: make(map[linkName]uint16), budgets: make(map[Scope]*Budget)}
}

// ErrBudget is wrapped by errors about budgets.
var ErrBudget = errors.New("budget")

// SetBudgets puts other budgets in the place of all. Warnings that were given in a month are not given again, but for those that Revise takes back.
func (l *Ledger) SetBudgets(list []Budget) error {
	budgets, devices := make(map[Scope]*Budget, len(list)), false
	var bad []error
	for i := range list {
		b := list[i]
		s := b.Scope
		named := s.Level == OfCustomer || s.Level == OfLink || s.Level == OfPool
		switch {
		case s.Level >= levels, named != (s.Name != ""), s.Level != OfDevice && s.Device != 0, s.Currency == "":
			bad = append(bad, fmt.Errorf("%w %d: %s is not whole", ErrBudget, i, s))
		case b.Amount < 0:
			bad = append(bad, fmt.Errorf("%w of %s: %s is less than nothing", ErrBudget, s, b.Amount))
		case budgets[s] != nil:
			bad = append(bad, fmt.Errorf("%w of %s stands twice", ErrBudget, s))
		}
		budgets[s] = &b
		devices = devices || s.Level == OfDevice
	}
	if err := errors.Join(bad...); err != nil {
		return err
	}
	l.budgets, l.deviceBudgets = budgets, devices
	for _, m := range l.months {
		for _, s := range m.scopes {
			s.budget = budgets[s.Scope]
		}
	}
	l.Revise()
	return nil
}

// Revise takes warnings back that are not due by the present budgets, as those of one that was raised since: they are given when it is spent to that
// part. To be called once all rows are loaded. No row changes: what a row has too much is taken back when it is loaded.
func (l *Ledger) Revise() {
	for at, m := range l.months {
		if at <= l.closed {
			continue
		}
		for _, s := range m.scopes {
			s.warned &^= undue(s.budget, s.spent)
		}
		for i := range m.devices.n {
			a := m.devices.at(i)
			if a.warned == 0 { // nearly all
				continue
			}
			of := Scope{Level: OfDevice, Device: a.device, Currency: l.links[a.link].currency}
			spent, _ := l.deviceSpent(m, of)
			a.warned &^= undue(l.deviceBudget(of), spent)
		}
	}
}

// undue are the warnings that a budget is not spent to; none if there is no budget.
func undue(b *Budget, spent Spent) (bits uint8) {
	for i, p := range warnAt {
		if b != nil && !percent(spent.All(), b.Amount, p) {
			bits |= 1 << i
		}
	}
	return bits
}

// Add adds an entry to its accounts. One of a month that is closed is a correction of the first month that is open.
func (l *Ledger) Add(e Entry) (Changed, error) {
	if err := e.validate(); err != nil {
		return Changed{}, err
	}
	at, correction := l.monthOf(e.Time)
	m := l.month(at)
	c := Changed{}
	if e.Device != 0 {
		place, err := l.device(m, deviceKey{e.Device, 0}, linkName{e.Link, e.Currency})
		if err != nil {
			return Changed{}, err
		}
		a := m.devices.at(place)
		a.add(e.Direction, e.sums())
		c.Device = Account{at, deviceRow, place}
		if l.deviceBudgets {
			c.Warnings = l.warnDevice(at, m, a)
		}
	}
	place := l.group(m, Group{
		Customer: e.Customer, Link: e.Link, Pool: e.Pool, Campaign: e.Campaign, Currency: e.Currency, Cause: e.Cause, Direction: e.Direction,
		Correction: correction,
	})
	g := m.groups[place]
	g.sums.Add(e.sums())
	if day := &g.days[e.Time.Day()-1]; !correction && e.Cause != CauseFee {
		*day = scheduler.Micros(add(int64(*day), int64(e.Micros)))
	}
	c.Group = Account{at, groupRow, place}
	for _, s := range g.scopes {
		s.spent.add(!e.Ours(), e.Micros)
		before := s.warned
		c.Warnings = append(c.Warnings, s.warn(at)...)
		if s.warned != before {
			c.Scopes = append(c.Scopes, Account{at, scopeRow, s.n})
		}
	}
	return c, nil
}

// monthOf is the month whose accounts take what was spent at a time, and whether it is another one than the time's own.
func (l *Ledger) monthOf(at time.Time) (m tariff.Month, correction bool) {
	if m = tariff.MonthOf(at); m <= l.closed {
		return l.closed.Next(), true
	}
	return m, false
}

func (l *Ledger) month(at tariff.Month) *month {
	m := l.months[at]
	if m == nil {
		m = &month{groupPlace: make(map[Group]uint32), scopePlace: make(map[Scope]uint32), devicePlace: make(map[deviceKey]uint32)}
		l.months[at] = m
	}
	return m
}

// device is the place of a device's account on a link, which is made if there is none.
func (l *Ledger) device(m *month, k deviceKey, name linkName) (uint32, error) {
	link, ok := l.link(name)
	if !ok {
		if len(l.links) > math.MaxUint16 {
			return 0, fmt.Errorf("%w: there are more than %d links", ErrEntry, math.MaxUint16)
		}
		link = uint16(len(l.links)) //nolint:gosec // checked
		l.links, l.linkPlace[name] = append(l.links, name), link
	}
	k.link = link
	place, ok := m.devicePlace[k]
	if !ok {
		place = m.devices.add(deviceAccount{deviceKey: k})
		m.devicePlace[k] = place
	}
	return place, nil
}

// link is the place of a link, if it is known.
func (l *Ledger) link(name linkName) (uint16, bool) {
	for i := range l.links[:min(near, len(l.links))] {
		if l.links[i] == name {
			return uint16(i), true
		}
	}
	place, ok := l.linkPlace[name]
	return place, ok
}

// group is the place of a group's account, which is made if there is none.
func (l *Ledger) group(m *month, key Group) uint32 {
	for _, place := range m.lately {
		if int(place) < len(m.groups) && m.groups[place].Group == key {
			return place
		}
	}
	place := l.findGroup(m, key)
	m.lately[m.next%near] = place
	m.next++
	return place
}

func (l *Ledger) findGroup(m *month, key Group) uint32 {
	if place, ok := m.groupPlace[key]; ok {
		return place
	}
	g := &group{Group: key}
	for _, s := range []Scope{{Level: Fleet}, {Level: OfCustomer, Name: key.Customer}, {Level: OfLink, Name: key.Link}, {Level: OfPool, Name: key.Pool}} {
		if s.Level == Fleet || s.Name != "" {
			s.Currency = key.Currency
			g.scopes = append(g.scopes, l.scope(m, s))
		}
	}
	place := uint32(len(m.groups)) //nolint:gosec // far fewer
	m.groups, m.groupPlace[key] = append(m.groups, g), place
	return place
}

func (l *Ledger) scope(m *month, key Scope) *scope {
	if place, ok := m.scopePlace[key]; ok {
		return m.scopes[place]
	}
	s := &scope{Scope: key, n: uint32(len(m.scopes)), budget: l.budgets[key]} //nolint:gosec // far fewer
	m.scopes, m.scopePlace[key] = append(m.scopes, s), s.n
	return s
}

// warn gives the warnings that are due and were not given.
func (s *scope) warn(at tariff.Month) []Warning {
	return due(&s.warned, s.budget, s.Scope, at, s.spent)
}

func due(warned *uint8, b *Budget, of Scope, at tariff.Month, spent Spent) (list []Warning) {
	if b == nil {
		return nil
	}
	for i, p := range warnAt {
		if bit := uint8(1) << i; *warned&bit == 0 && percent(spent.All(), b.Amount, p) {
			*warned |= bit
			list = append(list, Warning{Scope: of, Month: at, Percent: p, Spent: spent, Budget: b.Amount})
		}
	}
	return list
}

// warnDevice gives the warnings about a device one of whose accounts changed. What was given is kept in that account.
func (l *Ledger) warnDevice(at tariff.Month, m *month, a *deviceAccount) []Warning {
	of := Scope{Level: OfDevice, Device: a.device, Currency: l.links[a.link].currency}
	b := l.deviceBudget(of)
	if b == nil {
		return nil
	}
	spent, warned := l.deviceSpent(m, of)
	a.warned |= warned
	return due(&a.warned, b, of, at, spent)
}

func (l *Ledger) deviceBudget(of Scope) *Budget {
	if b := l.budgets[of]; b != nil {
		return b
	}
	return l.budgets[Scope{Level: OfDevice, Currency: of.Currency}]
}

// deviceSpent is what a device has spent on all links in a currency, and which warnings were given about it. By whose doing is told by the
// direction alone.
func (l *Ledger) deviceSpent(m *month, of Scope) (s Spent, warned uint8) {
	for i, name := range l.links {
		if name.currency != of.Currency {
			continue
		}
		place, ok := m.devicePlace[deviceKey{of.Device, uint16(i)}]
		if !ok {
			continue
		}
		a := m.devices.at(place)
		s.add(true, scheduler.Micros(a.micros[0]))
		s.add(false, scheduler.Micros(a.micros[1]))
		warned |= a.warned
	}
	return s, warned
}

// Spent is what a scope has spent in a month. For a device, all that it sent counts as its own.
func (l *Ledger) Spent(at tariff.Month, of Scope) Spent {
	m := l.months[at]
	if m == nil {
		return Spent{}
	}
	if of.Level == OfDevice {
		s, _ := l.deviceSpent(m, of)
		return s
	}
	if place, ok := m.scopePlace[of]; ok {
		return m.scopes[place].spent
	}
	return Spent{}
}

// Allow reports whether an entry, such as a downlink that is to be sent, keeps within every hard budget; if it does not, of is the budget that
// refuses it. What costs nothing is always allowed.
func (l *Ledger) Allow(e *Entry) (of Scope, ok bool) {
	if e.Micros <= 0 {
		return Scope{}, true
	}
	at, _ := l.monthOf(e.Time)
	for _, s := range []Scope{
		{Level: OfDevice, Device: e.Device}, {Level: OfCustomer, Name: e.Customer}, {Level: OfPool, Name: e.Pool}, {Level: OfLink, Name: e.Link}, {Level: Fleet},
	} {
		s.Currency = e.Currency
		b := l.budgets[s]
		if s.Level == OfDevice {
			b = l.deviceBudget(s)
			if e.Device == 0 {
				b = nil
			}
		}
		if b == nil || !b.Hard {
			continue
		}
		if add(int64(l.Spent(at, s).All()), int64(e.Micros)) > int64(b.Amount) {
			return s, false
		}
	}
	return Scope{}, true
}

package ledger

import (
	"cmp"
	"strings"

	"github.com/godwit-gateway/godwit/scheduler"
	"github.com/godwit-gateway/godwit/scheduler/tariff"
)

// A Group is what entries have in common that are added to one account of a month.
type Group struct {
	Customer   string           `json:"customer,omitempty"`
	Link       string           `json:"link,omitempty"`
	Pool       string           `json:"pool,omitempty"`
	Campaign   string           `json:"campaign,omitempty"`
	Currency   string           `json:"currency"`
	Cause      Cause            `json:"cause"`
	Direction  tariff.Direction `json:"direction"`            // "both" in sums over both
	Correction bool             `json:"correction,omitempty"` // came late, for a month that was closed
}

// compare orders groups by customer, link, pool, campaign, currency, cause, direction.
func (g *Group) compare(o *Group) int {
	boolean := func(b bool) int {
		if b {
			return 1
		}
		return 0
	}
	return cmp.Or(strings.Compare(g.Customer, o.Customer), strings.Compare(g.Link, o.Link), strings.Compare(g.Pool, o.Pool),
		strings.Compare(g.Campaign, o.Campaign), strings.Compare(g.Currency, o.Currency), cmp.Compare(g.Cause, o.Cause),
		cmp.Compare(g.Direction, o.Direction), cmp.Compare(boolean(g.Correction), boolean(o.Correction)))
}

// group is the account of a Group in a month.
type group struct {
	Group
	sums   Sums
	days   [31]scheduler.Micros // what traffic cost, by the day of the month; without fees and corrections
	scopes []*scope             // to which it belongs
}

// scope is what a customer, a link, a pool or the fleet has spent in a month.
type scope struct {
	Scope
	n      uint32 // its place
	spent  Spent
	warned uint8   // bit i: the warning at warnAt[i] was given
	budget *Budget // nil: none
}

// deviceKey is a device on a link; link is a place in the ledger's list.
type deviceKey struct {
	device uint32
	link   uint16
}

// deviceAccount is what a device has spent on a link in a month. There is one for each, so it is kept small.
type deviceAccount struct {
	micros, payload, billed [2]int64 // MO, MT
	count                   [2]uint32
	deviceKey
	warned uint8 // as of a scope, for all of the device's links
}

// way is the place of a direction in a device's account.
func way(d tariff.Direction) int {
	if d == tariff.MT {
		return 1
	}
	return 0
}

func (a *deviceAccount) add(d tariff.Direction, s Sums) {
	i := way(d)
	a.micros[i], a.payload[i], a.billed[i] = add(a.micros[i], int64(s.Micros)), add(a.payload[i], s.Payload), add(a.billed[i], s.Billed)
	a.count[i] = uint32(min(int64(a.count[i])+s.Count, 1<<32-1)) //nolint:gosec // within
}

func (a *deviceAccount) sums(d tariff.Direction) Sums {
	i := way(d)
	return Sums{scheduler.Micros(a.micros[i]), int64(a.count[i]), a.payload[i], a.billed[i]}
}

// chunk is how many accounts are allocated at once: a list that doubled would hold twice what it needs.
const chunk = 1024

// deviceAccounts is a list of accounts that never move.
type deviceAccounts struct {
	chunks [][]deviceAccount
	n      uint32
}

func (l *deviceAccounts) at(i uint32) *deviceAccount { return &l.chunks[i/chunk][i%chunk] }

func (l *deviceAccounts) add(a deviceAccount) uint32 {
	if l.n%chunk == 0 {
		l.chunks = append(l.chunks, make([]deviceAccount, chunk))
	}
	*l.at(l.n) = a
	l.n++
	return l.n - 1
}

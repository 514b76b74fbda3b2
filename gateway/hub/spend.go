package hub

import (
	"time"

	"github.com/godwit-gateway/godwit/scheduler"
	"github.com/godwit-gateway/godwit/scheduler/ledger"
	"github.com/godwit-gateway/godwit/scheduler/tariff"
)

// A SpendTotal is what was spent together by all that has something in common; what sums are not kept apart by is empty.
type SpendTotal struct {
	Customer   string           `json:"customer,omitempty"`
	Link       string           `json:"link,omitempty"`
	Pool       string           `json:"pool,omitempty"`
	Campaign   string           `json:"campaign,omitempty"`
	Cause      string           `json:"cause,omitempty"`
	Direction  string           `json:"direction,omitempty"`
	Correction bool             `json:"correction,omitempty"` // came late, for a month that was closed
	Currency   string           `json:"currency"`
	Ours       scheduler.Micros `json:"ours"` // of the price, by the gateway's doing; devices spent the rest by themselves
	ledger.Sums

	Invoice *scheduler.Micros `json:"invoice,omitempty"` // rounded to the currency's smallest unit, in statements
}

func totalOf(t *ledger.Total, by ledger.By) SpendTotal {
	s := SpendTotal{
		Customer: t.Customer, Link: t.Link, Pool: t.Pool, Campaign: t.Campaign, Correction: t.Correction, Currency: t.Currency, Ours: t.Ours, Sums: t.Sums,
	}
	if by&ledger.ByCause != 0 {
		s.Cause = t.Cause.String()
	}
	if by&ledger.ByDirection != 0 {
		s.Direction = t.Direction.String()
	}
	return s
}

// Spend is what was spent in a month.
type Spend struct {
	Month    tariff.Month     `json:"month"`
	Zone     string           `json:"zone"` // of months: that of all tariffs, UTC if they have several; links are billed in the months of their own tariff
	Closed   bool             `json:"closed"`
	Totals   []SpendTotal     `json:"totals"`
	Forecast *ledger.Forecast `json:"forecast,omitempty"` // of the month that is, of what is asked about; in the currency of plans
	Pools    []PoolState      `json:"pools,omitempty"`    // of the month that is
	Fees     scheduler.Micros `json:"fees,omitempty"`     // rental and the like that will be booked when the month is closed, by what is known now
}

// A SpendFilter is what is asked about: the customer, link, pool, campaign and cause, of those that are not "".
type SpendFilter struct{ Customer, Link, Pool, Campaign, Cause string }

func (f *SpendFilter) takes(g *ledger.Group) bool {
	is := func(want, has string) bool { return want == "" || want == has }
	return is(f.Customer, g.Customer) && is(f.Link, g.Link) && is(f.Pool, g.Pool) && is(f.Campaign, g.Campaign) && is(f.Cause, g.Cause.String())
}

// Spend sums what a month came to; a month of zero is the one that is. What is of the fleet as a whole is told without a filter only: pools, and fees, which
// are told also if they are all that is asked about. They have no forecast: no day is like another one for them.
func (h *Hub) Spend(at tariff.Month, by ledger.By, only SpendFilter) Spend {
	h.mu.RLock()
	defer h.mu.RUnlock()
	now := h.core.Local(h.clock.Now())
	if at == 0 {
		at = tariff.MonthOf(now)
	}
	l := h.core.Ledger()
	s := Spend{Month: at, Zone: now.Location().String(), Closed: at <= l.Closed(), Totals: []SpendTotal{}}
	for _, t := range l.Totals(at, by, only.takes) {
		s.Totals = append(s.Totals, totalOf(&t, by))
	}
	fee := ledger.CauseFee.String()
	all := only == SpendFilter{}
	if (all || only == SpendFilter{Cause: fee}) && !s.Closed && at <= tariff.MonthOf(now) {
		s.Fees = h.core.Fees(at)
	}
	if at == tariff.MonthOf(now) {
		if all {
			s.Pools = h.pools()
		}
		if h.currency != "" && only.Cause != fee {
			f := l.Forecast(h.currency, now, only.takes)
			s.Forecast = &f
		}
	}
	return s
}

// A BudgetState is a budget and what is left of it in this month.
type BudgetState struct {
	Scope    string           `json:"scope" enum:"fleet,customer,link,pool,device"`
	Name     string           `json:"name,omitempty"`
	Currency string           `json:"currency"`
	Amount   scheduler.Micros `json:"amount"`
	Hard     bool             `json:"hard"`
	Spent    ledger.Spent     `json:"spent"`
	Left     scheduler.Micros `json:"left"` // below 0: exceeded

	Forecast *ledger.Forecast `json:"forecast,omitempty"` // of this month, without rental and other fees to come; none of a device's budget
	Out      time.Time        `json:"spent_at,omitzero"`  // when the budget is spent, if days go on as they are expected; zero: not in this month, or it is already
}

// Budgets are all budgets but the one of each device that has none of its own. A forecast reads all accounts of two months for each of them, so commits pass
// between one and the next.
func (h *Hub) Budgets(forecast bool) []BudgetState {
	h.mu.RLock()
	budgets, now := h.budgets, h.core.Local(h.clock.Now())
	h.mu.RUnlock()
	list := []BudgetState{}
	for i := range budgets {
		if b := &budgets[i]; b.Scope.Level != ledger.OfDevice || b.Scope.Device != 0 {
			list = append(list, h.budgetState(b, now, forecast))
		}
	}
	return list
}

func (h *Hub) budgetState(b *ledger.Budget, now time.Time, forecast bool) BudgetState {
	h.mu.RLock()
	defer h.mu.RUnlock()
	l, name := h.core.Ledger(), b.Scope.Name
	if b.Scope.Level == ledger.OfDevice {
		name = h.nameOf(b.Scope.Device)
	}
	s := l.Spent(tariff.MonthOf(now), b.Scope)
	state := BudgetState{Scope: b.Scope.Level.String(), Name: name, Currency: b.Scope.Currency, Amount: b.Amount, Hard: b.Hard, Spent: s, Left: b.Amount - s.All()}
	if forecast && b.Scope.Level != ledger.OfDevice {
		f := l.Forecast(b.Scope.Currency, now, b.Scope.Takes)
		state.Forecast, state.Out = &f, f.Reaches(b.Amount, now)
	}
	return state
}

package tariff

import (
	"slices"
	"time"

	"github.com/godwit-gateway/godwit/scheduler"
)

// A Subscription is what decides on the fees of one line in one month.
type Subscription struct {
	Begun     time.Time // when the line was activated
	Ended     time.Time // when it was given up; zero: it is not
	Suspended []Days    // for which the line is suspended, in the tariff's zone
	Silent    bool      // no traffic in the month
}

// A Fee is an amount that no traffic causes.
type Fee struct {
	What   string           `json:"what"` // activation, rental, suspension
	Micros scheduler.Micros `json:"price"`
}

// Fees are what a line costs in a month without its traffic. A month outside of the line's life, or free, has none.
func (t *Tariff) Fees(m Month, s Subscription) []Fee {
	var fees []Fee
	add := func(what string, amount scheduler.Micros) {
		if amount > 0 {
			fees = append(fees, Fee{what, amount})
		}
	}
	begun := t.Local(s.Begun)
	if MonthOf(begun) == m {
		add("activation", t.Rental.Activation)
	}
	first, last := t.days(m, begun, s.Ended)
	days, suspended := max(last-first+1, 0), s.suspended(m, first, last)
	free := s.Silent && t.Rental.FreeSilent && !t.bound(m, begun)
	part := func(n int, of scheduler.Micros) scheduler.Micros { return portion(int64(n), of, int64(m.Days())) }
	switch {
	case days == 0:
	case t.Rental.ByDay:
		if !free {
			add("rental", part(days-suspended, t.Rental.Price))
		}
		add("suspension", part(suspended, t.Rental.Suspended))
	case suspended == days:
		add("suspension", t.Rental.Suspended)
	case free:
	default:
		add("rental", t.Rental.Price)
	}
	return fees
}

// suspended is for how many of the days of a month from the first to the last the line is suspended.
func (s *Subscription) suspended(m Month, first, last int) (n int) {
	if len(s.Suspended) == 0 {
		return 0
	}
	for d := first; d <= last; d++ {
		if slices.ContainsFunc(s.Suspended, func(of Days) bool { return of.Has(m.Day(d)) }) {
			n++
		}
	}
	return n
}

// GroupFees are what a pool costs as a whole in a month.
func (t *Tariff) GroupFees(m Month, begun time.Time) []Fee {
	var fees []Fee
	if first := t.Month(begun); first == m && t.Rental.GroupOnce > 0 {
		fees = append(fees, Fee{"group activation", t.Rental.GroupOnce})
	} else if m < first {
		return nil
	}
	if t.Rental.Group > 0 {
		fees = append(fees, Fee{"group rental", t.Rental.Group})
	}
	return fees
}

// bound reports whether a month is within the minimum term.
func (t *Tariff) bound(m Month, begun time.Time) bool {
	return int(m-MonthOf(begun)) < t.Rental.MinMonths
}

// days are the first and the last day of a month that are to be paid, the last before the first if none is. The day of the beginning is paid, and that of
// the end.
func (t *Tariff) days(m Month, begun, ended time.Time) (first, last int) {
	first, last = 1, m.Days()
	switch b := MonthOf(begun); {
	case m < b:
		return 1, 0
	case m == b:
		first = begun.Day()
	}
	if !ended.IsZero() && !t.bound(m, begun) {
		ended = t.Local(ended)
		switch e := MonthOf(ended); {
		case m > e:
			return 1, 0
		case m == e:
			last = ended.Day()
		}
	}
	return first, last
}

// minorDigits are the places of currencies that do not have two (ISO 4217).
var minorDigits = map[string]int{
	"BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3,
	"BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0, "RWF": 0, "UGX": 0, "VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
}

// Invoice rounds an amount to the smallest unit of a currency, halves away from zero. Nothing else is rounded to it.
func Invoice(currency string, amount scheduler.Micros) scheduler.Micros {
	digits, ok := minorDigits[currency]
	if !ok {
		digits = 2
	}
	unit := scheduler.Micros(1_000_000)
	for range digits {
		unit /= 10
	}
	rest := amount % unit
	amount -= rest
	switch {
	case rest*2 >= unit && amount <= most*2:
		amount += unit
	case rest*2 <= -unit && amount >= -most*2:
		amount -= unit
	}
	return amount
}

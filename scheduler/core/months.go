package core

import (
	"time"

	"github.com/godwit-gateway/godwit/scheduler/tariff"
)

// monthsKept is how many months that are closed are kept, with the account of each device.
const monthsKept = 13

// silentMonths is how many months without traffic are closed after one that had some. A clock that is years ahead for a while does not close all of them.
const silentMonths = 12

// closeMonths closes the months for which no record can come any more, in their order, and those in which nothing was sent or received: lines are paid for
// all the same.
func (k *Core) closeMonths(now time.Time) {
	months := k.ledger.Months()
	if len(months) == 0 {
		return
	}
	last := months[len(months)-1]
	for last > months[0] && !k.ledger.Busy(last) {
		last--
	}
	for at := max(k.ledger.Closed()+1, months[0]); at <= last+silentMonths && !now.Before(k.closes(at, now)); at++ {
		if _, err := k.CloseMonth(at, now); err != nil {
			return
		}
	}
}

// Local is a time in the zone in which months are told: that of all links' tariffs, or UTC if they have several. What is spent over a link is billed in
// the months of its own tariff.
func (k *Core) Local(now time.Time) time.Time { return now.In(k.zone) }

// slowest is a time in the zone, among those of the links and UTC, in which the month is earliest: it is over only when it is over everywhere.
func (k *Core) slowest(now time.Time) time.Time {
	local := k.Local(now)
	for i := range k.config.Links {
		if t := k.config.tariff(&k.config.Links[i], now); t != nil && t.Month(now) < tariff.MonthOf(local) {
			local = t.Local(now)
		}
	}
	return local
}

// closes is when the last of all tariffs lets no more records of a month come.
func (k *Core) closes(at tariff.Month, now time.Time) time.Time {
	last := at.Next().Begins(time.UTC).AddDate(0, 0, 1) // days begin at other times elsewhere
	for i := range k.config.Links {
		if t := k.config.tariff(&k.config.Links[i], now); t != nil {
			if c := t.Closes(at); c.After(last) {
				last = c
			}
		}
	}
	return last
}

// forgetMonths deletes the accounts of closed months that are too old, one month at a time.
func (k *Core) forgetMonths(to Rows) {
	d := &k.dirty
	if !d.months {
		return
	}
	d.months = false
	months := k.ledger.Months()
	if len(months) == 0 || months[0]+monthsKept > k.ledger.Closed() {
		return
	}
	for a := range k.ledger.Accounts(months[0]) {
		d.key, d.value = k.ledger.AppendRow(d.key[:0], d.value[:0], a)
		to.DeleteAccount(d.key)
	}
	if err := k.ledger.Forget(months[0]); err != nil {
		panic("core: " + err.Error()) // it is closed
	}
}

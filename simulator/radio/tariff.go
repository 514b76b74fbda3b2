package radio

import (
	"fmt"
	"time"
)

// Micros is money: a millionth of the unit of a currency.
type Micros int64

// A Tariff is what a network bills for a payload. The zero value is free.
type Tariff struct {
	Message  Micros // for each payload, whatever its size
	Unit     int    // bytes of a unit; 0: bytes are not billed
	Price    Micros // of each started unit beyond those included
	Least    int    // bytes billed at least; what is billed is rounded up to whole units after that
	Overhead int    // bytes that the network counts on top of each payload, before anything else
	Included uint64 // units in each calendar month (UTC) without a price
	Failed   bool   // what was sent and never arrived is billed as well
}

func (t *Tariff) validate() error {
	if t.Message < 0 || t.Price < 0 || t.Unit < 0 || t.Least < 0 || t.Overhead < 0 {
		return fmt.Errorf("tariff is %+v, want nothing below 0", *t)
	}
	return nil
}

// Units is how many units are billed for a payload of a size in bytes.
func (t *Tariff) Units(size int) uint64 {
	if t.Unit == 0 {
		return 0
	}
	billed := max(size+t.Overhead, t.Least)
	return uint64((billed + t.Unit - 1) / t.Unit) //nolint:gosec // validate wants all of it above 0
}

// account is what a link has used of its tariff.
type account struct {
	used     uint64 // units of the month
	monthEnd time.Time
}

// charge bills a payload and returns its units and its cost.
func (a *account) charge(t *Tariff, now time.Time, size int) (units uint64, cost Micros) {
	units = t.Units(size)
	if t.Included == 0 {
		return units, t.Message + Micros(units)*t.Price //nolint:gosec // units of one payload
	}
	if !now.Before(a.monthEnd) {
		year, month, _ := now.UTC().Date()
		a.monthEnd = time.Date(year, month+1, 1, 0, 0, 0, 0, time.UTC)
		a.used = 0
	}
	left := t.Included - min(a.used, t.Included)
	a.used += units
	return units, t.Message + Micros(units-min(units, left))*t.Price //nolint:gosec // units of one payload
}

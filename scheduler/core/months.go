package core

import (
	"encoding/binary"
	"math"
	"slices"
	"time"

	"github.com/godwit-gateway/godwit/scheduler/row"
	"github.com/godwit-gateway/godwit/scheduler/tariff"
)

// monthsKept is how many months that are closed are kept, with the account of each device.
const monthsKept = 13

// silentMonths is how many months without traffic are closed after one that had some. A clock that is years ahead for a while, or a first frame that came while
// it stood in 1970, does not close all of them.
const silentMonths = 12

// A month is closed for ever, so a clock must say for a while that it is over: clocks that are wrong at a start are put right within minutes. Months are over one
// at a time: where several are, the gateway was away for long, or its clock is far ahead, and people have a day to see that.
const (
	closePause  = 30 * time.Minute
	closePauses = 24 * time.Hour
)

// A clock is asked whether a month is over each ten minutes. Where it was not asked for longer than an hour, nobody knows what it would have said.
const (
	closeAsked = 10 * time.Minute
	closeHeard = time.Hour
)

// over is for how long a clock has said that there is a month to be closed, as far as it was asked, and in which month it is itself. It outlasts a restart: one
// each day would leave months open for ever. The time in between does not count.
type over struct {
	said   tariff.Month // 0: it does not say so
	waited time.Duration
	last   time.Time // when it was asked; zero: not since the start
}

// says notes what the clock says now.
func (o *over) says(at tariff.Month, now time.Time) {
	if at != o.said || now.Before(o.last) {
		*o = over{said: at, last: now} // also where a clock jumps while it says so
	}
	if !o.last.IsZero() {
		o.waited += min(now.Sub(o.last), closeHeard)
	}
	o.last = now
}

// closeMonths closes the months for which no record can come any more, in their order, and those in which nothing was sent or received: lines are paid for
// all the same.
func (k *Core) closeMonths(now time.Time) {
	at, ok := k.nextMonth()
	if !ok || now.Before(k.closes(at, now)) {
		k.dirty.over = k.dirty.over || k.over.said != 0
		k.over = over{last: now}
		return
	}
	k.over.says(tariff.MonthOf(k.Local(now)), now)
	k.dirty.over = true
	pause := closePause
	if !now.Before(k.closes(at.Next(), now)) {
		pause = closePauses
	}
	if k.over.waited < pause {
		return
	}
	for ; ok && !now.Before(k.closes(at, now)); at, ok = k.nextMonth() {
		if _, err := k.CloseMonth(at, now); err != nil {
			return
		}
	}
}

// overVersion is the first byte of what is written of a clock that says that months are over.
const overVersion = 1

func (o *over) append(b []byte) []byte {
	b = binary.AppendUvarint(append(b, overVersion), uint64(o.said)) //nolint:gosec // not negative
	return binary.AppendUvarint(b, uint64(o.waited/time.Second))     //nolint:gosec // as well
}

// parse takes over what append wrote. What cannot be read is as if the clock had not been asked yet.
func (o *over) parse(b []byte) {
	r := row.Reader{Rest: b}
	version := r.Byte()
	read := over{said: tariff.Month(r.Uvarint(math.MaxInt32)), waited: time.Duration(r.Uvarint(math.MaxInt32)) * time.Second} //nolint:gosec // bounded
	if version == overVersion && r.Done() {
		*o = read
	}
}

// nextMonth is the one that is to be closed next: the one after the last if there was traffic in the months before, else the next that has accounts.
func (k *Core) nextMonth() (at tariff.Month, ok bool) {
	months := k.ledger.Months()
	if len(months) == 0 {
		return 0, false
	}
	at = max(k.ledger.Closed()+1, months[0])
	for _, m := range slices.Backward(months) {
		if m < at && k.ledger.Busy(m) {
			ok = at <= m+silentMonths
			break
		}
	}
	if i := slices.IndexFunc(months, func(m tariff.Month) bool { return m >= at }); !ok && i >= 0 {
		return months[i], true
	}
	return at, ok
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

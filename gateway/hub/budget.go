package hub

import (
	"time"

	"github.com/godwit-gateway/godwit/gateway/store"
)

// afford counts a paid downlink against the device's day. Budgets by money come with tariffs; this is the guard against a runaway.
func (o *outgoing) afford(number uint32, now time.Time) bool {
	s := o.spent[number]
	if s.count(dayOf(now)) >= smsPerDay {
		return false
	}
	s.add(dayOf(now))
	o.spent[number] = s
	return true
}

// refund takes back what afford counted for a downlink that surely did not leave.
func (o *outgoing) refund(number uint32, now time.Time) {
	if s := o.spent[number]; s.count(dayOf(now)) > 0 {
		s.n--
		o.spent[number] = s
	}
}

// spend counts the attempts of a downlink that a process before this one made. Which of them were today, a downlink that changed today does
// not tell: all count, so that a gateway that starts again and again spends less, not more.
func (o *outgoing) spend(d *store.Downlink, now time.Time) {
	day := dayOf(now)
	if dayOf(d.Changed) != day {
		return
	}
	s := o.spent[d.Number]
	attempts := paidAttempts(d)
	for range attempts {
		s.add(day)
	}
	if attempts > 0 {
		o.spent[d.Number] = s
	}
}

// paidAttempts leaves out the fragments that surely did not leave: a modem that was away for long would cost the day on which it is back.
func paidAttempts(d *store.Downlink) int {
	if p := parcelOf(d); p != nil {
		return p.Left()
	}
	return d.Attempts
}

package core

import (
	"fmt"
	"time"

	"github.com/godwit-gateway/godwit/scheduler"
	"github.com/godwit-gateway/godwit/scheduler/ledger"
	"github.com/godwit-gateway/godwit/scheduler/presence"
)

// Stakes are what depends on knowing whether a device is dead. Where a Rule has some, devices that can be woken are asked to speak after their first
// missed contact, once, if that is worth more than it costs.
type Stakes struct {
	Hour  scheduler.Micros // lost in each hour that a death is not noticed
	False scheduler.Micros // lost by taking a living device for dead
}

// askBytes is about what a request takes as a downlink.
const askBytes = 16

// An Asking is what asking a device to speak is worth now, and costs: the request and the answer.
type Asking struct {
	presence.Value
	Price   scheduler.Micros
	Refused ledger.Scope // whose budget has no money for it
	Allowed bool         // by all budgets
	Missed  int
	Wakes   bool // its link can wake it
	Asked   bool // since it was last heard
}

// Worth reports whether to ask.
func (a *Asking) Worth() bool { return a.Poll && a.Allowed }

// Asking is what asking a device is worth; ok is false if its rule has no stakes, or it was never heard.
func (k *Core) Asking(now time.Time, at Place) (a Asking, ok bool) {
	m, d := k.at(at), k.find(at)
	if d == nil || !d.watched || d.retired || int(m.rule) >= len(k.config.Rules) || k.config.Rules[m.rule].Stakes == nil {
		return a, false
	}
	st, link := k.config.Rules[m.rule].Stakes, int(d.presence.InForce().Link)
	if link >= len(k.config.Links) {
		return a, false
	}
	a.Price, a.Refused, a.Allowed = k.Price(now, at, Downlink{Link: link, Bytes: askBytes, Cause: ledger.CausePoll})
	if t := k.config.tariff(&k.config.Links[link], now); t != nil {
		a.Price += k.fleet.Links[link].Up.Cost(int(d.status))
	}
	a.Value = k.model.PollValue(&d.presence, now.Unix(), presence.Stakes{Hour: st.Hour, False: st.False, Poll: a.Price})
	a.Missed = k.model.Standing(&d.presence, now.Unix()).Missed
	a.Wakes, a.Asked = k.config.Links[link].Wakes, d.presence.Polled()
	return a, true
}

// AskedFor says that the request was queued.
func (k *Core) AskedFor(now time.Time, at Place) {
	if d := k.find(at); d != nil && d.watched {
		k.model.Polled(&d.presence, now.Unix())
		k.touch(at)
	}
}

// answers reports whether what a device sends now is the answer to a request: it was asked, and no contact is due.
func (k *Core) answers(now time.Time, d *device) bool {
	if d == nil || !d.watched || !d.presence.Polled() {
		return false
	}
	st := k.model.Standing(&d.presence, now.Unix())
	return st.Missed > 0 && now.Unix() < st.Expected
}

// String is the evidence in one line.
func (a *Asking) String() string {
	worth := scheduler.Micros(max(a.Value.Worth, 0))
	said := fmt.Sprintf("asking it to speak is worth %s and costs %s with the answer", worth, a.Price)
	switch {
	case a.Asked:
		return "it was asked to speak since it was last heard, and is not asked again"
	case !a.Wakes:
		return "it is not asked to speak: its link cannot wake it"
	case a.Missed == 0:
		return "it is asked to speak after its first missed contact, if that is worth more than it costs"
	case a.Missed > 1:
		return said + "; after more than one miss it is not asked"
	case !a.Allowed:
		return said + "; the budget of " + a.Refused.String() + " has no money for it"
	case !a.Poll:
		return said + ": it is not asked"
	default:
		return fmt.Sprintf("%s; a living device answers with %.0f %%, and silence would make it %.1f %% dead: it is asked", said, 100*a.Answer, 100*a.After)
	}
}

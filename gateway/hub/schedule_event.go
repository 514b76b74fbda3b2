package hub

import (
	"strconv"
	"time"

	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/scheduler"
	"github.com/godwit-gateway/godwit/scheduler/core"
	"github.com/godwit-gateway/godwit/scheduler/ledger"
)

// tell emits what the schedule and the rollouts have to say.
func (h *Hub) tell(c *commit) {
	for _, x := range h.changed {
		h.changedEvent(c, &x)
	}
	h.changed = h.changed[:0]
	h.tellUpdates(c)
	now := h.clock.Now()
	for _, a := range h.core.Actions() {
		i := fleet.Index(a.Place)
		switch a.Kind {
		case core.ActSilent:
			e := h.gatewayEvent(c, i, KindSilent, now)
			e.payload = appendTextMember(e.payload, "class", a.Standing.Class.String())
			e.payload = appendTextMember(e.payload, "was", a.Was.String())
			e.payload = appendUintMember(e.payload, "missed", uint64(a.Standing.Missed)) //nolint:gosec // not negative
			e.payload = appendShare(e.payload, "dead", a.Standing.Dead)
			e.payload = appendShare(e.payload, "outage", a.Standing.Outage)
			e.payload = appendTextMember(e.payload, "link", a.Standing.Link)
			e.payload = appendTimeMember(e.payload, "last_seen", time.Unix(a.Standing.Last, 0))
			e.payload = appendTextsMember(e.payload, "evidence", a.Standing.Lines())
			why := h.why(now, i)
			e.payload = appendTextMember(e.payload, "cause", why.Class.Label())
			e.payload = appendShare(e.payload, "cause_probability", why.Probability)
			h.emit(c, nil, e)
		case core.ActRecovered:
			e := h.gatewayEvent(c, i, KindRecovered, now)
			e.payload = appendTextMember(e.payload, "was", a.Was.String())
			e.payload = appendUintMember(e.payload, "missed", uint64(a.Missed)) //nolint:gosec // not negative
			h.emit(c, nil, e)
		case core.ActBudget:
			h.budgetEvent(c, i, a.Warning, now)
		case core.ActAsk:
			h.askSilent(c, i, &a, now)
		}
	}
}

// budgetEvent tells that a budget is spent to a part: of its device, or, for one that is about more, on a subject of its own.
func (h *Hub) budgetEvent(c *commit, i fleet.Index, w *ledger.Warning, now time.Time) {
	var e *eventBuffer
	if w.Scope.Level == ledger.OfDevice {
		e = h.gatewayEvent(c, i, KindBudget, now)
	} else {
		e = h.plainEvent(c, "budget."+w.Scope.Level.String()+".warning", KindBudget, w.Scope.String(), now)
	}
	e.payload = appendTextMember(e.payload, "scope", w.Scope.Level.String())
	e.payload = appendTextMember(e.payload, "name", w.Scope.Name)
	e.payload = appendTextMember(e.payload, "month", w.Month.String())
	e.payload = appendUintMember(e.payload, "percent", uint64(w.Percent)) //nolint:gosec // 70 to 100
	e.payload = appendMoneyMember(e.payload, "spent", w.Spent.All())
	e.payload = appendMoneyMember(e.payload, "spent_by_devices", w.Spent.Own)
	e.payload = appendMoneyMember(e.payload, "budget", w.Budget)
	e.payload = appendTextMember(e.payload, "currency", w.Scope.Currency)
	h.emit(c, nil, e)
}

// change is another interval that a device runs.
type change struct {
	device   fleet.Index
	from, to scheduler.Secs
	revision uint8
	at       time.Time
}

func (h *Hub) changedEvent(c *commit, x *change) {
	e := h.gatewayEvent(c, x.device, KindSchedule, x.at)
	e.payload = appendUintMember(e.payload, "from_seconds", uint64(max(x.from, 0)))
	e.payload = appendUintMember(e.payload, "to_seconds", uint64(max(x.to, 0)))
	e.payload = appendUintMember(e.payload, "revision", uint64(x.revision))
	h.emit(c, nil, e)
}

// appendShare appends a probability with four places.
func appendShare(dst []byte, name string, p float64) []byte {
	return strconv.AppendFloat(appendName(dst, name), p, 'f', 4, 64)
}

func appendMoneyMember(dst []byte, name string, m scheduler.Micros) []byte {
	dst, _ = m.AppendText(append(appendName(dst, name), '"')) // never fails
	return append(dst, '"')
}

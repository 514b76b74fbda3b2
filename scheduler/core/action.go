package core

import (
	"time"

	"github.com/godwit-gateway/godwit/scheduler/ledger"
	"github.com/godwit-gateway/godwit/scheduler/presence"
)

// An ActionKind says what an Action is.
type ActionKind uint8

// Kinds of actions.
const (
	ActSilent    ActionKind = iota + 1 // a device became silent, or is taken for something else now
	ActRecovered                       // one that was silent was heard
	ActBudget                          // a budget is spent to a part
	ActAsk                             // a device should be asked to speak: AskedFor says that it is
)

// An Action is what the caller is to tell the world.
type Action struct {
	Kind     ActionKind
	Place    Place
	Was      presence.Class    // of ActSilent and ActRecovered
	Standing presence.Standing // of ActSilent
	Missed   int               // of ActRecovered
	Warning  *ledger.Warning   // of ActBudget
	Link     int               // of ActAsk: place in Config.Links
	Until    time.Time         // of ActAsk: the next contact is due then
}

// Poll does what is due by time alone: it looks for silence, and plans. more: it should be called again at once.
func (k *Core) Poll(now time.Time) (more bool) {
	k.model.Pass(now.Unix())
	more = k.checkSilence(now)
	k.Replan(now)
	if hour := now.Unix() / 3600; hour != k.dirty.hour && k.heard > 0 {
		k.dirty.hour, k.dirty.model, k.dirty.months = hour, true, true
	}
	if asked := k.over.last; k.heard > 0 && (now.Before(asked) || !now.Before(asked.Add(closeAsked))) {
		k.closeMonths(now)
	}
	return more
}

// Actions hands over what is to be told since the last call. The slice is used again.
func (k *Core) Actions() []Action {
	list := k.actions
	k.actions = k.actions[:0]
	return list
}

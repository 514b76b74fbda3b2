package ledger

import (
	"fmt"

	"github.com/godwit-gateway/godwit/scheduler"
	"github.com/godwit-gateway/godwit/scheduler/tariff"
)

// A Level is what a scope is about. The numbers are stored.
type Level uint8

// Levels.
const (
	Fleet Level = iota
	OfCustomer
	OfLink
	OfPool
	OfDevice
	levels
)

var levelNames = [levels]string{"fleet", "customer", "link", "pool", "device"}

// String is the level in a word.
func (l Level) String() string {
	if l < levels {
		return levelNames[l]
	}
	return fmt.Sprintf("unknown(%d)", uint8(l))
}

// MarshalText writes what String does.
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// A Scope is whose money a budget is about. A budget sees what is spent in its own currency only.
type Scope struct {
	Level    Level  `json:"level"`
	Name     string `json:"name,omitempty"`   // of customer, link or pool
	Device   uint32 `json:"device,omitempty"` // of level device; 0 in a budget: each device without one of its own
	Currency string `json:"currency"`
}

// String is the scope in words.
func (s Scope) String() string {
	switch s.Level {
	case Fleet:
		return "the fleet, in " + s.Currency
	case OfDevice:
		return fmt.Sprintf("device %d, in %s", s.Device, s.Currency)
	default:
		return fmt.Sprintf("%s %s, in %s", s.Level, s.Name, s.Currency)
	}
}

// Takes reports whether what is booked for a group counts for the scope, but for the currency. What a group has of single devices it does not tell.
func (s Scope) Takes(g *Group) bool {
	switch s.Level {
	case Fleet:
		return true
	case OfCustomer:
		return g.Customer == s.Name
	case OfLink:
		return g.Link == s.Name
	case OfPool:
		return g.Pool == s.Name
	default:
		return false
	}
}

// A Budget is what may be spent in a month.
type Budget struct {
	Scope  Scope
	Amount scheduler.Micros
	Hard   bool // the gateway sends nothing that would exceed it
}

// Warnings come once a month each, when so many percent are spent.
var warnAt = [...]int64{70, 90, 100}

// A Warning says that a budget is spent to a part.
type Warning struct {
	Scope   Scope            `json:"scope"`
	Month   tariff.Month     `json:"month"`
	Percent int64            `json:"percent"` // 70, 90 or 100
	Spent   Spent            `json:"spent"`
	Budget  scheduler.Micros `json:"budget"`
}

// Spent is what a scope has spent in a month, by whose doing.
type Spent struct {
	Ours scheduler.Micros `json:"ours"` // what the gateway sent, and asked for
	Own  scheduler.Micros `json:"own"`  // what devices sent by themselves, and fees
}

// All is both.
func (s Spent) All() scheduler.Micros { return scheduler.Micros(add(int64(s.Ours), int64(s.Own))) }

func (s *Spent) add(own bool, m scheduler.Micros) {
	into := &s.Ours
	if own {
		into = &s.Own
	}
	*into = scheduler.Micros(add(int64(*into), int64(m)))
}

// percent reports whether so many percent of a budget are spent. A budget of nothing is spent with the first micro.
func percent(spent, budget scheduler.Micros, p int64) bool {
	return spent > 0 && float64(spent)*100 >= float64(budget)*float64(p)
}

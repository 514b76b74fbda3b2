package world

import (
	"fmt"
	"time"

	"github.com/godwit-gateway/godwit/scheduler"
	"github.com/godwit-gateway/godwit/scheduler/core"
	"github.com/godwit-gateway/godwit/scheduler/ledger"
	"github.com/godwit-gateway/godwit/scheduler/tariff"
)

// spend is what the gateway has sent by itself, as the networks bill it: beside what its own ledger says.
type spend struct {
	months map[tariff.Month]scheduler.Micros
}

// scheduled reports whether the gateway has anything to plan.
func (w *world) scheduled() bool {
	s := &w.setup.Schedule
	return s.Core.Links != nil || s.Send
}

// plan looks for silence, and makes a plan where one is due.
func (g *gateway) plan() error {
	for {
		more, err := g.hub.ScheduleOnce(g.w.ctx)
		if err != nil {
			return fmt.Errorf("schedule: %w", err)
		}
		if !more {
			return nil
		}
	}
}

// interval is the longer one of those that a device was made with and runs.
func (m *mobile) interval() time.Duration { return max(m.config.Interval, m.dev.Interval()) }

// price is what a downlink costs that the gateway sends over a link.
func (w *world) price(l *Link, size int) scheduler.Micros {
	c := &w.setup.Schedule.Core
	for i := range c.Links {
		if c.Links[i].Name != l.Name || c.Links[i].Tariff == "" {
			continue
		}
		if t := c.Tariffs.At(c.Links[i].Tariff, w.now); t != nil {
			return t.Price(new(tariff.Meter), nil, tariff.Event{Time: w.now, Direction: tariff.MT, Bytes: int64(size)}).Micros
		}
	}
	return 0
}

// affordable requires that a downlink that is paid for keeps within each hard budget of the fleet. What devices send by themselves may exceed it, and
// the answer to a datagram is not held back.
func (w *world) affordable(l *Link, size int) (err error) {
	price := w.price(l, size)
	if price == 0 || !l.Metered {
		return nil
	}
	for _, b := range w.setup.Schedule.Core.Budgets {
		if !b.Hard || b.Scope.Level != ledger.Fleet {
			continue
		}
		w.gateway.hub.LookAtSchedule(func(k *core.Core) {
			if all := k.Ledger().Spent(tariff.MonthOf(w.now), b.Scope).All(); all+price > b.Amount {
				err = fmt.Errorf("%w: a downlink of %s leaves, and %s of %s are spent", ErrBroken, price, all, b.Amount)
			}
		})
	}
	return err
}

// spent notes a downlink that a network took, or may have taken.
func (w *world) spent(l *Link, size int) {
	if price := w.price(l, size); price > 0 {
		if w.spend.months == nil {
			w.spend.months = make(map[tariff.Month]scheduler.Micros)
		}
		w.spend.months[tariff.MonthOf(w.now)] += price
	}
}

// checkSpend holds the ledger of the gateway against what it sent. Where its process died between a message and its commit, or its disk is one of
// before, it knows of less; never of more.
func (w *world) checkSpend() (err error) {
	whole := w.faults[kindPower]+w.faults[kindRestored]+w.faults[kindDisk]+w.faults[kindLoss] == 0
	scope := ledger.Scope{Level: ledger.Fleet, Currency: w.setup.Schedule.Core.Currency}
	for _, b := range w.setup.Schedule.Core.Budgets {
		if b.Scope != scope {
			continue // accounts of a scope are kept where it has a budget
		}
		for month, sent := range w.spend.months {
			w.gateway.hub.LookAtSchedule(func(k *core.Core) {
				if booked := k.Ledger().Spent(month, scope).Ours; booked > sent || whole && booked != sent {
					err = fmt.Errorf("%w: the gateway sent for %s in %s, and booked %s", ErrBroken, sent, month, booked)
				}
			})
		}
	}
	return err
}

package hub

import (
	"context"
	"fmt"
	"time"

	"github.com/godwit-gateway/godwit/scheduler/tariff"
)

// KindConfig is the kind of the events that tell of a configuration that was read anew, on godwit.v1.{gateway}.config.{outcome}.
const KindConfig = "config"

// Outcomes of reading a configuration anew.
const (
	ConfigTaken   = "taken"
	ConfigRefused = "refused"
)

// Reconfigure goes on with other tariffs, policies, budgets and pools of the same links, as a whole or, with an error, not at all.
func (h *Hub) Reconfigure(ctx context.Context, s Schedule) error {
	return h.do(ctx, func(c *commit) error {
		now := h.clock.Now()
		if err := h.core.Reconfigure(s.Core, now); err != nil {
			return fmt.Errorf("%w: %w", ErrSchedule, err)
		}
		for i := range h.fleet.All {
			h.know(i)
		}
		h.rollouts.Learn(h.core.Presence())
		h.tells, h.currency, h.budgets = s.Send, s.Core.Currency, s.Core.Budgets
		h.fundAgain(c, now)
		h.configEvent(c, ConfigTaken, nil, now)
		h.reloads.taken.Add(1)
		return nil
	})
}

// fundAgain makes due what waits for money: there may be some now.
func (h *Hub) fundAgain(c *commit, now time.Time) {
	for _, number := range h.outgoing.numbers() {
		for _, ref := range h.outgoing.open[number] {
			if d := h.outgoing.byRef[ref]; waitsForMoney(d) {
				d.Due = earlier(d.Due, now)
				c.batch.PutDownlink(d)
				c.wake = true
			}
		}
	}
}

// RefuseConfig tells that a configuration was not taken, and why; the one in force stays.
func (h *Hub) RefuseConfig(ctx context.Context, mistakes []string) error {
	h.reloads.refused.Add(1)
	return h.do(ctx, func(c *commit) error {
		h.configEvent(c, ConfigRefused, mistakes, h.clock.Now())
		return nil
	})
}

// mistakesTold is how many mistakes of a configuration an event lists.
const mistakesTold = 100

func (h *Hub) configEvent(c *commit, outcome string, mistakes []string, now time.Time) {
	e := h.plainEvent(c, "config."+outcome, KindConfig, h.gateway, now)
	e.payload = appendTextMember(e.payload, "outcome", outcome)
	if len(mistakes) > 0 {
		e.payload = appendTextsMember(e.payload, "mistakes", mistakes[:min(len(mistakes), mistakesTold)])
	}
	h.emit(c, nil, e)
}

// Reloads counts the configurations that were taken and refused since the start.
func (h *Hub) Reloads() (taken, refused uint64) {
	return h.reloads.taken.Load(), h.reloads.refused.Load()
}

// Tariff is one that the gateway knows, whether a link has it or not; nil if none of the name holds.
func (h *Hub) Tariff(name string, at time.Time) *tariff.Tariff {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.core.TariffNamed(name, at)
}

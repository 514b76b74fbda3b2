package core

import (
	"fmt"
	"slices"
	"time"

	"github.com/godwit-gateway/godwit/scheduler/tariff"
)

// Reconfigure goes on with another configuration of the same links: other tariffs, rules, budgets, pools and money. What was spent, told, learned and
// warned of stays, as after a restart; a plan is due. The caller must Know each device again: which rule it has may be another. After an error nothing is
// changed.
func (k *Core) Reconfigure(c Config, now time.Time) error {
	next, err := New(c, now) // with no device it costs nothing, and finds all that is wrong
	if err != nil {
		return err
	}
	if !slices.EqualFunc(k.config.Links, next.config.Links, func(a, b Link) bool { return a.Name == b.Name }) {
		return fmt.Errorf("%w: other links, which take a restart", ErrConfig)
	}
	if err := k.ledger.SetBudgets(next.config.Budgets); err != nil {
		return fmt.Errorf("%w: %w", ErrConfig, err)
	}
	next.model.Keep(k.model)
	k.config, k.watched, k.ruled, k.zone, k.fleet, k.model, k.stays = next.config, next.watched, next.ruled, next.zone, next.fleet, next.model, make(map[*tariff.Tariff]bool)
	k.pace.Month, k.pace.Cap = c.Money, c.Cap
	k.plan.Pools, k.plan.LinkPools = nil, next.plan.LinkPools // of bytes whose prices may be others
	k.tried = time.Time{}
	for at := range k.known {
		k.known[at].rule = uint8(len(c.Rules)) //nolint:gosec // at most rulesMax
		k.await(now, Place(at))
	}
	k.dirty.model = k.heard > 0
	return nil
}

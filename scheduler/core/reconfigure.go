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
	was, place := k.config.moved(&next.config)
	k.eachWatched(func(_ Place, d *device) { k.model.Leave(&d.presence) })
	next.watched.Cells = k.watched.Cells
	next.model.Grow(next.watched.Cells)
	next.model.Keep(k.model, was)
	k.eachWatched(func(at Place, d *device) {
		product := place[min(int(d.presence.Product()), len(k.config.Rules))]
		if product != d.presence.Product() {
			k.mark(at)
		}
		next.model.Join(&d.presence, product)
	})
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

// moved says which rules of two configurations are for the same devices, whatever else of them changed: what was learned of attrition is about those. was
// has the place in c of each rule of next, -1 for a new one; place has for each of c the one in next. The last is that of devices that no rule matches.
func (c *Config) moved(next *Config) (was []int, place []uint16) {
	place = make([]uint16, len(c.Rules)+1)
	for i := range place {
		place[i] = uint16(len(next.Rules)) //nolint:gosec // at most rulesMax
	}
	for i := range next.Rules {
		r := &next.Rules[i]
		j := slices.IndexFunc(c.Rules, func(o Rule) bool { return o.Product == r.Product && o.Customer == r.Customer })
		if slices.Contains(was, j) {
			j = -1 // a second one matches nothing
		}
		if was = append(was, j); j >= 0 {
			place[j] = uint16(i)
		}
	}
	return append(was, len(c.Rules)), place
}

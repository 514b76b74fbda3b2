package core

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/godwit-gateway/godwit/scheduler"
	"github.com/godwit-gateway/godwit/scheduler/ledger"
	"github.com/godwit-gateway/godwit/scheduler/presence"
	"github.com/godwit-gateway/godwit/scheduler/tariff"
)

// A Place is where the caller keeps a device: a small dense number.
type Place uint32

// A Core is the machine. It is not safe for use by several at once. New makes one.
type Core struct {
	config  Config
	zone    *time.Location  // of months, where no tariff says which
	fleet   scheduler.Fleet // without devices, but while a plan is made
	known   []known         // by place
	records records
	ruled   []ruled // by rule
	heard   int     // devices that were heard at all
	then    int     // of these, when a plan was last tried
	order   []Place // by number, of those that are known; nil: to be made
	plan    scheduler.Plan
	planned time.Time
	tried   time.Time // when a plan was last tried
	failed  error     // why the last one was not made
	pace    scheduler.Pace
	spent   struct{ up, down scheduler.Micros } // since the pace was last told

	ledger *ledger.Ledger
	meters map[meterKey]*tariff.Meter
	pools  map[string]*tariff.Meter
	plain  tariff.Meter // of tariffs that remember nothing
	stays  map[*tariff.Tariff]bool
	line   func(Place) Line // nil: fees are not booked
	over   over

	model   *presence.Model
	watched presence.Config // of which the model was made
	queue   *presence.Queue
	cells   cells

	customers names
	said      map[Place]*said  // of devices of which networks said something since they were heard
	hushed    map[Place]*quiet // of devices that were told quiet hours
	ordered   map[Place]uint64 // whose offer somebody made: the number of that order
	dirty     dirty
	actions   []Action
}

// meterKey is a device's use of a link.
type meterKey struct {
	place Place
	link  uint8
}

// names gives equal texts one small number.
type names struct {
	ids  map[string]uint16
	list []string
}

func (n *names) id(s string) uint16 {
	if id, ok := n.ids[s]; ok {
		return id
	}
	if n.ids == nil {
		n.ids = make(map[string]uint16)
	}
	id := uint16(len(n.list)) //nolint:gosec // customers are configured by people; more than 65,535 share numbers
	n.ids[s], n.list = id, append(n.list, s)
	return id
}

// New makes a machine that knows no device.
func New(c Config, now time.Time) (*Core, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	if c.Replan == 0 {
		c.Replan = replanDefault
	}
	k := &Core{
		config: c, ruled: c.ruled(), zone: c.zone(), fleet: c.fleet(now), ledger: ledger.New(), meters: make(map[meterKey]*tariff.Meter), pools: make(map[string]*tariff.Meter),
		stays: make(map[*tariff.Tariff]bool), pace: scheduler.Pace{Month: c.Money, Cap: c.Cap}, plan: scheduler.Plan{LinkPools: make([]int16, len(c.Links))},
		queue: presence.NewQueue(0), hushed: make(map[Place]*quiet), ordered: make(map[Place]uint64),
	}
	for i := range k.plan.LinkPools {
		k.plan.LinkPools[i] = -1
	}
	if err := k.fleet.Check(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	if err := k.ledger.SetBudgets(c.Budgets); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	if err := k.watch(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	return k, nil
}

// Know makes a device known, or changes of which product and customer it is.
func (k *Core) Know(at Place, number uint32, product, customer string) {
	if n := int(at) + 1; n > len(k.known) {
		k.known = grown(k.known, n+max(256, n/16)) // append would leave a quarter unused
	}
	m := &k.known[at]
	if !m.known {
		m.known, m.number, k.order = true, number, nil
	}
	m.customer = k.customers.id(customer)
	m.rule = uint8(k.config.rule(product, customer)) //nolint:gosec // at most rulesMax
	k.teach(at)
}

// grown is a list with room for n.
func grown[T any](list []T, n int) []T {
	longer := make([]T, n)
	copy(longer, list)
	return longer
}

// Retire takes a device out of all plans, until it is heard.
func (k *Core) Retire(at Place) {
	if k.at(at) == nil {
		return
	}
	d := k.record(at)
	d.retired = true
	k.settle(at, offer{})
	d.presence.Retire()
	k.touch(at)
}

// inOrder are the known devices by number.
func (k *Core) inOrder() []Place {
	if k.order == nil {
		for at := range k.known {
			if k.known[at].known {
				k.order = append(k.order, Place(at))
			}
		}
		slices.SortFunc(k.order, func(a, b Place) int { return cmp.Compare(k.known[a].number, k.known[b].number) })
	}
	return k.order
}

// Ledger is what was spent. It belongs to the Core: it may be read, and months may be closed.
func (k *Core) Ledger() *ledger.Ledger { return k.ledger }

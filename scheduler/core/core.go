package core

import (
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

// device is what the machine knows of one device besides what planning needs.
type device struct {
	presence presence.Device
	learned  [scheduler.MaxVias]scheduler.Delivery
	offered  offer
	gap      float32 // seconds between contacts of a device that was told nothing, smoothed
	gaps     uint8   // of which it was learned, 255 at most
	revision uint8   // of the policy that it acknowledged last, or was offered before
	product  uint16
	customer uint16
	known    bool
	watched  bool // presence has been told of it
	retired  bool
	silent   presence.Class
	rule     uint8
}

// offer is a policy that a device was told and has not acknowledged.
type offer struct {
	interval uint32 // seconds; 0: none
	at       uint32 // Unix seconds of the last time
	revision uint8
	via      uint8 // place in Links, plus 1
	tries    uint8
}

// A Core is the machine. It is not safe for use by several at once. New makes one.
type Core struct {
	config  Config
	fleet   scheduler.Fleet // Devices is the scratch of the last plan
	devices []scheduler.Device
	more    []device
	heard   int     // devices that were heard at all
	then    int     // of these, when a plan was last tried
	order   []Place // by number, of those that are known; nil: to be made
	solver  scheduler.Solver
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

	model   *presence.Model
	watched presence.Config // of which the model was made
	queue   *presence.Queue

	products, customers names
	dirty               dirty
	actions             []Action
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
	id := uint16(len(n.list)) //nolint:gosec // customers and products are configured by people; more than 65,535 share numbers
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
		config: c, fleet: c.fleet(now), ledger: ledger.New(), meters: make(map[meterKey]*tariff.Meter), pools: make(map[string]*tariff.Meter),
		stays: make(map[*tariff.Tariff]bool), pace: scheduler.Pace{Month: c.Money, Cap: c.Cap}, plan: scheduler.Plan{LinkPools: make([]int16, len(c.Links))}, queue: presence.NewQueue(0),
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
	if n := int(at) + 1; n > len(k.devices) {
		n += max(256, n/16) // append would leave a quarter unused
		k.devices, k.more = grown(k.devices, n), grown(k.more, n)
	}
	d, m := &k.devices[at], &k.more[at]
	if !m.known {
		m.known, k.order = true, nil
		d.Number, d.Status = number, statusDefault
	}
	m.product, m.customer = k.products.id(product), k.customers.id(customer)
	rule := k.config.rule(product, customer)
	m.rule = uint8(rule)                                                   //nolint:gosec // at most rulesMax
	d.Policy, d.Weight, d.Hazard, d.Cap, d.Power = uint8(rule), 1, 0, 0, 0 //nolint:gosec // as above
	if rule == len(k.config.Rules) {
		return
	}
	r := &k.config.Rules[rule]
	if r.Weight > 0 {
		d.Weight = float32(r.Weight)
	}
	if r.Hazard != nil {
		d.Hazard = uint8(rule) + 1 //nolint:gosec // as above
	}
	d.Cap = r.Cap
	if r.Energy > 0 {
		if power, err := scheduler.SparePower(r.Energy, secs(r.Life), r.Idle); err == nil {
			d.Power = power
		}
	}
}

// grown is a list with room for n.
func grown[T any](list []T, n int) []T {
	longer := make([]T, n)
	copy(longer, list)
	return longer
}

// Retire takes a device out of all plans, until it is heard.
func (k *Core) Retire(at Place) {
	if m := k.at(at); m != nil {
		m.retired, m.offered = true, offer{}
		m.presence.Retire()
		k.touch(at)
	}
}

// at is the record of a device that is known, else nil.
func (k *Core) at(at Place) *device {
	if int(at) >= len(k.more) || !k.more[at].known {
		return nil
	}
	return &k.more[at]
}

// via is the place of a link among those of a device, which it joins if it is new and there is room; -1 if there is none.
func via(d *scheduler.Device, link int) int {
	for i := range d.Links {
		switch d.Links[i].Link {
		case uint8(link) + 1: //nolint:gosec // at most linksMax
			return i
		case 0:
			d.Links[i] = scheduler.Via{Link: uint8(link) + 1} //nolint:gosec // as above
			return i
		}
	}
	return -1
}

// inOrder are the known devices by number.
func (k *Core) inOrder() []Place {
	if k.order == nil {
		for at := range k.more {
			if k.more[at].known {
				k.order = append(k.order, Place(at))
			}
		}
		slices.SortFunc(k.order, func(a, b Place) int { return int(int64(k.devices[a].Number) - int64(k.devices[b].Number)) })
	}
	return k.order
}

// Ledger is what was spent. It belongs to the Core: it may be read, and months may be closed.
func (k *Core) Ledger() *ledger.Ledger { return k.ledger }

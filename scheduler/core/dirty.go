package core

import (
	"slices"
	"time"

	"github.com/godwit-gateway/godwit/scheduler/ledger"
	"github.com/godwit-gateway/godwit/scheduler/tariff"
)

// Rows is where a Core writes what changed: a batch that becomes durable as a whole.
type Rows interface {
	PutSchedule(number uint32, row []byte)
	PutAccount(account, row []byte)
	DeleteAccount(account []byte)
	PutMeta(name string, value []byte)
}

// dirty is what changed since the last Drain.
type dirty struct {
	places   []Place
	accounts map[ledger.Account]struct{} // if there are more than accountsFew
	list     []ledger.Account            // of accounts, in the order of their first change
	pools    []string                    // names
	plan     bool
	model    bool
	over     bool
	months   bool  // there may be one to forget
	must     bool  // something that may not be lost is among it
	hour     int64 // in which the model was written last

	key, value []byte
}

func (d *dirty) account(a ledger.Account) {
	switch {
	case a == (ledger.Account{}):
		return
	case len(d.list) < accountsFew:
		if slices.Contains(d.list, a) {
			return
		}
	default:
		if d.accounts == nil {
			d.accounts = make(map[ledger.Account]struct{})
		}
		if len(d.accounts) == 0 {
			for _, known := range d.list {
				d.accounts[known] = struct{}{}
			}
		}
		if _, ok := d.accounts[a]; ok {
			return
		}
		d.accounts[a] = struct{}{}
	}
	d.list = append(d.list, a)
}

// accountsFew is how many accounts are looked through rather than indexed: a batch of one frame changes two or three.
const accountsFew = 16

func (d *dirty) pool(name string) {
	if !slices.Contains(d.pools, name) { // there are few
		d.pools = append(d.pools, name)
	}
}

// touch makes a device's row one that is to be written.
func (k *Core) touch(at Place) {
	k.dirty.must = true
	k.mark(at)
}

// mark makes a device's row one that is written with the next that must be.
func (k *Core) mark(at Place) {
	if d := k.record(at); !d.marked {
		d.marked = true
		k.dirty.places = append(k.dirty.places, at)
	}
}

// Names of values among a store's metadata.
const (
	metaPool  = "schedule/pool/"
	metaModel = "schedule/presence"
	metaPlan  = "schedule/plan"
	metaOver  = "schedule/months_over"
)

// Must reports whether something changed that is worth a write of its own. What repeated frames cost is not: who sends a recorded frame again and
// again would have the disk write for each. It is written with what comes next.
func (k *Core) Must() bool { return k.dirty.must || k.dirty.plan || k.dirty.model || k.dirty.over }

// Drain writes what changed since the last call.
func (k *Core) Drain(to Rows) {
	d := &k.dirty
	d.must = false
	for _, at := range d.places {
		k.record(at).marked = false
		d.value = k.appendDevice(d.value[:0], at)
		to.PutSchedule(k.known[at].number, d.value)
	}
	d.places = d.places[:0]
	for _, a := range d.list {
		d.key, d.value = k.ledger.AppendRow(d.key[:0], d.value[:0], a)
		to.PutAccount(d.key, d.value)
	}
	d.list = d.list[:0]
	clear(d.accounts)
	k.forgetMonths(to)
	for _, name := range d.pools {
		var err error
		if d.value, err = k.pools[name].AppendBinary(d.value[:0]); err == nil {
			to.PutMeta(metaPool+name, d.value)
		}
	}
	d.pools = d.pools[:0]
	if d.plan {
		d.plan = false
		to.PutMeta(metaPlan, k.appendPlan(d.value[:0]))
	}
	if d.over {
		d.over = false
		to.PutMeta(metaOver, k.over.append(d.value[:0]))
	}
	if k.cells.dirty {
		k.cells.dirty = false
		to.PutMeta(metaCells, k.cells.append(d.value[:0]))
	}
	if d.model {
		d.model = false
		if b, err := k.model.AppendBinary(d.value[:0]); err == nil {
			to.PutMeta(metaModel, b)
		}
	}
}

// A Source is where a Core finds what was written.
type Source interface {
	EachSchedule(func(number uint32, row []byte) error) error
	EachAccount(func(account, row []byte) error) error
	Meta(name string) ([]byte, bool, error)
}

// Load brings back what Drain wrote, once all devices are known. place finds them; rows of others are passed over. What was learned is dropped if
// the configuration has other links or rules since: it would be taken for what it is not.
func (k *Core) Load(from Source, now time.Time, place func(number uint32) (Place, bool)) error {
	err := from.EachSchedule(func(number uint32, row []byte) error {
		at, ok := place(number)
		if !ok || k.at(at) == nil {
			return nil
		}
		if err := k.parseDevice(at, row); err != nil {
			return err
		}
		k.hush(now, at)
		k.await(now, at)
		return nil
	})
	if err != nil {
		return err
	}
	if err := from.EachAccount(k.ledger.Load); err != nil {
		return err
	}
	k.ledger.Revise() // budgets may have been raised while the gateway was down
	if err := k.loadPools(from); err != nil {
		return err
	}
	if b, ok, err := from.Meta(metaPlan); err != nil {
		return err
	} else if ok {
		k.parsePlan(b)
	}
	if b, ok, err := from.Meta(metaOver); err != nil {
		return err
	} else if ok {
		k.over.parse(b)
	}
	if b, ok, err := from.Meta(metaCells); err != nil {
		return err
	} else if ok {
		k.cells.parse(b)
		k.watched.Cells = len(k.cells.list)
		k.model.Grow(k.watched.Cells)
	}
	b, ok, err := from.Meta(metaModel)
	if err != nil {
		return err
	}
	read := ok && k.model.UnmarshalBinary(b) == nil
	k.eachWatched(func(at Place, d *device) {
		if !read { // of another shape, it learns anew
			k.model.Join(&d.presence, d.presence.Product())
		}
		k.teach(at)
	})
	return nil
}

// CloseMonth closes a month of the ledger, which must be over in the zones of all tariffs, with its fees, and has that written.
func (k *Core) CloseMonth(at tariff.Month, now time.Time) (ledger.Statement, error) {
	if err := k.ledger.Closable(at, k.slowest(now)); err != nil {
		return ledger.Statement{}, err //nolint:wrapcheck // as below
	}
	k.bookFees(at)
	s, account, err := k.ledger.Close(at, k.slowest(now))
	if err != nil {
		return s, err //nolint:wrapcheck // it says all
	}
	k.dirty.account(account)
	return s, nil
}

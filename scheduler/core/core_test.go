package core_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/godwit-gateway/godwit/scheduler"
	"github.com/godwit-gateway/godwit/scheduler/core"
	"github.com/godwit-gateway/godwit/scheduler/ledger"
	"github.com/godwit-gateway/godwit/scheduler/tariff"
)

var t0 = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// The links of the tests, by place.
const (
	sms = iota
	udp
	sat
)

// prices is a book of a price for each message, and of bytes of which some are included for each device.
func prices(t testing.TB) *tariff.Book {
	t.Helper()
	message := func(name string, price scheduler.Micros) *tariff.Tariff {
		return &tariff.Tariff{Name: name, Currency: "EUR", Terms: []tariff.Term{{Unit: tariff.PerMessage, Price: price}}}
	}
	bytes := &tariff.Tariff{Name: "bytes", Currency: "EUR", Terms: []tariff.Term{{Unit: tariff.Byte, Price: 100, Allowance: &tariff.Allowance{Amount: 1000}}}}
	b, err := tariff.NewBook([]*tariff.Tariff{message("text", 20_000), message("sky", 120_000), bytes})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func config(t testing.TB) core.Config {
	t.Helper()
	return core.Config{
		Links: []core.Link{
			{Name: "sms0", Tariff: "text", Deliver: 0.95, Wakes: true}, {Name: "udp0", Tariff: "bytes", Deliver: 0.98}, {Name: "sat0", Tariff: "sky", Deliver: 0.9, Least: time.Hour},
		},
		Tariffs: prices(t), Currency: "EUR", Money: 50_000_000,
		Rules: []core.Rule{{Product: "buoy", Weight: 4}, {Product: "meter", Policy: scheduler.Policy{Law: scheduler.LawFixed, Every: 7200}}},
	}
}

func newCore(t testing.TB, c core.Config) *core.Core {
	t.Helper()
	k, err := core.New(c, t0)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// rows is a store.
type rows struct {
	schedules map[uint32][]byte
	accounts  map[string][]byte
	metas     map[string][]byte
}

func newRows() *rows {
	return &rows{schedules: map[uint32][]byte{}, accounts: map[string][]byte{}, metas: map[string][]byte{}}
}

func (r *rows) PutSchedule(number uint32, row []byte) { r.schedules[number] = bytes.Clone(row) }
func (r *rows) PutAccount(account, row []byte)        { r.accounts[string(account)] = bytes.Clone(row) }
func (r *rows) DeleteAccount(account []byte)          { delete(r.accounts, string(account)) }
func (r *rows) PutMeta(name string, value []byte)     { r.metas[name] = bytes.Clone(value) }

func (r *rows) EachSchedule(f func(uint32, []byte) error) error {
	for _, n := range slices.Sorted(maps.Keys(r.schedules)) {
		if err := f(n, r.schedules[n]); err != nil {
			return err
		}
	}
	return nil
}

func (r *rows) EachAccount(f func(account, row []byte) error) error {
	for _, a := range slices.Sorted(maps.Keys(r.accounts)) {
		if err := f([]byte(a), r.accounts[a]); err != nil {
			return err
		}
	}
	return nil
}

func (r *rows) Meta(name string) ([]byte, bool, error) {
	b, ok := r.metas[name]
	return b, ok, nil
}

// fleet makes devices known: place n has the number 100+n.
func know(k *core.Core, n int) {
	for i := range n {
		k.Know(core.Place(i), uint32(100+i), [...]string{"buoy", "meter", "truck"}[i%3], fmt.Sprintf("customer-%d", i%2))
	}
}

func byNumber(n uint32) (core.Place, bool) { return core.Place(n - 100), n >= 100 }

// visit has a device speak over a link, every so often, until a time.
func visit(k *core.Core, at core.Place, link int, from, upto time.Time, every time.Duration) time.Time {
	for ; from.Before(upto); from = from.Add(every) {
		k.Poll(from)
		k.Heard(from, at, core.Contact{Link: link, Bytes: 30, Cause: ledger.CauseStatus, Newest: true})
	}
	return from
}

// What was written brings a machine back that writes the same and decides the same, whatever happened before.
func TestComesBack(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		const devices = 6
		k, store, now := newCore(t, config(t)), newRows(), t0
		know(k, devices)
		for range rapid.IntRange(1, 60).Draw(rt, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 12*3600).Draw(rt, "pause")) * time.Second)
			at := core.Place(rapid.IntRange(0, devices-1).Draw(rt, "device"))
			link := rapid.IntRange(0, 2).Draw(rt, "link")
			switch rapid.IntRange(0, 7).Draw(rt, "what") {
			case 0, 1, 2:
				k.Heard(now, at, core.Contact{Link: link, Bytes: rapid.IntRange(0, 300).Draw(rt, "bytes"), Cause: ledger.CauseStatus, Newest: true, Lost: rapid.IntRange(0, 3).Draw(rt, "lost")})
			case 3:
				k.Poll(now)
			case 4:
				if o, ok := k.Decide(now, at, 0); ok {
					k.Offered(now, at, o)
					if rapid.Bool().Draw(rt, "taken") {
						k.Receipt(now, at, o.Revision)
					}
				}
			case 5:
				k.Charge(now, at, core.Downlink{Link: link, Bytes: 40, Cause: ledger.CauseMessage})
			case 6:
				k.Updated(now, at)
				k.Installing(now, at)
			case 7:
				k.Attend(at, 5, now.Add(24*time.Hour))
				k.Retire(core.Place(devices - 1))
			}
			if rapid.Bool().Draw(rt, "commit") {
				k.Drain(store)
			}
		}
		k.Poll(now)
		k.Drain(store)
		again := newCore(t, config(t))
		know(again, devices)
		if err := again.Load(store, now, byNumber); err != nil {
			rt.Fatal(err)
		}
		for n, row := range store.schedules {
			if err := core.CheckRow(row); err != nil {
				rt.Fatalf("device %d: %v", n, err)
			}
		}
		again.Poll(now)
		for i := range devices {
			at := core.Place(i)
			every, told, pending := k.Running(at)
			every2, told2, pending2 := again.Running(at)
			if every != every2 || told != told2 || pending != pending2 {
				rt.Errorf("device %d ran %d %v %d, and runs %d %v %d", i, every, told, pending, every2, told2, pending2)
			}
			before, ok := k.Standing(now, at)
			after, ok2 := again.Standing(now, at)
			if ok != ok2 || before.Missed != after.Missed || before.Last != after.Last || before.Interval != after.Interval {
				rt.Errorf("device %d stood %v, and stands %v", i, before, after)
			}
		}
		if a, b := total(k), total(again); a != b {
			rt.Errorf("%v were spent, and %v are", a, b)
		}
		copied := newRows()
		for i := range devices { // all rows are written anew
			again.Attend(core.Place(i), 0, now)
			again.Heard(now, core.Place(i), core.Contact{Link: udp, Again: true})
		}
		again.Drain(copied)
		for n, row := range copied.schedules {
			if err := core.CheckRow(row); err != nil {
				rt.Errorf("row of %d, written again: %v", n, err)
			}
		}
	})
}

func total(k *core.Core) (sum scheduler.Micros) {
	for _, at := range k.Ledger().Months() {
		for _, x := range k.Ledger().Totals(at, 0, nil) {
			sum += x.Micros
		}
	}
	return sum
}

func FuzzRow(f *testing.F) {
	k, store := newCore(f, config(f)), newRows()
	know(k, 3)
	for i := range 3 {
		k.Poll(t0)
		k.Heard(t0, core.Place(i), core.Contact{Link: i, Bytes: 30, Newest: true})
	}
	k.Drain(store)
	for _, row := range store.schedules {
		f.Add(row)
	}
	if old, err := hex.DecodeString(rowVersion1); err == nil {
		f.Add(old)
	}
	f.Fuzz(func(t *testing.T, row []byte) {
		err := core.CheckRow(row)
		again := newCore(t, config(t))
		know(again, 1)
		loaded := again.Load(&rows{schedules: map[uint32][]byte{100: row}}, t0, byNumber)
		if (err == nil) != (loaded == nil) {
			t.Fatalf("checked %v, loaded %v", err, loaded)
		}
		again.Poll(t0.Add(time.Hour))
		again.Heard(t0.Add(2*time.Hour), 0, core.Contact{Link: sms, Bytes: 10, Newest: true})
		again.Poll(t0.Add(3 * time.Hour))
		if _, ok := again.Decide(t0.Add(3*time.Hour), 0, 0); ok && loaded != nil {
			_, _, _ = again.Running(0)
		}
	})
}

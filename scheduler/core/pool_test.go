package core_test

import (
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/scheduler"
	"github.com/godwit-gateway/godwit/scheduler/core"
	"github.com/godwit-gateway/godwit/scheduler/ledger"
	"github.com/godwit-gateway/godwit/scheduler/tariff"
)

// pooled is a machine of devices that share an allowance of 1,000 bytes for each of so many lines, and pay dearly beyond.
func pooled(t *testing.T, p core.Pool, devices int) *core.Core {
	t.Helper()
	unit := tariff.Byte
	book, err := tariff.NewBook([]*tariff.Tariff{{
		Name: "idp", Currency: "EUR", Terms: []tariff.Term{{Unit: tariff.Byte, Min: 20, Price: 1000, Allowance: &tariff.Allowance{Amount: 1000, Unit: &unit, Pooled: true, Each: true}}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	k, err := core.New(core.Config{Links: []core.Link{{Name: "idp0", Tariff: "idp"}}, Tariffs: book, Currency: "EUR", Money: 100_000, Pools: []core.Pool{p}}, t0)
	if err != nil {
		t.Fatal(err)
	}
	for n := range devices {
		k.Know(core.Place(n), uint32(n+1), "buoy", "acme")
		k.Heard(t0, core.Place(n), core.Contact{Bytes: 20, Cause: ledger.CauseStatus, Newest: true})
	}
	return k
}

// A shared allowance is used up by all its devices, is paced by plans, and is brought back after a restart.
func TestPoolsAreSharedAndPaced(t *testing.T) {
	k := pooled(t, core.Pool{Name: "idp", Members: 10, Reserve: new(0.2)}, 10)
	k.Replan(t0)
	pools := k.Pools(t0)
	if len(pools) != 1 || pools[0].Amount != 10_000 || pools[0].Used != 200 || !pools[0].Sized || pools[0].Ends.Before(t0) {
		t.Fatalf("%+v", pools)
	}
	// 80 % of what there is, and no more: a byte beyond costs as much as 50 contacts.
	if p := pools[0]; p.Bytes < 5000 || p.Bytes > 10_000 {
		t.Errorf("planned %.0f bytes a month of %d", p.Bytes, p.Amount)
	}
	x, ok := k.Explain(t0, 3)
	if !ok || x.Pool != "idp" || x.PoolReserve < 0.19 || x.PoolReserve > 0.21 {
		t.Errorf("%+v", x)
	}
	// Beyond the allowance each byte is paid for, whoever sends it; the ledger has it under the pool.
	var paid scheduler.Micros
	for n := range 500 {
		paid += k.Heard(t0.Add(time.Duration(n)*time.Second), core.Place(n%10), core.Contact{Bytes: 20, Cause: ledger.CauseStatus, Newest: true}).Micros
	}
	if paid != (200+500*20-10_000)*1000 {
		t.Errorf("paid %s", paid)
	}
	for _, total := range k.Ledger().Totals(tariff.MonthOf(t0), ledger.ByPool, nil) {
		if total.Pool != "idp" || total.Micros != paid {
			t.Errorf("%+v", total)
		}
	}
	if p := k.Pools(t0)[0]; p.Used != p.Amount {
		t.Errorf("%+v", p)
	}
	// The next month has a new one.
	next := tariff.MonthOf(t0).Next().Begins(time.UTC)
	if p := k.Pools(next)[0]; p.Used != 0 || p.Ends != tariff.MonthOf(next).Next().Begins(time.UTC) {
		t.Errorf("%+v", p)
	}
	// Of what is used up a plan takes as little as it can if nothing may be bought, else it goes on at six tenths of an even pace.
	used := func(hard bool) core.PoolState {
		k := pooled(t, core.Pool{Name: "idp", Members: 10, Hard: hard}, 10)
		for n := range 490 {
			k.Heard(t0, core.Place(n%10), core.Contact{Bytes: 20, Cause: ledger.CauseStatus, Newest: true})
		}
		k.Replan(t0)
		return k.Pools(t0)[0]
	}
	if hard, soft := used(true), used(false); hard.Used != 10_000 || hard.Bytes > 2000 || soft.Bytes < 5000 {
		t.Errorf("hard %+v, soft %+v", hard, soft)
	}
}

// Who says that nothing is kept has that.
func TestNoReserve(t *testing.T) {
	k := pooled(t, core.Pool{Name: "idp", Members: 10, Reserve: new(0.0)}, 10)
	k.Charge(t0, 3, core.Downlink{Bytes: 2000, Cause: ledger.CauseMessage})
	k.Heard(t0, 3, core.Contact{Bytes: 20, Cause: ledger.CauseStatus, Newest: true})
	now := tariff.MonthOf(t0).Next().Begins(time.UTC)
	k.Replan(now)
	if x, ok := k.Explain(now, 3); !ok || x.Pool != "idp" || x.PoolReserve != 0 {
		t.Errorf("%.3f of %q is kept", x.PoolReserve, x.Pool)
	}
}

// Where nothing else is said, what four of five earlier months took besides what was planned is kept for it.
func TestReserveIsLearned(t *testing.T) {
	k := pooled(t, core.Pool{Name: "idp", Members: 10}, 10)
	k.Replan(t0)
	if x, _ := k.Explain(t0, 3); x.Pool != "idp" || x.PoolReserve != 0 {
		t.Errorf("at first %.2f of %q is kept", x.PoolReserve, x.Pool)
	}
	now := t0
	for _, messages := range []int{50, 100, 60, 200, 90} { // of 20 bytes, of the 500 that there are
		for range messages {
			k.Charge(now, 3, core.Downlink{Bytes: 20, Cause: ledger.CauseMessage})
		}
		k.Heard(now, 3, core.Contact{Bytes: 20, Cause: ledger.CauseStatus, Newest: true})
		now = tariff.MonthOf(now).Next().Begins(time.UTC)
	}
	k.Replan(now)
	x, ok := k.Explain(now, 3)
	if !ok || x.PoolReserve < 0.19 || x.PoolReserve > 0.21 {
		t.Errorf("%.3f is kept, want the 2,000 bytes of 10,000 that suffice for four of five months", x.PoolReserve)
	}
	if got := k.Pools(now)[0].Kept; got < 0.19 || got > 0.21 {
		t.Errorf("the state says that %.3f is kept", got)
	}
}

// A month is a month where clocks are changed in it as well; a reserve of months is none of a week's allowance.
func TestReserveIsOfMonths(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	unit := tariff.Byte
	for name, c := range map[string]struct {
		allowance tariff.Allowance
		keeps     bool
	}{
		"month": {tariff.Allowance{Amount: 10_000, Unit: &unit, Pooled: true}, true},
		"week":  {tariff.Allowance{Amount: 10_000, Unit: &unit, Pooled: true, Period: tariff.Bundle, Valid: 7 * 24 * time.Hour, Renew: true}, false},
	} {
		book, err := tariff.NewBook([]*tariff.Tariff{{Name: "idp", Currency: "EUR", Zone: berlin, Terms: []tariff.Term{{Unit: tariff.Byte, Min: 20, Price: 1000, Allowance: &c.allowance}}}})
		if err != nil {
			t.Fatal(err)
		}
		k := newCore(t, core.Config{Links: []core.Link{{Name: "idp0", Tariff: "idp"}}, Tariffs: book, Currency: "EUR", Money: 100_000})
		k.Know(0, 1, "buoy", "acme")
		for _, month := range []time.Month{9, 10, 11, 12} { // October has an hour more than 31 days
			now := time.Date(2026, month, 15, 12, 0, 0, 0, time.UTC)
			k.Heard(now, 0, core.Contact{Bytes: 20, Cause: ledger.CauseStatus, Newest: true})
			for range 100 {
				k.Charge(now, 0, core.Downlink{Bytes: 20, Cause: ledger.CauseMessage})
			}
			k.Replan(now)
			if x, ok := k.Explain(now, 0); !ok || x.Pool != "idp" || x.PoolReserve > 0 != (c.keeps && month > 9) {
				t.Errorf("%s: in %s %.2f of %q is kept", name, month, x.PoolReserve, x.Pool)
			}
		}
	}
}

// What is left of bundles and of allowances that end by themselves.
func TestBalances(t *testing.T) {
	day := 24 * time.Hour
	for name, v := range map[string]struct {
		a     tariff.Allowance
		later time.Duration
		used  int64
		ends  time.Duration // after t0; 0: never
	}{
		"monthly":          {tariff.Allowance{Period: tariff.Monthly}, day, 60, tariff.MonthOf(t0).Next().Begins(time.UTC).Sub(t0)},
		"for ever":         {tariff.Allowance{Period: tariff.Lifetime}, 400 * day, 60, 0},
		"ends":             {tariff.Allowance{Period: tariff.Lifetime, Valid: 10 * day}, day, 60, 10 * day},
		"over":             {tariff.Allowance{Period: tariff.Lifetime, Valid: 10 * day}, 11 * day, 100, 10 * day},
		"bundle":           {tariff.Allowance{Period: tariff.Bundle, Valid: 10 * day, Renew: true, Price: 5}, day, 60, 10 * day},
		"bundle, anew":     {tariff.Allowance{Period: tariff.Bundle, Valid: 10 * day, Renew: true, Price: 5}, 11 * day, 0, 21 * day},
		"bundle, for ever": {tariff.Allowance{Period: tariff.Bundle, Renew: true, Price: 5}, 400 * day, 60, 0},
	} {
		v.a.Amount, v.a.Pooled = 100, true
		tf := tariff.Tariff{Name: "x", Currency: "EUR", Terms: []tariff.Term{{Unit: tariff.Byte, Price: 1, Allowance: &v.a}}}
		var own, pool tariff.Meter
		tf.Price(&own, &pool, tariff.Event{Time: t0, Bytes: 60})
		b, ok := tf.Balance(&pool, t0.Add(v.later))
		if !ok || b.Amount != 100 || b.Used != v.used || b.Ends.IsZero() != (v.ends == 0) || v.ends > 0 && !b.Ends.Equal(t0.Add(v.ends)) {
			t.Errorf("%s: %+v, %v", name, b, ok)
		}
	}
	tf := tariff.Tariff{Name: "x", Terms: []tariff.Term{{Unit: tariff.Byte, Price: 1, Allowance: &tariff.Allowance{Amount: 5}}}}
	if _, ok := tf.Balance(new(tariff.Meter), t0); ok || tf.Each() {
		t.Error("a device's own allowance is taken for one of a pool")
	}
}

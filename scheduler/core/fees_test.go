package core_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/godwit-gateway/godwit/scheduler/core"
	"github.com/godwit-gateway/godwit/scheduler/ledger"
	"github.com/godwit-gateway/godwit/scheduler/tariff"
)

// feesOf are a month's sums of the cause fee.
func feesOf(k *core.Core, at tariff.Month) map[string]string {
	sums := map[string]string{}
	for _, t := range k.Ledger().Totals(at, ledger.ByCustomer|ledger.ByLink|ledger.ByCause, func(g *ledger.Group) bool { return g.Cause == ledger.CauseFee }) {
		sums[fmt.Sprintf("%s/%s", t.Customer, t.Link)] = fmt.Sprintf("%s in %d", t.Micros, t.Count)
	}
	return sums
}

// With each month that is closed the fees of lines and pools are booked, once: by the day where that is agreed, none for silence that is free, none for a
// device that was never heard.
func TestFees(t *testing.T) {
	book, err := tariff.NewBook([]*tariff.Tariff{
		{Name: "daily", Currency: "EUR", Terms: []tariff.Term{{Unit: tariff.PerMessage, Price: 1}}, Rental: tariff.Rental{Price: 3_000_000, ByDay: true, Activation: 500_000}},
		{Name: "credits", Currency: "EUR", Terms: []tariff.Term{{Unit: tariff.PerMessage, Price: 1}}, Rental: tariff.Rental{Price: 10_000_000, FreeSilent: true, Group: 7_000_000}},
	})
	if err != nil {
		t.Fatal(err)
	}
	config := core.Config{
		Links: []core.Link{{Name: "sms", Tariff: "daily"}, {Name: "rock", Tariff: "credits"}, {Name: "spare", Tariff: "credits"}}, Tariffs: book, Currency: "EUR",
	}
	begun := time.Date(2026, 11, 16, 12, 0, 0, 0, time.UTC)
	lines := map[core.Place]core.Line{
		0: {Begun: begun},                                // speaks over sms all the time
		1: {Begun: begun},                                // over rock, in November alone
		2: {Begun: begun, Ended: begun.AddDate(0, 1, 0)}, // over sms until it is retired in the middle of December
	} // 3 was never heard
	fresh := func() *core.Core {
		k := newCore(t, config)
		know(k, 4)
		k.BookFees(func(at core.Place) core.Line { return lines[at] })
		return k
	}
	k, store := fresh(), newRows()
	heard := func(now time.Time, at core.Place, link int) {
		k.Heard(now, at, core.Contact{Link: link, Bytes: 30, Cause: ledger.CauseStatus, Newest: true})
	}
	heard(begun, 1, 1)
	november, december, january := tariff.MonthOf(begun), tariff.MonthOf(begun)+1, tariff.MonthOf(begun)+2
	for now := begun; now.Before(begun.AddDate(0, 3, 0)); now = now.AddDate(0, 0, 1) {
		k.Poll(now)
		heard(now, 0, 0)
		if now.Before(lines[2].Ended) {
			heard(now, 2, 0)
		}
		if now.Equal(begun.AddDate(0, 0, 3)) {
			if got := k.Fees(november); got != 2*(1_500_000+500_000)+10_000_000+7_000_000 {
				t.Errorf("November's fees so far: %s", got)
			}
			if _, err := k.CloseMonth(november, now); err == nil || len(feesOf(k, november)) != 0 {
				t.Errorf("a month that is not over was closed: %v, fees %v", err, feesOf(k, november))
			}
		}
		if now.Day() == 4 { // the gateway is started anew
			k.Drain(store)
			k = fresh()
			if err := k.Load(store, now, byNumber); err != nil {
				t.Fatal(err)
			}
		}
	}
	for at, want := range map[tariff.Month]map[string]string{
		november: {"customer-0/sms": "4.00 in 0", "customer-1/rock": "10.00 in 0", "/rock": "7.00 in 0"},
		december: {"customer-0/sms": "4.548388 in 0", "/rock": "7.00 in 0"},
		january:  {"customer-0/sms": "3.00 in 0", "/rock": "7.00 in 0"},
	} {
		if d := cmp.Diff(want, feesOf(k, at)); d != "" {
			t.Errorf("%s (-want +got):\n%s", at, d)
		}
	}
	runs(k, begun.AddDate(0, 6, 0), 24) // nothing was heard since the middle of February
	for at := january + 1; at < january+4; at++ {
		want := map[string]string{"customer-0/sms": "3.00 in 0", "/rock": "7.00 in 0"}
		if d := cmp.Diff(want, feesOf(k, at)); d != "" {
			t.Errorf("the fees of the silent month %s (-want +got):\n%s", at, d)
		}
	}
	if got := k.Ledger().Closed(); got != january+3 {
		t.Errorf("closed are the months until %s, want %s", got, january+3)
	}
	runs(k, begun.AddDate(50, 0, 0), 24) // the clock is wrong
	if got := k.Ledger().Closed(); got != january+13 {
		t.Errorf("a clock that is ahead has closed the months until %s, want %s", got, january+13)
	}
	for _, d := range k.Ledger().Device(november, 101) {
		if d.Up.Micros != 1 {
			t.Errorf("the account of a device has %s, want its traffic alone", d.Up.Micros)
		}
	}
}

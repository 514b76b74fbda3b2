package hub_test

import (
	"slices"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/scheduler/ledger"
	"github.com/godwit-gateway/godwit/transports"
)

// Budgets tell what their month will come to and when they are spent, and sums can be of one customer or link, with the forecast of these.
func TestBudgetsAreForecast(t *testing.T) {
	scope := func(level ledger.Level, name string) ledger.Scope {
		return ledger.Scope{Level: level, Name: name, Currency: "EUR"}
	}
	b := priced(t,
		ledger.Budget{Scope: scope(ledger.OfLink, "sms"), Amount: 200_000},
		ledger.Budget{Scope: scope(ledger.OfCustomer, "nobody"), Amount: 200_000},
		ledger.Budget{Scope: ledger.Scope{Level: ledger.OfDevice, Device: 2001, Currency: "EUR"}, Amount: 200_000},
	)
	d := b.importOne(8)
	b.clock.t = time.Date(2026, 11, 10, 1, 0, 0, 0, time.UTC)
	for range 3 { // 0.02 a day
		b.settled(b.smsFrom(msisdn, d.status(3.7)), transports.Stored)
		b.clock.t = b.clock.t.AddDate(0, 0, 1)
	}
	list := b.hub.Budgets(true)
	if len(list) != 3 {
		t.Fatalf("%+v", list)
	}
	link, other, device := list[0], list[1], list[2]
	if f := link.Forecast; f == nil || f.Spent != 60_000 || f.Expected < 400_000 || f.Days != 3 || !link.Out.After(b.clock.t) || link.Out.After(b.clock.t.AddDate(0, 0, 8)) {
		t.Errorf("of the link: %+v, spent at %s", link.Forecast, link.Out)
	}
	if f := other.Forecast; f == nil || f.Expected != 0 || !other.Out.IsZero() {
		t.Errorf("of a customer who spends nothing: %+v, spent at %s", other.Forecast, other.Out)
	}
	if device.Forecast != nil || b.hub.Budgets(false)[0].Forecast != nil {
		t.Error("a forecast of a device, or one that nobody asked for")
	}
	s := b.hub.Spend(0, ledger.ByLink, hub.SpendFilter{Customer: "acme", Link: "sms"})
	if len(s.Totals) != 1 || s.Totals[0].Micros != 60_000 || s.Forecast == nil || *s.Forecast != *link.Forecast {
		t.Errorf("of the customer: %+v, %+v", s.Totals, s.Forecast)
	}
	if s := b.hub.Spend(0, 0, hub.SpendFilter{Cause: "status"}); len(s.Totals) != 1 || s.Totals[0].Micros != 60_000 {
		t.Errorf("of statuses: %+v", s.Totals)
	}
	for _, f := range []hub.SpendFilter{{Customer: "nobody"}, {Link: "udp"}, {Pool: "p"}, {Campaign: "7"}, {Cause: "empty"}} {
		if s := b.hub.Spend(0, 0, f); len(s.Totals) != 0 || s.Forecast == nil || s.Forecast.Expected != 0 {
			t.Errorf("of %+v: %+v, %+v", f, s.Totals, s.Forecast)
		}
	}
}

// What devices spent can be asked for of a link, and of those that a customer has now, or that are of a product; pages go on behind what was left out.
func TestSpendOfDevices(t *testing.T) {
	b := priced(t)
	d := b.importOne(8) // 2001, buoy, acme
	key := [32]byte{5}
	res, err := b.hub.Import(t.Context(), []fleet.ImportRow{{Line: 2, Key: &key, Device: fleet.Device{
		Number: 2002, Name: "meter-2", Product: "buoy", Customer: "port", State: fleet.Active, KeySource: fleet.KeyOwn, CTRBits: 8, TagLen: 8,
	}}}, false)
	if err != nil || !res.Done {
		t.Fatalf("import: %+v, %v", res, err)
	}
	for _, x := range []*device{b.device(7), b.device(8), b.device(9), b.deviceWithKey(2002, key, 8)} {
		b.settled(b.udp(x.to(x.hello("1.0.0"))), transports.Stored)
	}
	b.settled(b.udp(d.to(d.status(3.7))), transports.Stored)
	b.settled(b.smsFrom(msisdn, d.status(3.7)), transports.Stored)
	for _, tc := range []struct {
		only hub.DeviceSpendFilter
		want []uint32
	}{
		{hub.DeviceSpendFilter{}, []uint32{7, 8, 9, 2001, 2001, 2002}},
		{hub.DeviceSpendFilter{Link: "sms"}, []uint32{2001}},
		{hub.DeviceSpendFilter{Link: "udp"}, []uint32{7, 8, 9, 2001, 2002}},
		{hub.DeviceSpendFilter{Customer: "port"}, []uint32{2002}},
		{hub.DeviceSpendFilter{Customer: "acme", Product: "buoy", Link: "udp"}, []uint32{7, 8, 9, 2001}},
		{hub.DeviceSpendFilter{Product: "buoy"}, []uint32{7, 8, 9, 2001, 2001, 2002}},
		{hub.DeviceSpendFilter{Product: "truck"}, nil},
		{hub.DeviceSpendFilter{Customer: "port", Link: "sms"}, nil},
	} {
		for _, limit := range []int{1, 2, 100} {
			var got []uint32
			for cursor := ""; ; {
				page, next, err := b.hub.DeviceSpends(0, tc.only, cursor, limit)
				if err != nil || len(page) > limit+1 {
					t.Fatalf("%+v: a page of %d, %v", tc.only, len(page), err)
				}
				for _, s := range page {
					got = append(got, s.Device)
				}
				if cursor = next; cursor == "" {
					break
				}
			}
			if !slices.Equal(got, tc.want) {
				t.Errorf("%+v in pages of %d: %d, want %d", tc.only, limit, got, tc.want)
			}
		}
	}
}

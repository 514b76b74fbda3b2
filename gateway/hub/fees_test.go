package hub_test

import (
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/scheduler"
	"github.com/godwit-gateway/godwit/scheduler/core"
	"github.com/godwit-gateway/godwit/scheduler/ledger"
	"github.com/godwit-gateway/godwit/scheduler/tariff"
	"github.com/godwit-gateway/godwit/transports"
)

// rented is a bench whose link udp has a line rental.
func rented(t *testing.T, rental tariff.Rental) *bench {
	t.Helper()
	book, err := tariff.NewBook([]*tariff.Tariff{{
		Name: "line", Currency: "EUR", Terms: []tariff.Term{{Unit: tariff.PerMessage, Price: 100_000}}, Rental: rental,
	}})
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t)
	_ = b.store.Close()
	b.schedule = hub.Schedule{Core: core.Config{Links: []core.Link{{Name: "udp", Tariff: "line"}, {Name: "sms"}}, Tariffs: book, Currency: "EUR"}}
	b.open()
	return b
}

// newLine has meter-1 be heard first in the month that it is, when that begins.
func (b *bench) newLine() (*device, tariff.Month) {
	b.t.Helper()
	d, at := b.importOne(8), tariff.MonthOf(b.clock.t)
	b.clock.t = at.Begins(time.UTC).Add(time.Hour)
	b.settled(b.udp(d.to(d.status(3.7))), transports.Stored)
	return d, at
}

// fees checks what fees are booked in a month, and will be.
func (b *bench) fees(at tariff.Month, booked, due scheduler.Micros) {
	b.t.Helper()
	var got scheduler.Micros
	s := b.hub.Spend(at, ledger.ByCause, hub.SpendFilter{})
	for _, total := range s.Totals {
		if total.Cause == ledger.CauseFee.String() {
			got += total.Micros
		}
	}
	if got != booked || s.Fees != due {
		b.t.Errorf("%s: %d of fees are booked and %d due, want %d and %d", at, got, s.Fees, booked, due)
	}
}

// closes has the gateway crash in the month after one, when that is over for all, and look at what is due.
func (b *bench) closes(at tariff.Month) {
	b.t.Helper()
	b.clock.t = at.Next().Begins(time.UTC).AddDate(0, 0, 10)
	b.crash()
	for range 2 { // what is closed for ever is looked at twice
		if _, err := b.hub.ScheduleOnce(b.t.Context()); err != nil {
			b.t.Fatal(err)
		}
		b.clock.t = b.clock.t.Add(time.Hour)
	}
}

// The rental of a device's line is told of while its month goes on, and booked once it is closed, whatever dies then; none for months after it was retired.
func TestRentalIsBookedWithTheMonth(t *testing.T) {
	b := rented(t, tariff.Rental{Price: 2_000_000, Activation: 500_000})
	other, d := b.device(7), b.importOne(8)
	first := tariff.MonthOf(b.clock.t)
	b.settled(b.udp(d.to(d.status(3.7))), transports.Stored)
	b.settled(b.udp(other.to(other.hello("1.0.0"))), transports.Stored)
	b.fees(first, 0, 5_000_000)
	b.fees(first+1, 0, 0) // it is to come
	if _, err := b.hub.Retire(t.Context(), "meter-1", "sold"); err != nil {
		t.Fatal(err)
	}
	for at := first; at < first+2; at++ {
		b.closes(at)
		b.settled(b.udp(other.to(other.status(3.7))), transports.Stored)
		b.crash()
		b.fees(at, map[tariff.Month]scheduler.Micros{first: 5_000_000, first + 1: 2_000_000}[at], 0)
	}
}

// Who asks about fees alone is told what will be booked, and nothing that is reckoned from days; who asks about some of them is told what is booked.
func TestSpendOfFees(t *testing.T) {
	b := rented(t, tariff.Rental{Price: 2_000_000})
	d := b.importOne(8)
	b.settled(b.udp(d.to(d.status(3.7))), transports.Stored)
	for only, want := range map[hub.SpendFilter]struct {
		fees     scheduler.Micros
		forecast bool
	}{
		{}:                          {2_000_000, true},
		{Cause: "fee"}:              {2_000_000, false},
		{Cause: "fee", Link: "udp"}: {0, false},
		{Cause: "status"}:           {0, true},
		{Customer: "nobody"}:        {0, true},
	} {
		if s := b.hub.Spend(0, ledger.ByCause, only); s.Fees != want.fees || (s.Forecast != nil) != want.forecast {
			t.Errorf("%+v: %s of fees, forecast %v", only, s.Fees, s.Forecast)
		}
	}
}

// The line of a device that was rejected ends at that time, whatever dies then. One that is approved after that has its line
// as before: it pays for the months that are open, and is not activated anew.
func TestRentalEndsWithARejection(t *testing.T) {
	b := rented(t, tariff.Rental{Price: 3_100_000, ByDay: true, Activation: 500_000})
	d, march := b.newLine()
	b.clock.t = b.clock.t.AddDate(0, 0, 9)
	rejected := b.clock.t
	if got, err := b.hub.Reject(t.Context(), "meter-1", "stolen"); err != nil || !got.Dismissed.Equal(rejected) {
		t.Fatalf("rejected at %s, %v, want %s", got.Dismissed, err, rejected)
	}
	b.crash()
	b.clock.t = b.clock.t.AddDate(0, 0, 9)
	b.settled(b.udp(d.to(d.status(3.6))), transports.Rejected) // that it speaks on does not count
	b.fees(march, 0, 500_000+1_000_000)
	for _, at := range []tariff.Month{march, march + 1} {
		b.closes(at)
		b.fees(at, map[tariff.Month]scheduler.Micros{march: 500_000 + 1_000_000}[at], 0)
	}
	if got, err := b.hub.Approve(t.Context(), "meter-1", fleet.Approval{}); err != nil || !got.Dismissed.IsZero() {
		t.Fatalf("approved, and rejected at %s, %v", got.Dismissed, err)
	}
	b.crash()
	b.fees(march+2, 0, 3_100_000) // in May it was approved
	b.closes(march + 2)
	for at, want := range map[tariff.Month]scheduler.Micros{march: 1_500_000, march + 1: 0, march + 2: 3_100_000} {
		b.fees(at, want, 0)
	}
}

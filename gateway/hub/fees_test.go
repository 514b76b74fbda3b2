package hub_test

import (
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/scheduler/core"
	"github.com/godwit-gateway/godwit/scheduler/ledger"
	"github.com/godwit-gateway/godwit/scheduler/tariff"
	"github.com/godwit-gateway/godwit/transports"
)

// The rental of a device's line is told of while its month goes on, and booked once it is closed, whatever dies then; none for months after it was retired.
func TestRentalIsBookedWithTheMonth(t *testing.T) {
	book, err := tariff.NewBook([]*tariff.Tariff{{
		Name: "line", Currency: "EUR", Terms: []tariff.Term{{Unit: tariff.PerMessage, Price: 100_000}}, Rental: tariff.Rental{Price: 2_000_000, Activation: 500_000},
	}})
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t)
	_ = b.store.Close()
	b.schedule = hub.Schedule{Core: core.Config{Links: []core.Link{{Name: "udp", Tariff: "line"}, {Name: "sms"}}, Tariffs: book, Currency: "EUR"}}
	b.open()
	other, d := b.device(7), b.importOne(8)
	fees := func(at tariff.Month) (micros int64, due int64) {
		s := b.hub.Spend(at, ledger.ByCause, hub.SpendFilter{})
		for _, total := range s.Totals {
			if total.Cause == ledger.CauseFee.String() {
				micros += int64(total.Micros)
			}
		}
		return micros, int64(s.Fees)
	}
	first := tariff.MonthOf(b.clock.t)
	b.settled(b.udp(d.to(d.status(3.7))), transports.Stored)
	b.settled(b.udp(other.to(other.hello("1.0.0"))), transports.Stored)
	if got, due := fees(first); got != 0 || due != 5_000_000 {
		t.Errorf("in its first month %d of fees are booked and %d due", got, due)
	}
	if got, due := fees(first + 1); got != 0 || due != 0 {
		t.Errorf("for a month to come %d of fees are booked and %d due", got, due)
	}
	if _, err := b.hub.Retire(t.Context(), "meter-1", "sold"); err != nil {
		t.Fatal(err)
	}
	for at := first; at < first+2; at++ {
		b.clock.t = at.Next().Begins(time.UTC).AddDate(0, 0, 10)
		b.crash()
		for range 2 { // what is closed for ever is looked at twice
			if _, err := b.hub.ScheduleOnce(t.Context()); err != nil {
				t.Fatal(err)
			}
			b.clock.t = b.clock.t.Add(time.Hour)
		}
		b.settled(b.udp(other.to(other.status(3.7))), transports.Stored)
		b.crash()
		if got, due := fees(at); got != map[tariff.Month]int64{first: 5_000_000, first + 1: 2_000_000}[at] || due != 0 {
			t.Errorf("%s: %d of fees are booked and %d due", at, got, due)
		}
	}
}

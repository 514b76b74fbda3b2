package hub_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/scheduler/ledger"
	"github.com/godwit-gateway/godwit/transports"
)

// A session in which a device looked for messages and sent none is the device's own spend; that of a modem nobody knows, and of one that two devices have, is of
// no device.
func TestEmptySessionsAreBooked(t *testing.T) {
	b := priced(t)
	d := b.importOne(8)
	b.settled(b.udp(d.to(d.status(3.7))), transports.Stored)
	for _, id := range []string{msisdn, "+4915550000000", "", msisdn} {
		from := transports.Address{Bearer: transports.SMS, ID: id}
		if err := transports.Book(t.Context(), b.hub, transports.Check{Transport: "sms", At: b.clock.t, From: from}); err != nil {
			t.Fatal(err)
		}
	}
	b.crash()
	totals := b.hub.Spend(0, ledger.ByCause|ledger.ByCustomer|ledger.ByLink, hub.SpendFilter{}).Totals
	totals = slices.DeleteFunc(totals, func(x hub.SpendTotal) bool { return x.Link != "sms" })
	for i := range totals {
		if x := &totals[i]; x.Cause != "empty" || x.Ours != 0 || x.Count != 2 || x.Micros != 100_000 {
			t.Errorf("%+v", x)
		}
	}
	if len(totals) != 2 || totals[0].Customer != "" || totals[1].Customer == "" {
		t.Errorf("%+v", totals)
	}
}

// A session that the network tells of again, since a crash came between the booking and the answer, is booked once: known among the last
// by its device and the network's id. One that has no id is another one each time.
func TestEmptySessionsThatAreToldOfAgain(t *testing.T) {
	b := priced(t)
	b.importOne(8)
	tell := func(id, ref string) {
		t.Helper()
		from := transports.Address{Bearer: transports.SMS, ID: id}
		if err := transports.Book(t.Context(), b.hub, transports.Check{Transport: "sms", At: b.clock.t, From: from, Ref: ref}); err != nil {
			t.Fatal(err)
		}
	}
	booked := func(want int64) {
		t.Helper()
		var n int64
		for _, x := range b.hub.Spend(0, ledger.ByCause, hub.SpendFilter{Cause: "empty"}).Totals {
			n += x.Count
		}
		if n != want {
			t.Errorf("%d sessions are booked, want %d", n, want)
		}
	}
	const stranger = "+4915550000000"
	for range 3 {
		tell(msisdn, "7 at 1")
		tell(msisdn, "8 at 2")
		tell(stranger, "7 at 1")
		b.crash()
	}
	booked(3)
	tell(msisdn, "")
	tell(msisdn, "")
	booked(5)
	for k := range 254 {
		tell(msisdn, fmt.Sprint(k))
	}
	b.crash()
	tell(stranger, "7 at 1")
	booked(259)
	tell(msisdn, "7 at 1") // too long ago
	tell(msisdn, "253")
	booked(260)
}

// What a link's own modem spends to look for messages is of no device, and is the gateway's own doing.
func TestMailboxChecksAreBooked(t *testing.T) {
	b := priced(t, ledger.Budget{Scope: ledger.Scope{Level: ledger.Fleet, Currency: "EUR"}, Amount: 100_000, Hard: true})
	at := b.clock.t
	for _, link := range []string{"sms", "sms", "udp", "nowhere"} { // the second has no tariff
		var sink transports.Sink = b.hub
		if err := sink.(transports.Payer).Checked(t.Context(), transports.Check{Transport: link, At: at}); err != nil {
			t.Fatal(err)
		}
	}
	want := func() {
		t.Helper()
		totals := b.hub.Spend(0, ledger.ByCause|ledger.ByLink|ledger.ByDirection, hub.SpendFilter{}).Totals
		want := hub.SpendTotal{Link: "sms", Cause: "check", Direction: "mo", Currency: "EUR", Ours: 100_000, Sums: ledger.Sums{Micros: 100_000, Count: 2}}
		if len(totals) != 1 || totals[0] != want {
			t.Fatalf("%+v, want %+v", totals, want)
		}
	}
	want()
	if n := len(b.told(hub.KindBudget)); n != 3 {
		t.Errorf("%d warnings, want those of 70, 90 and 100 %%", n)
	}
	b.crash()
	want()
}

package hub_test

import (
	"context"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/gateway/store"
	"github.com/godwit-gateway/godwit/scheduler/core"
	"github.com/godwit-gateway/godwit/scheduler/ledger"
	"github.com/godwit-gateway/godwit/transports"
)

// poor is a bench with a message for which there is no money.
func poor(t *testing.T) *bench {
	t.Helper()
	b := priced(t, ledger.Budget{Scope: ledger.Scope{Level: ledger.OfLink, Name: "sms", Currency: "EUR"}, Amount: 10_000, Hard: true})
	b.importOne(8)
	b.message("sms")
	b.transmitSMS()
	if r := b.downlink(); len(b.sms.sent) != 0 || !r.Unfunded {
		t.Fatalf("%+v", r)
	}
	return b
}

// What waits for money or for an address is sent once that is there.
func TestMoneyAndAddressesWakeUp(t *testing.T) {
	b := poor(t)
	b.hub.Woken("sms")
	s := b.schedule
	s.Core.Budgets = nil
	if err := b.hub.Reconfigure(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	if !b.hub.Woken("sms") {
		t.Error("a budget wakes nobody")
	}
	if b.transmitSMS(); len(b.sms.sent) != 1 {
		t.Errorf("%+v", b.downlink())
	}
	b.hub.Woken("sms")
	if _, err := b.hub.GiveAddress(t.Context(), "meter-1", "sms", "+491700000009"); err != nil || !b.hub.Woken("sms") {
		t.Errorf("an address wakes nobody: %v", err)
	}
	if _, err := b.hub.AcceptAddress(t.Context(), "meter-1", "sms", "+491700000009"); err != nil || !b.hub.Woken("sms") {
		t.Errorf("an address that is accepted wakes nobody: %v", err)
	}
}

// A gateway that starts with other budgets tries at once what had no money.
func TestMoneyThatComesWithAStart(t *testing.T) {
	b := poor(t)
	b.schedule.Core.Budgets = nil
	b.crash()
	if b.transmitSMS(); len(b.sms.sent) != 1 {
		t.Errorf("%+v", b.downlink())
	}
}

// Money that is held for what another link has in hand is free again soon, so what waits for it does not wait as long as for a budget that is spent.
func TestMoneyThatIsHeldIsFreeSoon(t *testing.T) {
	b, sbd := priced(t, ledger.Budget{Scope: ledger.Scope{Level: ledger.Fleet, Currency: "EUR"}, Amount: 30_000, Hard: true}), &fakeTransport{silent: true}
	b.schedule.Core.Links = append(b.schedule.Core.Links, core.Link{Name: "sbd", Tariff: "text", Wakes: true})
	twoWays(t, b, sbd)
	b.message("sbd")
	sbd.err = errLineBusy
	var wake time.Time
	sbd.hold = func(context.Context, transports.Downlink) {
		b.message("sms")
		wake = b.attempt("sms")
		if r := b.downlink(); len(b.sms.sent) != 0 || !r.Unfunded {
			t.Errorf("%+v", r)
		}
	}
	b.attempt("sbd")
	if wait := wake.Sub(b.clock.t); wait > time.Minute {
		t.Errorf("nobody looks for it for %s", wait)
	}
	b.clock.t = wake
	if b.transmitSMS(); len(b.sms.sent) != 1 {
		t.Errorf("%+v", b.downlink())
	}
}

// What waits for money does so by its row, not by its error: a start tries at once what was tried before and had no money since. A row that was written before rows
// said so is tried within the hour.
func TestMoneyThatRowsWaitFor(t *testing.T) {
	for _, unfunded := range []bool{true, false} {
		b := poor(t)
		b.schedule.Core.Budgets = nil
		b.rewrite(func(d *store.Downlink) { d.Attempts, d.Unfunded = 1, unfunded })
		b.crash()
		if b.transmitSMS(); (len(b.sms.sent) == 1) != unfunded {
			t.Errorf("unfunded %t: %d sent at once", unfunded, len(b.sms.sent))
		}
		b.clock.t = b.clock.t.Add(time.Hour)
		if b.transmitSMS(); len(b.sms.sent) != 1 || b.downlink().Unfunded || b.downlink().Error != "" {
			t.Errorf("unfunded %t: %+v", unfunded, b.downlink())
		}
	}
}

// What waited for money and ended for another reason did not end for want of it.
func TestWhatEndsWhileItWaitsForMoney(t *testing.T) {
	b := priced(t, ledger.Budget{Scope: ledger.Scope{Level: ledger.Fleet, Currency: "EUR"}, Amount: 1, Hard: true})
	d := b.importOne(8)
	b.bySMS(d.hello("1.0.0"))
	if _, err := b.hub.Rekey(t.Context(), "meter-1", "sms"); err != nil {
		t.Fatal(err)
	}
	b.transmitSMS()
	if r := b.ofKind("rekey")[0]; !r.Unfunded {
		t.Fatalf("%+v", r)
	}
	j, request := d.request(1, 1)
	d.accepted(b.udp(request).Reply, j)
	if r := b.ofKind("rekey")[0]; r.State != hub.DownlinkExpired || r.Unfunded {
		t.Errorf("%+v", r)
	}
}

// rewrite changes the rows of downlinks behind the hub's back.
func (b *bench) rewrite(change func(*store.Downlink)) {
	b.t.Helper()
	batch := b.store.NewBatch()
	err := b.store.EachDownlink(func(d *store.Downlink) error {
		change(d)
		batch.PutDownlink(d)
		return nil
	})
	if err == nil {
		err = b.store.Commit(batch)
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

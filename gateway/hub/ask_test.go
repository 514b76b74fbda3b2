package hub_test

import (
	"strings"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/scheduler"
	"github.com/godwit-gateway/godwit/scheduler/core"
	"github.com/godwit-gateway/godwit/scheduler/ledger"
	"github.com/godwit-gateway/godwit/transports"
)

// asking is a bench whose buoys are asked to speak where that is worth it; a request and its answer cost 0.04.
func asking(t *testing.T, hour scheduler.Micros, budgets ...ledger.Budget) (*bench, *device) {
	t.Helper()
	b := priced(t, budgets...)
	_ = b.store.Close()
	b.schedule.Core.Rules[0].Stakes = &core.Stakes{Hour: hour, False: 600_000}
	b.open()
	d := b.importOne(8)
	for n := range 20 {
		b.settled(b.smsFrom(msisdn, d.receipt(1)), transports.Stored)
		b.poll()
		if n < 19 {
			b.clock.t = b.clock.t.Add(2 * time.Hour)
			b.transmitSMS()
		}
	}
	return b, d
}

// requests are the states of the requests that a device was sent.
func (b *bench) requests() (states []string, last hub.DownlinkRecord) {
	b.t.Helper()
	list, err := b.hub.Downlinks("meter-1")
	if err != nil {
		b.t.Fatal(err)
	}
	for i := range list {
		if list[i].Kind == "request" {
			states, last = append(states, list[i].State), list[i]
		}
	}
	return states, last
}

// passes lets time pass, in steps of a quarter of an hour.
func (b *bench) passes(d time.Duration) {
	b.t.Helper()
	for end := b.clock.t.Add(d); b.clock.t.Before(end); {
		b.clock.t = b.clock.t.Add(15 * time.Minute)
		if err := b.hub.RetainOnce(b.t.Context()); err != nil {
			b.t.Fatal(err)
		}
		b.poll()
	}
}

func (b *bench) evidence() string {
	b.t.Helper()
	x, err := b.hub.Explain("meter-1")
	if err != nil {
		b.t.Fatal(err)
	}
	return strings.Join(x.Evidence, "\n")
}

// A device that misses a contact is asked to speak, once, and what it answers is booked as such. One that speaks before the request leaves costs nothing.
func TestSilentDevicesAreAskedOnce(t *testing.T) {
	b, d := asking(t, 45_000_000)
	if states, _ := b.requests(); len(states) != 0 || !strings.Contains(b.evidence(), "after its first missed contact") {
		t.Fatalf("requests before anything is missed: %v\n%s", states, b.evidence())
	}
	b.passes(3 * time.Hour)
	states, r := b.requests()
	if len(states) != 1 || !strings.Contains(b.evidence(), "it was asked to speak") || r.Expires.Sub(r.QueuedAt) > 2*time.Hour {
		t.Fatalf("%v: %+v\n%s", states, r, b.evidence())
	}
	before := len(b.sms.sent)
	b.transmitSMS()
	kind, body := d.opened(b.sms.sent[before].Payload, r.Counter)
	if m, err := codec.DecodeRequest(body); kind != codec.MessageRequest || err != nil || m.What != codec.RequestKeyframe {
		t.Fatalf("%d: %x, %v", kind, body, err)
	}
	b.crash()
	b.settled(b.smsFrom(msisdn, d.status(3.7)), transports.Stored)
	polled := false
	for _, s := range b.hub.Spend(0, ledger.ByCause|ledger.ByDirection, hub.SpendFilter{}).Totals {
		polled = polled || s.Cause == "poll" && s.Direction == "mo" && s.Count == 1 && s.Ours == s.Micros
	}
	if !polled {
		t.Error("the answer is not booked as one")
	}
	// Another speaks just before the request leaves.
	b, d = asking(t, 45_000_000)
	b.passes(2*time.Hour + 30*time.Minute)
	b.clock.t = b.clock.t.Add(time.Second)
	b.settled(b.smsFrom(msisdn, d.status(3.7)), transports.Stored)
	before = len(b.sms.sent)
	b.transmitSMS()
	if states, r = b.requests(); len(states) != 1 || states[0] != hub.DownlinkExpired || !strings.Contains(r.Error, "spoken") || len(b.sms.sent) != before {
		t.Errorf("%v: %+v", states, r)
	}
	// One that is silent for good is asked once.
	b, _ = asking(t, 45_000_000)
	b.passes(20 * time.Hour)
	if states, _ = b.requests(); len(states) != 1 {
		t.Errorf("%v", states)
	}
}

// What is not worth its price, or what no budget has money for, is not asked; nor is anybody where devices are only watched.
func TestWhoIsNotAsked(t *testing.T) {
	spent := ledger.Budget{Scope: ledger.Scope{Level: ledger.Fleet, Currency: "EUR"}, Amount: 20_000, Hard: true}
	for name, v := range map[string]struct {
		hour    scheduler.Micros
		budgets []ledger.Budget
		watch   bool
		why     string
	}{
		"not worth it": {hour: 1000, why: "it is not asked"},
		"no money":     {hour: 45_000_000, budgets: []ledger.Budget{spent}, why: "has no money for it"},
		"watched":      {hour: 45_000_000, watch: true, why: "only watched"},
	} {
		t.Run(name, func(t *testing.T) {
			b, _ := asking(t, v.hour, v.budgets...)
			if v.watch {
				_ = b.store.Close()
				b.schedule.Send = false
				b.open()
			}
			why := ""
			for range 12 {
				b.passes(15 * time.Minute)
				why += b.evidence()
			}
			if states, _ := b.requests(); len(states) != 0 || !strings.Contains(why, v.why) {
				t.Errorf("%v\n%s", states, why)
			}
		})
	}
}

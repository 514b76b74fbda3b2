package hub_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/gateway/store"
	"github.com/godwit-gateway/godwit/scheduler"
	"github.com/godwit-gateway/godwit/scheduler/ledger"
	"github.com/godwit-gateway/godwit/scheduler/tariff"
	"github.com/godwit-gateway/godwit/transports"
)

// down is what the ledger has of downlinks.
func (b *bench) down() (n int64, micros scheduler.Micros) {
	b.t.Helper()
	for _, s := range b.hub.Spend(0, ledger.ByDirection, hub.SpendFilter{}).Totals {
		if s.Direction == tariff.MT.String() {
			n, micros = n+s.Count, micros+s.Micros
		}
	}
	return n, micros
}

// charges are the charges of meter-1 in the store.
func (b *bench) charges() (list []store.Charge) {
	b.t.Helper()
	err := b.store.EachCharge(2001, time.Time{}, b.clock.t.Add(time.Hour), func(c *store.Charge) error {
		list = append(list, *c)
		return nil
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return list
}

// diesInHand has the power fail while a link has a downlink in hand, after what happens first.
func (b *bench) diesInHand(t *fakeTransport, link string, first func()) {
	b.t.Helper()
	var disk *vfs.MemFS
	t.hold = func(context.Context, transports.Downlink) {
		t.hold = nil
		if first != nil {
			first()
		}
		disk = b.fs.CrashClone(vfs.CrashCloneCfg{})
	}
	b.attempt(link)
	if disk == nil {
		b.t.Fatal("nothing was handed to the link")
	}
	_ = b.store.Close()
	b.fs, b.disk = disk, disk
	b.open()
}

// An attempt that was under way when the power failed is booked once, as of when it was made, however often it fails after that.
func TestAttemptUnderWayAtACrashIsBookedOnce(t *testing.T) {
	b := priced(t)
	b.importOne(8)
	b.message("sms")
	made := b.clock.t
	b.diesInHand(b.sms, "sms", nil)
	b.crash() // before anything else was written
	b.clock.t = b.clock.t.Add(time.Minute)
	for range 3 {
		b.poll()
		if n, micros := b.down(); n != 1 || micros != 20_000 {
			t.Errorf("booked are %d for %s", n, micros)
		}
		d := b.downlink()
		if d.State != hub.DownlinkSent || d.Attempts != 1 || d.Price != 20_000 || d.Error == "" {
			t.Errorf("%+v", d)
		}
		if list := b.charges(); len(list) != 1 || !list[0].At.Equal(made) || list[0].Attempt != 1 || list[0].Micros != 20_000 {
			t.Errorf("%+v", list)
		}
		b.crash()
	}
	b.clock.t = made.Add(10 * time.Minute)
	b.transmitSMS()
	if d := b.downlink(); d.State != hub.DownlinkAccepted || d.Attempts != 2 || d.Price != 40_000 || d.Error != "" {
		t.Errorf("%+v", d)
	}
	b.crash()
	b.poll()
	if n, micros := b.down(); n != 2 || micros != 40_000 || len(b.charges()) != 2 {
		t.Errorf("booked are %d for %s", n, micros)
	}
}

// One that ended while it was under way is told with its cost.
func TestAttemptUnderWayOfADownlinkThatEnded(t *testing.T) {
	b := priced(t)
	b.importOne(8)
	b.message("sms")
	b.diesInHand(b.sms, "sms", func() {
		b.clock.t = b.clock.t.Add(24 * time.Hour)
		b.transmitSMS()
		if s := b.downlink().State; s != hub.DownlinkExpired {
			t.Errorf("%s at its end", s)
		}
	})
	b.poll()
	b.crash()
	b.poll()
	if _, prices := b.costs("downlink.expired"); !slices.Equal(prices, []string{"0.00", "0.02"}) {
		t.Errorf("told: %v", prices)
	}
	if d := b.downlink(); d.Price != 20_000 || d.State != hub.DownlinkExpired || d.Error != "" {
		t.Errorf("%+v", d)
	}
}

// Of a downlink in fragments the one is booked that was under way.
func TestFragmentUnderWayAtACrash(t *testing.T) {
	b := priced(t)
	b.importOne(8)
	if _, err := b.hub.SendMessage(t.Context(), "meter-1", hub.Message{Payload: make([]byte, 300), Link: "sms"}); err != nil {
		t.Fatal(err)
	}
	b.diesInHand(b.sms, "sms", nil)
	b.poll()
	for _, s := range b.hub.Spend(0, ledger.ByDirection, hub.SpendFilter{}).Totals {
		if s.Direction == tariff.MT.String() && (s.Count != 1 || s.Micros != 20_000 || s.Payload != int64(len(b.sms.sent[0].Payload))) {
			t.Errorf("%+v, sent were %d bytes", s, len(b.sms.sent[0].Payload))
		}
	}
	if n, _ := b.down(); n != 1 {
		t.Errorf("%d are booked", n)
	}
}

// What the network refused, or came of an attempt otherwise, is not booked once more after a crash.
func TestAttemptThatWasSettledIsNotBookedAgain(t *testing.T) {
	for name, err := range map[string]error{
		"taken": nil, "may have left": &transports.SendError{Outcome: transports.MaybeSent}, "did not leave": &transports.SendError{Outcome: transports.NotSent},
		"refused": &transports.SendError{Outcome: transports.Refused},
	} {
		t.Run(name, func(t *testing.T) {
			b := priced(t)
			b.importOne(8)
			b.message("sms")
			b.sms.err = err
			b.transmitSMS()
			n, micros := b.down()
			b.crash()
			b.poll()
			if n2, micros2 := b.down(); n != n2 || micros != micros2 {
				t.Errorf("booked are %d for %s, before the crash it was %d for %s", n2, micros2, n, micros)
			}
		})
	}
}

// The last attempt that a downlink has is the last one as well if nobody knows what came of it.
func TestLastAttemptUnderWayAtACrash(t *testing.T) {
	b := priced(t)
	b.importOne(8)
	b.message("sms")
	b.sms.err = &transports.SendError{Outcome: transports.MaybeSent}
	for b.downlink().Attempts < 7 {
		b.transmitSMS()
		b.clock.t = b.clock.t.Add(10 * time.Minute)
	}
	b.diesInHand(b.sms, "sms", nil)
	b.poll()
	if d := b.downlink(); d.State != hub.DownlinkFailed || d.Attempts != 8 || d.Price != 160_000 || d.Error == "" {
		t.Errorf("%+v", d)
	}
	b.clock.t = b.clock.t.Add(time.Hour)
	if b.transmitSMS(); len(b.sms.sent) != 8 {
		t.Errorf("%d attempts", len(b.sms.sent))
	}
}

package hub_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/scheduler"
	"github.com/godwit-gateway/godwit/transports"
)

// backup is a copy of the disk, and the number of the last event that it has.
func (b *bench) backup() (*vfs.MemFS, uint64) {
	b.t.Helper()
	return b.fs.CrashClone(vfs.CrashCloneCfg{}), b.store.DurableEvents()
}

// goesOn has the gateway try over SMS now and then for a day, and reports how often it did.
func (b *bench) goesOn() int {
	b.t.Helper()
	before := len(b.sms.sent)
	for range 24 * 4 {
		b.clock.t = b.clock.t.Add(15 * time.Minute)
		b.transmitSMS()
	}
	return len(b.sms.sent) - before
}

// What waits in a store that is brought back, and has left since or ended, as the stream tells, is not sent and paid for again. What has not left is sent.
func TestRestoredStoreSendsNothingTwice(t *testing.T) {
	tests := map[string]struct {
		since func(*testing.T, *bench)
		want  string
		sends int
	}{
		"it still waits": {func(t *testing.T, b *bench) {
			t.Helper()
			b.settled(b.smsFrom(msisdn, b.deviceWithKey(2001, ownKey, 8).hello("1.0.0")), transports.Stored)
		}, hub.DownlinkAccepted, 1},
		"the network took it": {func(_ *testing.T, b *bench) { b.transmitSMS() }, hub.DownlinkAccepted, 0},
		"it was delivered": {func(t *testing.T, b *bench) {
			t.Helper()
			b.transmitSMS()
			if err := b.hub.Report(t.Context(), transports.Report{Transport: "sms", Ref: "7", State: transports.ReportDelivered, ReceivedAt: b.clock.t}); err != nil {
				t.Fatal(err)
			}
		}, hub.DownlinkDelivered, 0},
		"the network refused it": {func(_ *testing.T, b *bench) {
			b.sms.err = &transports.SendError{Outcome: transports.Refused}
			b.transmitSMS()
		}, hub.DownlinkFailed, 0},
		"it may have left": {func(_ *testing.T, b *bench) { b.sms.err = errNoAnswer; b.transmitSMS() }, hub.DownlinkAccepted, 1},
		"it did not leave": {func(_ *testing.T, b *bench) { b.sms.err = errLineBusy; b.transmitSMS() }, hub.DownlinkAccepted, 1},
		"it may have left, for the last time": {func(_ *testing.T, b *bench) {
			b.sms.err = errNoAnswer
			b.goesOn()
		}, hub.DownlinkFailed, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.importOne(8)
			b.message("sms")
			fs, end := b.backup()
			tt.since(t, b)
			b.sms.err = nil
			b.bringBack(fs, b.published(end))
			b.crash()
			if sent := len(b.sms.sent); name == "it may have left" {
				if b.transmitSMS(); len(b.sms.sent) != sent {
					t.Error("it is repeated at once")
				}
			}
			if n := b.goesOn(); n != tt.sends || b.ofKind("message")[0].State != tt.want {
				t.Errorf("sent %d times, want %d: %+v", n, tt.sends, b.ofKind("message"))
			}
		})
	}
}

// One that had an attempt under way when the backup was made is booked once, as after any crash, unless the stream tells that the attempt did not leave.
func TestRestoredStoreBooksWhatWasInHand(t *testing.T) {
	for name, tt := range map[string]struct {
		err   error
		state string
		sends int
		price scheduler.Micros
	}{
		"it left":          {nil, hub.DownlinkAccepted, 0, 20_000},
		"it did not leave": {errLineBusy, hub.DownlinkAccepted, 1, 20_000},
		"it may have left": {errNoAnswer, hub.DownlinkAccepted, 1, 40_000},
	} {
		t.Run(name, func(t *testing.T) {
			b := priced(t)
			b.importOne(8)
			b.message("sms")
			var fs *vfs.MemFS
			var end uint64
			b.sms.err, b.sms.hold = tt.err, func(context.Context, transports.Downlink) { fs, end = b.backup() }
			b.transmitSMS()
			b.clock.t = b.clock.t.Add(time.Minute)
			b.settled(b.udp(b.device(7).to(b.device(7).hello("1.0.0"))), transports.Stored)
			b.sms.err, b.sms.hold = nil, nil
			b.bringBack(fs, b.published(end))
			b.poll()
			if n := b.goesOn(); n != tt.sends || b.downlink().State != tt.state || b.downlink().Price != tt.price {
				t.Errorf("sent %d times, want %d: %+v", n, tt.sends, b.downlink())
			}
			if _, micros := b.down(); micros != tt.price {
				t.Errorf("booked are %s, want %s", micros, tt.price)
			}
			if _, told := b.costs("downlink.accepted"); !slices.Contains(told, tt.price.String()) {
				t.Errorf("told are %v", told)
			}
		})
	}
}

// References of downlinks, by which events name them, go on behind those that were used since.
func TestRestoredStoreUsesNoReferenceTwice(t *testing.T) {
	b := newBench(t)
	b.importOne(8)
	fs, end := b.backup()
	b.message("sms")
	b.message("sms")
	used := b.downlink().Ref
	b.bringBack(fs, b.published(end))
	b.message("sms")
	if ref := b.downlink().Ref; ref <= used {
		t.Errorf("reference %d is used after %d was", ref, used)
	}
}

// A reference that another store used, which was brought back before, is not taken for that of a downlink that was queued later.
func TestRestoredStoreKnowsItsDownlinks(t *testing.T) {
	b := newBench(t)
	b.importOne(8)
	fs, end := b.backup()
	b.message("sms")
	b.transmitSMS()
	stream := b.published(end)
	b.clock.t = b.clock.t.Add(time.Hour)
	b.bringBack(fs, nil) // the stream is not looked at
	b.message("sms")
	fs, _ = b.backup()
	b.bringBack(fs, stream)
	if b.transmitSMS(); b.downlink().State != hub.DownlinkAccepted || len(b.sms.sent) != 2 {
		t.Errorf("%d sent, %+v", len(b.sms.sent), b.downlink())
	}
}

// Rekeys and answers to joins that wait in a store that is brought back are not sent, whatever says that it is one: the device may have another epoch since. That
// is told when the outbox is at the end of the stream, not before, and once. A rekey is to be had anew.
func TestRestoredStoreLeadsNobodyAstray(t *testing.T) {
	adopts := func(_ *testing.T, b *bench, fs *vfs.MemFS, stream []hub.Published) { b.bringBack(fs, stream) }
	restored := map[string]struct {
		restore func(*testing.T, *bench, *vfs.MemFS, []hub.Published)
		heard   bool // the device has the epoch, and was heard in it before the store was lost
		told    int
	}{
		"the stream is ahead":                        {restore: adopts, told: 2},
		"the stream is ahead and knows of the rekey": {restore: adopts, heard: true, told: 1},
		"an operator says so": {heard: true, told: 2, restore: func(_ *testing.T, b *bench, fs *vfs.MemFS, _ []hub.Published) {
			b.bringBack(fs, nil)
			b.saysRestored()
		}},
		"a loss is accepted": {heard: true, told: 2, restore: func(t *testing.T, b *bench, fs *vfs.MemFS, _ []hub.Published) {
			t.Helper()
			b.bringBack(fs, nil)
			if err := b.hub.Adopt(t.Context(), nil, false); err != nil {
				t.Fatal(err)
			}
		}},
	}
	for name, tt := range restored {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			d := b.importOne(8)
			b.bySMS(d.hello("1.0.0"))
			if _, err := b.hub.Rekey(t.Context(), "meter-1", "sms"); err != nil {
				t.Fatal(err)
			}
			other := b.device(7)
			b.settled(b.smsFrom(phone, other.to(other.hello("1.0.0"))), transports.Stored)
			if _, err := b.hub.AcceptAddress(t.Context(), "dev-7", "sms", phone); err != nil {
				t.Fatal(err)
			}
			_, request := other.request(1, 1)
			b.settled(b.smsFrom(phone, request), transports.Stored)
			fs, end := b.backup()
			rekey := b.ofKind("rekey")[0]
			if tt.heard {
				b.transmitSMS()
				d.rekeyed(b.sms.sent[0].Payload, rekey.Counter)
			}
			b.bySMS(d.hello("1.0.0"))
			tt.restore(t, b, fs, b.published(end))
			if told := b.told("downlink.expired"); len(told) != 0 {
				t.Errorf("events before the outbox is moved: %v", told)
			}
			b.crash()
			if n := b.goesOn(); n != 0 {
				t.Errorf("sent %d times: %+v", n, b.ofKind("rekey"))
			}
			b.crash()
			b.goesOn()
			if told := b.told("downlink.expired"); len(told) != tt.told {
				t.Errorf("%d events, want %d: %v", len(told), tt.told, told)
			}
			again, err := b.hub.Rekey(t.Context(), "meter-1", "sms")
			if err != nil {
				t.Fatal(err)
			}
			if tt.told == 2 { // the gateway knows the device in its first epoch only
				d = b.deviceWithKey(2001, ownKey, 8)
			}
			b.transmitSMS()
			d.rekeyed(b.sms.sent[len(b.sms.sent)-1].Payload, again.Counter)
			b.settled(b.smsFrom(msisdn, d.hello("1.0.0")), transports.Stored)
		})
	}
}

// A message that waits in a store that is brought back is sealed anew if frames tell that the device has the epoch that it was to have: it could not open it.
func TestRestoredStoreSealsForTheEpochOfTheDevice(t *testing.T) {
	b := newBench(t)
	d := twoWays(t, b, &fakeTransport{silent: true})
	b.bySMS(d.hello("1.0.0"))
	if _, err := b.hub.Rekey(t.Context(), "meter-1", "sms"); err != nil {
		t.Fatal(err)
	}
	b.message("sbd")
	fs, end := b.backup()
	b.transmitSMS()
	d.rekeyed(b.sms.sent[0].Payload, b.ofKind("rekey")[0].Counter)
	b.bySMS(d.hello("1.0.0"))
	out := &fakeTransport{silent: true}
	b.sbd = out
	b.bringBack(fs, b.published(end))
	b.attempt("sbd")
	if len(out.sent) != 1 {
		t.Fatalf("%+v", b.ofKind("message"))
	}
	if kind, body := d.opened(out.sent[0].Payload, b.ofKind("message")[0].Counter); kind != codec.MessageUser || string(body) != "x" {
		t.Errorf("%d %q", kind, body)
	}
}

// saysRestored has an operator say that the store is a backup, and the gateway draw the conclusions.
func (b *bench) saysRestored() {
	b.t.Helper()
	batch := b.store.NewBatch()
	batch.PutMeta(hub.MetaRestored, []byte("today"))
	if err := b.store.Commit(batch); err != nil {
		b.t.Fatal(err)
	}
	if said, err := b.hub.Restored(b.t.Context()); !said || err != nil {
		b.t.Fatalf("%t, %v", said, err)
	}
}

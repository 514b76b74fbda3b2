package hub_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/transports"
)

// published is what the stream has of the events after one.
func (b *bench) published(after uint64) []hub.Published {
	b.t.Helper()
	var all []hub.Published
	for _, e := range b.events() {
		if e.Seq > after {
			all = append(all, hub.Published{ID: e.ID, Frame: e.Frame, Payload: e.Payload})
		}
	}
	return all
}

// bringBack puts an older copy of the disk in the place of the disk, of which nobody says that it is one, and takes over what the stream has.
func (b *bench) bringBack(fs *vfs.MemFS, stream []hub.Published) {
	b.t.Helper()
	_ = b.store.Close()
	b.fs, b.disk = fs, fs
	b.open()
	if len(stream) == 0 {
		return // the stream is where the store is: there is nothing to take over
	}
	if err := b.hub.Adopt(b.t.Context(), stream, true); err != nil {
		b.t.Fatal(err)
	}
}

// F-123: whatever took a downlink counter left a trace on the stream, and a store that is brought back takes no counter again that was used since,
// also if no frame came since and nobody says that it is a copy.
func TestRestoredStoreTakesNoDownlinkCounterTwice(t *testing.T) {
	perhaps := &transports.SendError{Outcome: transports.MaybeSent, Err: transports.ErrDown}
	say := func(t *testing.T, b *bench) uint64 {
		t.Helper()
		rec, err := b.hub.SendMessage(t.Context(), "meter-1", hub.Message{Payload: []byte("on"), Link: "sms"})
		if err != nil {
			t.Fatal(err)
		}
		return rec.Counter
	}
	tests := map[string]struct{ before, since func(*testing.T, *bench) }{
		"a message": {func(*testing.T, *bench) {}, func(t *testing.T, b *bench) { t.Helper(); say(t, b) }},
		"a rekey": {func(*testing.T, *bench) {}, func(t *testing.T, b *bench) {
			t.Helper()
			if _, err := b.hub.Rekey(t.Context(), "meter-1", "sms"); err != nil {
				t.Fatal(err)
			}
		}},
		"what is made when it leaves, once more": {func(t *testing.T, b *bench) {
			t.Helper()
			if _, err := b.hub.SendCommand(t.Context(), "meter-1", hub.Command{Time: true, Link: "sms"}); err != nil {
				t.Fatal(err)
			}
			b.sms.err = perhaps
			b.attempt("sms")
		}, func(_ *testing.T, b *bench) { b.attempt("sms") }},
		"another fragment": {func(_ *testing.T, b *bench) { b.large("sms", 1000); b.attempt("sms") }, func(_ *testing.T, b *bench) { b.attempt("sms") }},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.importOne(8)
			tt.before(t, b)
			from, end, sent := b.session("meter-1").Current.Down, b.store.DurableEvents(), len(b.sms.sent)
			fs := b.fs.CrashClone(vfs.CrashCloneCfg{})
			b.clock.t = b.clock.t.Add(20 * time.Minute)
			tt.since(t, b)
			used := b.session("meter-1").Current.Down
			if used == from {
				t.Fatalf("no counter was taken, %d sent", len(b.sms.sent)-sent)
			}
			b.bringBack(fs, b.published(end))
			if again := say(t, b); again <= used {
				t.Errorf("counter %d is taken after %d was", again, used)
			}
		})
	}
}

// A device that was known before a loss, was never heard, and is imported again, or comes by itself under a fleet key, is not taken for new: its
// downlink counters were used.
func TestImportIntoRestoredStore(t *testing.T) {
	b := newBench(t)
	b.importOne(8)
	first, err := b.hub.SendMessage(t.Context(), "meter-1", hub.Message{Payload: []byte("on"), Link: "sms"})
	if err != nil {
		t.Fatal(err)
	}
	stream := b.published(0)
	b.bringBack(vfs.NewCrashableMem(), stream)
	b.crash() // the import comes in the life of a later process
	d := b.importOne(8)
	again, err := b.hub.SendMessage(t.Context(), "meter-1", hub.Message{Payload: []byte("off"), Link: "sms"})
	if err != nil || again.Counter <= first.Counter {
		t.Fatalf("counter %d is taken after %d was, %v", again.Counter, first.Counter, err)
	}
	b.transmit()
	// The device knows neither of the loss nor of the leap: the whole counter is in clear.
	sent := b.sms.sent[len(b.sms.sent)-1].Payload
	if kind, body := d.opened(sent, again.Counter); kind != codec.MessageUser || string(body) != "off" || sent[1] != byte(codec.MakeHeader(codec.KindExtended, 1, 0)) {
		t.Errorf("%d %q, header %#x", kind, body, sent[1])
	}
	b.settled(b.smsFrom(msisdn, d.to(d.hello("1.0.0"))), transports.Stored)
	f := b.device(7)
	b.settled(b.udp(f.to(f.hello("1.0.0"))), transports.Stored)
	b.settled(b.udp(f.to(f.status(3.5))), transports.Stored)
	if g := b.session("dev-7"); g.Guard == 0 || g.Current.Down < 1<<38 {
		t.Errorf("registered by itself as %+v", g)
	}
	if d, err := b.hub.Device("dev-7"); err != nil || d.State != fleet.Active {
		t.Errorf("%+v, %v", d, err)
	}
}

// A device that was rejected is not let in again by a store that is brought back, whatever that knows of it; one that was approved after that is.
func TestRestoredStoreLetsNobodyInAgain(t *testing.T) {
	for _, lost := range []bool{false, true} {
		for _, approved := range []bool{false, true} {
			t.Run(fmt.Sprintf("lost %t approved %t", lost, approved), func(t *testing.T) {
				b := newBench(t)
				heard, silent := b.device(7), b.device(8)
				b.settled(b.udp(heard.to(heard.hello("1.0.0"))), transports.Stored)
				fs, end := b.fs.CrashClone(vfs.CrashCloneCfg{}), b.store.DurableEvents()
				if lost {
					fs, end = vfs.NewCrashableMem(), 0
				}
				b.settled(b.udp(silent.to(silent.hello("1.0.0"))), transports.Stored)
				for _, name := range []string{"dev-7", "dev-8"} {
					if _, err := b.hub.Reject(t.Context(), name, "stolen"); err != nil {
						t.Fatal(err)
					}
				}
				want := transports.Rejected
				if approved {
					want = transports.Stored
					for _, name := range []string{"dev-7", "dev-8"} {
						if _, err := b.hub.Approve(t.Context(), name, fleet.Approval{}); err != nil {
							t.Fatal(err)
						}
					}
				}
				stream := b.published(end)
				if lost { // of the second only what the gateway itself said is on the stream
					stream = slices.DeleteFunc(stream, func(p hub.Published) bool { return strings.HasPrefix(p.Frame, "8.") })
				}
				b.bringBack(fs, stream)
				b.crash()
				b.settled(b.udp(heard.to(heard.status(3.5))), want)
				b.settled(b.udp(silent.to(silent.status(3.5))), want)
			})
		}
	}
}

// Numbers go on from the time in a store that is brought back: a clock that cannot be right would have them used twice.
func TestRestoredStoreNeedsAClock(t *testing.T) {
	for name, restore := range map[string]func(*bench) error{
		"the stream is ahead": func(b *bench) error {
			return b.hub.Adopt(b.t.Context(), []hub.Published{{ID: "dev-7.0.9.0", Frame: "7.0.9.0102030405060708"}}, true)
		},
		"an operator says so": func(b *bench) error {
			_, err := b.hub.Restored(b.t.Context())
			return err
		},
		"a loss is accepted": func(b *bench) error {
			_, err := b.hub.LossAccepted(b.t.Context())
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.importOne(8)
			batch := b.store.NewBatch()
			batch.PutMeta(hub.MetaRestored, []byte("today"))
			batch.PutMeta(hub.MetaLossAccepted, []byte("today"))
			if err := b.store.Commit(batch); err != nil {
				t.Fatal(err)
			}
			now := b.clock.t
			b.clock.t = time.Unix(30, 0)
			b.crash()
			if err := restore(b); !errors.Is(err, hub.ErrClock) {
				t.Fatalf("in 1970: %v", err)
			}
			b.clock.t = now
			b.crash()
			if err := restore(b); errors.Is(err, hub.ErrClock) {
				t.Fatal(err)
			}
		})
	}
}

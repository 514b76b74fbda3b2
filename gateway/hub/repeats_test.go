package hub_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/gateway/store"
	"github.com/godwit-gateway/godwit/transports"
)

// TestOneFrameOverManyLinksAtOnce: a frame comes a hundred times by each of several ways, from everywhere at once, while the committer runs. It is
// one row and one event, and whoever gets an acknowledgement gets the same one.
func TestOneFrameOverManyLinksAtOnce(t *testing.T) {
	b := newBench(t)
	d := b.importOne(8)
	b.settled(b.udp(d.to(d.status(3.6))), transports.Stored)
	_ = b.store.Close()
	b.driven = true
	b.open()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- b.hub.Run(ctx) }()

	frame := d.to(d.status(3.7))
	const each = 100
	var mu sync.Mutex
	var wg sync.WaitGroup
	settled := make(map[transports.Settlement]int)
	replies := make(map[string]int)
	for _, way := range []transports.Uplink{
		{Transport: "udp", From: transports.Address{Bearer: transports.UDP, ID: "127.0.0.1:9"}, Window: transports.Window{ID: 1, Until: b.clock.t.Add(time.Minute)}},
		{Transport: "udp", From: transports.Address{Bearer: transports.UDP, ID: "10.0.0.1:9"}, Window: transports.Window{ID: 2, Until: b.clock.t.Add(time.Minute)}},
		{Transport: "sms", From: transports.Address{Bearer: transports.SMS, ID: msisdn}},
		{Transport: "sms", From: transports.Address{Bearer: transports.SMS, ID: "+491700000009"}},
	} {
		way.Payload, way.ReceivedAt = frame, b.clock.t
		for range 4 {
			wg.Go(func() {
				for range each / 4 {
					out := make([]transports.Verdict, 1)
					if err := b.hub.Uplinks(ctx, []transports.Uplink{way}, out); err != nil {
						t.Errorf("Uplinks: %v", err)
						return
					}
					mu.Lock()
					settled[out[0].Settlement]++
					if len(out[0].Reply) > 0 {
						replies[string(out[0].Reply)]++
					}
					mu.Unlock()
				}
			})
		}
	}
	wg.Wait()
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if settled[transports.Stored] != 1 || settled[transports.Duplicate] != 4*each-1 {
		t.Errorf("settled as %v, want one stored and the rest duplicates", settled)
	}
	if n := b.ids()["meter-1.0.1.0"]; n != 1 {
		t.Errorf("%d events", n)
	}
	if rows, _, err := b.hub.History("meter-1", hub.HistoryQuery{}); err != nil || len(rows) != 2 {
		t.Errorf("%d rows, %v; want one and the one before", len(rows), err)
	}
	if len(replies) != 1 {
		t.Fatalf("%d different acknowledgements, want one", len(replies))
	}
	for reply, n := range replies { // the frame's own, and of its repeats one within a second
		if !d.acked([]byte(reply), 1) || n > 2 {
			t.Errorf("acknowledgement %x, %d times", reply, n)
		}
	}
}

// TestFramesInAnyOrder: a network holds each message back for up to seven days. With 16 bits of the counter on air all of them are taken; with 8 a
// frame may be too far from all that is known. Then it is refused and counted, and never taken for another one.
func TestFramesInAnyOrder(t *testing.T) {
	for _, bits := range []uint8{8, 16} {
		t.Run(fmt.Sprint(bits), func(t *testing.T) {
			b := newBench(t)
			d := b.importWidth(bits)
			type message struct {
				sent, arrives time.Time
				counter       uint64
				frame         []byte
			}
			rng := rand.New(rand.NewPCG(7, uint64(bits)))
			var all []message
			for n := range uint64(500) {
				delay := time.Duration(rng.Int64N(int64(7 * 24 * time.Hour)))
				all = append(all, message{b.clock.t, b.clock.t.Add(delay), n, d.status(2.6 + float64(n%100)/100)})
				b.clock.t = b.clock.t.Add(20 * time.Minute)
			}
			slices.SortFunc(all, func(x, y message) int { return x.arrives.Compare(y.arrives) })
			stored := make(map[string]int)
			for _, m := range all {
				b.clock.t = m.arrives
				u := transports.Uplink{Transport: "sms", From: transports.Address{Bearer: transports.SMS, ID: msisdn}, SentAt: m.sent, Payload: m.frame}
				switch v := b.send(u); {
				case v.Settlement == transports.Stored:
					stored[fmt.Sprintf("meter-1.0.%d.0", m.counter)] = 1
				case bits == 16:
					t.Fatalf("frame %d is settled as %s", m.counter, v.Settlement)
				}
			}
			for _, id := range b.frames("meter-1") {
				if stored[id]--; stored[id] != 0 {
					t.Errorf("%s is an event and should not be, or is one twice", id)
				}
				delete(stored, id)
			}
			if len(stored) > 0 {
				t.Errorf("%d frames were stored and are no events", len(stored))
			}
			if refused := len(all) - len(b.frames("meter-1")); uint64(refused) != b.link("sms").Rejected["auth"]+b.link("sms").Rejected["limit"] {
				t.Errorf("%d frames are no events, counted are %v", refused, b.link("sms").Rejected)
			}
		})
	}
}

// TestManyFramesLostInARow: 30,000 in a row are no matter with 16 bits of the counter on air, after 40,000 the counter cannot be told: frames are
// refused and counted until one comes with its whole counter, as after a boot or a join.
func TestManyFramesLostInARow(t *testing.T) {
	b := newBench(t)
	d := b.importWidth(16)
	take := func(want transports.Settlement) {
		t.Helper()
		b.clock.t = b.clock.t.Add(time.Hour)
		b.settled(b.udp(d.to(d.status(3.7))), want)
	}
	take(transports.Stored)
	d.next += 30_000
	take(transports.Stored)
	d.next += 40_000
	for range 5 {
		take(transports.Rejected)
	}
	if n := b.link("udp").Rejected["auth"]; n != 5 {
		t.Errorf("%d are counted, want 5", n)
	}
	b.settled(b.udp(d.to(d.hello("1.0.0"))), transports.Stored) // which has its whole counter
	take(transports.Stored)
	want := []string{"meter-1.0.0.0", "meter-1.0.30001.0", "meter-1.0.70007.0", "meter-1.0.70008.0"}
	if got := b.frames("meter-1"); !slices.Equal(got, want) {
		t.Errorf("events %v, want %v", got, want)
	}
}

// TestADayOfFramesAgain: all that came in a day comes again, in its order and in none: after a restart nothing of it is an event, and nothing is
// after the store was restored from the day's morning and has taken over from the stream what it missed.
func TestADayOfFramesAgain(t *testing.T) {
	b := newBench(t)
	devices := []*device{b.device(7), b.device(8), b.device(9)}
	var day [][]byte
	take := func(hours int) {
		for range 4 * hours {
			for _, d := range devices {
				frame := d.to(d.status(3 + float64(d.next%50)/100))
				day = append(day, frame)
				b.settled(b.udp(frame), transports.Stored)
			}
			b.clock.t = b.clock.t.Add(15 * time.Minute)
		}
	}
	for _, d := range devices {
		frame := d.to(d.hello("1.0.0"))
		day = append(day, frame)
		b.settled(b.udp(frame), transports.Stored)
	}
	take(6)
	morning := b.fs.CrashClone(vfs.CrashCloneCfg{})
	take(18)
	var stream []hub.Published
	for _, e := range b.events() {
		stream = append(stream, hub.Published{ID: e.ID, Frame: e.Frame, Payload: e.Payload})
	}
	again := func(what string) {
		t.Helper()
		before := len(b.events())
		shuffled := slices.Clone(day)
		rand.New(rand.NewPCG(1, 2)).Shuffle(len(day), func(i, k int) { shuffled[i], shuffled[k] = shuffled[k], shuffled[i] })
		for _, frame := range slices.Concat(day, shuffled) {
			b.clock.t = b.clock.t.Add(time.Second)
			if v := b.udp(frame); v.Settlement == transports.Stored {
				t.Fatalf("%s: a frame is taken again", what)
			}
		}
		if n := len(b.events()); n != before {
			t.Fatalf("%s: %d new events", what, n-before)
		}
	}
	b.crash()
	again("after a restart")
	_ = b.store.Close()
	b.fs, b.disk = morning, morning
	b.open()
	if err := b.hub.Adopt(t.Context(), stream, true); err != nil {
		t.Fatal(err)
	}
	again("after a restore")
	for _, d := range devices {
		b.settled(b.udp(d.to(d.status(3.9))), transports.Stored)
	}
}

// TestValidTagsInTheWrongPlace: each frame verifies somewhere, and not where it comes.
func TestValidTagsInTheWrongPlace(t *testing.T) {
	b := newBench(t)
	d, other := b.importOne(8), b.device(7)
	b.settled(b.udp(d.to(d.status(3.7))), transports.Stored)
	b.settled(b.udp(other.to(other.hello("1.0.0"))), transports.Stored)
	message, err := b.hub.SendMessage(t.Context(), "meter-1", hub.Message{Payload: []byte("open valve 3"), Link: "sms"})
	if err != nil || message.State != hub.DownlinkQueued {
		t.Fatalf("%+v, %v", message, err)
	}
	if _, err := b.hub.TransmitOnce(t.Context(), "sms"); err != nil || len(b.sms.sent) != 1 {
		t.Fatalf("%d sent, %v", len(b.sms.sent), err)
	}
	ack := b.udp(d.to(d.status(3.6))).Reply
	if len(ack) == 0 {
		t.Fatal("no acknowledgement to reflect")
	}
	later := *d
	later.epoch = 1
	weak := b.deviceWithKey(2001, ownKey, 4)
	weak.next = 10
	events, counted := len(b.events()), uint64(0)
	for name, payload := range map[string][]byte{
		"of another device":             d.to(other.status(3.5)),
		"under another device's number": other.to(d.status(3.5)),
		"a downlink":                    d.to(b.sms.sent[0].Payload),
		"an acknowledgement":            d.to(ack),
		"an acknowledgement as it is":   ack,
		"of another epoch":              d.to(later.status(3.5)),
		"a short tag for a long one":    d.to(weak.status(3.5)),
	} {
		for _, from := range []string{msisdn, "+491700000002"} {
			if v := b.smsFrom(from, payload); v.Settlement == transports.Stored || v.Settlement == transports.Duplicate || len(v.Reply) > 0 {
				t.Errorf("%s is settled as %s, reply %x", name, v.Settlement, v.Reply)
			}
		}
		if v := b.udp(payload); v.Settlement != transports.Rejected || len(v.Reply) > 0 {
			t.Errorf("%s is settled as %s, reply %x", name, v.Settlement, v.Reply)
		}
		counted++
	}
	if news := slices.DeleteFunc(b.events()[events:], func(e store.Event) bool { return strings.HasPrefix(e.Subject, "godwit.v1.gw1.link.") }); len(news) > 0 {
		t.Errorf("%d events came of them, as %s %s", len(news), news[0].Subject, bytes.TrimSpace(news[0].Payload))
	}
	rejected := uint64(0)
	for _, n := range b.link("udp").Rejected {
		rejected += n
	}
	if rejected != counted {
		t.Errorf("%d are counted, want %d", rejected, counted)
	}
}

// importWidth imports device 2001 with its own key, an MSISDN, and some bits of the counter on air.
func (b *bench) importWidth(bits uint8) *device {
	b.t.Helper()
	key := ownKey
	res, err := b.hub.Import(b.t.Context(), []fleet.ImportRow{{Line: 2, Key: &key, Device: fleet.Device{
		Number: 2001, Name: "meter-1", Product: "buoy", Customer: "acme", State: fleet.Active, KeySource: fleet.KeyOwn, CTRBits: bits, TagLen: 8,
		Addresses: []fleet.DeviceAddress{{Bearer: "sms", ID: msisdn, Accepted: true}},
	}}}, false)
	if err != nil || !res.Done {
		b.t.Fatalf("import: %+v, %v", res, err)
	}
	d := b.deviceWithKey(2001, ownKey, 8)
	d.ctrBits = bits
	return d
}

// link is what was counted of a link.
func (b *bench) link(name string) hub.LinkStats {
	b.t.Helper()
	for _, l := range b.hub.Links() {
		if l.Name == name {
			return l
		}
	}
	b.t.Fatalf("no link %s", name)
	return hub.LinkStats{}
}

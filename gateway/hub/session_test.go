package hub_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/codec/session"
	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/gateway/store"
	"github.com/godwit-gateway/godwit/transports"
)

// enter moves the device to an epoch, as a rekey or an acceptance does.
func (d *device) enter(epoch uint32, salt [session.SaltLen]byte) {
	d.epoch, d.salt, d.next = epoch, salt[:], 0
	label := codec.LabelUp8
	if d.tagLen == 4 {
		label = codec.LabelUp4
	}
	d.up = codec.NewCipher(codec.DeriveSealKey(&d.key, d.salt, label, d.number, epoch))
	d.ack = codec.DeriveAckKey(&d.key, d.salt, d.number, epoch)
}

func (d *device) joinKey() *[32]byte {
	k := codec.DeriveJoinKey(&d.key, d.number)
	return &k
}

func (d *device) request(boot, random uint32) (codec.Join, []byte) {
	j := codec.Join{Number: d.number, Boot: boot, Random: random}
	return j, codec.AppendJoinRequest(nil, d.joinKey(), j)
}

// said reads the gateway's answer to a join.
func (d *device) said(item []byte, j codec.Join) codec.JoinFrame {
	d.t.Helper()
	it, rest, err := codec.NextItem(item)
	if err != nil || len(rest) > 0 {
		d.t.Fatalf("answer %x: %v", item, err)
	}
	f, err := codec.ParseJoin(it.Content)
	if err != nil {
		d.t.Fatal(err)
	}
	f.Join = j
	if err := f.Verify(d.joinKey()); err != nil {
		d.t.Fatal(err)
	}
	return f
}

func (d *device) accepted(item []byte, j codec.Join) {
	d.t.Helper()
	f := d.said(item, j)
	if f.Type != codec.ControlJoinAccept {
		d.t.Fatalf("a %s, want an acceptance", f.Type)
	}
	d.enter(f.Epoch, j.Salt(f.Nonce))
}

func (b *bench) session(ref string) session.Gateway {
	b.t.Helper()
	d, err := b.hub.Device(ref)
	if err != nil {
		b.t.Fatal(err)
	}
	return d.Session
}

// kind counts the events of a kind.
func (b *bench) kind(kind string) int {
	n := 0
	for _, e := range b.events() {
		if strings.HasSuffix(e.Subject, "."+kind) {
			n++
		}
	}
	return n
}

// A device that lost its counter joins, and goes on; power may fail at the gateway at any point, and what it said stands.
func TestJoinByBootCounter(t *testing.T) {
	b := newBench(t)
	d := b.device(7)
	b.settled(b.udp(d.to(d.hello("1.0.0"))), transports.Stored)
	old := d.to(d.status(3.6))
	j, request := d.request(1, 99)
	out := b.udp(request)
	b.settled(out, transports.Stored)
	first := bytes.Clone(out.Reply)
	b.crash()
	// The acceptance was lost, and the gateway had no power: it says the same again.
	b.clock.t = b.clock.t.Add(time.Minute)
	out = b.udp(request)
	b.settled(out, transports.Duplicate)
	if !bytes.Equal(out.Reply, first) {
		t.Fatalf("first %x, then %x", first, out.Reply)
	}
	// The old epoch holds until the first frame of the new one.
	b.settled(b.udp(old), transports.Stored)
	if g := b.session("dev-7"); g.Current.Number != 0 || g.Role != session.Pending {
		t.Fatalf("%+v", g)
	}
	before := d.next
	d.accepted(out.Reply, j)
	frame := d.to(d.hello("1.0.1"))
	out = b.udp(frame)
	b.settled(out, transports.Stored)
	if !d.ackedIn(out.Reply, 0) {
		t.Error("the first frame of the new epoch is not acknowledged under its key")
	}
	b.crash()
	b.settled(b.udp(frame), transports.Duplicate)
	if g := b.session("dev-7"); g.Current.Number != 1 || g.Role != session.Previous || g.Second.Counters.Highest != before-1 || g.Boot != 1 {
		t.Fatalf("%+v", g)
	}
	b.settled(b.udp(old), transports.Duplicate)
	b.settled(b.udp(request), transports.Duplicate)
	if b.kind(hub.KindEpoch) != 2 {
		t.Errorf("%d events of kind epoch", b.kind(hub.KindEpoch))
	}
	ids := b.ids()
	if ids["dev-7.1.0.0"] != 1 || ids["dev-7.0.1.0"] != 1 {
		t.Errorf("events %v", ids)
	}
}

// ackedIn is acked in the device's own epoch.
func (d *device) ackedIn(reply []byte, counter uint64) bool {
	item, _, err := codec.NextItem(reply)
	if err != nil {
		return false
	}
	f, err := codec.ParseAck(item.Content)
	if err != nil {
		return false
	}
	a, err := f.Verify(&d.ack, d.number, d.epoch, d.next-1)
	return err == nil && a.Covers(counter)
}

// A device that lost everything, its boot counter too, is challenged; a captured request leads to nothing else.
func TestJoinAfterTotalLoss(t *testing.T) {
	b := newBench(t)
	d := b.device(7)
	b.settled(b.udp(d.to(d.hello("1.0.0"))), transports.Stored)
	j, captured := d.request(5, 1)
	d.accepted(b.udp(captured).Reply, j)
	b.settled(b.udp(d.to(d.hello("1.0.0"))), transports.Stored)

	j, request := d.request(1, 2)
	f := d.said(b.udp(request).Reply, j)
	if f.Type != codec.ControlChallenge {
		t.Fatalf("answered with a %s", f.Type)
	}
	if out := b.udp(captured); len(out.Reply) != 0 {
		t.Fatalf("a request of old is answered with %x", out.Reply)
	}
	wrong := codec.AppendJoinConfirm(nil, d.joinKey(), j, codec.Nonce{1})
	b.settled(b.udp(wrong), transports.Rejected)
	confirm := codec.AppendJoinConfirm(nil, d.joinKey(), j, f.Nonce)
	out := b.udp(confirm)
	b.settled(out, transports.Stored)
	b.crash()
	b.clock.t = b.clock.t.Add(time.Minute)
	if again := b.udp(confirm); !bytes.Equal(again.Reply, out.Reply) {
		t.Errorf("first %x, then %x", out.Reply, again.Reply)
	}
	d.accepted(out.Reply, j)
	b.settled(b.udp(d.to(d.hello("1.0.2"))), transports.Stored)
	if g := b.session("dev-7"); g.Current.Number != 2 || g.Boot != 5 {
		t.Errorf("%+v", g)
	}
	b.settled(b.udp(confirm), transports.Duplicate)
	if g := b.session("dev-7"); g.Role != session.Previous {
		t.Errorf("a confirmation of old: %+v", g)
	}
}

// What does not verify changes nothing and is not answered; a number that nobody knows is not either.
func TestForgedJoins(t *testing.T) {
	b := newBench(t)
	d := b.device(7)
	b.settled(b.udp(d.to(d.hello("1.0.0"))), transports.Stored)
	before := b.session("dev-7")
	_, request := d.request(9, 9)
	for bit := 8; bit < 8*len(request); bit++ {
		bad := bytes.Clone(request)
		bad[bit/8] ^= 0x80 >> (bit % 8)
		if out := b.udp(bad); out.Settlement != transports.Rejected || len(out.Reply) != 0 {
			t.Fatalf("bit %d: %s, %x", bit, out.Settlement, out.Reply)
		}
		b.clock.t = b.clock.t.Add(time.Second) // that each is tried
	}
	_, other := b.deviceWithKey(5000, [32]byte{9}, 8).request(1, 1)
	b.settled(b.udp(other), transports.Rejected)
	b.settled(b.udp(codec.AppendAddressed(nil, 8, request)), transports.Rejected)
	after := b.session("dev-7")
	before.Failures, after.Failures = 0, 0
	if before != after {
		t.Errorf("before %+v, after %+v", before, after)
	}
	if err := b.hub.RetainOnce(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// Who joins as its first word is let in under its fleet key, but must prove that it is there: nobody knows what it did before.
func TestFirstWordIsJoin(t *testing.T) {
	b := newBench(t)
	d := b.device(8)
	j, request := d.request(3, 1)
	f := d.said(b.udp(request).Reply, j)
	if f.Type != codec.ControlChallenge {
		t.Fatalf("answered with a %s", f.Type)
	}
	d.accepted(b.udp(codec.AppendJoinConfirm(nil, d.joinKey(), j, f.Nonce)).Reply, j)
	b.settled(b.udp(d.to(d.hello("1.0.0"))), transports.Stored)
	if g := b.session("dev-8"); g.Guard != 0 || g.Current.Number == 0 {
		t.Errorf("%+v", g)
	}
}

// A device that waits for approval, or was refused, does not join.
func TestJoinNeedsApproval(t *testing.T) {
	b := newBench(t)
	b.register = fleet.RegisterPending
	b.crash()
	d := b.device(7)
	b.settled(b.udp(d.to(d.hello("1.0.0"))), transports.Quarantined)
	_, request := d.request(1, 1)
	if out := b.udp(request); out.Settlement != transports.Rejected || len(out.Reply) != 0 {
		t.Errorf("%s, %x", out.Settlement, out.Reply)
	}
	if _, err := b.hub.Reject(t.Context(), "dev-7", "test"); err != nil {
		t.Fatal(err)
	}
	b.settled(b.udp(request), transports.Rejected)
}

// opened opens a downlink in the device's epoch and returns type and body.
func (d *device) opened(payload []byte, counter uint64) (codec.MessageType, []byte) {
	d.t.Helper()
	item, _, err := codec.NextItem(payload)
	if err != nil {
		d.t.Fatal(err)
	}
	s, err := codec.ParseSealed(item.Content, 16, 8)
	if err != nil {
		d.t.Fatal(err)
	}
	plaintext, err := codec.NewCipher(codec.DeriveSealKey(&d.key, d.salt, codec.LabelDown, d.number, d.epoch)).Open(nil, &s, codec.Position{
		Direction: codec.Down, Number: d.number, Epoch: d.epoch, Counter: counter,
	})
	if err != nil {
		d.t.Fatal(err)
	}
	return codec.MessageType(plaintext[0]), plaintext[1:]
}

const phone = "+491700000001"

// onSMS makes a device known by SMS, with an address that paid messages may go to.
func (b *bench) onSMS(d *device) string {
	b.t.Helper()
	b.settled(b.smsFrom(phone, d.to(d.hello("1.0.0"))), transports.Stored)
	name := "dev-7"
	if _, err := b.hub.AcceptAddress(b.t.Context(), name, "sms", phone); err != nil {
		b.t.Fatal(err)
	}
	return name
}

func (b *bench) transmit() {
	b.t.Helper()
	for range 20 {
		wake, err := b.hub.TransmitOnce(b.t.Context(), "sms")
		if err != nil {
			b.t.Fatal(err)
		}
		if wake.IsZero() || wake.After(b.clock.t) {
			return
		}
	}
}

// F-120: rekey by command over a paid link: one message, on disk before it leaves, the old keys beside the new for a week.
func TestRekey(t *testing.T) {
	b := newBench(t)
	d := b.device(7)
	name := b.onSMS(d)
	rec, err := b.hub.Rekey(t.Context(), name, "")
	if err != nil || rec.Kind != "rekey" || rec.Link != "sms" || rec.Bytes > 50 {
		t.Fatalf("%+v, %v", rec, err)
	}
	b.crash()
	b.transmit()
	if len(b.sms.sent) != 1 {
		t.Fatalf("%d messages", len(b.sms.sent))
	}
	kind, body := d.opened(b.sms.sent[0].Payload, rec.Counter)
	r, err := codec.DecodeRekey(body)
	if kind != codec.MessageRekey || err != nil || r.Epoch != 1 {
		t.Fatalf("type %d, %+v, %v", kind, r, err)
	}
	again, err := b.hub.Rekey(t.Context(), name, "")
	if err != nil || again.Counter <= rec.Counter {
		t.Fatalf("%+v, %v", again, err)
	}
	b.transmit()
	_, body = d.opened(b.sms.sent[1].Payload, again.Counter)
	if same, err := codec.DecodeRekey(body); err != nil || same != r {
		t.Fatalf("told again of another epoch: %+v, %v", same, err)
	}
	old := *d
	b.settled(b.smsFrom(phone, old.status(3.5)), transports.Stored)
	d.enter(r.Epoch, r.Salt)
	b.settled(b.smsFrom(phone, d.hello("1.0.0")), transports.Stored)
	b.settled(b.smsFrom(phone, old.status(3.6)), transports.Stored)
	b.clock.t = b.clock.t.Add(session.Grace - time.Hour)
	b.settled(b.smsFrom(phone, old.status(3.7)), transports.Stored)
	b.clock.t = b.clock.t.Add(time.Hour)
	if out := b.smsFrom(phone, old.status(3.8)); out.Settlement == transports.Stored {
		t.Fatal("a frame of the previous epoch after its grace")
	}
	if err := b.hub.RetainOnce(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.crash()
	if g := b.session(name); g.Role != session.Alone || g.Current.Number != 1 || g.Current.Salt != r.Salt {
		t.Errorf("%+v", g)
	}
	b.settled(b.smsFrom(phone, d.status(3.9)), transports.Stored)
}

// F-114: a message that waits is sealed anew when the device has a new epoch, and keeps its content.
func TestMessageFollowsTheEpoch(t *testing.T) {
	b := newBench(t)
	d := b.device(7)
	name := b.onSMS(d)
	rec, err := b.hub.SendMessage(t.Context(), name, hub.Message{Payload: []byte("hi")})
	if err != nil {
		t.Fatal(err)
	}
	j, request := d.request(1, 1)
	out := b.udp(request)
	d.accepted(out.Reply, j)
	b.settled(b.udp(d.to(d.hello("1.0.0"))), transports.Stored)
	b.transmit()
	if len(b.sms.sent) != 1 || b.sms.sent[0].Ref != rec.Ref {
		t.Fatalf("%d messages", len(b.sms.sent))
	}
	if kind, body := d.opened(b.sms.sent[0].Payload, 1); kind != codec.MessageUser || string(body) != "hi" {
		t.Errorf("%d, %q", kind, body)
	}
}

// F-111: joins over a paid link cost one message an hour.
func TestChallengeCostsOnceAnHour(t *testing.T) {
	b := newBench(t)
	d := b.device(7)
	name := b.onSMS(d)
	j, request := d.request(5, 1)
	d.accepted(b.udp(request).Reply, j)
	b.settled(b.udp(d.to(d.hello("1.0.0"))), transports.Stored)
	for minute := range 150 {
		_, lost := d.request(1, uint32(minute))
		b.smsFrom(phone, lost)
		b.transmit()
		b.clock.t = b.clock.t.Add(time.Minute)
	}
	if len(b.sms.sent) != 3 {
		t.Errorf("%d messages in 150 minutes", len(b.sms.sent))
	}
	if list, err := b.hub.Downlinks(name); err != nil || len(list) != 3 || list[0].Kind != "join" {
		t.Errorf("%+v, %v", list, err)
	}
}

// Over SMS the whole conversation works too, and goes to no number that nobody accepted.
func TestJoinOverSMS(t *testing.T) {
	b := newBench(t)
	d := b.device(7)
	b.settled(b.smsFrom(phone, d.to(d.hello("1.0.0"))), transports.Stored)
	j, request := d.request(1, 1)
	b.settled(b.smsFrom(phone, request), transports.Stored)
	b.transmit()
	if len(b.sms.sent) != 0 || !strings.Contains(string(b.lastOf(hub.KindAlarm).Payload), "join_unanswered") {
		t.Fatalf("%d messages to a number that nobody accepted", len(b.sms.sent))
	}
	if _, err := b.hub.AcceptAddress(t.Context(), "dev-7", "sms", phone); err != nil {
		t.Fatal(err)
	}
	b.settled(b.smsFrom(phone, request), transports.Duplicate)
	b.transmit()
	if len(b.sms.sent) != 1 || len(b.sms.sent[0].Payload) != 22 {
		t.Fatalf("%d messages", len(b.sms.sent))
	}
	d.accepted(b.sms.sent[0].Payload, j)
	b.settled(b.smsFrom(phone, d.hello("1.0.0")), transports.Stored)
}

func (b *bench) lastOf(kind string) (e store.Event) {
	for _, x := range b.events() {
		if strings.HasSuffix(x.Subject, "."+kind) {
			e = x
		}
	}
	return e
}

// F-120: too many forgeries are an alarm, once, and nothing else: the device is heard, and no money is spent.
func TestForgeriesAreAnAlarm(t *testing.T) {
	b := newBench(t)
	d := b.device(7)
	name := b.onSMS(d)
	bad := d.to(d.status(3.5))
	bad[len(bad)-1] ^= 1
	us := make([]transports.Uplink, 256)
	for k := range us {
		us[k] = transports.Uplink{Transport: "udp", From: transports.Address{Bearer: transports.UDP, ID: "127.0.0.1:9"}, ReceivedAt: b.clock.t, Payload: bad}
	}
	out := make([]transports.Verdict, len(us))
	for round := range session.FailuresMax/len(us) + 4 {
		for k := range us { // each from another place, as from one no more than a few are tried
			us[k].From.ID = fmt.Sprintf("10.%d.%d.1:9", round, k)
		}
		if err := b.hub.Uplinks(t.Context(), us, out); err != nil {
			t.Fatal(err)
		}
	}
	if n := strings.Count(string(b.lastOf(hub.KindAlarm).Payload), "forgeries"); n != 1 || b.kind(hub.KindAlarm) != 1 {
		t.Errorf("%d alarms", b.kind(hub.KindAlarm))
	}
	b.settled(b.smsFrom(phone, d.status(3.5)), transports.Stored)
	b.transmit()
	if len(b.sms.sent) != 0 || b.session(name).Role != session.Alone {
		t.Errorf("%d messages", len(b.sms.sent))
	}
}

// F-120: a year is enough for an epoch; the device is told once a day until it answers.
func TestOldEpochIsFollowed(t *testing.T) {
	b := newBench(t)
	d := b.device(7)
	name := b.onSMS(d)
	b.clock.t = b.clock.t.Add(session.AgeMax)
	for range 49 {
		b.settled(b.smsFrom(phone, d.status(3.5)), transports.Stored)
		b.transmit()
		b.clock.t = b.clock.t.Add(time.Hour)
	}
	if len(b.sms.sent) != 3 {
		t.Errorf("%d messages in two days", len(b.sms.sent))
	}
	if g := b.session(name); g.Role != session.Pending || g.Second.Number != 1 {
		t.Errorf("%+v", g)
	}
}

// F-123: a gateway whose store is older than its stream trusts no boot counter, uses no epoch again, and comes back to its devices.
func TestLostStoreChallenges(t *testing.T) {
	b := newBench(t)
	d := b.device(7)
	b.settled(b.udp(d.to(d.hello("1.0.0"))), transports.Stored)
	j, captured := d.request(1, 1)
	d.accepted(b.udp(captured).Reply, j)
	b.settled(b.udp(d.to(d.hello("1.0.0"))), transports.Stored)
	var published []hub.Published
	for _, e := range b.events() {
		published = append(published, hub.Published{ID: e.ID, Frame: e.Frame, Payload: e.Payload})
	}
	fresh := newBench(t)
	if err := fresh.hub.Adopt(t.Context(), published, true); err != nil {
		t.Fatal(err)
	}
	if g := fresh.session("dev-7"); g.Guard == 0 || g.Allocated < uint32(fresh.clock.t.Unix()) {
		t.Fatalf("%+v", g)
	}
	fresh.settled(fresh.udp(d.to(d.status(3.5))), transports.Rejected) // its epoch is forgotten
	if f := d.said(fresh.udp(captured).Reply, j); f.Type != codec.ControlChallenge {
		t.Fatalf("a captured request is answered with a %s", f.Type)
	}
	j, request := d.request(2, 2)
	fresh.clock.t = fresh.clock.t.Add(time.Minute)
	f := d.said(fresh.udp(request).Reply, j)
	d.accepted(fresh.udp(codec.AppendJoinConfirm(nil, d.joinKey(), j, f.Nonce)).Reply, j)
	fresh.settled(fresh.udp(d.to(d.hello("1.0.0"))), transports.Stored)
	if g := fresh.session("dev-7"); g.Guard != 0 {
		t.Errorf("%+v", g)
	}
}

// F-123: an operator says that the store is a backup; the next start, and only that, draws the conclusions.
func TestRestoredStore(t *testing.T) {
	b := newBench(t)
	d := b.device(7)
	name := b.onSMS(d)
	if said, err := b.hub.Restored(t.Context()); said || err != nil {
		t.Fatalf("%t, %v", said, err)
	}
	batch := b.store.NewBatch()
	batch.PutMeta(hub.MetaRestored, []byte("today"))
	if err := b.store.Commit(batch); err != nil {
		t.Fatal(err)
	}
	b.crash()
	if said, err := b.hub.Restored(t.Context()); !said || err != nil {
		t.Fatalf("%t, %v", said, err)
	}
	b.crash()
	if said, err := b.hub.Restored(t.Context()); said || err != nil {
		t.Fatalf("a second time: %t, %v", said, err)
	}
	if g := b.session(name); g.Guard == 0 {
		t.Fatalf("%+v", g)
	}
	// A message carries its whole counter: the device cannot know how far the gateway went.
	rec, err := b.hub.SendMessage(t.Context(), name, hub.Message{Payload: []byte("hi")})
	if err != nil || rec.Counter < 1<<38 {
		t.Fatalf("%+v, %v", rec, err)
	}
	b.transmit()
	if kind, body := d.opened(b.sms.sent[0].Payload, rec.Counter); kind != codec.MessageUser || string(body) != "hi" {
		t.Errorf("%d, %q", kind, body)
	}
	if b.sms.sent[0].Payload[1] != byte(codec.MakeHeader(codec.KindExtended, 1, 0)) {
		t.Errorf("header %#x", b.sms.sent[0].Payload[1])
	}
}

// lose has an operator accept a loss, and starts the gateway on it.
func (b *bench) lose(word string) (drawn bool) {
	b.t.Helper()
	batch := b.store.NewBatch()
	batch.PutMeta(hub.MetaLossAccepted, []byte(word))
	if err := b.store.Commit(batch); err != nil {
		b.t.Fatal(err)
	}
	return b.reopen()
}

// reopen starts the gateway anew after a power cut.
func (b *bench) reopen() (drawn bool) {
	b.t.Helper()
	b.crash()
	drawn, err := b.hub.LossAccepted(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	return drawn
}

// rejoin has a device prove that it is there, and says that it is.
func (b *bench) rejoin(d *device, boot uint32) {
	b.t.Helper()
	j, request := d.request(boot, boot)
	f := d.said(b.udp(request).Reply, j)
	if f.Type != codec.ControlChallenge {
		b.t.Fatalf("answered with a %s", f.Type)
	}
	d.accepted(b.udp(codec.AppendJoinConfirm(nil, d.joinKey(), j, f.Nonce)).Reply, j)
	b.settled(b.udp(d.to(d.hello("2.0.0"))), transports.Stored)
}

// After an accepted loss nothing that was recorded before is taken, from devices that are known, that were, and that come later; each is heard
// again once it has joined and proved that it is there.
func TestAcceptedLoss(t *testing.T) {
	b := newBench(t)
	if drawn, err := b.hub.LossAccepted(t.Context()); drawn || err != nil {
		t.Fatalf("%t, %v", drawn, err)
	}
	known, lost, late := b.device(7), b.device(8), b.deviceWithKey(2001, ownKey, 8)
	b.settled(b.udp(known.to(known.hello("1.0.0"))), transports.Stored)
	recorded := map[string][]byte{
		"taken and forgotten, of one that is known": known.to(known.status(3.5)), "of one that is not known any more": lost.to(lost.hello("1.0.0")),
		"of one that is imported again": late.to(late.hello("1.0.0")),
	}
	if !b.lose("today") || b.reopen() {
		t.Fatal("conclusions are drawn once")
	}
	b.importOne(8)
	frames := b.frames("dev-7")
	refused := func() {
		t.Helper()
		for what, frame := range recorded {
			if out := b.udp(frame); out.Settlement != transports.Rejected || len(out.Reply) != 0 {
				t.Errorf("%s: %s, answered with %x", what, out.Settlement, out.Reply)
			}
		}
	}
	refused()
	if _, err := b.hub.Device("dev-8"); err == nil {
		t.Error("a recorded frame registered its device")
	}
	if got := b.frames("dev-7"); len(got) != len(frames) {
		t.Errorf("events of %v", got)
	}
	for _, d := range []*device{known, lost, late} {
		b.rejoin(d, 1)
		b.settled(b.udp(d.to(d.status(3.6))), transports.Stored)
	}
	refused()
	if b.reopen() {
		t.Error("the conclusions were drawn twice")
	}
	refused()
	b.settled(b.udp(known.to(known.status(3.7))), transports.Stored)
	// Another loss is another acceptance.
	b.clock.t = b.clock.t.Add(time.Hour)
	if !b.lose("tomorrow") {
		t.Error("a second loss was passed over")
	}
	if out := b.udp(known.to(known.status(3.7))); out.Settlement != transports.Rejected {
		t.Errorf("%s", out.Settlement)
	}
	b.rejoin(known, 2)
}

// F-124: after an accepted loss a rekey makes a device heard again that cannot notice the loss, if it is in the epoch that the gateway knows; what
// was recorded stays refused.
func TestAcceptedLossEndsByRekey(t *testing.T) {
	b := newBench(t)
	d := b.importOne(8)
	recorded := d.to(d.hello("1.0.0"))
	b.settled(b.smsFrom(msisdn, recorded), transports.Stored)
	if !b.lose("today") {
		t.Fatal("no conclusions")
	}
	if out := b.smsFrom(msisdn, d.to(d.status(3.5))); out.Settlement == transports.Stored {
		t.Error("heard in an epoch that is refused")
	}
	rec, err := b.hub.Rekey(t.Context(), "meter-1", "sms")
	if err != nil {
		t.Fatal(err)
	}
	b.transmit()
	kind, body := d.opened(b.sms.sent[len(b.sms.sent)-1].Payload, rec.Counter)
	r, err := codec.DecodeRekey(body)
	if kind != codec.MessageRekey || err != nil {
		t.Fatalf("type %d, %v", kind, err)
	}
	d.enter(r.Epoch, r.Salt)
	b.settled(b.smsFrom(msisdn, d.to(d.status(3.6))), transports.Stored)
	if out := b.smsFrom(msisdn, recorded); out.Settlement == transports.Stored || out.Settlement == transports.Duplicate {
		t.Errorf("what was recorded is %s", out.Settlement)
	}
}

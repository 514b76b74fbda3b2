package hub_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/transports"
)

const msisdn = "+491700000001"

var ownKey = [32]byte{9, 9, 9}

// importOne imports device 2001 with a factory key and an MSISDN.
func (b *bench) importOne(tagLen uint8) *device {
	b.t.Helper()
	key := ownKey
	res, err := b.hub.Import(b.t.Context(), []fleet.ImportRow{{Line: 2, Key: &key, Device: fleet.Device{
		Number: 2001, Name: "meter-1", Product: "buoy", Customer: "acme", State: fleet.Active, KeySource: fleet.KeyOwn, CTRBits: 8, TagLen: tagLen,
		Addresses: []fleet.DeviceAddress{{Bearer: "sms", ID: msisdn, Accepted: true}},
	}}}, false)
	if err != nil || !res.Done {
		b.t.Fatalf("import: %+v, %v", res, err)
	}
	return b.deviceWithKey(2001, ownKey, tagLen)
}

func TestSMSIsFoundByItsSenderAndByTheDeviceNumber(t *testing.T) {
	b := newBench(t)
	d := b.importOne(4)
	b.settled(b.smsFrom(msisdn, d.status(3.7)), transports.Stored)
	if b.ids()["meter-1.0.0.0"] != 1 {
		t.Errorf("events %v", b.ids())
	}
	// From another number the sealed frame alone names nobody; with its connection id it does, and the number is noted.
	frame := d.status(3.6)
	b.settled(b.smsFrom("+491700000002", frame), transports.Quarantined)
	b.settled(b.smsFrom("+491700000002", d.to(frame)), transports.Stored)
	dev, err := b.hub.Device("meter-1")
	if err != nil || len(dev.Addresses) != 2 || dev.Addresses[1].Accepted {
		t.Errorf("addresses %+v, %v", dev.Addresses, err)
	}
	b.crash()
	b.settled(b.smsFrom(msisdn, d.status(3.5)), transports.Stored)
}

func TestFourByteTagIsRefusedOnIPLinks(t *testing.T) {
	b := newBench(t)
	d := b.importOne(4)
	b.settled(b.udp(d.to(d.status(3.7))), transports.Rejected)
}

// A frame that the network held back for days has a counter that is far behind; the frames received when it was sent tell which.
func TestLateSMSIsCompletedByTheTimeItWasSent(t *testing.T) {
	b := newBench(t)
	d := b.importOne(8)
	var held []byte
	sentAt := b.clock.t
	for n := range 400 {
		frame := d.status(2.6 + float64(n%100)/100)
		if n == 100 {
			held, sentAt = frame, b.clock.t
		} else {
			b.settled(b.smsFrom(msisdn, frame), transports.Stored)
		}
		b.clock.t = b.clock.t.Add(20 * time.Minute)
	}
	v := b.send(transports.Uplink{
		Transport: "sms", From: transports.Address{Bearer: transports.SMS, ID: msisdn}, SentAt: sentAt, Payload: held,
	})
	b.settled(v, transports.Stored)
	if b.ids()["meter-1.0.100.0"] != 1 {
		t.Error("the late frame is no event")
	}
}

func (b *bench) part(from string, ref uint16, total, seq uint8, payload []byte) transports.Verdict {
	b.t.Helper()
	return b.send(transports.Uplink{
		Transport: "sms", From: transports.Address{Bearer: transports.SMS, ID: from}, Payload: payload,
		Part: transports.Part{Ref: ref, RefBits: 8, Total: total, Seq: seq},
	})
}

func (d *device) message(n int) []byte {
	d.t.Helper()
	body := append([]byte{byte(codec.MessageUser)}, bytes.Repeat([]byte{byte(n)}, n)...)
	item := d.seal(codec.MakeHeader(codec.KindExtended, 0, 0), d.next, body)
	d.next++
	return item
}

func split(b []byte) [][]byte {
	var parts [][]byte
	for len(b) > 0 {
		n := min(134, len(b))
		parts, b = append(parts, b[:n]), b[n:]
	}
	return parts
}

func TestPartsAreReassembledAcrossACrash(t *testing.T) {
	b := newBench(t)
	d := b.importOne(8)
	ps := split(d.message(300))
	if len(ps) != 3 {
		t.Fatalf("%d parts", len(ps))
	}
	b.settled(b.part(msisdn, 5, 3, 3, ps[2]), transports.Stored)
	b.settled(b.part(msisdn, 5, 3, 1, ps[0]), transports.Stored)
	b.crash()
	b.settled(b.part(msisdn, 5, 3, 1, ps[0]), transports.Duplicate)
	b.settled(b.part(msisdn, 5, 3, 2, ps[1]), transports.Stored)
	if b.ids()["meter-1.0.0.0"] != 1 {
		t.Errorf("events %v", b.ids())
	}
	// Read again after a crash before +CMGD: known, not a new message.
	b.crash()
	b.settled(b.part(msisdn, 5, 3, 2, ps[1]), transports.Duplicate)
}

// The collector of a library that this project does not use made "OLD1NEW2" of a reused reference.
func TestReusedReferenceDoesNotMixMessages(t *testing.T) {
	b := newBench(t)
	d := b.importOne(8)
	old, now := split(d.message(200)), split(d.message(210))
	b.settled(b.part(msisdn, 1, 2, 1, old[0]), transports.Stored)
	b.settled(b.part(msisdn, 1, 2, 1, now[0]), transports.Stored)
	b.settled(b.part(msisdn, 1, 2, 2, now[1]), transports.Stored)
	ids := b.ids()
	if ids["meter-1.0.1.0"] != 1 || ids["meter-1.0.0.0"] != 0 {
		t.Errorf("events %v", ids)
	}
	// The other way round: the second message's first part arrived, then the rest of the first.
	third, fourth := split(d.message(220)), split(d.message(230))
	b.settled(b.part(msisdn, 2, 2, 1, third[0]), transports.Stored)
	b.settled(b.part(msisdn, 2, 2, 1, fourth[0]), transports.Stored)
	b.settled(b.part(msisdn, 2, 2, 2, third[1]), transports.Stored)
	if b.ids()["meter-1.0.2.0"] != 1 {
		t.Errorf("events %v", b.ids())
	}
}

func TestPartsThatNeverBecomeWholeGoToTheQuarantine(t *testing.T) {
	b := newBench(t)
	d := b.importOne(8)
	ps := split(d.message(300))
	b.settled(b.part(msisdn, 5, 3, 1, ps[0]), transports.Stored)
	b.clock.t = b.clock.t.Add(25 * time.Hour)
	if err := b.hub.RetainOnce(t.Context()); err != nil {
		t.Fatal(err)
	}
	rows, _, err := b.hub.Quarantine("", "", 10)
	if err != nil || len(rows) != 1 || rows[0].Reason != "parts" {
		t.Errorf("%+v, %v", rows, err)
	}
}

func TestPartLimits(t *testing.T) {
	b := newBench(t)
	for _, p := range []transports.Part{{RefBits: 8, Total: 0, Seq: 1}, {RefBits: 8, Total: 2, Seq: 3}, {RefBits: 8, Total: 255, Seq: 1}, {RefBits: 8, Total: 2}} {
		v := b.send(transports.Uplink{
			Transport: "sms", From: transports.Address{Bearer: transports.SMS, ID: msisdn}, Part: p, Payload: []byte{1},
		})
		b.settled(v, transports.Quarantined)
	}
	// What was taken and finds no room is not lost: of 200 messages under way from one sender the oldest go to the quarantine.
	for ref := range uint16(200) {
		b.settled(b.part("+1", ref, 2, 1, []byte{byte(ref)}), transports.Stored)
	}
	rows := b.quarantine()
	if len(rows) != 4+200-64 || rows[0].Payload[0] != 200-64-1 {
		t.Errorf("%d rows, the newest %+v", len(rows), rows[0])
	}
}

func TestStrangersAreKeptWithinLimits(t *testing.T) {
	b := newBench(t)
	kept := 0
	for n := range 100 {
		if b.smsFrom("+1555", []byte{0x48, byte(n), 1, 2, 3, 4, 5, 6, 7}).Settlement == transports.Quarantined {
			kept++
		}
	}
	if kept != 20 {
		t.Errorf("%d kept, want 20 a day", kept)
	}
	v := b.send(transports.Uplink{
		Transport: "sms", From: transports.Address{Bearer: transports.SMS, ID: "+1777"}, Content: transports.ContentText, Payload: []byte("hello \"you\""),
	})
	b.settled(v, transports.Quarantined)
	last := b.events()[len(b.events())-1]
	if last.Subject != "godwit.v1.gw1.link.sms.log" || !bytes.Contains(last.Payload, []byte(`"text":"hello \"you\""`)) {
		t.Errorf("last event %s %s", last.Subject, last.Payload)
	}
}

func TestMessageGoesOutOnceAndItsReportIsNoted(t *testing.T) {
	b := newBench(t)
	d := b.importOne(8)
	b.settled(b.smsFrom(msisdn, d.status(3.7)), transports.Stored)
	rec, err := b.hub.SendMessage(t.Context(), "meter-1", hub.Message{Payload: []byte("open valve 3")})
	if err != nil || rec.State != hub.DownlinkQueued {
		t.Fatalf("%+v, %v", rec, err)
	}
	b.crash()
	if _, err := b.hub.TransmitOnce(t.Context(), "sms"); err != nil {
		t.Fatal(err)
	}
	if len(b.sms.sent) != 1 || b.sms.sent[0].To.ID != msisdn || !b.sms.sent[0].WantReport {
		t.Fatalf("sent %+v", b.sms.sent)
	}
	if _, err := b.hub.TransmitOnce(t.Context(), "sms"); err != nil || len(b.sms.sent) != 1 {
		t.Fatalf("sent again: %d, %v", len(b.sms.sent), err)
	}
	item, _, err := codec.NextItem(b.sms.sent[0].Payload)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := codec.ParseSealed(item.Content, 16, 8)
	if err != nil {
		t.Fatal(err)
	}
	down := codec.NewCipher(codec.DeriveSealKey(&ownKey, nil, codec.LabelDown, 2001, 0))
	plain, err := down.Open(nil, &sealed, codec.Position{Direction: codec.Down, Number: 2001, Counter: 1})
	if err != nil || string(plain[1:]) != "open valve 3" || plain[0] != byte(codec.MessageUser) {
		t.Fatalf("%q, %v", plain, err)
	}
	report := transports.Report{Transport: "sms", Ref: "7", State: transports.ReportDelivered, ReceivedAt: b.clock.t}
	if err := b.hub.Report(t.Context(), report); err != nil {
		t.Fatal(err)
	}
	list, err := b.hub.Downlinks("meter-1")
	if err != nil || len(list) != 1 || list[0].State != hub.DownlinkDelivered {
		t.Errorf("%+v, %v", list, err)
	}
}

// After a crash between the attempt and its answer nobody knows whether the message left: it waits, it is not repeated at once.
func TestUnansweredAttemptIsNotRepeatedBeforeItsPause(t *testing.T) {
	b := newBench(t)
	d := b.importOne(8)
	b.settled(b.smsFrom(msisdn, d.status(3.7)), transports.Stored)
	if _, err := b.hub.SendMessage(t.Context(), "meter-1", hub.Message{Payload: []byte("x")}); err != nil {
		t.Fatal(err)
	}
	b.sms.err = &transports.SendError{Outcome: transports.MaybeSent, Err: errors.New("no answer")}
	if _, err := b.hub.TransmitOnce(t.Context(), "sms"); err != nil {
		t.Fatal(err)
	}
	b.crash()
	wake, err := b.hub.TransmitOnce(t.Context(), "sms")
	if err != nil || len(b.sms.sent) != 1 || wake.Before(b.clock.t.Add(9*time.Minute)) {
		t.Fatalf("%d sent, wake %v, %v", len(b.sms.sent), wake, err)
	}
	b.clock.t, b.sms.err = wake, nil
	if _, err = b.hub.TransmitOnce(t.Context(), "sms"); err != nil || len(b.sms.sent) != 2 {
		t.Fatalf("%d sent, %v", len(b.sms.sent), err)
	}
	if !bytes.Equal(b.sms.sent[0].Payload, b.sms.sent[1].Payload) {
		t.Error("the repeat differs: one counter has one content")
	}
}

func TestRefusedMessageFails(t *testing.T) {
	b := newBench(t)
	d := b.importOne(8)
	b.settled(b.smsFrom(msisdn, d.status(3.7)), transports.Stored)
	if _, err := b.hub.SendMessage(t.Context(), "meter-1", hub.Message{Payload: []byte("x")}); err != nil {
		t.Fatal(err)
	}
	b.sms.err = &transports.SendError{Outcome: transports.Refused, Code: 28, Err: errors.New("unidentified subscriber")}
	if _, err := b.hub.TransmitOnce(t.Context(), "sms"); err != nil {
		t.Fatal(err)
	}
	list, err := b.hub.Downlinks("meter-1")
	if err != nil || list[0].State != hub.DownlinkFailed || !strings.Contains(list[0].Error, "28") {
		t.Errorf("%+v, %v", list, err)
	}
}

// Asked-for acknowledgements of a minute are one paid message.
func TestPaidAcknowledgementsAreCoalesced(t *testing.T) {
	b := newBench(t)
	d := b.importOne(8)
	ask := func() []byte {
		item := d.seal(codec.MakeHeader(codec.KindExtended, 0, 1), d.next, []byte{byte(codec.MessageUser), byte(d.next)})
		d.next++
		return item
	}
	for range 5 {
		b.settled(b.smsFrom(msisdn, ask()), transports.Stored)
	}
	if _, err := b.hub.TransmitOnce(t.Context(), "sms"); err != nil || len(b.sms.sent) != 0 {
		t.Fatalf("%d sent at once, %v", len(b.sms.sent), err)
	}
	b.clock.t = b.clock.t.Add(time.Minute)
	if _, err := b.hub.TransmitOnce(t.Context(), "sms"); err != nil || len(b.sms.sent) != 1 {
		t.Fatalf("%d sent, %v", len(b.sms.sent), err)
	}
	for c := range uint64(5) {
		if !d.acked(b.sms.sent[0].Payload, c) {
			t.Errorf("frame %d is not covered", c)
		}
	}
}

func TestMessageNeedsAnAcceptedAddress(t *testing.T) {
	b := newBench(t)
	d := b.device(7)
	b.settled(b.smsFrom("+4917000", d.to(d.hello("1"))), transports.Stored)
	if _, err := b.hub.SendMessage(t.Context(), "dev-7", hub.Message{Payload: []byte("x")}); !errors.Is(err, hub.ErrDownlink) {
		t.Fatalf("%v, want ErrDownlink", err)
	}
	if _, err := b.hub.AcceptAddress(t.Context(), "dev-7", "sms", "+4917000"); err != nil {
		t.Fatal(err)
	}
	if _, err := b.hub.SendMessage(t.Context(), "dev-7", hub.Message{Payload: []byte("x")}); err != nil {
		t.Fatal(err)
	}
}

// What the stream had dropped before a store was lost nobody knows any more: of frames from before, neither one of a device that the stream knew nor
// one of a device that it did not know is taken.
func TestGapsInWhatIsTakenOver(t *testing.T) {
	b := newBench(t)
	d, other := b.device(7), b.device(8)
	b.settled(b.udp(d.to(d.hello("1.0.0"))), transports.Stored)
	old := other.to(other.hello("1.0.0"))
	b.settled(b.udp(old), transports.Stored)
	var published []hub.Published
	for _, e := range b.events() {
		if strings.HasPrefix(e.ID, "dev-7.") {
			published = append(published, hub.Published{ID: e.ID, Frame: e.Frame, Payload: e.Payload})
		}
	}
	fresh := newBench(t)
	if err := fresh.hub.Adopt(t.Context(), published, false); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if v := fresh.udp(old); v.Settlement != transports.Rejected {
			t.Fatalf("an old frame of a device that nobody remembers is settled as %s", v.Settlement)
		}
		if v := fresh.udp(d.to(d.status(12.5))); v.Settlement != transports.Rejected {
			t.Fatalf("a frame of a device that has not joined is settled as %s", v.Settlement)
		}
		fresh.crash() // it is remembered
		if news, err := fresh.hub.LossAccepted(t.Context()); err != nil || news {
			t.Fatalf("the loss is accepted again: %t, %v", news, err)
		}
	}
}

// A store that was lost knows no addresses, and devices that are known leave out their connection ids: somebody must say whose an address is.
func TestGivenAddress(t *testing.T) {
	b := newBench(t)
	d := b.device(7)
	b.settled(b.udp(d.to(d.hello("1"))), transports.Stored)
	if v := b.smsFrom("+491700000001", d.status(12.5)); v.Settlement == transports.Stored {
		t.Fatal("a frame without a connection id was taken from an address that nobody knows")
	}
	for _, id := range []string{"4711", "+49", "+49170000000x"} {
		if _, err := b.hub.GiveAddress(t.Context(), "dev-7", "sms", id); !errors.Is(err, hub.ErrQuery) {
			t.Errorf("%s: %v, want ErrQuery", id, err)
		}
	}
	if _, err := b.hub.GiveAddress(t.Context(), "dev-7", "udp", "+491700000001"); !errors.Is(err, hub.ErrQuery) {
		t.Errorf("udp: %v, want ErrQuery", err)
	}
	if _, err := b.hub.GiveAddress(t.Context(), "dev-7", "sms", "+491700000001"); err != nil {
		t.Fatal(err)
	}
	b.crash()
	b.settled(b.smsFrom("+491700000001", d.status(12.6)), transports.Stored)
	if _, err := b.hub.SendMessage(t.Context(), "dev-7", hub.Message{Payload: []byte("x"), Link: "sms"}); err != nil {
		t.Fatal(err)
	}
}

// An address has room for four devices, a device for eight accepted addresses.
func TestGivenAddressesAreBounded(t *testing.T) {
	b := newBench(t)
	for n := range uint32(5) {
		d := b.device(n + 1)
		b.settled(b.udp(d.to(d.hello("1"))), transports.Stored)
		_, err := b.hub.GiveAddress(t.Context(), fmt.Sprintf("dev-%d", n+1), "sms", "+491700000001")
		if full := n >= 4; errors.Is(err, hub.ErrQuery) != full {
			t.Errorf("device %d at one address: %v", n+1, err)
		}
	}
	for n := range 9 {
		_, err := b.hub.GiveAddress(t.Context(), "dev-5", "sms", fmt.Sprintf("+49170000001%d", n))
		if full := n >= 8; errors.Is(err, hub.ErrQuery) != full {
			t.Errorf("address %d: %v", n+1, err)
		}
	}
}

func TestImportIsAllOrNothing(t *testing.T) {
	b := newBench(t)
	b.importOne(8)
	key := ownKey
	row := func(line int, number uint32, name string) fleet.ImportRow {
		return fleet.ImportRow{Line: line, Key: &key, Device: fleet.Device{
			Number: number, Name: name, Product: "buoy", Customer: "acme", State: fleet.Active, KeySource: fleet.KeyOwn, CTRBits: 8, TagLen: 8,
		}}
	}
	res, err := b.hub.Import(t.Context(), []fleet.ImportRow{row(2, 3000, "new"), row(3, 2001, "other")}, false)
	if err != nil || res.Done || len(res.Errors) != 1 || res.Errors[0].Line != 3 {
		t.Fatalf("%+v, %v", res, err)
	}
	if _, err := b.hub.Device("new"); !errors.Is(err, fleet.ErrUnknownDevice) {
		t.Errorf("a row of a refused file was stored: %v", err)
	}
	if res, err = b.hub.Import(t.Context(), []fleet.ImportRow{row(2, 3000, "new")}, true); err != nil || res.Done || len(res.Errors) != 0 {
		t.Errorf("dry run: %+v, %v", res, err)
	}
}

func TestRetentionRaisesTheFloorForGood(t *testing.T) {
	b := newBench(t)
	d := b.importOne(8)
	frame := d.status(3.7)
	b.settled(b.smsFrom(msisdn, frame), transports.Stored)
	b.clock.t = b.clock.t.Add(401 * 24 * time.Hour)
	if err := b.hub.RetainOnce(t.Context()); err != nil {
		t.Fatal(err)
	}
	if h, _, err := b.hub.History("meter-1", hub.HistoryQuery{}); err != nil || len(h) != 0 {
		t.Errorf("history %v, %v", h, err)
	}
	b.crash()
	b.settled(b.smsFrom(msisdn, frame), transports.Quarantined) // verified, too old: kept as unverified is, counted as too old
	if b.ids()["meter-1.0.0.0"] != 1 {
		t.Error("a forgotten frame came again")
	}
}

func TestHistoryPages(t *testing.T) {
	b := newBench(t)
	d := b.importOne(8)
	for range 25 {
		b.settled(b.smsFrom(msisdn, d.status(3.7)), transports.Stored)
		b.clock.t = b.clock.t.Add(time.Second)
	}
	seen := make(map[uint64]bool)
	cursor, last := "", uint64(1<<63)
	for page := 0; ; page++ {
		rows, next, err := b.hub.History("meter-1", hub.HistoryQuery{Limit: 10, Cursor: cursor})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			if seen[r.Counter] || r.Counter >= last || r.Kind != "status" || !bytes.Contains(r.Data, []byte(`"battery":{"value":3.7,"unit":"V"}`)) {
				t.Fatalf("row %+v %s", r, r.Data)
			}
			seen[r.Counter], last = true, r.Counter
		}
		if next == "" {
			break
		}
		cursor = next
	}
	if len(seen) != 25 {
		t.Errorf("%d rows", len(seen))
	}
}

func TestAdoptedFramesAreNeverTakenAgain(t *testing.T) {
	b := newBench(t)
	d := b.device(7)
	b.settled(b.udp(d.to(d.hello("1.0.0"))), transports.Stored)
	frame := d.to(d.status(3.7))
	b.settled(b.udp(frame), transports.Stored)
	var published []hub.Published
	for _, e := range b.events() {
		published = append(published, hub.Published{ID: e.ID, Frame: e.Frame, Payload: e.Payload})
	}
	// The store is lost; the stream is not.
	fresh := newBench(t)
	if err := fresh.hub.Adopt(t.Context(), published, true); err != nil {
		t.Fatal(err)
	}
	fresh.settled(fresh.udp(frame), transports.Duplicate)
	dev, err := fresh.hub.Device("dev-7")
	if err != nil || dev.Number != 7 || dev.Session.Current.Counters.Highest != 1 {
		t.Errorf("%+v, %v", dev, err)
	}
	fresh.settled(fresh.udp(d.to(d.status(3.8))), transports.Stored)
}

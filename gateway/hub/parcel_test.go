package hub_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/transports"
)

// far is a device that puts messages together.
type far struct {
	*device
	parts   codec.Reassembler
	message []byte
	taken   int // fragments, repeats included
	whole   int // messages
}

// take opens one downlink, and reports whether it asks for a status, and of which set.
func (f *far) take(down transports.Downlink) (set uint8, asked bool) {
	f.t.Helper()
	item, _, err := codec.NextItem(down.Payload)
	if err != nil {
		f.t.Fatal(err)
	}
	f.taken++
	fragment, err := codec.DecodeFragment(f.open(down.Payload, uint64(f.taken))[1:])
	if err != nil {
		f.t.Fatal(err)
	}
	if out := f.parts.Add(f.clock.t, &fragment); out.Outcome == codec.FragmentComplete {
		f.message = out.Message
		f.whole++
	}
	return fragment.Set, codec.Header(item.Content[0]).Base()&1 == 1
}

// status is the device's word of what it has, as a frame.
func (f *far) status(set uint8) []byte {
	f.t.Helper()
	st := f.parts.Status(set)
	b, err := codec.AppendFragmentStatus(nil, &st)
	if err != nil {
		f.t.Fatal(err)
	}
	return f.say(b, 0)
}

func (b *bench) large(link string, n int) []byte {
	b.t.Helper()
	payload := make([]byte, n)
	for i := range payload {
		payload[i] = byte(i * i)
	}
	if _, err := b.hub.SendMessage(b.t.Context(), "meter-1", hub.Message{Payload: payload, Link: link}); err != nil {
		b.t.Fatal(err)
	}
	return append([]byte{byte(codec.MessageUser)}, payload...)
}

// A message that is larger than one text message arrives whole, though parts are lost and the gateway loses power after each of them: what the
// device has is not sent again.
func TestLargeDownlinkRepeatsWhatIsMissing(t *testing.T) {
	b := newBench(t)
	f := far{device: b.importOne(8)}
	b.settled(b.smsFrom(msisdn, f.hello("1.0.0")), transports.Stored)
	message := b.large("sms", 1000)
	if d := b.downlink(); d.Fragments != 9 || d.Bytes != 1001 || d.Kind != "message" {
		t.Fatalf("queued as %+v", d)
	}
	lost := map[int]bool{2: true, 5: true, 10: true} // by the order in which they leave
	sent := 0
	round := func() (set uint8, asked bool) {
		t.Helper()
		for {
			b.crash()
			before := len(b.sms.sent)
			if b.attempt("sms"); len(b.sms.sent) == before {
				return set, asked
			}
			down := b.sms.sent[before]
			if len(down.Payload) > 140 || down.WantReport {
				t.Fatalf("%d bytes, report %t", len(down.Payload), down.WantReport)
			}
			if sent++; lost[sent-1] {
				f.taken++ // its counter is used all the same
				continue
			}
			set, asked = f.take(down)
		}
	}
	set, asked := round()
	if sent != 9 || !asked || f.whole != 0 {
		t.Fatalf("%d sent, asked %t, %d whole", sent, asked, f.whole)
	}
	b.settled(b.smsFrom(msisdn, f.status(set)), transports.Stored)
	if _, asked = round(); sent != 11 || asked { // 2 and 5, of which the second was lost
		t.Fatalf("%d sent, asked %t", sent, asked)
	}
	b.clock.t = b.clock.t.Add(59 * time.Minute)
	if round(); sent != 11 {
		t.Fatalf("%d sent before it was time to ask again", sent)
	}
	b.clock.t = b.clock.t.Add(2 * time.Minute)
	if _, asked = round(); sent != 12 || !asked || f.whole != 1 || !bytes.Equal(f.message, message) {
		t.Fatalf("%d sent, asked %t, %d whole", sent, asked, f.whole)
	}
	frame := f.status(set)
	b.settled(b.smsFrom(msisdn, frame), transports.Stored)
	if d := b.downlink(); d.State != hub.DownlinkDelivered || d.Arrived != 9 || d.Attempts != 12 || d.Parts != 12 {
		t.Errorf("ended as %+v", d)
	}
	b.settled(b.smsFrom(msisdn, frame), transports.Duplicate)
	b.clock.t = b.clock.t.Add(12 * time.Hour)
	if round(); sent != 12 {
		t.Errorf("%d sent", sent)
	}
	var told int
	for _, e := range b.events() {
		if strings.HasSuffix(e.Subject, ".fragment") && bytes.Contains(e.Payload, []byte(`"outcome":"status"`)) && bytes.Contains(e.Payload, []byte(`"ref":1`)) {
			told++
		}
	}
	if told != 2 || b.ids()["meter-1.0.2.0"] != 1 {
		t.Errorf("%d events of statuses: %v", told, b.ids())
	}
	if r, err := b.hub.DecodeFrame("meter-1", frame); err != nil || r.Kind != hub.KindFragment || !bytes.Contains(r.Data, []byte(`"missing":9`)) {
		t.Errorf("%+v, %v", r, err)
	}
}

// A device that never answers costs no more than the limits of one command allow, whatever restarts in between.
func TestLargeDownlinkHasItsLimits(t *testing.T) {
	b := newBench(t)
	b.importOne(8)
	if _, err := b.hub.SendMessage(t.Context(), "meter-1", hub.Message{Payload: make([]byte, 300), Link: "sms", TTL: 7 * 24 * time.Hour}); err != nil {
		t.Fatal(err)
	}
	for range 7 * 24 {
		b.attempt("sms")
		b.attempt("sms")
		b.attempt("sms")
		b.crash()
		b.clock.t = b.clock.t.Add(time.Hour)
	}
	d := b.downlink()
	if d.Fragments != 3 || len(b.sms.sent) != 3+7 { // of one fragment no more than eight
		t.Errorf("%d sent for %d fragments", len(b.sms.sent), d.Fragments)
	}
	if d.State != hub.DownlinkFailed || !strings.Contains(d.Error, "0 of 3 fragments arrived") {
		t.Errorf("ended as %+v", d)
	}
}

// What waits for a dead link holds up nothing on another one, and the end of one on the same link wakes the next.
func TestLargeDownlinkWaitsForItsOwnLink(t *testing.T) {
	b := newBench(t)
	_ = b.store.Close()
	b.udpOut = &fakeTransport{silent: true}
	b.open()
	b.importOne(8)
	if _, err := b.hub.SendMessage(t.Context(), "meter-1", hub.Message{Payload: make([]byte, 3000), Link: "udp", TTL: 48 * time.Hour}); err != nil {
		t.Fatal(err)
	}
	b.attempt("udp") // the device is not there
	b.large("sms", 1000)
	b.large("sms", 300)
	for range 20 {
		b.attempt("sms")
	}
	if n := len(b.sms.sent); n != 9 || b.downlink().State != hub.DownlinkQueued || b.downlink().Error != "" {
		t.Fatalf("%d sent, the next one is %+v", n, b.downlink())
	}
	b.clock.t = b.clock.t.Add(23 * time.Hour)
	b.attempt("sms") // asks
	b.large("sms", 200)
	b.hub.Woken("sms")
	b.hub.Woken("udp")
	b.clock.t = b.clock.t.Add(time.Hour + time.Second)
	if b.attempt("sms"); !b.hub.Woken("sms") || !b.hub.Woken("udp") {
		t.Error("the end of a downlink wakes nobody")
	}
	for range 20 {
		b.attempt("sms")
	}
	if n, d := len(b.sms.sent), b.downlink(); n != 10+2 || d.State != hub.DownlinkSent {
		t.Errorf("%d sent, the last one is %+v", n, d)
	}
}

// The day's budget of paid messages counts each fragment.
func TestLargeDownlinkKeepsTheBudget(t *testing.T) {
	b := newBench(t)
	f := far{device: b.importOne(8)}
	b.large("sms", 4096)
	b.large("sms", 4096)
	for range 200 {
		b.attempt("sms")
	}
	if n := len(b.sms.sent); n != 35 {
		t.Errorf("%d sent of one message, the other one waits for its end", n)
	}
	set, _ := f.take(b.sms.sent[0])
	st := codec.FragmentStatus{Set: set, Missing: 35}
	text, err := codec.AppendFragmentStatus(nil, &st)
	if err != nil {
		t.Fatal(err)
	}
	b.settled(b.smsFrom(msisdn, f.say(text, 0)), transports.Stored)
	for range 200 {
		b.attempt("sms")
	}
	if n := len(b.sms.sent); n != 50 {
		t.Errorf("%d sent in a day", n)
	}
	if _, err := b.hub.SendMessage(t.Context(), "meter-1", hub.Message{Payload: make([]byte, 4097), Link: "sms"}); !errors.Is(err, hub.ErrDownlink) {
		t.Errorf("too large: %v", err)
	}
}

// A fragment that surely did not leave goes again soon; one that the network will never take ends the message.
func TestLargeDownlinkMeetsFailures(t *testing.T) {
	b := newBench(t)
	b.importOne(8)
	b.large("sms", 200)
	b.sms.err = errLineDown
	b.attempt("sms")
	if d := b.downlink(); d.State != hub.DownlinkQueued || d.Error == "" {
		t.Errorf("not sent: %+v", d)
	}
	first := b.sms.sent[0].Payload
	b.sms.err = nil
	if b.attempt("sms"); len(b.sms.sent) != 1 {
		t.Errorf("%d sent at once", len(b.sms.sent))
	}
	b.clock.t = b.clock.t.Add(31 * time.Second)
	if b.attempt("sms"); len(b.sms.sent) != 2 || bytes.Equal(b.sms.sent[1].Payload, first) {
		t.Errorf("%d sent", len(b.sms.sent))
	}
	d := b.deviceWithKey(2001, ownKey, 8)
	if one, two := d.open(first, 1), d.open(b.sms.sent[1].Payload, 2); !bytes.Equal(one, two) {
		t.Errorf("%x, then %x", one, two)
	}
	b.sms.err = &transports.SendError{Outcome: transports.MaybeSent, Err: transports.ErrDown}
	if b.attempt("sms"); b.downlink().State != hub.DownlinkSent {
		t.Errorf("perhaps sent: %+v", b.downlink())
	}
	b.sms.err = &transports.SendError{Outcome: transports.Refused, Err: transports.ErrDown}
	b.clock.t = b.clock.t.Add(2 * time.Hour)
	if b.attempt("sms"); b.downlink().State != hub.DownlinkFailed {
		t.Errorf("refused: %+v", b.downlink())
	}
}

// A modem that is away costs nothing: however often a fragment did not leave, all go once it is back, and the day's budget has room for them.
func TestLargeDownlinkOutlivesItsModem(t *testing.T) {
	b := newBench(t)
	f := far{device: b.importOne(8)}
	b.settled(b.smsFrom(msisdn, f.hello("1.0.0")), transports.Stored)
	if _, err := b.hub.SendMessage(t.Context(), "meter-1", hub.Message{Payload: make([]byte, 4096), Link: "sms", TTL: 7 * 24 * time.Hour}); err != nil {
		t.Fatal(err)
	}
	b.sms.err = errLineDown
	for range 24 * 60 { // a day, looked at every minute
		b.attempt("sms")
		b.clock.t = b.clock.t.Add(time.Minute)
	}
	if n := len(b.sms.sent); n < 48 || n > 60 || b.downlink().State != hub.DownlinkQueued {
		t.Errorf("%d attempts in a day, pauses up to half an hour: %+v", n, b.downlink())
	}
	b.clock.t = b.clock.t.Add(30 * time.Minute)
	b.crash()
	f.taken = len(b.sms.sent)
	b.sms.err = nil
	before := len(b.sms.sent)
	for range 50 {
		b.attempt("sms")
	}
	if n := len(b.sms.sent) - before; n != b.downlink().Fragments || b.downlink().Error != "" {
		t.Fatalf("%d sent when the modem was back: %+v", n, b.downlink())
	}
	for _, down := range b.sms.sent[before:] {
		f.take(down)
	}
	if f.whole != 1 {
		t.Errorf("%d whole", f.whole)
	}
}

// The pauses grow by the failures in a row, not by all attempts, and an error that went before tells at the end why it came to it.
func TestLargeDownlinkTellsItsLastError(t *testing.T) {
	b := newBench(t)
	b.importOne(8)
	if _, err := b.hub.SendMessage(t.Context(), "meter-1", hub.Message{Payload: make([]byte, 1000), Link: "sms", TTL: 7 * 24 * time.Hour}); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		b.attempt("sms")
	}
	b.sms.err = errLineDown
	b.attempt("sms")
	b.sms.err = &transports.SendError{Outcome: transports.MaybeSent, Err: errors.New("the modem fell silent")}
	b.clock.t = b.clock.t.Add(30 * time.Second)
	if b.attempt("sms"); len(b.sms.sent) != 7 {
		t.Errorf("%d sent 30 s after the first failure", len(b.sms.sent))
	}
	for range 7 * 24 {
		b.attempt("sms")
		b.attempt("sms")
		b.attempt("sms")
		b.clock.t = b.clock.t.Add(time.Hour)
	}
	if d := b.downlink(); d.State != hub.DownlinkFailed || !strings.HasSuffix(d.Error, "the modem fell silent; 0 of 9 fragments arrived") {
		t.Errorf("ended as %+v", d)
	}
}

// A store that was restored begins with another set than the one that it knows nothing of: the device would answer for what it took before.
func TestLargeDownlinkDrawsItsSet(t *testing.T) {
	for _, drawn := range []byte{7, 200, 255} {
		b := newBench(t)
		_ = b.store.Close()
		b.random = func(p []byte) {
			for i := range p {
				p[i] = drawn
			}
		}
		b.open()
		f := far{device: b.importOne(8)}
		for n := range byte(3) {
			b.large("sms", 1000)
			before := len(b.sms.sent)
			b.attempt("sms")
			if set, _ := f.take(b.sms.sent[before]); set != drawn+n { // those that are listed are passed over
				t.Errorf("drawn %d, then %d", drawn, set)
			}
			b.clock.t = b.clock.t.Add(24 * time.Hour)
			b.attempt("sms") // it expires
		}
	}
}

// On UDP each fragment waits for an uplink, and each asks, so that the answer opens the way for the next one.
func TestLargeDownlinkOverUDP(t *testing.T) {
	b := newBench(t)
	_ = b.store.Close()
	out := &fakeTransport{silent: true}
	b.udpOut = out
	b.open()
	f := far{device: b.importOne(8)}
	window := uint64(0)
	speak := func(frame []byte) {
		t.Helper()
		window++
		b.settled(b.send(transports.Uplink{
			Transport: "udp", From: transports.Address{Bearer: transports.UDP, ID: "127.0.0.1:9"}, Payload: f.to(frame),
			Window: transports.Window{ID: window, Until: b.clock.t.Add(time.Minute)},
		}), transports.Stored)
	}
	message := b.large("udp", 500)
	if b.attempt("udp"); len(out.sent) != 0 {
		t.Fatal("sent without a window")
	}
	speak(f.hello("1.0.0"))
	for n := range 20 {
		before := len(out.sent)
		b.attempt("udp")
		if b.attempt("udp"); len(out.sent) != before+1 {
			t.Fatalf("%d sent after uplink %d", len(out.sent), n)
		}
		set, asked := f.take(out.sent[before])
		if !asked {
			t.Fatal("does not ask")
		}
		speak(f.status(set))
		if f.whole > 0 {
			break
		}
	}
	if d := b.downlink(); !bytes.Equal(f.message, message) || d.State != hub.DownlinkDelivered || d.Attempts != d.Fragments {
		t.Errorf("%d whole, %+v", f.whole, d)
	}
	// What one message carries goes in one.
	if rec, err := b.hub.SendMessage(t.Context(), "meter-1", hub.Message{Payload: make([]byte, 80), Link: "udp"}); err != nil || rec.Fragments != 0 {
		t.Errorf("%+v, %v", rec, err)
	}
}

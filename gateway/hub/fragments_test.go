package hub_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/gateway/store"
	"github.com/godwit-gateway/godwit/transports"
)

// say seals a message as a frame of its own.
func (d *device) say(plaintext []byte, ask uint8) []byte {
	d.t.Helper()
	item := d.seal(codec.MakeHeader(codec.KindExtended, 0, ask), d.next, plaintext)
	d.next++
	return item
}

// pieces cuts a message into plaintexts.
func pieces(t *testing.T, set uint8, message []byte, room int) [][]byte {
	t.Helper()
	s, err := codec.NewSplitter(set, message, room)
	if err != nil {
		t.Fatal(err)
	}
	var out [][]byte
	for i := range uint16(s.Fragments()) {
		p, err := s.AppendPlaintext(nil, i)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, p)
	}
	return out
}

// last is the newest event.
func (b *bench) last() store.Event {
	b.t.Helper()
	es := b.events()
	return es[len(es)-1]
}

func (b *bench) tells(kind string, texts ...string) {
	b.t.Helper()
	e := b.last()
	if !strings.HasSuffix(e.Subject, "."+kind) {
		b.t.Errorf("last event is %s, want %s: %s", e.Subject, kind, e.Payload)
	}
	for _, s := range texts {
		if !bytes.Contains(e.Payload, []byte(s)) {
			b.t.Errorf("event lacks %s: %s", s, e.Payload)
		}
	}
}

// A message in pieces comes out once, across crashes, out of order, with repeats; and it is what it would have been in one piece.
func TestFragmentsBecomeTheMessage(t *testing.T) {
	b := newBench(t)
	d := b.device(7)
	b.settled(b.udp(d.to(d.hello("1.0.0"))), transports.Stored)
	l := codec.StepLog{Rollout: 9}
	for range 60 {
		l.Steps = append(l.Steps, codec.StepEntry{Step: codec.StepDownloading, Code: codec.CodeStarted})
	}
	message, err := codec.AppendStepLog(nil, &l)
	if err != nil {
		t.Fatal(err)
	}
	p := pieces(t, 5, message, 40)
	if len(p) != 4 {
		t.Fatalf("%d pieces", len(p))
	}
	for n, i := range []int{2, 0, 2, 3} {
		b.settled(b.udp(d.to(d.say(p[i], 0))), transports.Stored)
		b.tells(hub.KindFragment, `"set":5,"index":`, `"of":4`, []string{`"kept"`, `"kept"`, `"duplicate"`, `"kept"`}[n])
		b.crash()
	}
	b.settled(b.udp(d.to(d.say(p[1], 0))), transports.Stored)
	b.tells(hub.KindStep, `"fragments":4`, `"rollout":9`, `"step":"downloading"`)
	counts, err := b.store.KeyCounts()
	if err != nil || counts["fragments"] != 1 {
		t.Errorf("%v, %v", counts, err)
	}
	b.crash()
	b.settled(b.udp(d.to(d.say(p[3], 0))), transports.Stored) // it came too late to be anything but a repeat
	b.tells(hub.KindFragment, `"duplicate"`)
	history, _, err := b.hub.History("dev-7", hub.HistoryQuery{Limit: 1})
	if err != nil || history[0].Kind != hub.KindFragment || !bytes.Contains(history[0].Data, []byte(`"index":3,"of":4`)) {
		t.Errorf("%+v, %v", history, err)
	}
	r, err := b.store.Check(t.Context(), store.CheckOptions{})
	if err != nil || r.Found > 0 {
		t.Error(err, r.Problems)
	}
}

// F-078: nobody can make the gateway put pieces together within pieces, or read a status of one.
func TestFragmentsWithinFragmentsStayRaw(t *testing.T) {
	b := newBench(t)
	d := b.device(7)
	b.settled(b.udp(d.to(d.hello("1.0.0"))), transports.Stored)
	for set, inner := range [][]byte{pieces(t, 1, bytes.Repeat([]byte{3}, 200), 150)[0], {byte(codec.MessageFragmentStatus), 1, 2, 60: 1}} {
		for _, p := range pieces(t, uint8(set), inner, 50) {
			b.settled(b.udp(d.to(d.say(p, 0))), transports.Stored)
		}
		b.tells(hub.KindRaw, `"fragments":`, `"plaintext":"0`)
	}
}

// F-075: what was not heard of for a day is gone, in memory and on disk, and another content under one name begins anew.
func TestFragmentsAreForgotten(t *testing.T) {
	b := newBench(t)
	d := b.device(7)
	b.settled(b.udp(d.to(d.hello("1.0.0"))), transports.Stored)
	p := pieces(t, 1, bytes.Repeat([]byte("\x03abc"), 40), 50)
	q := pieces(t, 1, bytes.Repeat([]byte("\x03def"), 40), 50)
	b.settled(b.udp(d.to(d.say(p[0], 0))), transports.Stored)
	b.settled(b.udp(d.to(d.say(p[1], 0))), transports.Stored)
	b.settled(b.udp(d.to(d.say(q[1], 0))), transports.Stored)
	b.crash()
	if counts, err := b.store.KeyCounts(); err != nil || counts["fragments"] != 1 {
		t.Errorf("%v, %v", counts, err)
	}
	b.clock.t = b.clock.t.Add(codec.FragmentTTL)
	if err := b.hub.RetainOnce(t.Context()); err != nil {
		t.Fatal(err)
	}
	if counts, err := b.store.KeyCounts(); err != nil || counts["fragments"] != 0 {
		t.Errorf("%v, %v", counts, err)
	}
	b.settled(b.udp(d.to(d.say(p[2], 0))), transports.Stored)
	b.tells(hub.KindFragment, `"have":1`)
}

// F-076: a fragment that asks is answered, once for several, with what is there when the answer leaves.
func TestFragmentStatusSaysWhatIsMissing(t *testing.T) {
	b := newBench(t)
	d := b.importOne(8)
	p := pieces(t, 4, bytes.Repeat([]byte("\x03abc"), 100), 60)
	for _, i := range []int{0, 3, 4} {
		b.settled(b.smsFrom(msisdn, d.say(p[i], 1)), transports.Stored)
	}
	b.clock.t = b.clock.t.Add(2 * time.Minute)
	b.crash()
	for range 3 {
		if _, err := b.hub.TransmitOnce(t.Context(), "sms"); err != nil {
			t.Fatal(err)
		}
	}
	if len(b.sms.sent) != 2 { // an acknowledgement and a status
		t.Fatalf("%d sent", len(b.sms.sent))
	}
	for _, down := range b.sms.sent {
		plaintext := d.open(down.Payload, 1)
		if plaintext == nil {
			continue // the acknowledgement
		}
		st, err := codec.DecodeFragmentStatus(plaintext[1:])
		if err != nil || plaintext[0] != byte(codec.MessageFragmentStatus) || st.Set != 4 || st.Missing != 1 || !st.Has(3) || !st.Has(4) || st.Has(2) {
			t.Errorf("%x: %+v, %v", plaintext, st, err)
		}
		return
	}
	t.Error("no status")
}

// open opens a sealed downlink; nil if it is an acknowledgement.
func (d *device) open(payload []byte, counter uint64) []byte {
	d.t.Helper()
	item, _, err := codec.NextItem(payload)
	if err != nil {
		d.t.Fatal(err)
	}
	sealed, err := codec.ParseSealed(item.Content, 16, 8)
	if err != nil {
		return nil
	}
	key := d.key
	down := codec.NewCipher(codec.DeriveSealKey(&key, nil, codec.LabelDown, d.number, 0))
	plaintext, err := down.Open(nil, &sealed, codec.Position{Direction: codec.Down, Number: d.number, Counter: counter})
	if err != nil {
		d.t.Fatal(err)
	}
	return plaintext
}

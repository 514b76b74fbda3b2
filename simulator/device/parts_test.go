package device_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/codec/session"
	"github.com/godwit-gateway/godwit/simulator/device"
)

// said is what the messages among some transmissions say, by type; each is acknowledged.
func (g *gateway) said(t *testing.T, d *device.Device, out []device.Transmission) map[codec.MessageType][][]byte {
	t.Helper()
	said := make(map[codec.MessageType][][]byte)
	for _, tx := range out {
		s, counter, plaintext := g.open(t, tx.Payload)
		g.seen.Accept(counter)
		if s.Header.Kind() == codec.KindExtended {
			kind := codec.MessageType(plaintext[0])
			said[kind] = append(said[kind], plaintext[1:])
		}
		if g.c.Stored {
			d.Taken(tx.Frame)
		} else if _, err := d.Receive(g.ack(counter, 0)); err != nil {
			t.Fatal(err)
		}
	}
	return said
}

// F-073, F-076: a message in fragments of which some are lost comes out whole, once, though the device loses power in between; and it says what
// is missing when it is asked.
func TestTakesFragmentsAcrossRestarts(t *testing.T) {
	c := config(t)
	d, g, s := boot(t, c, device.Memory{}, start), gateway{c: c}, teller{c: c}
	g.said(t, d, poll(t, d, start))
	message := append([]byte{byte(codec.MessageUser)}, bytes.Repeat([]byte("abc"), 100)...)
	p, err := session.NewParcel(9, message, 60)
	if err != nil {
		t.Fatal(err)
	}
	sent, whole := 0, 0
	for now := start; !p.Done(); now = now.Add(time.Minute) {
		index, last, ok := p.Next()
		if !ok {
			t.Fatal("the device said too little to go on")
		}
		p.Sent(index, last)
		b, err := p.AppendPlaintext(nil, index)
		if err != nil {
			t.Fatal(err)
		}
		if s.ask = 0; last {
			s.ask = 1
		}
		if sent++; sent == 3 || sent == 5 {
			s.counter++ // lost
			continue
		}
		if err := s.tell(t, d, b, nil); err != nil {
			t.Fatal(err)
		}
		statuses := g.said(t, d, poll(t, d, now))[codec.MessageFragmentStatus]
		if last != (len(statuses) == 1) {
			t.Fatalf("%d statuses, asked %t", len(statuses), last)
		}
		for _, text := range statuses {
			st, err := codec.DecodeFragmentStatus(text)
			if err != nil || !p.Take(&st) {
				t.Fatal(err)
			}
		}
		whole += len(d.Messages())
		d = boot(t, c, d.Memory(), now)
	}
	if n, _ := p.Fragments(); sent != n+2 || whole != 1 {
		t.Errorf("%d sent for %d fragments, %d messages", sent, n, whole)
	}
	// The last one again, late: it is known.
	b, err := p.AppendPlaintext(nil, 0)
	if err := s.tell(t, d, b, err); err != nil {
		t.Fatal(err)
	}
	if poll(t, d, start.Add(time.Hour)); len(d.Messages()) != 0 {
		t.Error("took a message twice")
	}
}

// A command in fragments is obeyed; a rekey, and fragments, within fragments are not.
func TestObeysWhatCameInFragments(t *testing.T) {
	c := config(t)
	d, g, s := boot(t, c, device.Memory{}, start), gateway{c: c}, teller{c: c}
	g.said(t, d, poll(t, d, start))
	rekey, err := codec.AppendRekey(nil, &codec.Rekey{Epoch: 5})
	if err != nil {
		t.Fatal(err)
	}
	const more = 8 // even keys, which a device passes over
	request := []byte{byte(codec.MessageRequest), 0xa1 + more, 0x01, 0x02}
	for key := range byte(more) {
		request = append(request, 0x18, 30+2*key, 0x44, 1, 2, 3, 4)
	}
	for set, message := range [][]byte{rekey, request} {
		p, err := session.NewParcel(uint8(set), message, 16)
		if err != nil {
			t.Fatal(err)
		}
		for index, last, ok := p.Next(); ok; index, last, ok = p.Next() {
			p.Sent(index, last)
			b, err := p.AppendPlaintext(nil, index)
			if err := s.tell(t, d, b, err); err != nil {
				t.Fatal(err)
			}
		}
	}
	poll(t, d, start.Add(time.Second))
	if said := g.said(t, d, poll(t, d, start.Add(2*time.Second))); len(said[codec.MessageHello]) != 1 || d.Epoch() != 0 {
		t.Errorf("epoch %d, said %v", d.Epoch(), said)
	}
}

// Where frames are acknowledged each fragment is repeated until it is, and few are under way at a time.
func TestSendsLargeMessages(t *testing.T) {
	c := config(t)
	c.UplinkMax, c.Retry = 100, time.Second
	d, g := boot(t, c, device.Memory{}, start), gateway{c: c}
	text := bytes.Repeat([]byte("0123456789"), 100)
	if err := d.Tell(text); err != nil {
		t.Fatal(err)
	}
	if err := d.Tell([]byte("short")); err != nil {
		t.Fatal(err)
	}
	var far codec.Reassembler
	var got [][]byte
	frames := make(map[uint64]bool)
	now, n := start, 0
	for len(got) < 2 && now.Before(start.Add(10*time.Minute)) {
		out, _, err := d.Poll(now)
		if err != nil {
			t.Fatal(err)
		}
		under := 0
		for _, tx := range out {
			if len(tx.Payload) > c.UplinkMax {
				t.Fatalf("frame of %d bytes", len(tx.Payload))
			}
			if n++; n%3 == 0 {
				continue // lost
			}
			s, counter, plaintext := g.open(t, tx.Payload)
			g.seen.Accept(counter)
			if _, err := d.Receive(g.ack(counter, 0)); err != nil {
				t.Fatal(err)
			}
			if s.Header.Kind() != codec.KindExtended || frames[counter] {
				continue
			}
			frames[counter] = true
			switch codec.MessageType(plaintext[0]) {
			case codec.MessageFragment:
				under++
				f, err := codec.DecodeFragment(plaintext[1:])
				if err != nil {
					t.Fatal(err)
				}
				switch r := far.Add(now, &f); r.Outcome {
				case codec.FragmentComplete:
					got = append(got, r.Message[1:])
				case codec.FragmentKept:
				default:
					t.Fatalf("a fragment was %v", r.Outcome)
				}
			case codec.MessageUser:
				got = append(got, plaintext[1:])
			default:
			}
		}
		if under > 4 {
			t.Fatalf("%d fragments at once", under)
		}
		now = now.Add(time.Second)
	}
	if len(got) != 2 || !bytes.Equal(got[1], text) || string(got[0]) != "short" {
		t.Fatalf("got %d messages", len(got))
	}
}

// A link that keeps messages takes all fragments at once; the last one asks, and what the gateway lacks goes again.
func TestSendsLargeMessagesOverText(t *testing.T) {
	c := config(t)
	c.Stored = true
	d, g, s := boot(t, c, device.Memory{}, start), gateway{c: c}, teller{c: c}
	if err := d.Tell(bytes.Repeat([]byte("0123456789"), 40)); err != nil {
		t.Fatal(err)
	}
	fragments := g.said(t, d, poll(t, d, start))[codec.MessageFragment]
	if len(fragments) != 4 {
		t.Fatalf("%d fragments", len(fragments))
	}
	var far codec.Reassembler
	for i, b := range fragments {
		f, err := codec.DecodeFragment(b)
		if err != nil {
			t.Fatal(err)
		}
		if i != 1 {
			far.Add(start, &f)
		}
	}
	st := far.Status(1)
	b, err := codec.AppendFragmentStatus(nil, &st)
	if err := s.tell(t, d, b, err); err != nil {
		t.Fatal(err)
	}
	again := g.said(t, d, poll(t, d, start.Add(time.Second)))[codec.MessageFragment]
	if len(again) != 1 || !bytes.Equal(again[0], fragments[1]) {
		t.Errorf("%d fragments again", len(again))
	}
	for range 17 {
		err = d.Tell([]byte("x"))
	}
	if err == nil {
		t.Error("takes messages without end")
	}
}

package hub_test

import (
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/transports"
)

// Messages that became whole take no room from those that are under way, however many a sender has in a day.
func TestManyLongMessagesInOneDay(t *testing.T) {
	b := newBench(t)
	d := b.importOne(8)
	for n := range 140 {
		ps := split(d.message(200))
		ref := uint16(n % 256)
		b.settled(b.part(msisdn, ref, 2, 1, ps[0]), transports.Stored)
		b.settled(b.part(msisdn, ref, 2, 2, ps[1]), transports.Stored)
		b.clock.t = b.clock.t.Add(10 * time.Minute)
		if n == 70 {
			b.crash()
		}
	}
	if n := len(b.frames("meter-1")); n != 140 {
		t.Errorf("%d events of 140 messages", n)
	}
	if rows := b.quarantine(); len(rows) != 0 {
		t.Errorf("%d rows in the quarantine", len(rows))
	}
}

// Whoever forges the sender adds contents to a part. Those that came first were confirmed and stay; the rest goes to the quarantine.
func TestForgedPartsDoNotPushOutGenuineOnes(t *testing.T) {
	tests := []struct {
		name   string
		first  [][]byte // contents of part 1; nil stands for the genuine one
		event  bool
		stored int // rows in the quarantine after all is over
	}{
		{"genuine first", [][]byte{nil, {1}, {2}}, true, 2},
		{"genuine second", [][]byte{{1}, nil, {2}}, true, 2},
		{"genuine third", [][]byte{{1}, {2}, nil}, false, 4},
		{"many forged", [][]byte{nil, {1}, {2}, {3}, {4}, {5}}, true, 5},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t)
			d := b.importOne(8)
			ps := split(d.message(200))
			for _, content := range tt.first {
				if content == nil {
					content = ps[0]
				}
				b.part(msisdn, 5, 2, 1, content)
			}
			b.part(msisdn, 5, 2, 2, ps[1])
			if got := b.ids()["meter-1.0.0.0"] == 1; got != tt.event {
				t.Errorf("is an event: %v, want %v", got, tt.event)
			}
			b.clock.t = b.clock.t.Add(25 * time.Hour)
			if err := b.hub.RetainOnce(t.Context()); err != nil {
				t.Fatal(err)
			}
			if rows := b.quarantine(); len(rows) != tt.stored {
				t.Errorf("%d rows in the quarantine, want %d: %+v", len(rows), tt.stored, rows)
			}
		})
	}
}

// The third content of a part is tried before it is turned away: with all others at hand it may be the genuine one.
func TestThirdContentOfAPartCanBeTheGenuineOne(t *testing.T) {
	b := newBench(t)
	d := b.importOne(8)
	ps := split(d.message(200))
	b.settled(b.part(msisdn, 5, 2, 2, ps[1]), transports.Stored)
	b.settled(b.part(msisdn, 5, 2, 1, []byte{1}), transports.Stored)
	b.settled(b.part(msisdn, 5, 2, 1, []byte{2}), transports.Stored)
	b.settled(b.part(msisdn, 5, 2, 1, ps[0]), transports.Stored)
	if b.ids()["meter-1.0.0.0"] != 1 {
		t.Errorf("events %v", b.ids())
	}
}

// Two messages under one reference, whose parts come mixed, both become whole.
func TestMessagesOfOneReferenceBothBecomeWhole(t *testing.T) {
	b := newBench(t)
	d := b.importOne(8)
	one, two := split(d.message(200)), split(d.message(210))
	for _, p := range []struct {
		seq     uint8
		payload []byte
	}{{1, one[0]}, {1, two[0]}, {2, two[1]}, {2, one[1]}} {
		b.settled(b.part(msisdn, 5, 2, p.seq, p.payload), transports.Stored)
		b.crash()
	}
	if n := len(b.frames("meter-1")); n != 2 {
		t.Errorf("%d events, want 2: %v", n, b.ids())
	}
}

// quarantine returns all rows of the quarantine.
func (b *bench) quarantine() []hub.QuarantineRecord {
	b.t.Helper()
	rows, _, err := b.hub.Quarantine("", "", 1000)
	if err != nil {
		b.t.Fatal(err)
	}
	return rows
}

package hub_test

import (
	"encoding/binary"
	"fmt"
	"maps"
	"runtime"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/codec/session"
	"github.com/godwit-gateway/godwit/transports"
)

// heap is what is in use after a collection.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// A flood of forged joins writes no row, gets no answer, takes no memory, and does not keep the device from joining.
func TestFloodOfForgedJoins(t *testing.T) {
	requests := func(number func(n int) uint32, confirm bool) func(n int) []byte {
		return func(n int) []byte {
			key := [32]byte{0xbb}
			j := codec.Join{Number: number(n), Boot: uint32(n), Random: uint32(n)}
			if confirm {
				return codec.AppendJoinConfirm(nil, &key, j, codec.Nonce{1})
			}
			return codec.AppendJoinRequest(nil, &key, j)
		}
	}
	same := func(number uint32) func(int) uint32 { return func(int) uint32 { return number } }
	from := func(n int) string { return fmt.Sprintf("10.%d.%d.1:9", n/256, n%256) }
	one := func(int) string { return "198.51.100.1:9" }
	near := func(n int) string { return fmt.Sprintf("192.0.2.%d:9", n%256) }
	tests := []struct {
		name    string
		payload func(n int) []byte
		from    func(n int) string
		tried   int // of those from one place
	}{
		{"of the device, from one place", requests(same(7), false), one, 32},
		{"of the device, from its network", requests(same(7), false), near, 32},
		{"of the device, from many places", requests(same(7), false), from, 4096},
		{"confirmations of the device", requests(same(7), true), one, 32},
		{"of a number that nobody knows", requests(same(9), false), one, 32},
		{"of all numbers", requests(func(n int) uint32 { return uint32(n) + 10 }, false), one, 4096},
		{"confirmations of a number that nobody knows", requests(same(9), true), near, 32},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t)
			d := b.device(7)
			if s := b.udpFrom(own, d.to(d.hello("1.0.0"))); s != transports.Stored {
				t.Fatal(s)
			}
			rows, err := b.store.KeyCounts()
			if err != nil {
				t.Fatal(err)
			}
			events, before := len(b.events()), heap()
			for n := range 4096 {
				out := b.send(transports.Uplink{
					Transport: "udp", From: transports.Address{Bearer: transports.UDP, ID: tt.from(n)}, Payload: tt.payload(n),
					Window: transports.Window{ID: uint64(n) + 9, Until: b.clock.t.Add(time.Minute)},
				})
				if out.Settlement != transports.Rejected || len(out.Reply) != 0 {
					t.Fatalf("%s, answer %x", out.Settlement, out.Reply)
				}
			}
			if n := b.limited(); n != uint64(4096-tt.tried) {
				t.Errorf("%d were not tried, want %d", n, 4096-tt.tried)
			}
			now, err := b.store.KeyCounts()
			if err != nil || !maps.Equal(now, rows) || len(b.events()) != events {
				t.Errorf("rows %v, then %v; %d events, then %d; %v", rows, now, events, len(b.events()), err)
			}
			if grown := heap() - before; grown > 1<<20 {
				t.Errorf("%d bytes more in use", grown)
			}
			for number, place := range map[uint32]string{7: own, 9: own} {
				d := b.device(number)
				j, request := d.request(1, number)
				out := b.send(transports.Uplink{Transport: "udp", From: transports.Address{Bearer: transports.UDP, ID: place}, Payload: request})
				if number == 9 && len(out.Reply) == 0 && tt.from(0) == near(0) { // not heard of yet, it shares its network's limit: half a second later it is heard
					b.clock.t = b.clock.t.Add(500 * time.Millisecond)
					out = b.send(transports.Uplink{Transport: "udp", From: transports.Address{Bearer: transports.UDP, ID: place}, Payload: request})
				}
				f := d.said(out.Reply, j)
				if want := map[uint32]codec.ControlType{7: codec.ControlJoinAccept, 9: codec.ControlChallenge}[number]; f.Type != want {
					t.Errorf("device %d is answered with a %s", number, f.Type)
				}
			}
			if g := b.session("dev-7"); g.Role != session.Pending {
				t.Errorf("%+v", g)
			}
		})
	}
}

// Nothing that fails besides uses up what is tried of joins: they are the way back of a device that is not understood.
func TestForgedFramesDoNotStarveJoins(t *testing.T) {
	b := newBench(t)
	d := b.device(7)
	if s := b.udpFrom(own, d.to(d.hello("1.0.0"))); s != transports.Stored {
		t.Fatal(s)
	}
	bad := d.to(d.status(3.5))
	for n := range 100 {
		binary.BigEndian.PutUint32(bad[len(bad)-4:], uint32(n))
		b.udpFrom("198.51.100.1:9", bad)
	}
	if b.limited() == 0 {
		t.Fatal("all were tried")
	}
	j, request := d.request(1, 1)
	out := b.send(transports.Uplink{Transport: "udp", From: transports.Address{Bearer: transports.UDP, ID: "198.51.100.1:9"}, Payload: request})
	if f := d.said(out.Reply, j); f.Type != codec.ControlJoinAccept {
		t.Errorf("answered with a %s", f.Type)
	}
}

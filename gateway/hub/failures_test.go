package hub_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/gateway/store"
	"github.com/godwit-gateway/godwit/transports"
)

const own = "192.0.2.7:4000" // where the device is

func (b *bench) udpFrom(source string, payload []byte) transports.Settlement {
	b.t.Helper()
	return b.send(transports.Uplink{
		Transport: "udp", From: transports.Address{Bearer: transports.UDP, ID: source}, Payload: payload,
		Window: transports.Window{ID: 1, Until: b.clock.t.Add(time.Minute)},
	}).Settlement
}

// limited is how many payloads of the link were refused for the limit.
func (b *bench) limited() uint64 {
	b.t.Helper()
	for _, l := range b.hub.Links() {
		if l.Name == "udp" {
			return l.Rejected["limit"]
		}
	}
	b.t.Fatal("no link udp")
	return 0
}

// Whoever forges frames of a device uses up what is tried from its own place, not what the device needs.
func TestForgeriesDoNotStarveADevice(t *testing.T) {
	tests := []struct {
		name   string
		from   func(n int) string
		heard  string // from where the device speaks
		tried  int    // of 1,000 at once
		stored transports.Settlement
	}{
		{"from elsewhere", func(int) string { return "198.51.100.1:9" }, own, 32, transports.Stored},
		{"from the device's network", func(n int) string { return fmt.Sprintf("192.0.2.%d:9", n%256) }, own, 32, transports.Stored},
		{"from many networks", func(n int) string { return fmt.Sprintf("10.%d.%d.1:9", n/256, n%256) }, own, 1000, transports.Stored},
		{"from a /56", func(n int) string { return fmt.Sprintf("[2001:db8:0:%x::1]:9", n%256) }, own, 32, transports.Stored},
		{"to the place that the device moves to", func(int) string { return "198.51.100.1:9" }, "198.51.100.2:9", 32, transports.Rejected},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t)
			d := b.device(7)
			if s := b.udpFrom(own, d.to(d.hello("1.0.0"))); s != transports.Stored {
				t.Fatal(s)
			}
			bad := d.to(d.status(3.5))
			bad[len(bad)-1] ^= 1
			for n := range 1000 {
				if s := b.udpFrom(tt.from(n), bad); s != transports.Rejected {
					t.Fatal(s)
				}
			}
			if n := b.limited(); n != uint64(1000-tt.tried) {
				t.Errorf("%d were not tried, want %d", n, 1000-tt.tried)
			}
			frame := d.to(d.status(3.6))
			if s := b.udpFrom(tt.heard, frame); s != tt.stored {
				t.Errorf("the device's frame is %s, want %s", s, tt.stored)
			}
			b.clock.t = b.clock.t.Add(time.Second)
			b.udpFrom(tt.heard, frame)
			if _, ok, err := b.store.Frame(store.FrameKey{Number: 7, Counter: d.next - 1}); err != nil || !ok {
				t.Errorf("not heard a second later: %v", err)
			}
		})
	}
}

// After the day's limit of a place a sample is tried, so that what was only wrong for a while is heard at last.
func TestFailuresOfADayAreSampled(t *testing.T) {
	b := newBench(t)
	d := b.device(7)
	if s := b.udpFrom(own, d.to(d.hello("1.0.0"))); s != transports.Stored {
		t.Fatal(s)
	}
	bad := d.to(d.status(3.5))
	bad[len(bad)-1] ^= 1
	for range 2000 + 160 {
		b.udpFrom("198.51.100.1:9", bad)
		b.clock.t = b.clock.t.Add(time.Second)
	}
	if n := b.limited(); n != 150 {
		t.Errorf("%d were not tried, want 150 of 160", n)
	}
	b.clock.t = b.clock.t.Add(24 * time.Hour)
	b.udpFrom("198.51.100.1:9", bad)
	if n := b.limited(); n != 150 {
		t.Error("not tried on the next day")
	}
}

// Numbers that share a row with a device share it until the next start: nobody can choose them.
func TestRowsOfFailuresAreDrawn(t *testing.T) {
	from := transports.Address{Bearer: transports.UDP, ID: "198.51.100.1:9"}
	shared := func(seed byte, numbers []uint32) (same []uint32) {
		b := newBench(t)
		_ = b.store.Close()
		r := rand.New(rand.NewPCG(1, uint64(seed)))
		b.random = func(p []byte) {
			for i := range p {
				p[i] = byte(r.Uint32())
			}
		}
		b.open()
		want := hub.JoinRow(b.hub, from, 7)
		for _, n := range numbers {
			if hub.JoinRow(b.hub, from, n) == want {
				same = append(same, n)
			}
		}
		return same
	}
	all := make([]uint32, 200_000)
	for n := range all {
		all[n] = 1000 + uint32(n)
	}
	same := shared(1, all)
	if len(same) < 8 || len(same) > 60 { // of 8,192 rows
		t.Fatalf("%d share the row", len(same))
	}
	if again := shared(1, same); len(again) != len(same) {
		t.Errorf("%d of %d with the same seed", len(again), len(same))
	}
	if left := shared(2, same); len(left) > 1 {
		t.Errorf("%d of %d share it after a start", len(left), len(same))
	}
}

package hub_test

import (
	"fmt"
	"testing"

	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/transports"
)

// pendingBench is a bench where devices wait for approval.
func pendingBench(t *testing.T) *bench {
	t.Helper()
	b := newBench(t)
	_ = b.store.Close()
	b.register = fleet.RegisterPending
	b.open()
	return b
}

func (b *bench) approve(name string) {
	b.t.Helper()
	if _, err := b.hub.Approve(b.t.Context(), name, fleet.Approval{}); err != nil {
		b.t.Fatal(err)
	}
}

// What was taken of a device that waits for approval becomes events when it is let in, whatever its counters are and whatever it measured.
func TestApprovalReleasesAllThatWasTaken(t *testing.T) {
	tests := []struct {
		name    string
		first   uint64 // counter of the hello
		reading func(n int) float64
		sent    int
		restart int // after so many
	}{
		{"from the first counter on", 0, func(n int) float64 { return 2.6 + float64(n)/100 }, 30, -1},
		{"beyond what eight bits complete from nothing", 5000, func(n int) float64 { return 2.6 + float64(n)/100 }, 30, -1},
		{"one reading again and again", 0, func(int) float64 { return 3.6 }, 10, -1},
		{"more than is kept", 100, func(n int) float64 { return 2.6 + float64(n)/100 }, 200, -1},
		{"more than is kept, and a restart", 100, func(n int) float64 { return 2.6 + float64(n%200)/100 }, 300, 40},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := pendingBench(t)
			d := b.device(9)
			d.next = tt.first
			taken := []uint64{d.next}
			b.settled(b.smsFrom("+49170999", d.to(d.hello("1.0.0"))), transports.Quarantined)
			var refused [][]byte
			for n := range tt.sent {
				if n == tt.restart {
					b.crash()
				}
				counter := d.next
				frame := d.to(d.status(tt.reading(n)))
				switch s := b.smsFrom("+49170999", frame).Settlement; {
				case s == transports.Quarantined && len(refused) == 0:
					taken = append(taken, counter)
				case s == transports.Rejected:
					refused = append(refused, frame)
				default:
					t.Fatalf("frame %d is %s", n, s)
				}
			}
			if want := min(tt.sent+1, 64); len(taken) != want {
				t.Errorf("%d frames were taken, want %d", len(taken), want)
			}
			b.approve("dev-9")
			ids := b.ids()
			for _, c := range taken {
				if ids[fmt.Sprintf("dev-9.0.%d.0", c)] != 1 {
					t.Errorf("frame %d is lost", c)
				}
			}
			if rows := b.quarantine(); len(rows) != 0 {
				t.Errorf("%d rows are left", len(rows))
			}
			// What was refused was not confirmed: the device sends it again.
			for _, frame := range refused[max(0, len(refused)-60):] {
				b.settled(b.smsFrom("+49170999", frame), transports.Stored)
			}
			b.settled(b.smsFrom("+49170999", d.to(d.status(3.3))), transports.Stored)
			dev, err := b.hub.Device("dev-9")
			if err != nil || dev.Version != "1.0.0" {
				t.Errorf("%+v, %v", dev, err)
			}
		})
	}
}

// After an accepted loss a device that waits for approval has no frames kept that would be refused once it is let in, and is heard after that.
func TestAcceptedLossKeepsNothingForApproval(t *testing.T) {
	b := pendingBench(t)
	d := b.device(9)
	b.settled(b.smsFrom("+49170999", d.to(d.hello("1.0.0"))), transports.Quarantined)
	if !b.lose("today") {
		t.Fatal("no conclusions")
	}
	kept := len(b.quarantine())
	for n := range 70 {
		b.settled(b.udp(d.to(d.status(2.6+float64(n)/100))), transports.Rejected)
	}
	for _, l := range b.hub.Links() {
		if l.Name == "udp" && (l.Rejected["too_old"] != 70 || l.Rejected["pending"] != 0) {
			t.Errorf("rejected: %v", l.Rejected)
		}
	}
	for _, q := range b.quarantine()[kept:] {
		if q.Reason == hub.ReasonPending.String() {
			t.Errorf("kept: %+v", q)
		}
	}
	b.approve("dev-9")
	b.rejoin(d, 1)
	b.settled(b.udp(d.to(d.status(3.6))), transports.Stored)
}

// The limit holds across restarts, and a frame that is sent again is known.
func TestPendingFramesAreKnownAfterARestart(t *testing.T) {
	b := pendingBench(t)
	d := b.device(9)
	hello := d.to(d.hello("1.0.0"))
	b.settled(b.smsFrom("+49170999", hello), transports.Quarantined)
	for range 3 {
		b.crash()
		b.settled(b.smsFrom("+49170999", hello), transports.Duplicate)
	}
	for n := range 63 {
		b.settled(b.smsFrom("+49170999", d.to(d.status(2.6+float64(n)/100))), transports.Quarantined)
	}
	b.crash()
	b.settled(b.smsFrom("+49170999", d.to(d.status(3.6))), transports.Rejected)
	if rows := b.quarantine(); len(rows) != 64 {
		t.Errorf("%d rows, want 64", len(rows))
	}
}

// One commit may hold a frame and the approval of its device.
func TestFrameAndApprovalInOneBatch(t *testing.T) {
	b := pendingBench(t)
	d := b.device(9)
	b.settled(b.smsFrom("+49170999", d.to(d.hello("1.0.0"))), transports.Quarantined)
	frame := d.to(d.status(3.6))
	var out [1]transports.Verdict
	err := b.together(
		func() error {
			return b.hub.Uplinks(b.t.Context(), []transports.Uplink{{
				Transport: "udp", From: transports.Address{Bearer: transports.UDP, ID: "127.0.0.1:9"}, Payload: frame, ReceivedAt: b.clock.t,
			}}, out[:])
		},
		func() error {
			_, err := b.hub.Approve(b.t.Context(), "dev-9", fleet.Approval{})
			return err
		},
	)
	if err != nil {
		t.Fatal(err)
	}
	b.settled(out[0], transports.Quarantined)
	if n := len(b.frames("dev-9")); n != 2 {
		t.Errorf("%d events, want 2: %v", n, b.ids())
	}
	if rows := b.quarantine(); len(rows) != 0 {
		t.Errorf("%d rows are left", len(rows))
	}
}

// A row whose frame does not open is kept for people.
func TestReleaseKeepsWhatItCannotOpen(t *testing.T) {
	b := pendingBench(t)
	d := b.device(9)
	b.settled(b.smsFrom("+49170999", d.to(d.hello("1.0.0"))), transports.Quarantined)
	_ = b.store.Close()
	b.fleetKey = [32]byte{1} // the operator put another key in the file
	b.open()
	b.approve("dev-9")
	if rows := b.quarantine(); len(rows) != 1 {
		t.Errorf("%d rows, want 1", len(rows))
	}
}

// A frame that was kept of a link that is configured no more counts for no other one: it says nothing of the price of the first.
func TestReleaseOfALinkThatIsNoMore(t *testing.T) {
	b := byte50(t)
	_ = b.store.Close()
	b.register = fleet.RegisterPending
	b.open()
	d := b.device(9)
	b.settled(b.smsFrom("+49170999", d.to(d.hello("1.0.0"))), transports.Quarantined)
	rows, err := b.store.QuarantineOf(9, hub.ReasonPending.String(), 0, 1)
	if err != nil || len(rows) != 1 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	batch := b.store.NewBatch()
	batch.DeleteQuarantine(rows[0].Seq)
	rows[0].Link = "gone"
	batch.PutQuarantine(&rows[0])
	if err := b.store.Commit(batch); err != nil {
		t.Fatal(err)
	}
	b.crash()
	b.approve("dev-9")
	if _, prices := b.costs("hello"); len(b.told("hello")) != 1 || len(prices) != 0 || len(b.quarantine()) != 0 {
		t.Errorf("%v: %v, %d rows are left", b.told("hello"), prices, len(b.quarantine()))
	}
}

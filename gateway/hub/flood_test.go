package hub_test

import (
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/godwit-gateway/godwit/transports"
)

// TestBadFramesWriteNothing: a flood of frames that do not verify, from everywhere, does not write a byte, answer one, or keep out a frame of the
// device that they pretend to be.
func TestBadFramesWriteNothing(t *testing.T) {
	b := newBench(t)
	_ = b.store.Close()
	var writes atomic.Int64
	b.disk = errorfs.Wrap(vfs.NewCrashableMem(), errorfs.InjectorFunc(func(op errorfs.Op) error {
		switch op.Kind {
		case errorfs.OpFileWrite, errorfs.OpFileWriteAt, errorfs.OpFileSync, errorfs.OpFileSyncData, errorfs.OpFileSyncTo, errorfs.OpCreate:
			writes.Add(1)
		default:
		}
		return nil
	}))
	b.open()
	d := b.device(7)
	b.settled(b.udp(d.to(d.hello("1.0.0"))), transports.Stored)
	genuine := d.to(d.status(3.7))
	b.settled(b.udp(genuine), transports.Stored)
	rng := rand.New(rand.NewPCG(1, 2))
	bad := func() []byte {
		switch f := append([]byte(nil), genuine...); rng.IntN(3) {
		case 0:
			f[len(f)-1-rng.IntN(8)] ^= byte(1 + rng.IntN(255))
			return f
		case 1:
			return f[:rng.IntN(len(f))]
		default:
			f = make([]byte, rng.IntN(64))
			for i := range f {
				f[i] = byte(rng.Uint32())
			}
			return f
		}
	}
	const rounds, each = 20, 1000
	for round := range rounds {
		before, events := writes.Load(), b.store.DurableEvents()
		us, out := make([]transports.Uplink, 100), make([]transports.Verdict, 100)
		for range each / len(us) {
			for i := range us {
				from := transports.Address{Bearer: transports.UDP, ID: string(rune('a'+rng.IntN(26))) + ".example:9"}
				us[i] = transports.Uplink{Transport: "udp", From: from, Payload: bad(), ReceivedAt: b.clock.t}
			}
			if err := b.hub.Uplinks(t.Context(), us, out); err != nil {
				t.Fatal(err)
			}
			for i := range out {
				if out[i].Settlement != transports.Rejected || len(out[i].Reply) > 0 {
					t.Fatalf("%x is settled as %s, reply %x", us[i].Payload, out[i].Settlement, out[i].Reply)
				}
			}
			b.clock.t = b.clock.t.Add(10 * time.Millisecond)
		}
		if n := writes.Load() - before; n != 0 {
			t.Errorf("round %d: %d writes for %d bad frames", round, n, each)
		}
		if n := b.store.DurableEvents() - events; n != 0 {
			t.Errorf("round %d: %d events of bad frames", round, n)
		}
		if v := b.udp(d.to(d.status(3.7))); v.Settlement != transports.Stored || len(v.Reply) == 0 {
			t.Fatalf("round %d: a good frame is settled as %s, reply %x", round, v.Settlement, v.Reply)
		}
	}
}

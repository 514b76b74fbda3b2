package hub_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/godwit-gateway/godwit/gateway/store"
	"github.com/godwit-gateway/godwit/transports"
)

// image is the disk as a power failure at one moment would leave it, and what had been settled by then.
type image struct {
	what    string
	fs      *vfs.MemFS
	settled []store.FrameKey
}

// photographer takes images of a disk at every sync.
type photographer struct {
	mu      sync.Mutex
	fs      *vfs.MemFS
	rng     *rand.Rand
	settled []store.FrameKey
	images  []image
}

func (p *photographer) String() string { return "photographer" }

// MaybeError implements errorfs.Injector. It injects nothing.
func (p *photographer) MaybeError(op errorfs.Op) error {
	switch op.Kind {
	case errorfs.OpFileSync, errorfs.OpFileSyncData, errorfs.OpFileSyncTo:
	default:
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, percent := range []int{0, 50, 100} {
		p.images = append(p.images, image{
			what: fmt.Sprintf("sync %d, %d %% of the unsynced data kept", len(p.images)/3, percent),
			fs:   p.fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: percent, RNG: p.rng}), settled: append([]store.FrameKey(nil), p.settled...),
		})
	}
	return nil
}

// Power may fail at any sync and leave any part of what was not yet synced: what was settled is in the store and in the outbox, once.
func TestPowerLossAtEverySync(t *testing.T) {
	b := newBench(t)
	_ = b.store.Close()
	mem := vfs.NewCrashableMem()
	p := &photographer{fs: mem, rng: rand.New(rand.NewPCG(3, 4))}
	b.disk = errorfs.Wrap(mem, p)
	b.open()
	d, e := b.device(7), b.device(8)
	for n := range 40 {
		dev := d
		if n%2 == 1 {
			dev = e
		}
		counter := dev.next
		frame := dev.status(3.5)
		if counter == 0 {
			dev.next = 0
			frame = dev.hello("1.0.0")
		}
		b.settled(b.udp(dev.to(frame)), transports.Stored)
		p.mu.Lock()
		p.settled = append(p.settled, store.FrameKey{Number: dev.number, Counter: counter})
		p.mu.Unlock()
	}
	if len(p.images) < 3*40 {
		t.Fatalf("%d images of 40 batches", len(p.images))
	}
	_ = b.store.Close()
	for _, im := range p.images {
		if len(im.settled) == 0 {
			continue
		}
		b.disk = im.fs
		b.open()
		ids := b.ids()
		for _, k := range im.settled {
			if _, ok, err := b.store.Frame(k); err != nil || !ok {
				t.Errorf("%s: frame %+v is gone: %v", im.what, k, err)
			}
			if n := ids[fmt.Sprintf("dev-%d.0.%d.0", k.Number, k.Counter)]; n != 1 {
				t.Errorf("%s: %d events of frame %+v", im.what, n, k)
			}
		}
		if err := b.store.Close(); err != nil {
			t.Fatal(err)
		}
	}
	b.open()
}

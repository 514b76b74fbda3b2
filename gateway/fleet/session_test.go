package fleet_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/codec/session"
	"github.com/godwit-gateway/godwit/gateway/fleet"
)

// keysFit compares the keys at hand with those that the device key gives for the epochs of the session.
func keysFit(t *rapid.T, f *fleet.Fleet, i fleet.Index, dev *[32]byte, now time.Time) {
	g := f.Session(i)
	for tag, label := range map[uint8]codec.Label{8: codec.LabelUp8, 4: codec.LabelUp4} {
		if k, ok := f.UplinkKey(i, tag); !ok || k != codec.DeriveSealKey(dev, g.Current.SaltBytes(), label, 7, g.Current.Number) {
			t.Fatalf("key %s of epoch %d is another", label, g.Current.Number)
		}
		e, k := f.Second(i, tag)
		if (e != nil) != (g.Role != session.Alone) {
			t.Fatalf("second epoch %v, role %s", e, g.Role)
		}
		if e != nil && (e.Number != g.Second.Number || k != codec.DeriveSealKey(dev, g.Second.SaltBytes(), label, 7, g.Second.Number)) {
			t.Fatalf("key %s of epoch %d is another", label, g.Second.Number)
		}
	}
	if f.HasSecond(i, now) != g.Has(now) {
		t.Fatalf("second epoch to be tried: %t, want %t", f.HasSecond(i, now), g.Has(now))
	}
	for _, e := range []*session.Epoch{&g.Current, &g.Second} {
		if e == &g.Second && g.Role == session.Alone {
			continue
		}
		s, k := f.AckOf(i, e.Number)
		if s == nil || *s != e.Counters || *k != codec.DeriveAckKey(dev, e.SaltBytes(), 7, e.Number) {
			t.Fatalf("acknowledgements of epoch %d: %+v", e.Number, s)
		}
	}
}

// Whatever a session goes through, the keys at hand are those of its epochs, and a restart changes nothing.
func TestKeysFollowEpochs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := fleet.New()
		d := buoy(7)
		d.TagLen = 4
		i, err := f.Add(d)
		if err != nil {
			t.Fatal(err)
		}
		dev := [32]byte{5}
		f.SetKey(i, &dev)
		now := time.Unix(1_800_000_000, 0)
		for n := range rapid.IntRange(1, 30).Draw(t, "steps") {
			g := f.Session(i)
			key := &dev
			switch rapid.IntRange(0, 6).Draw(t, "step") {
			case 0:
				g.Rekey([session.SaltLen]byte{byte(n + 1)})
			case 1:
				g.Request(codec.Join{Number: 7, Boot: uint32(n), Random: 9}, codec.Nonce{byte(n)}, true, now)
			case 2:
				second := g.Has(now) && rapid.Bool().Draw(t, "second")
				g.Accept(second, uint64(n), now)
				key = nil // what was second is current now: no key is derived
			case 3:
				g.Lost(now)
				key = nil
			case 4:
				now = now.Add(time.Duration(rapid.IntRange(0, 400).Draw(t, "hours")) * time.Hour)
				f.Prune(now)
				continue
			case 5:
				again := fleet.New()
				j, err := again.Load(f.AppendRow(nil, i))
				if err != nil {
					t.Fatal(err)
				}
				again.SetKey(j, &dev)
				f, i = again, j
				continue
			default:
				f.Used(i, uint32(rapid.IntRange(0, 5).Draw(t, "epoch")), uint64(n), now)
				continue
			}
			f.SetSession(i, &g, key)
			if got := f.Session(i); got != g {
				t.Fatalf("set %+v, got %+v", g, got)
			}
			keysFit(t, f, i, &dev, now)
		}
		keysFit(t, f, i, &dev, now)
	})
}

func TestLostSpeaksOfAll(t *testing.T) {
	f := fleet.New()
	for n := range uint32(3) {
		mustAdd(t, f, buoy(n))
	}
	now := time.Unix(1_800_000_000, 0)
	f.Lost(now)
	n := 0
	for i := range f.All {
		n++
		if g := f.Session(i); g.Guard != 1_800_000_000 || !f.Head(i).Guarded {
			t.Errorf("%+v", g)
		}
		if n == 2 {
			break
		}
	}
	if n != 2 {
		t.Errorf("%d devices", n)
	}
}

// A device costs at most 400 bytes of memory, also one that is in its second year, with an epoch that has a salt.
func TestMemoryPerDevice(t *testing.T) {
	const devices = 100_000
	measure := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := measure()
	f := fleet.New()
	dev := [32]byte{1}
	for n := range uint32(devices) {
		d := fleet.Device{
			Number: n, Name: fmt.Sprintf("buoy-%d", n), Product: "buoy", Customer: "acme", State: fleet.Active, KeySource: fleet.KeyOwn, CTRBits: 16, TagLen: 8,
			Session: session.Gateway{Current: session.Epoch{Number: 1, Salt: [session.SaltLen]byte{1}}, Allocated: 1},
		}
		i, err := f.Add(d)
		if err != nil {
			t.Fatal(err)
		}
		if n < 10 {
			f.SetKey(i, &dev)
		}
	}
	each := (measure() - before) / devices
	t.Logf("%d bytes per device", each)
	if each > 400 {
		t.Errorf("%d bytes per device, want at most 400", each)
	}
	runtime.KeepAlive(f)
}

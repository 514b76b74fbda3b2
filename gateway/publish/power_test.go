package publish_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/gateway/publish"
	"github.com/godwit-gateway/godwit/gateway/publish/streammodel"
	"github.com/godwit-gateway/godwit/gateway/store"
	"github.com/godwit-gateway/godwit/transports"
)

// moment is what a failure of the power at one sync leaves: the gateway's disk, the stream, which has its own power, and what devices were told.
type moment struct {
	what    string
	fs      *vfs.MemFS
	stream  *streammodel.Stream
	settled int // payloads
}

// photographer takes images at every sync. Pebble also syncs beside, so it is in the way of whoever changes the stream.
type photographer struct {
	mu      sync.Mutex
	fs      *vfs.MemFS
	stream  *streammodel.Stream
	rng     *rand.Rand
	settled int
	moments []moment
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
		s := *p.stream
		s.State, s.IDs, s.Read = s.Copy(), maps.Clone(s.IDs), make(map[store.Chain]bool)
		p.moments = append(p.moments, moment{
			what: fmt.Sprintf("sync %d, %d %% of the unsynced data kept", len(p.moments)/3, percent),
			fs:   p.fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: percent, RNG: p.rng}), stream: &s, settled: p.settled,
		})
	}
	return nil
}

// posed is a stream that stands still while images are taken.
type posed struct {
	*streammodel.Stream
	p *photographer
}

func (s posed) Create(ctx context.Context, first uint64) error {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	return s.Stream.Create(ctx, first)
}

func (s posed) Publish(ctx context.Context, messages []publish.Message, last uint64) error {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	return s.Stream.Publish(ctx, messages, last)
}

// site is a whole gateway but for its links.
type site struct {
	machine

	hub *hub.Hub
}

func newSite(t *testing.T, fs vfs.FS, c *clock, stream *streammodel.Stream, as publish.Stream) *site {
	t.Helper()
	s := &site{machine: machine{clock: c, stream: stream, adopted: make(map[string]bool), safe: make(map[store.Chain]bool)}}
	var err error
	if s.store, err = store.Open(store.Options{Dir: "db", FS: fs, Log: quiet, Now: c.Now}); err != nil {
		t.Fatal(err)
	}
	kek, err := store.NewKEK(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	template, err := codec.NewTemplate(codec.Timing{}, []codec.Field{{ID: 1, Name: "battery", Unit: "V", Scale: codec.Decimal{Coef: 1, Exp: -2}, Width: 9}})
	if err != nil {
		t.Fatal(err)
	}
	s.hub, err = hub.New(hub.Options{
		Gateway: "gw1", Store: s.store, KEK: kek, Clock: c, Log: quiet, Inline: true, Links: []hub.Link{{Name: "udp", Bearer: transports.UDP}},
		FleetKeys: []fleet.FleetKey{{
			ID: "a", Key: [32]byte{42}, First: 1, Last: 9, Product: "buoy", Customer: "acme", Name: "dev-{number}", CTRBits: 8, TagLen: 8,
			Register: fleet.RegisterAuto, Template: fleet.TemplateHash(template.Hash()),
		}},
		Products: []hub.Product{{Name: "buoy", Template: template}},
	})
	if err != nil {
		t.Fatal(err)
	}
	adopt := func(ctx context.Context, events []publish.Message, whole bool) error {
		var known []hub.Published
		for _, e := range events {
			known = append(known, hub.Published{ID: e.ID, Frame: e.Frame, Payload: e.Payload})
		}
		return s.hub.Adopt(ctx, known, whole)
	}
	if s.p, err = publish.New(publish.Options{Store: s.store, Stream: as, Log: quiet, Now: c.Now, Adopt: adopt}); err != nil {
		t.Fatal(err)
	}
	return s
}

// take hands payloads to the hub as one batch.
func (s *site) take(t *testing.T, payloads [][]byte) {
	t.Helper()
	us, out := make([]transports.Uplink, len(payloads)), make([]transports.Verdict, len(payloads))
	for k, p := range payloads {
		us[k] = transports.Uplink{Transport: "udp", From: transports.Address{Bearer: transports.UDP, ID: "127.0.0.1:9"}, ReceivedAt: s.clock.Now(), Payload: p}
	}
	if err := s.hub.Uplinks(t.Context(), us, out); err != nil {
		t.Fatal(err)
	}
	for k := range out {
		if v := out[k].Settlement; v != transports.Stored && v != transports.Duplicate {
			t.Fatalf("payload %d is %s", k, v)
		}
	}
}

// traffic is n batches of payloads of two frames each, of four devices.
func traffic(t *testing.T, n uint64) (batches [][][]byte) {
	t.Helper()
	for n := range n {
		var batch [][]byte
		for number := uint32(1); number <= 4; number++ {
			key := codec.FleetDeviceKey([32]byte{42}, number)
			up := codec.NewCipher(codec.DeriveSealKey(&key, nil, codec.LabelUp8, number, 0))
			var payload []byte
			for c := 2 * n; c < 2*n+2; c++ {
				item, err := up.AppendSealed(nil, codec.MakeHeader(codec.KindExtended, 1, 0), codec.Position{Number: number, Counter: c}, 8, 8, words(t, c))
				if err != nil {
					t.Fatal(err)
				}
				payload = codec.AppendAddressed(payload, number, item)
			}
			batch = append(batch, payload)
		}
		batches = append(batches, batch)
	}
	return batches
}

// words is what a device says in its frame c.
func words(t *testing.T, c uint64) []byte {
	t.Helper()
	if c > 0 {
		return []byte{byte(codec.MessageUser), byte(c)}
	}
	hello, err := codec.AppendHello(nil, &codec.Hello{Version: "1.0.0", BootCount: 1})
	if err != nil {
		t.Fatal(err)
	}
	return hello
}

// Power may fail at any sync and leave any part of what was not yet synced, while events are on their way: what was settled is in the store, and on
// the stream exactly once, by the id that consumers go by.
func TestPowerLossOfAGateway(t *testing.T) {
	c := &clock{t: t0}
	mem := vfs.NewCrashableMem()
	p := &photographer{fs: mem, stream: streammodel.New(c.Now), rng: rand.New(rand.NewPCG(5, 6))}
	s := newSite(t, errorfs.Wrap(mem, p), c, p.stream, posed{p.stream, p})
	batches := traffic(t, 30)
	for n, batch := range batches {
		s.take(t, batch)
		p.mu.Lock()
		p.settled = n + 1
		p.mu.Unlock()
		c.add(11 * time.Second)
		switch n % 3 { // the stream is behind by up to two batches
		case 1:
			if _, err := s.p.PublishOnce(t.Context()); err != nil {
				t.Fatal(err)
			}
		case 2:
			if err := s.work(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := s.store.Close(); err != nil {
		t.Fatal(err)
	}
	if len(p.moments) < 3*len(batches) {
		t.Fatalf("%d images of %d batches", len(p.moments), len(batches))
	}
	published := 0
	for _, m := range p.moments {
		if m.settled == 0 {
			continue
		}
		if !survives(t, c, &m, batches) {
			t.Fatal(m.what)
		}
		if len(m.stream.Messages) > 0 {
			published++
		}
	}
	if published == 0 {
		t.Error("no image with events on the stream")
	}
}

// survives starts a gateway on what is left and lets the devices send again what they were not told of, and some that they were.
func survives(t *testing.T, c *clock, m *moment, batches [][][]byte) bool {
	t.Helper()
	s := newSite(t, m.fs, c, m.stream, m.stream)
	defer func() { _ = s.store.Close() }()
	if _, err := s.p.Reconcile(t.Context()); err != nil {
		t.Errorf("reconcile: %v", err)
		return false
	}
	s.heal(t)
	if !s.once(t, m.settled) {
		return false
	}
	again := batches[m.settled-1 : min(m.settled+1, len(batches))]
	for _, batch := range again {
		s.take(t, batch)
	}
	s.heal(t)
	s.check(t)
	return s.once(t, m.settled-1+len(again))
}

// once counts the frames of the first batches in the store and on the stream.
func (s *site) once(t *testing.T, batches int) bool {
	t.Helper()
	count := make(map[string]int)
	for _, seq := range slices.Sorted(maps.Keys(s.stream.Messages)) {
		var e struct{ ID string }
		if err := json.Unmarshal(s.stream.Messages[seq].Payload, &e); err != nil {
			t.Fatal(err)
		}
		count[e.ID]++
	}
	ok := true
	for number := uint32(1); number <= 4; number++ {
		for counter := range 2 * uint64(batches) {
			if _, found, err := s.store.Frame(store.FrameKey{Number: number, Counter: counter}); err != nil || !found {
				t.Errorf("frame %d of device %d is gone: %v", counter, number, err)
				ok = false
			}
			if n := count[fmt.Sprintf("dev-%d.0.%d.0", number, counter)]; n != 1 {
				t.Errorf("frame %d of device %d is on the stream %d times", counter, number, n)
				ok = false
			}
		}
	}
	return ok
}

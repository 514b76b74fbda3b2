package hub_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/gateway/store"
	"github.com/godwit-gateway/godwit/transports"
)

// fakeClock stands until it is moved.
type fakeClock struct {
	t    time.Time
	tick func() // when the time is asked for
}

func (c *fakeClock) Now() time.Time {
	if c.tick != nil {
		c.tick()
	}
	return c.t
}

// bench is a hub on a store in memory, driven by hand.
type bench struct {
	t        *testing.T
	fs       *vfs.MemFS
	disk     vfs.FS // what the store is opened on: fs, or a wrapper
	clock    *fakeClock
	hub      *hub.Hub
	store    *store.Store
	sms      *fakeTransport
	udpOut   transports.Transport // for downlinks over udp; nil if it only receives
	sbd      transports.Transport // a second paid link; nil: there is none
	template *codec.Template
	register fleet.Registration
	retain   hub.Retention
	byHand   hub.ByHand
	schedule hub.Schedule
	fleetKey [32]byte
	driven   bool // the test commits by itself
	noUDP    bool // the link udp is configured no more
	random   func([]byte)
	kek      byte         // of which the key-encryption key consists
	log      slog.Handler // of the hub; nil: nobody reads it
}

var fleetSecret = [32]byte{42}

func newTemplate(t testing.TB) *codec.Template {
	t.Helper()
	tm, err := codec.NewTemplate(codec.Timing{}, []codec.Field{
		{ID: 1, Name: "battery", Unit: "V", Scale: codec.Decimal{Coef: 1, Exp: -2}, Offset: 250, Width: 8},
		{ID: 2, Name: "temperature", Unit: "Cel", Scale: codec.Decimal{Coef: 1, Exp: -1}, Offset: -500, Width: 11},
	})
	if err != nil {
		t.Fatal(err)
	}
	return tm
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{
		t: t, fs: vfs.NewCrashableMem(), clock: &fakeClock{t: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}, template: newTemplate(t), fleetKey: fleetSecret,
		register: fleet.RegisterAuto, sms: &fakeTransport{}, retain: hub.Retention{Frames: 400 * 24 * time.Hour, Quarantine: 30 * 24 * time.Hour},
	}
	b.disk = b.fs
	b.open()
	t.Cleanup(func() { _ = b.store.Close() })
	return b
}

func (b *bench) open() {
	b.t.Helper()
	var err error
	b.store, err = store.Open(store.Options{Dir: "db", FS: b.disk, Log: slog.New(slog.DiscardHandler), Now: b.clock.Now})
	if err != nil {
		b.t.Fatal(err)
	}
	kek, err := store.NewKEK(bytes.Repeat([]byte{b.kek}, 32))
	if err != nil {
		b.t.Fatal(err)
	}
	if b.log == nil {
		b.log = slog.DiscardHandler
	}
	links := []hub.Link{
		{Name: "udp", Bearer: transports.UDP, Ack: hub.AckAlways, Transport: b.udpOut},
		{Name: "sms", Bearer: transports.SMS, Ack: hub.AckAsked, Metered: true, Transport: b.sms},
	}
	if b.noUDP {
		links = links[1:]
	}
	if b.sbd != nil {
		links = append(links, hub.Link{Name: "sbd", Bearer: transports.SBD, Ack: hub.AckAsked, Metered: true, Transport: b.sbd})
	}
	b.hub, err = hub.New(hub.Options{
		Gateway: "gw1", Store: b.store, KEK: kek, Clock: b.clock, Log: slog.New(b.log), Inline: !b.driven, Links: links,
		FleetKeys: []fleet.FleetKey{{
			ID: "a", Key: b.fleetKey, First: 1, Last: 1000, Product: "buoy", Customer: "acme", Name: "dev-{number}", CTRBits: 8, TagLen: 8,
			Register: b.register, Template: fleet.TemplateHash(b.template.Hash()),
		}},
		Products:  []hub.Product{{Name: "buoy", Template: b.template, Releases: map[uint8]string{1: "1.0.0", 2: "2.0.0"}}},
		Retention: b.retain, Random: b.random, Schedule: b.schedule, ByHand: b.byHand,
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

// crash brings the store back as a power failure would leave it: what was not synced is gone.
func (b *bench) crash() {
	b.t.Helper()
	fs := b.fs.CrashClone(vfs.CrashCloneCfg{})
	_ = b.store.Close()
	b.fs, b.disk = fs, fs
	b.open()
}

// send hands one payload to the hub as a driver does.
func (b *bench) send(u transports.Uplink) transports.Verdict {
	b.t.Helper()
	if u.ReceivedAt.IsZero() {
		u.ReceivedAt = b.clock.t
	}
	out := make([]transports.Verdict, 1)
	if err := b.hub.Uplinks(b.t.Context(), []transports.Uplink{u}, out); err != nil {
		b.t.Fatal(err)
	}
	return out[0]
}

func (b *bench) udp(payload []byte) transports.Verdict {
	b.t.Helper()
	return b.send(transports.Uplink{Transport: "udp", From: transports.Address{Bearer: transports.UDP, ID: "127.0.0.1:9"}, Payload: payload})
}

func (b *bench) smsFrom(from string, payload []byte) transports.Verdict {
	b.t.Helper()
	return b.send(transports.Uplink{Transport: "sms", From: transports.Address{Bearer: transports.SMS, ID: from}, Payload: payload})
}

func (b *bench) settled(got transports.Verdict, want transports.Settlement) {
	b.t.Helper()
	if got.Settlement != want {
		b.t.Fatalf("settled as %s, want %s", got.Settlement, want)
	}
}

// events returns the outbox.
func (b *bench) events() []store.Event {
	b.t.Helper()
	es, err := b.store.Outbox(nil, 1, 1_000_000, 1<<30)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, e := range es {
		if !json.Valid(e.Payload) {
			b.t.Fatalf("event %s is no JSON: %s", e.ID, e.Payload)
		}
	}
	return es
}

// kinds counts the events by the last token of their subject.
func (b *bench) ids() map[string]int {
	ids := make(map[string]int)
	for _, e := range b.events() {
		ids[e.ID]++
	}
	return ids
}

// together makes calls whose work is one commit, in their order.
func (b *bench) together(calls ...func() error) error {
	b.t.Helper()
	_ = b.store.Close()
	b.driven = true
	b.open()
	errs := make(chan error, len(calls))
	for n, call := range calls {
		go func() { errs <- call() }()
		for hub.Queued(b.hub) <= n {
			runtime.Gosched()
		}
	}
	if _, err := b.hub.CommitOnce(b.t.Context()); err != nil {
		return err
	}
	var all []error
	for range calls {
		all = append(all, <-errs)
	}
	return errors.Join(all...)
}

// frames returns the ids of the events of a device's frames.
func (b *bench) frames(name string) []string {
	b.t.Helper()
	var ids []string
	for _, e := range b.events() {
		if e.Frame != "" && strings.HasPrefix(e.ID, name+".") {
			ids = append(ids, e.ID)
		}
	}
	return ids
}

// device seals frames as firmware does.
type device struct {
	t       *testing.T
	number  uint32
	next    uint64
	tagLen  uint8
	up      *codec.Cipher
	ack     [32]byte
	tm      *codec.Template
	clock   *fakeClock
	key     [32]byte
	ctrBits uint8
	epoch   uint32
	salt    []byte
}

func (b *bench) device(number uint32) *device {
	return b.deviceWithKey(number, codec.FleetDeviceKey(fleetSecret, number), 8)
}

func (b *bench) deviceWithKey(number uint32, key [32]byte, tagLen uint8) *device {
	d := &device{t: b.t, number: number, tagLen: tagLen, tm: b.template, clock: b.clock, key: key, ctrBits: 8}
	label := codec.LabelUp8
	if tagLen == 4 {
		label = codec.LabelUp4
	}
	d.up = codec.NewCipher(codec.DeriveSealKey(&key, nil, label, number, 0))
	d.ack = codec.DeriveAckKey(&key, nil, number, 0)
	return d
}

func (d *device) seal(h codec.Header, counter uint64, plaintext []byte) []byte {
	d.t.Helper()
	item, err := d.up.AppendSealed(nil, h, codec.Position{Number: d.number, Epoch: d.epoch, Counter: counter}, d.ctrBits, d.tagLen, plaintext)
	if err != nil {
		d.t.Fatal(err)
	}
	return item
}

func (d *device) hello(version string) []byte {
	d.t.Helper()
	body, err := codec.AppendHello(nil, &codec.Hello{Version: version, BootCount: 1, FreeMemory: 1 << 20})
	if err != nil {
		d.t.Fatal(err)
	}
	item := d.seal(codec.MakeHeader(codec.KindExtended, 1, 0), d.next, body)
	d.next++
	return item
}

func (d *device) status(battery float64) []byte {
	d.t.Helper()
	f := d.tm.Fields()
	body, h, err := d.tm.AppendKeyframe(nil, 0, &codec.Status{
		Time: d.clock.t.Add(-time.Minute), ClockValid: true, Values: []codec.Value{f[0].Quantize(battery), f[1].Quantize(-3.5)},
	})
	if err != nil {
		d.t.Fatal(err)
	}
	item := d.seal(h, d.next, body)
	d.next++
	return item
}

func (d *device) to(item []byte) []byte { return codec.AppendAddressed(nil, d.number, item) }

func (d *device) acked(reply []byte, counter uint64) bool {
	d.t.Helper()
	item, _, err := codec.NextItem(reply)
	if err != nil {
		return false
	}
	f, err := codec.ParseAck(item.Content)
	if err != nil {
		return false
	}
	a, err := f.Verify(&d.ack, d.number, 0, d.next-1)
	return err == nil && a.Covers(counter)
}

// fakeTransport takes downlinks and says what it is told to.
type fakeTransport struct {
	sent   []transports.Downlink
	err    error
	silent bool                                       // it will not report
	hold   func(context.Context, transports.Downlink) // before the answer
}

func (f *fakeTransport) Name() string              { return "sms" }
func (f *fakeTransport) Bearer() transports.Bearer { return transports.SMS }
func (f *fakeTransport) Limits() transports.Limits {
	return transports.Limits{UplinkMax: 140, DownlinkMax: 140, PerMessage: 140}
}

func (f *fakeTransport) Run(ctx context.Context, _ transports.Sink) error { <-ctx.Done(); return nil }

func (f *fakeTransport) Send(ctx context.Context, d transports.Downlink) (transports.Receipt, error) {
	d.Payload = append([]byte(nil), d.Payload...)
	f.sent = append(f.sent, d)
	if f.hold != nil {
		f.hold(ctx, d)
	}
	if f.err != nil {
		return transports.Receipt{}, f.err
	}
	if f.silent {
		return transports.Receipt{Parts: 1}, nil
	}
	return transports.Receipt{Ref: "7", Parts: 1}, nil
}

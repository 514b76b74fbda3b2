package hub_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/transports"
)

// packer is a device that counts its statuses from earlier ones.
type packer struct {
	*device
	states map[uint64]*codec.State
	taken  time.Time
	volts  float64
}

func (b *bench) packer(number uint32) *packer {
	p := &packer{device: b.device(number), states: make(map[uint64]*codec.State), taken: b.clock.t, volts: 3.7}
	b.settled(b.udp(p.to(p.hello("1.0.0"))), transports.Stored)
	return p
}

func (p *packer) measure() codec.Status {
	f := p.tm.Fields()
	p.taken = p.taken.Add(time.Hour)
	p.volts += 0.01
	return codec.Status{Time: p.taken, ClockValid: true, Values: []codec.Value{f[0].Quantize(p.volts), f[1].Quantize(-3.5)}}
}

func (p *packer) keyframe() []byte {
	p.t.Helper()
	s := p.measure()
	body, h, err := p.tm.AppendKeyframe(nil, 0, &s)
	if err != nil {
		p.t.Fatal(err)
	}
	var after codec.State
	after.SetKeyframe(p.tm, &s)
	return p.frame(h, body, &after)
}

func (p *packer) delta(distance uint8) []byte {
	p.t.Helper()
	var at codec.State
	at.CopyFrom(p.states[p.next-uint64(distance)])
	s := p.measure()
	body, h, err := p.tm.AppendDelta(nil, 0, distance, &at, &s)
	if err != nil {
		p.t.Fatal(err)
	}
	return p.frame(h, body, &at)
}

func (p *packer) batch(distance uint8, n int) []byte {
	p.t.Helper()
	var at codec.State
	if distance > 0 {
		at.CopyFrom(p.states[p.next-uint64(distance)])
	}
	var list []codec.Status
	for range n {
		list = append(list, p.measure())
	}
	body, h, err := p.tm.AppendBatch(nil, 0, distance, &at, list)
	if err != nil {
		p.t.Fatal(err)
	}
	return p.frame(h, body, &at)
}

func (p *packer) frame(h codec.Header, body []byte, after *codec.State) []byte {
	p.states[p.next] = after
	item := p.to(p.seal(h, p.next, body))
	p.next++
	return item
}

// A frame of some bytes may hold 257 statuses, and a datagram 16 such frames. However many come at once, no commit takes all of what they become.
func TestCommitsOfBatchesAreBounded(t *testing.T) {
	b := newBench(t)
	p := b.packer(7)
	const datagrams, frames, each = 10, 16, 257
	us := make([]transports.Uplink, datagrams)
	for n := range us {
		us[n] = transports.Uplink{Transport: "udp", From: transports.Address{Bearer: transports.UDP, ID: "127.0.0.1:9"}, ReceivedAt: b.clock.t}
		for range frames {
			us[n].Payload = append(us[n].Payload, p.same(each)...)
		}
	}
	before, _, _ := b.hub.Commits().Snapshot()
	out := make([]transports.Verdict, len(us))
	if err := b.hub.Uplinks(t.Context(), us, out); err != nil {
		t.Fatal(err)
	}
	for _, v := range out {
		b.settled(v, transports.Stored)
	}
	if after, _, _ := b.hub.Commits().Snapshot(); after-before < 2 {
		t.Errorf("%d commits of datagrams of %d bytes", after-before, len(us[0].Payload))
	}
	events := uint64(0)
	for _, l := range b.hub.Links() {
		events += l.Events
	}
	if events < datagrams*frames*each || len(us[0].Payload) > 16*24 {
		t.Errorf("%d events of datagrams of %d bytes", events, len(us[0].Payload))
	}
}

// F-003, F-004: of a transmission 16 items are read, and none of one that is longer than a transmission may be.
func TestTransmissionsAreBounded(t *testing.T) {
	b := newBench(t)
	p := b.packer(7)
	var payload []byte
	for range 17 {
		payload = append(payload, p.keyframe()...)
	}
	b.settled(b.udp(payload), transports.Stored)
	if ids, _ := b.heard(7); len(ids) != 16 {
		t.Errorf("%d items were read", len(ids))
	}
	long := p.keyframe()
	long = append(long, bytes.Repeat([]byte{0xa0}, codec.TransmissionMax-len(long)+1)...)
	if v := b.udp(long); v.Settlement == transports.Stored {
		t.Error("a transmission of 65,537 bytes is read")
	}
	b.settled(b.udp(long[:codec.TransmissionMax]), transports.Stored)
}

// same is a batch of statuses which say nothing but that they are there.
func (p *packer) same(n int) []byte {
	p.t.Helper()
	var at codec.State
	list := make([]codec.Status, n)
	for i := range list {
		list[i].Values = make([]codec.Value, len(p.tm.Fields()))
	}
	body, h, err := p.tm.AppendBatch(nil, 0, 0, &at, list)
	if err != nil {
		p.t.Fatal(err)
	}
	return p.frame(h, body, &at)
}

// heard lists the battery voltages of a device's status events in the order of the outbox, by event id.
func (b *bench) heard(number uint32) (ids, volts []string) {
	b.t.Helper()
	for _, e := range b.events() {
		if !strings.HasPrefix(e.ID, fmt.Sprintf("dev-%d.", number)) {
			continue
		}
		var event struct {
			Type string
			Data struct {
				Fields map[string]struct{ Value json.Number }
			}
		}
		if err := json.Unmarshal(e.Payload, &event); err != nil {
			b.t.Fatal(err)
		}
		switch event.Type {
		case "io.godwit.status":
			ids, volts = append(ids, e.ID), append(volts, event.Data.Fields["battery"].Value.String())
		case "io.godwit.raw":
			ids, volts = append(ids, e.ID), append(volts, "raw")
		}
	}
	return ids, volts
}

func (b *bench) expect(number uint32, ids, volts string) {
	b.t.Helper()
	gotIDs, gotVolts := b.heard(number)
	if !slices.Equal(gotIDs, strings.Fields(ids)) || !slices.Equal(gotVolts, strings.Fields(volts)) {
		b.t.Fatalf("events %v with %v, want %s with %s", gotIDs, gotVolts, ids, volts)
	}
}

func TestDeltasAndBatchesBecomeEvents(t *testing.T) {
	b := newBench(t)
	p := b.packer(7)
	b.settled(b.udp(p.keyframe()), transports.Stored)
	b.settled(b.udp(p.delta(1)), transports.Stored)
	b.crash() // the state is on disk
	b.settled(b.udp(p.delta(1)), transports.Stored)
	b.settled(b.udp(p.delta(3)), transports.Stored)
	b.settled(b.udp(p.batch(2, 3)), transports.Stored)
	b.settled(b.udp(p.batch(0, 2)), transports.Stored)
	b.settled(b.udp(p.delta(2)), transports.Stored)
	b.expect(7, "dev-7.0.1.0 dev-7.0.2.0 dev-7.0.3.0 dev-7.0.4.0 dev-7.0.5.0 dev-7.0.5.1 dev-7.0.5.2 dev-7.0.6.0 dev-7.0.6.1 dev-7.0.7.0",
		"3.71 3.72 3.73 3.74 3.75 3.76 3.77 3.78 3.79 3.8")
	records, _, err := b.hub.History("dev-7", hub.HistoryQuery{})
	if err != nil || len(records) != 8 {
		t.Fatalf("%d records, %v", len(records), err)
	}
	for _, r := range records[:7] {
		if r.Kind != hub.KindStatus {
			t.Errorf("counter %d is %s: %s", r.Counter, r.Kind, r.Data)
		}
	}
	if data := string(records[2].Data); !strings.Contains(data, `"batch":[{"device_time":"`) || strings.Count(data, `"battery"`) != 3 {
		t.Errorf("batch: %s", data)
	}
}

// All frames of one commit: bases that the store does not show yet.
func TestDeltaOfTheSameBatch(t *testing.T) {
	b := newBench(t)
	p := b.packer(7)
	var us []transports.Uplink
	for _, frame := range [][]byte{p.keyframe(), p.delta(1), p.batch(1, 2), p.delta(2), p.delta(1)} {
		us = append(us, transports.Uplink{Transport: "udp", From: transports.Address{Bearer: transports.UDP, ID: "127.0.0.1:9"}, Payload: frame, ReceivedAt: b.clock.t})
	}
	us[1], us[4] = us[4], us[1] // the last comes before what it is counted from
	if err := b.hub.Uplinks(t.Context(), us, make([]transports.Verdict, len(us))); err != nil {
		t.Fatal(err)
	}
	b.expect(7, "dev-7.0.1.0 dev-7.0.2.0 dev-7.0.3.0 dev-7.0.3.1 dev-7.0.4.0 dev-7.0.5.0", "3.71 3.72 3.73 3.74 3.75 3.76")
}

// F-132: a frame that comes before its base is acknowledged, kept over a crash, and read when the base comes, and then those that wait for it.
func TestParkedUntilTheBaseComes(t *testing.T) {
	b := newBench(t)
	p := b.packer(7)
	b.settled(b.udp(p.keyframe()), transports.Stored)
	base, second, third := p.delta(1), p.delta(1), p.batch(1, 2)
	v := b.udp(third)
	b.settled(v, transports.Stored)
	if !p.acked(v.Reply, 4) {
		t.Error("a parked frame is not acknowledged")
	}
	b.settled(b.udp(second), transports.Stored)
	b.settled(b.udp(second), transports.Duplicate)
	b.expect(7, "dev-7.0.1.0", "3.71")
	b.crash()
	b.settled(b.udp(third), transports.Duplicate)
	b.settled(b.udp(base), transports.Stored)
	b.expect(7, "dev-7.0.1.0 dev-7.0.2.0 dev-7.0.3.0 dev-7.0.4.0 dev-7.0.4.1", "3.71 3.72 3.73 3.74 3.75")
	b.settled(b.udp(p.delta(1)), transports.Stored) // from the state that was known late
	b.crash()
	b.settled(b.udp(p.delta(2)), transports.Stored)
	b.expect(7, "dev-7.0.1.0 dev-7.0.2.0 dev-7.0.3.0 dev-7.0.4.0 dev-7.0.4.1 dev-7.0.5.0 dev-7.0.6.0", "3.71 3.72 3.73 3.74 3.75 3.76 3.77")
	if counts, err := b.store.KeyCounts(); err != nil || counts["parked"] != 0 {
		t.Errorf("%d rows still parked, %v", counts["parked"], err)
	}
}

// A frame whose base never comes was acknowledged, so it is published raw: at the limit of frames, and of time.
func TestParkedWithoutEndIsPublishedRaw(t *testing.T) {
	b := newBench(t)
	p := b.packer(7)
	b.settled(b.udp(p.keyframe()), transports.Stored)
	p.delta(1) // lost
	for range 65 {
		b.settled(b.udp(p.delta(1)), transports.Stored)
	}
	b.expect(7, "dev-7.0.1.0 dev-7.0.3.0", "3.71 raw")
	b.clock.t = b.clock.t.Add(8 * 24 * time.Hour)
	if err := b.hub.RetainOnce(t.Context()); err != nil {
		t.Fatal(err)
	}
	if ids, volts := b.heard(7); len(ids) != 66 || volts[65] != "raw" {
		t.Errorf("%d events, the last %s", len(ids), volts[len(volts)-1])
	}
	if counts, err := b.store.KeyCounts(); err != nil || counts["parked"] != 0 {
		t.Errorf("%d rows still parked, %v", counts["parked"], err)
	}
	b.settled(b.udp(p.keyframe()), transports.Stored)
}

// F-131: a status of another slot is no base: it may be of another template, by which it would say other things.
func TestBaseOfAnotherSlot(t *testing.T) {
	b := newBench(t)
	p := b.packer(7)
	s := p.measure()
	body, _, err := p.tm.AppendKeyframe(nil, 0, &s)
	if err != nil {
		t.Fatal(err)
	}
	var after codec.State
	after.SetKeyframe(p.tm, &s)
	b.settled(b.udp(p.frame(codec.MakeHeader(codec.KindKeyframe, 1, 0), body, &after)), transports.Stored)
	b.settled(b.udp(p.delta(1)), transports.Stored)
	b.crash()
	b.settled(b.udp(p.delta(1)), transports.Stored)
	b.settled(b.udp(p.keyframe()), transports.Stored)
	b.expect(7, "dev-7.0.1.0 dev-7.0.2.0 dev-7.0.3.0 dev-7.0.4.0", "raw raw raw 3.74")
}

// At the limit of all devices a device's next frame takes the place of its own oldest, and a device of which none waits gets no place.
func TestParkedOfAllDevicesAreBounded(t *testing.T) {
	b := newBench(t)
	p, q := b.packer(7), b.packer(8)
	for _, d := range []*packer{p, q} {
		b.settled(b.udp(d.keyframe()), transports.Stored)
		d.delta(1) // lost
	}
	hub.PretendParked(b.hub, hub.ParkedMax-1)
	b.settled(b.udp(p.delta(1)), transports.Stored)
	b.expect(7, "dev-7.0.1.0", "3.71")
	b.settled(b.udp(p.delta(1)), transports.Stored)
	b.expect(7, "dev-7.0.1.0 dev-7.0.3.0", "3.71 raw")
	b.settled(b.udp(q.delta(1)), transports.Stored)
	b.expect(8, "dev-8.0.1.0 dev-8.0.3.0", "3.71 raw")
	if n := b.hub.Parked(); n != hub.ParkedMax {
		t.Errorf("%d wait, want %d", n, hub.ParkedMax)
	}
	if counts, err := b.store.KeyCounts(); err != nil || counts["parked"] != 1 {
		t.Errorf("%d rows parked, %v", counts["parked"], err)
	}
}

// A frame waits for its base in its own epoch: one of the same counter in the next epoch is another.
func TestParkedFrameWaitsInItsEpoch(t *testing.T) {
	b := newBench(t)
	p := b.packer(7)
	b.settled(b.udp(p.keyframe()), transports.Stored)
	late := p.delta(1)
	b.settled(b.udp(p.delta(1)), transports.Stored)
	j, request := p.request(1, 9)
	v := b.udp(request)
	b.settled(v, transports.Stored)
	p.accepted(v.Reply, j)
	b.settled(b.udp(p.to(p.hello("1.0.0"))), transports.Stored)
	b.settled(b.udp(p.keyframe()), transports.Stored)
	b.settled(b.udp(p.keyframe()), transports.Stored) // its counter is that of the base in the epoch before
	b.expect(7, "dev-7.0.1.0 dev-7.1.1.0 dev-7.1.2.0", "3.71 3.74 3.75")
	b.settled(b.udp(late), transports.Stored)
	b.expect(7, "dev-7.0.1.0 dev-7.1.1.0 dev-7.1.2.0 dev-7.0.2.0 dev-7.0.3.0", "3.71 3.74 3.75 3.72 3.73")
}

// A device whose frames wait for a base that does not come is asked for a status that needs none: once, until more frames wait.
func TestParkedFramesAskForAKeyframe(t *testing.T) {
	b := newBench(t)
	_ = b.store.Close()
	b.udpOut = &fakeTransport{silent: true}
	b.open()
	p := b.packer(7)
	b.settled(b.udp(p.keyframe()), transports.Stored)
	p.delta(1) // lost
	requests := func(pass time.Duration) (n int) {
		t.Helper()
		b.clock.t = b.clock.t.Add(pass)
		if err := b.hub.RetainOnce(t.Context()); err != nil {
			t.Fatal(err)
		}
		list, err := b.hub.Downlinks("dev-7")
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range list {
			if d.Kind == "request" {
				n++
			}
		}
		return n
	}
	b.settled(b.udp(p.delta(1)), transports.Stored)
	if n := requests(9 * time.Minute); n != 0 {
		t.Errorf("%d requests while the base may be late", n)
	}
	if n := requests(2 * time.Minute); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
	if n := requests(time.Hour); n != 1 {
		t.Errorf("%d requests while one is under way", n)
	}
	b.settled(b.udp(p.keyframe()), transports.Stored)
	b.settled(b.udp(p.delta(1)), transports.Stored)
	if n := requests(25 * time.Hour); n != 1 {
		t.Errorf("%d requests after a whole status came", n)
	}
	p.delta(1) // lost
	b.settled(b.udp(p.delta(1)), transports.Stored)
	if n := requests(9 * time.Minute); n != 1 {
		t.Errorf("%d requests while the next base may be late", n)
	}
	if n := requests(time.Minute); n != 2 {
		t.Errorf("%d requests after another base was lost", n)
	}
}

// What is counted from a frame that is no status, or does not fit, is authentic and not understood.
func TestDeltaWithoutAStatusIsRaw(t *testing.T) {
	b := newBench(t)
	p := b.packer(7)
	b.settled(b.udp(p.keyframe()), transports.Stored)
	p.states[0] = p.states[1]
	fromHello := p.delta(2) // counted from the hello
	b.settled(b.udp(fromHello), transports.Stored)
	b.settled(b.udp(p.frame(codec.MakeHeader(codec.KindDelta, 0, 2), []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}, nil)), transports.Stored)
	b.settled(b.udp(p.frame(codec.MakeHeader(codec.KindDelta, 0, 7), []byte{31}, nil)), transports.Stored) // before the first counter
	b.expect(7, "dev-7.0.1.0 dev-7.0.2.0 dev-7.0.3.0 dev-7.0.4.0", "3.71 raw raw raw")
}

// A hello that was lost, and overtaken by statuses before it was sent again, counts all the same: it is of a boot that nobody has heard of.
func TestOvertakenHelloCounts(t *testing.T) {
	b := newBench(t)
	d := b.device(7)
	hello := d.to(d.hello("1.0.0"))
	b.settled(b.udp(d.to(d.status(3.7))), transports.Stored)
	b.settled(b.udp(hello), transports.Stored)
	if dev, err := b.hub.Device("dev-7"); err != nil || dev.Version != "1.0.0" {
		t.Errorf("version %q, %v", dev.Version, err)
	}
}

// A frame that comes late tells what was: the version that a newer one reported stays.
func TestLateFrameDoesNotTurnBackTheVersion(t *testing.T) {
	b := newBench(t)
	d := b.device(7)
	b.settled(b.udp(d.to(d.hello("1.0.0"))), transports.Stored)
	late := d.to(d.hello("1.0.0"))
	b.settled(b.udp(d.to(d.hello("2.0.0"))), transports.Stored)
	b.settled(b.udp(late), transports.Stored)
	if dev, err := b.hub.Device("dev-7"); err != nil || dev.Version != "2.0.0" {
		t.Errorf("version %s, %v", dev.Version, err)
	}
}

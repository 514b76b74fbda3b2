package hub_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/transports"
)

func TestFirstContactRegistersAndStatusBecomesOneEvent(t *testing.T) {
	b := newBench(t)
	d := b.device(7)
	v := b.udp(d.to(d.hello("1.0.0")))
	b.settled(v, transports.Stored)
	if !d.acked(v.Reply, 0) {
		t.Errorf("reply %x does not acknowledge the hello", v.Reply)
	}
	frame := d.to(d.status(3.71))
	v = b.udp(frame)
	b.settled(v, transports.Stored)
	if len(v.Reply) > len(frame)+8 || !d.acked(v.Reply, 1) {
		t.Errorf("reply %x", v.Reply)
	}
	b.settled(b.udp(frame), transports.Duplicate)
	ids := b.ids()
	if len(ids) != 3 || ids["gw1.g.1772366400000.1"] != 1 || ids["dev-7.0.0.0"] != 1 || ids["dev-7.0.1.0"] != 1 {
		t.Fatalf("events %v", ids)
	}
	var e struct {
		ID, Source, Type, Subject, Time string
		Data                            struct {
			Device, Link, Version string
			Counter               uint64
			DeviceTime            string `json:"device_time"`
			Fields                map[string]struct {
				Value json.Number
				Unit  string
			}
		}
	}
	last := b.events()[2]
	if err := json.Unmarshal(last.Payload, &e); err != nil {
		t.Fatal(err)
	}
	if last.Subject != "godwit.v1.gw1.event.acme.buoy.dev-7.status" || e.Type != "io.godwit.status" || e.Source != "/godwit/gw1" {
		t.Errorf("subject %s, event %+v", last.Subject, e)
	}
	if e.Data.Fields["battery"].Value != "3.71" || e.Data.Fields["temperature"].Value != "-3.5" || e.Data.Fields["battery"].Unit != "V" {
		t.Errorf("fields %+v", e.Data.Fields)
	}
	if e.Time != "2026-03-01T11:59:00.000Z" || e.Data.Version != "1.0.0" {
		t.Errorf("time %s, version %s", e.Time, e.Data.Version)
	}
	if !strings.HasPrefix(last.Frame, "7.0.1.") {
		t.Errorf("frame reference %q", last.Frame)
	}
}

func TestWhatIsSettledSurvivesPowerLoss(t *testing.T) {
	b := newBench(t)
	d := b.device(7)
	b.settled(b.udp(d.to(d.hello("1.0.0"))), transports.Stored)
	frame := d.to(d.status(3.71))
	b.settled(b.udp(frame), transports.Stored)
	before := b.ids()
	b.crash()
	if after := b.ids(); len(after) != len(before) {
		t.Fatalf("events %v, before %v", after, before)
	}
	b.settled(b.udp(frame), transports.Duplicate)
	dev, err := b.hub.Device("dev-7")
	if err != nil || dev.Frames != 2 || dev.Version != "1.0.0" {
		t.Errorf("device %+v, %v", dev, err)
	}
}

func TestForgedFramesLeaveNothing(t *testing.T) {
	b := newBench(t)
	d := b.device(7)
	b.settled(b.udp(d.to(d.hello("1.0.0"))), transports.Stored)
	frame := d.to(d.status(3.71))
	events := len(b.events())
	for bit := range 8 * len(frame) {
		forged := bytes.Clone(frame)
		forged[bit/8] ^= 1 << (bit % 8)
		b.clock.t = b.clock.t.Add(time.Second) // all are tried
		v := b.udp(forged)
		b.settled(v, transports.Rejected)
		if len(v.Reply) != 0 {
			t.Fatalf("bit %d: a reply to a forged frame", bit)
		}
	}
	for n := range frame {
		b.settled(b.udp(frame[:n]), transports.Rejected)
	}
	if n := len(b.events()); n != events {
		t.Errorf("%d events came of forged frames", n-events)
	}
	if rows, _, err := b.hub.Quarantine("", "", 10); err != nil || len(rows) != 0 {
		t.Errorf("stored %v, %v", rows, err)
	}
	if rows, _, err := b.hub.Quarantine("udp", "", 10); err != nil || len(rows) == 0 {
		t.Errorf("the ring is empty, %v", err)
	}
	b.settled(b.udp(frame), transports.Stored)
}

func TestCounterReuseIsAnAlarmAndChangesNothing(t *testing.T) {
	b := newBench(t)
	d := b.device(7)
	b.settled(b.udp(d.to(d.hello("1.0.0"))), transports.Stored)
	b.settled(b.udp(d.to(d.status(3.71))), transports.Stored)
	d.next--
	b.settled(b.udp(d.to(d.status(3.50))), transports.Quarantined)
	last := b.events()[len(b.events())-1]
	if !strings.HasSuffix(last.Subject, ".dev-7.log") || !bytes.Contains(last.Payload, []byte("counter_reuse")) {
		t.Errorf("last event %s %s", last.Subject, last.Payload)
	}
	if n := b.ids()["dev-7.0.1.0"]; n != 1 {
		t.Errorf("%d events of the frame", n)
	}
}

func TestPendingDeviceLosesNothing(t *testing.T) {
	b := newBench(t)
	_ = b.store.Close()
	b.register = fleet.RegisterPending
	b.fs = vfs.NewCrashableMem()
	b.disk = b.fs
	b.open()
	d := b.device(9)
	v := b.udp(d.to(d.hello("1.0.0")))
	b.settled(v, transports.Quarantined)
	if len(v.Reply) != 0 {
		t.Error("a pending device was acknowledged")
	}
	b.settled(b.udp(d.to(d.status(3.6))), transports.Quarantined)
	if b.ids()["dev-9.0.0.0"] != 0 {
		t.Error("a pending device made an event")
	}
	if _, err := b.hub.Approve(t.Context(), "dev-9", fleet.Approval{}); err != nil {
		t.Fatal(err)
	}
	ids := b.ids()
	if ids["dev-9.0.0.0"] != 1 || ids["dev-9.0.1.0"] != 1 {
		t.Errorf("events %v", ids)
	}
	if rows, _, err := b.hub.Quarantine("", "", 10); err != nil || len(rows) != 0 {
		t.Errorf("left in the quarantine: %v, %v", rows, err)
	}
}

func TestRejectedDeviceStaysOut(t *testing.T) {
	b := newBench(t)
	d := b.device(7)
	b.settled(b.udp(d.to(d.hello("1.0.0"))), transports.Stored)
	if _, err := b.hub.Reject(t.Context(), "dev-7", "stolen"); err != nil {
		t.Fatal(err)
	}
	b.crash()
	b.settled(b.udp(d.to(d.hello("1.0.0"))), transports.Rejected)
	if _, err := b.hub.Device("nobody"); !errors.Is(err, fleet.ErrUnknownDevice) {
		t.Errorf("%v, want ErrUnknownDevice", err)
	}
}

func TestSequenceTailAfterBadItemIsNotFatal(t *testing.T) {
	b := newBench(t)
	d := b.device(7)
	two := append(d.to(d.hello("1.0.0")), d.to(d.status(3.7))...)
	v := b.udp(append(two, 0xff, 0x00))
	b.settled(v, transports.Stored)
	if ids := b.ids(); ids["dev-7.0.0.0"] != 1 || ids["dev-7.0.1.0"] != 1 {
		t.Errorf("events %v", ids)
	}
}

func TestUnknownMessageIsKeptRaw(t *testing.T) {
	b := newBench(t)
	d := b.device(7)
	b.settled(b.udp(d.to(d.hello("1.0.0"))), transports.Stored)
	item := d.seal(codec.MakeHeader(codec.KindExtended, 0, 0), d.next, []byte{200, 1, 2, 3})
	d.next++
	b.settled(b.udp(d.to(item)), transports.Stored)
	last := b.events()[len(b.events())-1]
	if !strings.HasSuffix(last.Subject, ".raw") || !bytes.Contains(last.Payload, []byte("c8010203")) {
		t.Errorf("last event %s %s", last.Subject, last.Payload)
	}
	delta := d.seal(codec.MakeHeader(codec.KindDelta, 0, 1), d.next, []byte{0x20})
	d.next++
	b.settled(b.udp(d.to(delta)), transports.Stored)
}

func TestDuplicateAcksAreRateLimited(t *testing.T) {
	b := newBench(t)
	d := b.device(7)
	frame := d.to(d.hello("1.0.0"))
	u := transports.Uplink{
		Transport: "udp", From: transports.Address{Bearer: transports.UDP, ID: "10.0.0.1:5"}, Payload: frame,
		Window: transports.Window{ID: 1, Until: b.clock.t.Add(30 * time.Second)},
	}
	b.settled(b.send(u), transports.Stored)
	if v := b.send(u); v.Settlement != transports.Duplicate || len(v.Reply) == 0 {
		t.Errorf("the first repeat got %x", v.Reply)
	}
	if v := b.send(u); len(v.Reply) != 0 {
		t.Error("the second repeat within a second got a reply")
	}
	b.clock.t = b.clock.t.Add(2 * time.Second)
	other := u
	other.From.ID = "10.9.9.9:5"
	if v := b.send(other); len(v.Reply) != 0 {
		t.Error("a stranger's source got a reply within ten seconds")
	}
	if v := b.send(u); len(v.Reply) == 0 {
		t.Error("the device's own source got none after a second")
	}
}

// A device whose acknowledgement was lost with the gateway repeats its frame and gets another one, though the gateway that started again does
// not know where the device is.
func TestDuplicateIsAcknowledgedAfterCrash(t *testing.T) {
	b := newBench(t)
	d := b.device(7)
	frame := d.to(d.hello("1.0.0"))
	b.settled(b.udp(frame), transports.Stored)
	b.crash()
	if v := b.udp(frame); v.Settlement != transports.Duplicate || len(v.Reply) == 0 {
		t.Errorf("settled %v with reply %x, want an acknowledged duplicate", v.Settlement, v.Reply)
	}
}

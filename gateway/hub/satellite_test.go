package hub_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/transports"
)

// Where the network saw the device is part of its events, exactly.
func TestNetworkPosition(t *testing.T) {
	b := newBench(t)
	d := b.device(7)
	b.settled(b.smsFrom("+491700000001", d.to(d.hello("1.0.0"))), transports.Stored)
	if text := string(b.lastOf(hub.KindHello).Payload); strings.Contains(text, "network_position") {
		t.Errorf("a position that nobody gave: %s", text)
	}
	for _, c := range []struct {
		position transports.Position
		want     string
	}{
		{transports.Position{Known: true, Latitude: -43_520_000, Longitude: 172_600_000, Radius: 7000}, `{"latitude":-43.520000,"longitude":172.600000,"radius_m":7000}`},
		{transports.Position{Known: true, Latitude: 5, Longitude: -1_000_001}, `{"latitude":0.000005,"longitude":-1.000001,"radius_m":0}`},
		{transports.Position{Known: true, Latitude: -999_999, Longitude: -180_000_000, Radius: 1}, `{"latitude":-0.999999,"longitude":-180.000000,"radius_m":1}`},
	} {
		b.settled(b.send(transports.Uplink{
			Transport: "sms", From: transports.Address{Bearer: transports.SMS, ID: "+491700000001"}, Position: c.position, Payload: d.to(d.status(12)),
		}), transports.Stored)
		var e struct {
			Data struct {
				Position json.RawMessage `json:"network_position"`
			}
		}
		if err := json.Unmarshal(b.lastOf(hub.KindStatus).Payload, &e); err != nil || string(e.Data.Position) != c.want {
			t.Errorf("position %s, %v, want %s", e.Data.Position, err, c.want)
		}
	}
}

// Where the network saw a device is not lost while its frames wait, for a base or for an approval, nor with a crash meanwhile.
func TestPositionOfFramesThatWait(t *testing.T) {
	place := transports.Position{Known: true, Latitude: -43_520_000, Longitude: 172_600_000, Radius: 7000}
	const want = `"network_position":{"latitude":-43.520000,"longitude":172.600000,"radius_m":7000}`
	from := func(b *bench, payload []byte, p transports.Position) transports.Verdict {
		return b.send(transports.Uplink{Transport: "sms", From: transports.Address{Bearer: transports.SMS, ID: msisdn}, Position: p, Payload: payload})
	}
	told := func(b *bench, id string) {
		t.Helper()
		for _, e := range b.events() {
			if e.ID == id {
				if !strings.Contains(string(e.Payload), want) {
					t.Errorf("event %s", e.Payload)
				}
				return
			}
		}
		t.Errorf("there is no event %s", id)
	}
	b := newBench(t)
	p := b.packer(7)
	b.settled(b.udp(p.keyframe()), transports.Stored)
	base, parked := p.delta(1), p.delta(1)
	b.settled(from(b, parked, place), transports.Stored)
	b.crash()
	b.settled(from(b, base, transports.Position{}), transports.Stored)
	told(b, "dev-7.0.3.0")

	b = pendingBench(t)
	d := b.device(9)
	b.settled(from(b, d.to(d.hello("1.0.0")), place), transports.Quarantined)
	b.settled(from(b, d.to(d.status(3.6)), place), transports.Quarantined)
	b.crash()
	b.approve("dev-9")
	told(b, "dev-9.0.0.0")
	told(b, "dev-9.0.1.0")
}

// What the network lost is an alarm, with the frame that tells of it: once for a payload of several frames, and not again for a duplicate.
func TestMissingMessagesAreAnAlarm(t *testing.T) {
	b := newBench(t)
	d := b.device(7)
	b.settled(b.smsFrom("+491700000001", d.to(d.hello("1.0.0"))), transports.Stored)
	two := append(d.to(d.status(12)), d.to(d.status(13))...)
	u := transports.Uplink{Transport: "sms", From: transports.Address{Bearer: transports.SMS, ID: "+491700000001"}, Missing: 3, Payload: two}
	b.settled(b.send(u), transports.Stored)
	b.settled(b.send(u), transports.Duplicate)
	u.Payload = []byte{0x41, 0x00} // of nobody: nothing is written for it
	b.send(u)
	text := string(b.lastOf(hub.KindAlarm).Payload)
	if b.kind(hub.KindAlarm) != 1 || !strings.Contains(text, string(hub.AlarmMissing)) || !strings.Contains(text, `"message":"3 messages`) || !strings.Contains(text, `"counter":1`) {
		t.Errorf("%d alarms, the last is %s", b.kind(hub.KindAlarm), text)
	}
}

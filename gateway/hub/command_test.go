package hub_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/codec/session"
	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/transports"
)

// Steps and alarms are events of their own kinds, with the times that the device meant.
func TestStepsAndAlarmsAreEvents(t *testing.T) {
	b := newBench(t)
	d := b.device(7)
	b.settled(b.udp(d.to(d.hello("1.0.0"))), transports.Stored)
	made := b.clock.t.Add(-10 * time.Minute)
	steps, err := codec.AppendStepLog(nil, &codec.StepLog{
		Rollout: 17, HasClock: true, Clock: codec.ClockOf(made), Steps: []codec.StepEntry{
			{Step: codec.StepInstalling, Code: codec.CodeSuccess, Age: 5 * time.Minute}, {Step: codec.StepFailed, Code: 130, Age: 90 * 24 * time.Hour},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	b.settled(b.udp(d.to(d.say(steps, 0))), transports.Stored)
	b.tells(hub.KindStep, `"rollout":17`, `"device_time":"2026-03-01T11:50:00.000Z"`, `{"step":"installing","code":1,"at":"2026-03-01T11:45:00.000Z"}`,
		`"step":"failed","code":130`, `"or_earlier":true`, `"time":"2026-03-01T11:50:00.000Z"`)
	alarm, err := codec.AppendAlarm(nil, &codec.Alarm{
		Code: 42, Seconds: uint64(made.Unix()), Text: `bilge "2"`, Value: 12.5, Unknown: map[uint64]codec.RawMessage{9: {0xf5}},
	})
	if err != nil {
		t.Fatal(err)
	}
	b.settled(b.udp(d.to(d.say(alarm, 0))), transports.Stored)
	b.tells(hub.KindAlarm, `"level":"alarm","code":"device_alarm","alarm":42,"message":"bilge \"2\"","value":12.5,"device_time":"2026-03-01T11:50:00.000Z","key_9":"f5"`)
	over, err := codec.AppendAlarm(nil, &codec.Alarm{Code: 42, Value: int64(-3), Cleared: true})
	if err != nil {
		t.Fatal(err)
	}
	item := d.to(d.say(over, 0))
	dec, err := b.hub.DecodeFrame("", item)
	if err != nil || dec.Kind != hub.KindAlarm {
		t.Errorf("%+v, %v", dec, err)
	}
	b.settled(b.udp(item), transports.Stored)
	b.tells(hub.KindAlarm, `"level":"info"`, `"value":-3,"cleared":true`)
	b.settled(b.udp(d.to(d.say([]byte{4, 7}, 0))), transports.Stored)
	b.tells(hub.KindRaw, `"plaintext":"0407"`)
	history, _, err := b.hub.History("dev-7", hub.HistoryQuery{})
	if err != nil || len(history) != 5 || history[3].Kind != hub.KindStep || !history[3].DeviceTime.Equal(made) {
		t.Errorf("%+v, %v", history, err)
	}
}

// Each command leaves as the message that it is.
func TestCommandsLeaveSealed(t *testing.T) {
	b := newBench(t)
	d := b.importOne(8)
	b.settled(b.smsFrom(msisdn, d.status(3.7)), transports.Stored)
	want := []struct {
		command hub.Command
		kind    codec.MessageType
		check   func(body []byte) bool
	}{
		{hub.Command{Request: codec.RequestKeyframe | codec.RequestHello}, codec.MessageRequest, func(body []byte) bool {
			r, err := codec.DecodeRequest(body)
			return err == nil && r.What == 3
		}},
		{hub.Command{Sleep: &codec.Sleep{Seconds: 3600}}, codec.MessageSleep, func(body []byte) bool {
			s, err := codec.DecodeSleep(body)
			return err == nil && s.Seconds == 3600
		}},
		{hub.Command{Template: &hub.SlotTemplate{Slot: 1}}, codec.MessageTemplate, func(body []byte) bool {
			s, err := codec.DecodeTemplateSet(body)
			return err == nil && s.Slot == 1 && s.Hash == codec.TemplateHash(b.template.Hash())
		}},
		{hub.Command{Policy: &codec.Policy{Interval: 900}, Deadbands: map[string]uint32{"temperature": 5}}, codec.MessagePolicy, func(body []byte) bool {
			p, err := codec.DecodePolicy(body)
			return err == nil && p.Interval == 900 && len(p.Deadbands) == 1 && p.Deadbands[2] == 5
		}},
		{hub.Command{Offer: &codec.Offer{Rollout: 3, Reference: "https://x.example/3", Size: 9, Hash: make([]byte, 16)}}, codec.MessageOffer, func(body []byte) bool {
			o, err := codec.DecodeOffer(body)
			return err == nil && o.Rollout == 3 && o.Size == 9
		}},
		{hub.Command{Time: true, Link: "sms", TTL: time.Hour}, codec.MessageTime, func(body []byte) bool {
			s, err := codec.DecodeTime(body)
			return err == nil && s.Seconds == uint64(b.clock.t.Unix()) // when it left, not when it was queued
		}},
	}
	for _, w := range want {
		rec, err := b.hub.SendCommand(t.Context(), "meter-1", w.command)
		if err != nil || rec.State != hub.DownlinkQueued {
			t.Fatalf("%+v: %+v, %v", w.command, rec, err)
		}
	}
	b.clock.t = b.clock.t.Add(10 * time.Minute)
	b.crash()
	for i, w := range want {
		if _, err := b.hub.TransmitOnce(t.Context(), "sms"); err != nil || len(b.sms.sent) != i+1 {
			t.Fatalf("%d sent, %v", len(b.sms.sent), err)
		}
		plaintext := d.open(b.sms.sent[i].Payload, uint64(i)+1)
		if codec.MessageType(plaintext[0]) != w.kind || !w.check(plaintext[1:]) {
			t.Errorf("%+v left as %x", w.command, plaintext)
		}
	}
	b.crash() // the counter of the time was on disk before it left
	if rec, err := b.hub.SendCommand(t.Context(), "meter-1", hub.Command{Request: codec.RequestPoll}); err != nil || rec.Counter != 7 {
		t.Errorf("%+v, %v", rec, err)
	}
}

func TestCommandsRefuse(t *testing.T) {
	b := newBench(t)
	d := b.importOne(8)
	b.settled(b.smsFrom(msisdn, d.status(3.7)), transports.Stored)
	for name, c := range map[string]hub.Command{
		"nothing":  {},
		"two":      {Time: true, Request: 1},
		"offer":    {Offer: &codec.Offer{Rollout: 3}},
		"request":  {Request: 8},
		"slot":     {Template: &hub.SlotTemplate{Slot: 7}},
		"product":  {Template: &hub.SlotTemplate{Product: "ship"}},
		"deadband": {Policy: &codec.Policy{}, Deadbands: map[string]uint32{"depth": 1}},
		"policy":   {Policy: &codec.Policy{Quiet: []uint16{1}}},
		"too long": {Policy: &codec.Policy{Links: []string{string(make([]byte, 65))}}},
		"ttl":      {Time: true, TTL: 8 * 24 * time.Hour},
		"link":     {Time: true, Link: "pigeon"},
	} {
		if _, err := b.hub.SendCommand(t.Context(), "meter-1", c); !errors.Is(err, hub.ErrDownlink) {
			t.Errorf("%s: %v, want ErrDownlink", name, err)
		}
	}
	if list, err := b.hub.Downlinks("meter-1"); err != nil || len(list) != 0 {
		t.Errorf("%+v, %v", list, err)
	}
}

// A frame is decoded as the gateway would take it: by the device that it names, in any of its epochs, and known if its content is.
func TestDecodeFrame(t *testing.T) {
	b := newBench(t)
	d := b.device(7)
	b.settled(b.udp(d.to(d.hello("1.0.0"))), transports.Stored)
	lost, came := d.to(d.status(3.5)), d.to(d.status(3.6))
	b.settled(b.udp(came), transports.Stored)
	old := *d
	j, request := d.request(1, 9)
	v := b.udp(request)
	b.settled(v, transports.Stored)
	d.accepted(v.Reply, j)
	decode := func(what string, frame []byte, epoch uint32, counter uint64, known bool) {
		t.Helper()
		for _, ref := range []string{"", "dev-7", "7"} {
			dec, err := b.hub.DecodeFrame(ref, frame)
			if err != nil || dec.Number != 7 || dec.Epoch != epoch || dec.Counter != counter || dec.Known != known {
				t.Errorf("%s, device %q: %+v, %v", what, ref, dec, err)
			}
		}
	}
	decode("a frame that was lost", lost, 0, 1, false)
	decode("one that came", came, 0, 2, true)
	hello := d.to(d.hello("1.0.0"))
	decode("the first of the next epoch", hello, 1, 0, false)
	b.settled(b.udp(hello), transports.Stored)
	decode("one of the epoch before", old.to(old.status(3.7)), 0, 3, false)
	b.clock.t = b.clock.t.Add(session.Grace)
	if dec, err := b.hub.DecodeFrame("", came); err == nil {
		t.Errorf("one of the epoch before, after its grace: %+v", dec)
	}
	other := b.device(8)
	b.settled(b.udp(other.to(other.hello("1.0.0"))), transports.Stored)
	if dec, err := b.hub.DecodeFrame("dev-7", codec.AppendAddressed(nil, 8, d.status(3.8))); !errors.Is(err, hub.ErrFrame) {
		t.Errorf("a frame that names another device: %+v, %v", dec, err)
	}
}

// What the caller left out, and only the caller can know, is asked for.
func TestCommandsAskForWhatIsMissing(t *testing.T) {
	b := newBench(t)
	d := b.importOne(8)
	if _, err := b.hub.SendCommand(t.Context(), "meter-1", hub.Command{Time: true}); !errors.Is(err, hub.ErrDownlink) || !strings.Contains(err.Error(), "not heard on any link: name one") {
		t.Errorf("a device that was never heard: %v", err)
	}
	if _, err := b.hub.DecodeFrame("", d.status(3.7)); !errors.Is(err, hub.ErrFrame) || !strings.Contains(err.Error(), "name the device") {
		t.Errorf("a frame of no device: %v", err)
	}
}

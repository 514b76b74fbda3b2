package hub_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/gateway/rollout"
	"github.com/godwit-gateway/godwit/scheduler/core"
	"github.com/godwit-gateway/godwit/transports"
)

// A device that is not heard any more since it told that it installs an update is put down to that, and one without an update is not.
func TestSilenceIsPutDownToSomething(t *testing.T) {
	b := newBench(t)
	d := b.importOne(8)
	b.bySMS(d.hello("1.0.0"))
	other := b.device(7)
	for range 8 {
		b.settled(b.udp(other.to(other.status(3.7))), transports.Stored)
		b.bySMS(d.status(3.7))
	}
	b.release(1000)
	b.rolling(nil)
	b.bySMS(d.status(3.7))
	b.settled(b.udp(other.to(other.status(3.7))), transports.Stored)
	b.transmitSMS()
	o := d.offerIn(b.sms.sent[0], 1)
	b.bySMS(d.steps(o.Rollout, codec.StepAccepted, codec.StepInstalling, codec.StepRebooting))
	b.clock.t = b.clock.t.Add(10 * 24 * time.Hour)
	b.poll()
	list, _, err := b.hub.Silent("", "", 0)
	if err != nil || len(list) != 2 {
		t.Fatalf("silent: %+v, %v", list, err)
	}
	for _, s := range list {
		if want := s.Device == "meter-1"; (s.Cause.Cause == "update") != want || s.Probability <= 0 || s.Probability > 1 || len(s.Why) == 0 {
			t.Errorf("%s: put down to %s (%.3f), %q", s.Device, s.Cause.Cause, s.Probability, s.Why)
		}
	}
	if x := b.explained("meter-1"); x.Cause.Cause != "update" {
		t.Errorf("explained as %+v", x.Cause)
	}
	told := b.told(hub.KindSilent)
	if len(told) == 0 || told[0]["cause"] == nil {
		t.Errorf("events %v", told)
	}
}

// What is known of battery, card and link counts for each device of a rollout, in its list and its report, and outlasts a power failure.
func TestSilenceInARollout(t *testing.T) {
	for _, tt := range []struct {
		name  string
		volts func(n int) float64
		after func(b *bench)
		quiet time.Duration
		want  string
	}{
		{"battery", func(n int) float64 { return 4.4 - 0.1*float64(n) }, nil, 7 * time.Hour, "battery"},
		{"card", func(int) float64 { return 3.9 }, func(b *bench) {
			b.sms.err = &transports.SendError{Outcome: transports.Refused, Code: 30, Err: errors.New("unknown subscriber")}
			for range 2 {
				if _, err := b.hub.SendMessage(b.t.Context(), "meter-1", hub.Message{Payload: []byte("x")}); err != nil {
					b.t.Fatal(err)
				}
				b.transmitSMS()
			}
		}, 7 * time.Hour, "contract"},
		{"too large for the modem", func(int) float64 { return 3.9 }, func(b *bench) {
			b.sms.err = &transports.SendError{Outcome: transports.Refused, Code: -3, Err: transports.ErrTooLarge}
			for range 2 {
				if _, err := b.hub.SendMessage(b.t.Context(), "meter-1", hub.Message{Payload: []byte("x")}); err != nil {
					b.t.Fatal(err)
				}
				b.transmitSMS()
			}
		}, 7 * time.Hour, "late"},
		{"too large for the network", func(int) float64 { return 3.9 }, func(b *bench) {
			b.sms.err = &transports.SendError{Outcome: transports.Refused, Err: transports.ErrTooLarge}
			if _, err := b.hub.SendMessage(b.t.Context(), "meter-1", hub.Message{Payload: []byte("x")}); err != nil {
				b.t.Fatal(err)
			}
			b.transmitSMS()
		}, 7 * time.Hour, "late"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := priced(t)
			_ = b.store.Close()
			b.schedule.Core.Rules[0].Gauge = core.Gauge{Field: "battery", Empty: 3, Full: 4.4}
			b.open()
			d := b.importOne(8)
			b.bySMS(d.hello("1.0.0"))
			b.release(1000)
			id := b.rolling(nil)
			for n := range 14 {
				b.bySMS(d.status(tt.volts(n)))
				b.transmitSMS()
			}
			if s := b.stands("meter-1").Standing; s != rollout.Offered {
				t.Fatalf("it is %s", s)
			}
			if tt.after != nil {
				tt.after(b)
			}
			b.crash()
			b.clock.t = b.clock.t.Add(tt.quiet)
			b.poll()
			list, _, err := b.hub.RolloutDevices(id, hub.RolloutQuery{})
			if err != nil || len(list) != 1 {
				t.Fatalf("%+v, %v", list, err)
			}
			of, err := b.hub.UpdatesOf("meter-1")
			if err != nil {
				t.Fatal(err)
			}
			r, err := b.hub.RolloutReport(id)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range append(list, of...) {
				if v.Cause.Class.Label() != tt.want || v.Cause.Probability < 0.5 || len(v.Cause.Evidence) == 0 {
					t.Errorf("put down to %s (%.2f): %q", v.Cause.Class, v.Cause.Probability, v.Cause.Evidence)
				}
			}
			if r.Silent != 1 || r.Causes[tt.want] != 1 || !strings.Contains(r.Line, "1 of 1 that were sent an offer are silent: 1 ") {
				t.Errorf("%d silent, %v: %s", r.Silent, r.Causes, r.Line)
			}
		})
	}
}

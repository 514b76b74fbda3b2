package hub_test

import (
	"errors"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/gateway/fleet"
	"github.com/godwit-gateway/godwit/gateway/hub"
	"github.com/godwit-gateway/godwit/transports"
)

// Of a device that is retired nothing is taken and nothing more is sent to it, also after a power failure; approved, it goes on where it was.
func TestRetire(t *testing.T) {
	b := newBench(t)
	d := b.importOne(8)
	b.settled(b.udp(d.to(d.status(3.7))), transports.Stored)
	if _, err := b.hub.SendMessage(t.Context(), "meter-1", hub.Message{Payload: []byte{1}, Link: "sms"}); err != nil {
		t.Fatal(err)
	}
	got, err := b.hub.Retire(t.Context(), "meter-1", "sunk")
	if err != nil || got.State != fleet.Retired {
		t.Fatalf("%+v, %v", got, err)
	}
	if _, err := b.hub.Retire(t.Context(), "meter-1", ""); !errors.Is(err, fleet.ErrState) {
		t.Errorf("retired twice: %v", err)
	}
	b.crash()
	b.transmitSMS()
	if n := len(b.sms.sent); n != 0 {
		t.Errorf("%d messages to a retired device", n)
	}
	b.settled(b.udp(d.to(d.status(3.6))), transports.Rejected)
	if l := b.link("udp"); l.Rejected["state"] != 1 {
		t.Errorf("rejected: %v", l.Rejected)
	}
	if told := b.told("registered"); told[len(told)-1]["state"] != "retired" || told[len(told)-1]["how"] != "retired: sunk" {
		t.Errorf("events: %v", told)
	}
	b.clock.t = b.clock.t.Add(72 * time.Hour)
	if _, err := b.hub.ScheduleOnce(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s, _, err := b.hub.Silent("", "", 10); err != nil || len(s) != 0 {
		t.Errorf("silent: %+v, %v", s, err)
	}
	if _, err := b.hub.Approve(t.Context(), "meter-1", fleet.Approval{}); err != nil {
		t.Fatal(err)
	}
	b.settled(b.udp(d.to(d.status(3.5))), transports.Stored)
}

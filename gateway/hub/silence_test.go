package hub_test

import (
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/gateway/hub"
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
	if x, err := b.hub.Explain("meter-1"); err != nil || x.Cause.Cause != "update" {
		t.Errorf("explained as %+v, %v", x.Cause, err)
	}
	told := b.told(hub.KindSilent)
	if len(told) == 0 || told[0]["cause"] == nil {
		t.Errorf("events %v", told)
	}
}

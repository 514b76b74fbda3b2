//go:build e2e

package e2e_test

import (
	"context"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/gateway/failpoint"
	"github.com/godwit-gateway/godwit/simulator/peers/sbdterm"
)

// transceiver is the one beside the gateway. What is read and cleared is confirmed.
type transceiver struct {
	*mail

	modem *sbdterm.Modem
	down  chan sbdterm.MO
}

// withTransceiver adds a link to an Iridium transceiver to the gateway's configuration, and returns that.
func (s *site) withTransceiver(t *testing.T, o sbdterm.Options) *transceiver {
	t.Helper()
	s.add(t, "[link.sbd]\nkind = \"sbdmodem\"\ndevice = %q\nack = \"never\"\n", s.modem)
	c := &transceiver{mail: newMail(), down: make(chan sbdterm.MO, 64)}
	o.Path = s.modem
	o.OnSettled = func(m sbdterm.MT, as sbdterm.Outcome) { c.settle(m.ID, as == sbdterm.Cleared) }
	o.OnMO = func(m sbdterm.MO) { c.down <- m }
	var err error
	if c.modem, err = sbdterm.New(o); err != nil {
		t.Fatal(err)
	}
	c.stats = func() any { return c.modem.Stats() }
	c.deliver = func(ctx context.Context, id uint64, _ *device, payload []byte) error {
		return c.modem.Deliver(ctx, sbdterm.MT{ID: id, Payload: payload})
	}
	beside(t, "transceiver", c.modem.Run)
	return c
}

// The gateway is killed at random moments while messages come in through a transceiver, and when one is on disk and about to be cleared, with sessions that
// fail and ring alerts that cut in. A message that was cleared is one event, one that was not is read again, none is lost to a session, and what goes out goes
// out once.
func TestKillWithTransceiverLosesNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("kills a gateway many times")
	}
	s := newSite(t)
	c := s.withTransceiver(t, sbdterm.Options{
		Seed: 5, Session: sbdterm.Span{Least: time.Millisecond, Most: 20 * time.Millisecond}, Fail: 0.02, Ring: 10 * time.Millisecond,
		Register: time.Millisecond, Queue: 8,
	})
	devices := s.devices(t, 4, 13)
	gw := s.gateway(t)
	stop := c.feeding(t, devices)
	gw = s.killed(t, gw, &c.book, killing{
		times: kills(t, "GODWIT_SBD_KILLS", 1), each: 15, within: 60 * time.Millisecond, before: func() { c.modem.Interleave(5) }, state: c.stats,
	})
	gw.kill(t)
	s.killedAt(t, failpoint.Erasing, 3, nil)
	gw = s.gateway(t)
	c.kept(t, s, gw, stop())
	c.once(t, s, gw, devices[0])
}

// once has the operator send a message, and the gateway killed as soon as the network has it: it goes out once.
func (c *transceiver) once(t *testing.T, s *site, gw *process, d *device) {
	t.Helper()
	s.orders(t, "1", "sbd:300234010753371", "--new")
	select {
	case down := <-c.down:
		d.opens(t, down.Payload, "c0ffee")
	case <-time.After(60 * time.Second):
		t.Fatalf("nothing was sent; modem %+v\n%s", c.modem.Stats(), gw.out)
	}
	gw.kill(t)
	gw = s.gateway(t)
	if err := c.send(t.Context(), t, 1<<40, d, small); err != nil {
		t.Fatal(err)
	}
	until(t, 60*time.Second, "a session after the start", func() bool { return c.waiting() == 0 })
	if st := c.modem.Stats(); st.MOs != 1 || st.MO {
		t.Errorf("the network took %d messages, want 1; modem %+v\n%s", st.MOs, st, gw.out)
	}
}

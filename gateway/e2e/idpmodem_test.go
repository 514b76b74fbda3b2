//go:build e2e

package e2e_test

import (
	"context"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/gateway/failpoint"
	"github.com/godwit-gateway/godwit/simulator/peers/idpterm"
)

// terminal is the one beside the gateway. What is marked as read is confirmed.
type terminal struct {
	*mail
	*idpterm.Terminal

	out chan []byte // what left the terminal
}

// withTerminal adds a link to an IsatData Pro terminal to the gateway's configuration, and returns that.
func (s *site) withTerminal(t *testing.T, o idpterm.Options) *terminal {
	t.Helper()
	s.add(t, "[link.idp]\nkind = \"idpmodem\"\ndevice = %q\nbaud = 115200\npoll = \"1s\"\nack = \"never\"\n", s.modem)
	c := &terminal{mail: newMail(), out: make(chan []byte, 64)}
	o.Path = s.modem
	o.OnSettled = func(m idpterm.Forward, _ idpterm.Outcome) { c.settle(m.ID, true) }
	o.OnReturn = func(r idpterm.Return) { c.out <- r.Message[2:] }
	var err error
	if c.Terminal, err = idpterm.New(o); err != nil {
		t.Fatal(err)
	}
	c.ahead = 12
	c.stats = func() any { return c.Stats() }
	c.deliver = func(ctx context.Context, id uint64, _ *device, payload []byte) error {
		return c.Deliver(ctx, idpterm.Forward{ID: id, Message: append([]byte{128, 1}, payload...)})
	}
	beside(t, "terminal", c.Run)
	return c
}

// The gateway is killed at random moments while messages come in through a terminal, and when one is on disk and about to be marked as read, or, in a
// thorough run, just was. A message that was marked is one event, one that was not is read again, and what goes out goes out once, although the gateway is
// killed over it.
func TestKillWithTerminalLosesNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("kills a gateway many times")
	}
	s := newSite(t)
	c := s.withTerminal(t, idpterm.Options{Seed: 5, Faults: idpterm.Faults{Garble: 0.01, GarbleCommand: 0.01}, Up: idpterm.Span{Least: time.Hour, Most: time.Hour}})
	devices := s.devices(t, 4, 13)
	gw := s.gateway(t)
	stop := c.feeding(t, devices)
	gw = s.killed(t, gw, &c.book, killing{times: kills(t, "GODWIT_IDP_KILLS", 1), each: 15, within: 60 * time.Millisecond, state: c.stats})
	gw.kill(t)
	s.killedAt(t, failpoint.Erasing, 3, nil)
	if thorough() { // the short run has the other point
		s.killedAt(t, failpoint.Erased, 2, nil)
	}
	gw = s.gateway(t)
	c.kept(t, s, gw, stop())
	c.once(t, s, gw, devices[0])
}

// once has the operator send a message, and the gateway killed while the terminal has it: it goes out once, and is cleared away.
func (c *terminal) once(t *testing.T, s *site, gw *process, d *device) {
	t.Helper()
	s.orders(t, "1", "idp:01234567SKYABCD", "--new")
	if !eventually(60*time.Second, func() bool { return len(c.Waiting()) > 0 }) {
		t.Fatalf("nothing was sent; terminal %+v\n%s", c.Stats(), gw.out)
	}
	gw.kill(t)
	gw = s.gateway(t)
	if err := c.send(t.Context(), t, 1<<40, d, small); err != nil {
		t.Fatal(err)
	}
	until(t, 60*time.Second, "a message after the start", func() bool { return c.waiting() == 0 })
	for _, name := range c.Waiting() {
		c.Finish(name, idpterm.FateDelivered)
	}
	if !eventually(60*time.Second, func() bool { return c.Stats().Returns == 0 }) {
		t.Fatalf("it is not cleared away; terminal %+v\n%s", c.Stats(), gw.out)
	}
	if len(c.out) != 1 || c.Stats().Submitted != 1 {
		t.Errorf("%d messages left, want 1; terminal %+v\n%s", len(c.out), c.Stats(), gw.out)
	} else {
		d.opens(t, <-c.out, "c0ffee")
	}
}

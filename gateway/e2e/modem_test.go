//go:build e2e

package e2e_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/simulator/peers/atmodem"
)

// simcard is the modem beside the gateway. What is deleted from it is confirmed.
type simcard struct {
	*mail

	modem *atmodem.Modem
	down  chan atmodem.Submit
}

// withModem adds a link to a modem to the gateway's configuration, and returns that.
func (s *site) withModem(t *testing.T, o atmodem.Options) *simcard {
	t.Helper()
	s.add(t, "[link.sms]\nkind = \"smsmodem\"\ndevice = %q\nack = \"asked\"\nsweep = \"1s\"\n", s.modem)
	c := &simcard{mail: newMail(), down: make(chan atmodem.Submit, 64)}
	o.Path = s.modem
	o.OnSettled = func(m atmodem.Message, as atmodem.Outcome) { c.settle(m.ID, as == atmodem.OutcomeDeleted) }
	o.OnSubmit = func(s atmodem.Submit) {
		select {
		case c.down <- s:
		default:
		}
	}
	var err error
	if c.modem, err = atmodem.New(o); err != nil {
		t.Fatal(err)
	}
	c.stats = func() any { return c.modem.Stats() }
	c.deliver = func(ctx context.Context, id uint64, d *device, payload []byte) error {
		return c.modem.Deliver(ctx, atmodem.Message{ID: id, From: fmt.Sprintf("+49170%07d", d.number), Payload: payload})
	}
	beside(t, "modem", c.modem.Run)
	return c
}

// A modem that is unplugged in the middle of PDUs, reboots, talks out of turn, is busy, has little room, and brings parts twice and in any
// order, with a gateway that is killed: each message whose deletion the network saw is one event, and none is left behind.
func TestModemTroubleLosesNothing(t *testing.T) {
	s := newSite(t)
	card := s.withModem(t, atmodem.Options{
		SMSlots: 5, MESlots: 3, Seed: 11, Retry: 200 * time.Millisecond,
		Faults: atmodem.Faults{
			Reply: atmodem.Span{Least: time.Millisecond, Most: 10 * time.Millisecond}, URCInReply: 0.15, URCLost: 0.05, Garbage: 0.01, Busy: 0.02,
			Unplug: 0.006, Reboot: 0.003, PartTwice: 0.2, PartSwap: 0.3,
		},
	})
	gw := s.gateway(t)
	rng := rand.New(rand.NewPCG(5, 6))
	devices := s.devices(t, 6, 9)
	const messages = 50
	for id := range uint64(messages) {
		d := devices[rng.IntN(len(devices))]
		if err := card.send(t.Context(), t, 1+id, d, 20+rng.IntN(2)*rng.IntN(380)); err != nil {
			t.Fatal(err)
		}
		if id%20 == 19 {
			before := card.book.len()
			until(t, 60*time.Second, "messages to be read", func() bool { return card.book.len() >= min(before+10, int(id)) })
			gw.kill(t)
			gw = s.gateway(t)
		}
	}
	card.kept(t, s, gw, messages)
	if n := card.modem.Stats().Stored; n != 0 {
		t.Errorf("%d messages are left in the modem", n)
	}
}

// An operator's message reaches the device through the modem, and its delivery report comes back.
func TestMessageThroughModem(t *testing.T) {
	s := newSite(t)
	card := s.withModem(t, atmodem.Options{Seed: 3})
	gw := s.gateway(t)
	d := newDevice(t, 9, s.udp, 1)
	if err := card.send(t.Context(), t, 1, d, small); err != nil {
		t.Fatal(err)
	}
	until(t, 30*time.Second, "the hello to be read", func() bool { return card.book.len() == 1 })
	s.orders(t, "9", "sms:+491700000009")
	select {
	case down := <-card.down:
		if down.To != "+491700000009" {
			t.Errorf("sent to %s", down.To)
		}
		d.opens(t, down.Payload, "c0ffee")
	case <-time.After(60 * time.Second):
		t.Fatalf("nothing was sent\n%s", gw.out)
	}
	until(t, 30*time.Second, "the delivery report", func() bool {
		out, err := command(t, "message", "list", "9", "--config", s.config, "-o", "json")
		return err == nil && hasLine(out, `"state": "delivered"`)
	})
}

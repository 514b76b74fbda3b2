//go:build e2e

package e2e_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/codec"
	"github.com/godwit-gateway/godwit/simulator/peers/atmodem"
)

// withModem adds a link to the modem to the gateway's configuration.
func (s *site) withModem(t *testing.T) {
	t.Helper()
	s.edit(t, func(text string) string {
		return text + fmt.Sprintf("\n[link.sms]\nkind = \"smsmodem\"\ndevice = %q\nack = \"asked\"\nsweep = \"1s\"\n", s.modem)
	})
}

// simcard is the modem with what became of the messages that were sent to it.
type simcard struct {
	modem *atmodem.Modem
	book  ledger // deleted by the gateway: confirmed
	mu    sync.Mutex
	sent  map[uint64]sent // not settled
	lost  int
	down  chan atmodem.Submit
}

func newSimcard(t *testing.T, o atmodem.Options) *simcard {
	t.Helper()
	c := &simcard{sent: make(map[uint64]sent), down: make(chan atmodem.Submit, 64)}
	o.OnSettled = func(m atmodem.Message, out atmodem.Outcome) {
		c.mu.Lock()
		defer c.mu.Unlock()
		if out == atmodem.OutcomeDeleted {
			c.book.add(c.sent[m.ID])
		} else {
			c.lost++
		}
		delete(c.sent, m.ID)
	}
	o.OnSubmit = func(s atmodem.Submit) {
		select {
		case c.down <- s:
		default:
		}
	}
	m, err := atmodem.New(o)
	if err != nil {
		t.Fatal(err)
	}
	c.modem = m
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("modem: %v", err)
		}
	})
	return c
}

func (c *simcard) waiting() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.sent)
}

func (c *simcard) deliver(t *testing.T, id uint64, d *device, counter uint64, payload []byte) {
	t.Helper()
	c.mu.Lock()
	c.sent[id] = sent{d.number, counter}
	c.mu.Unlock()
	m := atmodem.Message{ID: id, From: fmt.Sprintf("+49170%07d", d.number), Payload: payload}
	if err := c.modem.Deliver(t.Context(), m); err != nil {
		t.Fatal(err)
	}
}

// long seals a message of n bytes, which takes several short messages if it is long.
func (d *device) long(t *testing.T, n int) (uint64, []byte) {
	t.Helper()
	if d.next == 0 {
		return d.frame(t)
	}
	counter := d.next
	d.next++
	body := make([]byte, n)
	for i := range body {
		body[i] = byte(d.rng.Uint32())
	}
	body[0] = byte(codec.MessageUser)
	item, err := d.cipher.AppendSealed(nil, codec.MakeHeader(codec.KindExtended, 0, 0), codec.Position{Number: d.number, Counter: counter}, 16, 8, body)
	if err != nil {
		t.Fatal(err)
	}
	return counter, codec.AppendAddressed(nil, d.number, item)
}

// A modem that is unplugged in the middle of PDUs, reboots, talks out of turn, is busy, has little room, and brings parts twice and in any
// order, with a gateway that is killed: each message whose deletion the network saw is one event, and none is left behind.
func TestModemTroubleLosesNothing(t *testing.T) {
	s := newSite(t)
	s.withModem(t)
	card := newSimcard(t, atmodem.Options{
		Path: s.modem, SMSlots: 5, MESlots: 3, Seed: 11, Retry: 200 * time.Millisecond,
		Faults: atmodem.Faults{
			Reply: atmodem.Span{Least: time.Millisecond, Most: 10 * time.Millisecond}, URCInReply: 0.15, URCLost: 0.05, Garbage: 0.01, Busy: 0.02,
			Unplug: 0.006, Reboot: 0.003, PartTwice: 0.2, PartSwap: 0.3,
		},
	})
	gw := s.gateway(t)
	rng := rand.New(rand.NewPCG(5, 6))
	var devices []*device
	for i := range uint32(6) {
		devices = append(devices, newDevice(t, 1+i, s.udp, 9))
	}
	const messages = 50
	for id := range uint64(messages) {
		d := devices[rng.IntN(len(devices))]
		counter, payload := d.long(t, 20+rng.IntN(2)*rng.IntN(380))
		card.deliver(t, 1+id, d, counter, payload)
		if id%20 == 19 {
			before := card.book.len()
			until(t, 60*time.Second, "messages to be read", func() bool { return card.book.len() >= min(before+10, int(id)) })
			gw.kill(t)
			gw = s.gateway(t)
		}
	}
	if !eventually(120*time.Second, func() bool { return card.waiting() == 0 }) {
		t.Fatalf("%d messages are still on their way; modem %+v\n%s", card.waiting(), card.modem.Stats(), gw.out)
	}
	t.Logf("%d messages confirmed, %d lost by the network; modem %+v", card.book.len(), card.lost, card.modem.Stats())
	if card.lost != 0 || card.book.len() != messages {
		t.Errorf("%d messages confirmed and %d lost, want %d confirmed", card.book.len(), card.lost, messages)
	}
	s.exactlyOnce(t, card.book.acked)
	if n := card.modem.Stats().Stored; n != 0 {
		t.Errorf("%d messages are left in the modem", n)
	}
}

// An operator's message reaches the device through the modem, and its delivery report comes back.
func TestMessageThroughModem(t *testing.T) {
	s := newSite(t)
	s.withModem(t)
	card := newSimcard(t, atmodem.Options{Path: s.modem, Seed: 3})
	gw := s.gateway(t)
	d := newDevice(t, 9, s.udp, 1)
	counter, payload := d.frame(t)
	card.deliver(t, 1, d, counter, payload)
	until(t, 30*time.Second, "the hello to be read", func() bool { return card.book.len() == 1 })
	if out, err := command(t, "device", "address", "9", "sms:+491700000009", "--config", s.config); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if out, err := command(t, "message", "send", "9", "--hex", "c0ffee", "--config", s.config); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
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

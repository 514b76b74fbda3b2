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

// feed has the devices send messages, every third of them in several parts, until ctx is done. It returns how many the network took.
func (c *simcard) feed(ctx context.Context, t *testing.T, devices []*device, rng *rand.Rand) int {
	t.Helper()
	for id := uint64(1); ; id++ {
		d := devices[rng.IntN(len(devices))]
		size := 20
		if id%3 == 0 {
			size = 150 + rng.IntN(250)
		}
		counter, payload := d.long(t, size)
		c.mu.Lock()
		c.sent[id] = sent{d.number, counter}
		c.mu.Unlock()
		m := atmodem.Message{ID: id, From: fmt.Sprintf("+49170%07d", d.number), Payload: payload}
		if err := c.modem.Deliver(ctx, m); err != nil {
			if ctx.Err() == nil {
				t.Errorf("service centre: %v", err)
			}
			c.mu.Lock()
			delete(c.sent, id)
			c.mu.Unlock()
			return int(id) - 1
		}
	}
}

// The gateway is killed at random moments while messages come in through a modem without a pause, be it between listing and commit, between commit
// and +CMGD or within the parts of a long message. A message that was deleted from the modem is one event, one that was not is read again, and none is left.
func TestKillWithModemLosesNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("kills a gateway many times")
	}
	s := newSite(t)
	s.withModem(t)
	card := newSimcard(t, atmodem.Options{
		Path: s.modem, SMSlots: 10, MESlots: 10, Seed: 21, Retry: 100 * time.Millisecond, Queue: 8,
		Faults: atmodem.Faults{
			Reply: atmodem.Span{Least: time.Millisecond, Most: 8 * time.Millisecond}, URCInReply: 0.1, URCLost: 0.05, PartTwice: 0.1, PartSwap: 0.2,
		},
	})
	var devices []*device
	for i := range uint32(8) {
		devices = append(devices, newDevice(t, 1+i, s.udp, 13))
	}
	gw := s.gateway(t)
	times, rng := kills(t, "GODWIT_SMS_KILLS", 10), rand.New(rand.NewPCG(7, 8))
	ctx, stop := context.WithCancel(t.Context())
	taken := make(chan int, 1)
	go func() { taken <- card.feed(ctx, t, devices, rand.New(rand.NewPCG(9, 10))) }()
	defer func() { stop(); taken <- <-taken }() // also when the test fails: nothing may run on after it
	for round := range times {
		before := card.book.len()
		if !eventually(60*time.Second, func() bool { return card.book.len() >= before+3 }) {
			gw.dump(t)
			t.Fatalf("%d messages confirmed in round %d, want 3 more than %d; modem %+v\n%s", card.book.len(), round, before, card.modem.Stats(), gw.out)
		}
		pause := time.NewTimer(time.Duration(rng.IntN(100)) * time.Millisecond)
		<-pause.C
		gw.kill(t)
		gw = s.gateway(t)
	}
	stop()
	messages := <-taken
	taken <- messages
	if !eventually(120*time.Second, func() bool { return card.waiting() == 0 }) {
		t.Fatalf("%d messages are still on their way; modem %+v\n%s", card.waiting(), card.modem.Stats(), gw.out)
	}
	t.Logf("%d messages were confirmed over %d kills; modem %+v", card.book.len(), times, card.modem.Stats())
	if card.lost != 0 || card.book.len() != messages {
		t.Errorf("%d messages confirmed and %d lost, want %d confirmed", card.book.len(), card.lost, messages)
	}
	s.exactlyOnce(t, card.book.acked)
	// A part that came twice may be read after all that counts.
	if !eventually(60*time.Second, func() bool { return card.modem.Stats().Stored == 0 }) {
		t.Errorf("%d messages are left in the modem", card.modem.Stats().Stored)
	}
	gw.stopped(t)
	s.sound(t)
}

//go:build e2e

package e2e_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/godwit-gateway/godwit/gateway/failpoint"
	"github.com/godwit-gateway/godwit/simulator/peers/sbdterm"
)

// withTransceiver adds a link to an Iridium transceiver to the gateway's configuration.
func (s *site) withTransceiver(t *testing.T) {
	t.Helper()
	s.edit(t, func(text string) string {
		return text + fmt.Sprintf("\n[link.sbd]\nkind = \"sbdmodem\"\ndevice = %q\nack = \"never\"\n", s.modem)
	})
}

// transceiver is the one beside the gateway, with what became of the messages that were sent to it.
type transceiver struct {
	modem *sbdterm.Modem
	book  ledger // read and cleared by the gateway: confirmed
	down  chan sbdterm.MO

	mu   sync.Mutex
	sent map[uint64]sent // not settled
	lost int             // by the transceiver, to a session or with the power
}

func newTransceiver(t *testing.T, o sbdterm.Options) *transceiver {
	t.Helper()
	c := &transceiver{sent: make(map[uint64]sent), down: make(chan sbdterm.MO, 64)}
	o.OnSettled = func(m sbdterm.MT, as sbdterm.Outcome) {
		c.mu.Lock()
		defer c.mu.Unlock()
		if as == sbdterm.Cleared {
			c.book.add(c.sent[m.ID])
		} else {
			c.lost++
		}
		delete(c.sent, m.ID)
	}
	o.OnMO = func(m sbdterm.MO) { c.down <- m }
	m, err := sbdterm.New(o)
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
			t.Errorf("transceiver: %v", err)
		}
	})
	return c
}

func (c *transceiver) waiting() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.sent)
}

// feeding has devices send to the transceiver until stop, which returns how many messages the network took.
func (c *transceiver) feeding(t *testing.T, devices []*device) (stop func() int) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	taken := make(chan int, 1)
	go func() {
		rng := rand.New(rand.NewPCG(11, 12))
		for id := uint64(1); ; id++ {
			d := devices[rng.IntN(len(devices))]
			counter, payload := d.frame(t)
			c.mu.Lock()
			c.sent[id] = sent{d.number, counter}
			c.mu.Unlock()
			if err := c.modem.Deliver(ctx, sbdterm.MT{ID: id, Payload: payload}); err != nil {
				if ctx.Err() == nil {
					t.Errorf("network: %v", err)
				}
				c.mu.Lock()
				delete(c.sent, id)
				c.mu.Unlock()
				taken <- int(id) - 1
				return
			}
		}
	}()
	stop = sync.OnceValue(func() int { cancel(); return <-taken })
	t.Cleanup(func() { stop() }) // also when the test fails: nothing may run on after it
	return stop
}

// The gateway is killed at random moments while messages come in through a transceiver, and when one is on disk and about to be cleared, with sessions that
// fail and ring alerts that cut in. A message that was cleared is one event, one that was not is read again, none is lost to a session, and what goes out goes
// out once.
func TestKillWithTransceiverLosesNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("kills a gateway many times")
	}
	s := newSite(t)
	s.withTransceiver(t)
	c := newTransceiver(t, sbdterm.Options{
		Path: s.modem, Seed: 5, Session: sbdterm.Span{Least: time.Millisecond, Most: 20 * time.Millisecond}, Fail: 0.02, Ring: 10 * time.Millisecond,
		Register: time.Millisecond, Queue: 8,
	})
	var devices []*device
	for i := range uint32(4) {
		devices = append(devices, newDevice(t, 1+i, s.udp, 13))
	}
	gw := s.gateway(t)
	stop := c.feeding(t, devices)
	rng := rand.New(rand.NewPCG(7, 8))
	for round := range kills(t, "GODWIT_SBD_KILLS", 1) {
		before := c.book.len()
		if !eventually(60*time.Second, func() bool { return c.book.len() >= before+15 }) {
			gw.dump(t)
			t.Fatalf("%d messages confirmed in round %d, want 15 more than %d; modem %+v\n%s", c.book.len(), round, before, c.modem.Stats(), gw.out)
		}
		pause := time.NewTimer(time.Duration(rng.IntN(60)) * time.Millisecond)
		<-pause.C
		c.modem.Interleave(5)
		gw.kill(t)
		gw = s.gateway(t)
	}
	gw.kill(t)
	s.killedAt(t, failpoint.Erasing, 3, nil)
	gw = s.gateway(t)
	messages := stop()
	if !eventually(60*time.Second, func() bool { return c.waiting() == 0 }) {
		t.Fatalf("%d messages are still on their way; modem %+v\n%s", c.waiting(), c.modem.Stats(), gw.out)
	}
	t.Logf("%d messages confirmed; modem %+v", c.book.len(), c.modem.Stats())
	if c.lost != 0 || c.book.len() != messages {
		t.Errorf("%d messages confirmed and %d lost, want %d confirmed", c.book.len(), c.lost, messages)
	}
	s.exactlyOnce(t, c.book.acked)
	c.once(t, s, gw, devices[0])
}

// once has the operator send a message, and the gateway killed as soon as the network has it: it goes out once.
func (c *transceiver) once(t *testing.T, s *site, gw *process, d *device) {
	t.Helper()
	if out, err := command(t, "device", "address", "1", "sbd:300234010753371", "--new", "--config", s.config); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if out, err := command(t, "message", "send", "1", "--hex", "c0ffee", "--config", s.config); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	select {
	case down := <-c.down:
		d.opens(t, down.Payload, "c0ffee")
	case <-time.After(60 * time.Second):
		t.Fatalf("nothing was sent; modem %+v\n%s", c.modem.Stats(), gw.out)
	}
	gw.kill(t)
	gw = s.gateway(t)
	counter, payload := d.frame(t)
	c.mu.Lock()
	c.sent[1<<40] = sent{d.number, counter}
	c.mu.Unlock()
	if err := c.modem.Deliver(t.Context(), sbdterm.MT{ID: 1 << 40, Payload: payload}); err != nil {
		t.Fatal(err)
	}
	until(t, 60*time.Second, "a session after the start", func() bool { return c.waiting() == 0 })
	if st := c.modem.Stats(); st.MOs != 1 || st.MO {
		t.Errorf("the network took %d messages, want 1; modem %+v\n%s", st.MOs, st, gw.out)
	}
}

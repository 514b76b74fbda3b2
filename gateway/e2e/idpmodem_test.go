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
	"github.com/godwit-gateway/godwit/simulator/peers/idpterm"
)

// withTerminal adds a link to an IsatData Pro terminal to the gateway's configuration.
func (s *site) withTerminal(t *testing.T) {
	t.Helper()
	s.edit(t, func(text string) string {
		return text + fmt.Sprintf("\n[link.idp]\nkind = \"idpmodem\"\ndevice = %q\nbaud = 115200\npoll = \"1s\"\nack = \"never\"\n", s.modem)
	})
}

// terminal is the one beside the gateway, with what became of the messages that were sent to it.
type terminal struct {
	*idpterm.Terminal

	book ledger // marked as read by the gateway: confirmed

	mu      sync.Mutex
	sent    map[uint64]sent // not settled
	out     [][]byte        // what left the terminal
	settled chan struct{}   // holds one token when a message was settled
}

func newTerminal(t *testing.T, o idpterm.Options) *terminal {
	t.Helper()
	c := &terminal{sent: make(map[uint64]sent), settled: make(chan struct{}, 1)}
	o.OnSettled = func(m idpterm.Forward, _ idpterm.Outcome) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.book.add(c.sent[m.ID])
		delete(c.sent, m.ID)
		select {
		case c.settled <- struct{}{}:
		default:
		}
	}
	o.OnReturn = func(r idpterm.Return) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.out = append(c.out, r.Message[2:])
	}
	var err error
	if c.Terminal, err = idpterm.New(o); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("terminal: %v", err)
		}
	})
	return c
}

func (c *terminal) waiting() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.sent)
}

func (c *terminal) left() [][]byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([][]byte(nil), c.out...)
}

// deliver has a device send to the terminal.
func (c *terminal) deliver(t *testing.T, id uint64, d *device) {
	t.Helper()
	counter, payload := d.frame(t)
	c.mu.Lock()
	c.sent[id] = sent{d.number, counter}
	c.mu.Unlock()
	if err := c.Deliver(context.Background(), idpterm.Forward{ID: id, Message: append([]byte{128, 1}, payload...)}); err != nil {
		t.Errorf("network: %v", err)
	}
}

// feeding has devices send to the terminal, of whose messages a few wait at a time, until stop, which returns how many there were.
func (c *terminal) feeding(t *testing.T, devices []*device) (stop func() int) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	taken := make(chan int, 1)
	go func() {
		rng := rand.New(rand.NewPCG(13, 14))
		for id := uint64(1); ; id++ {
			for c.waiting() >= 12 && ctx.Err() == nil {
				select {
				case <-c.settled:
				case <-ctx.Done():
				}
			}
			if ctx.Err() != nil {
				taken <- int(id) - 1
				return
			}
			c.deliver(t, id, devices[rng.IntN(len(devices))])
		}
	}()
	stop = sync.OnceValue(func() int { cancel(); return <-taken })
	t.Cleanup(func() { stop() }) // also when the test fails: nothing may run on after it
	return stop
}

// The gateway is killed at random moments while messages come in through a terminal, and when one is on disk and about to be marked as read, or, in a
// thorough run, just was. A message that was marked is one event, one that was not is read again, and what goes out goes out once, although the gateway is
// killed over it.
func TestKillWithTerminalLosesNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("kills a gateway many times")
	}
	s := newSite(t)
	s.withTerminal(t)
	c := newTerminal(t, idpterm.Options{Path: s.modem, Seed: 5, Faults: idpterm.Faults{Garble: 0.01, GarbleCommand: 0.01}, Up: idpterm.Span{Least: time.Hour, Most: time.Hour}})
	var devices []*device
	for i := range uint32(4) {
		devices = append(devices, newDevice(t, 1+i, s.udp, 13))
	}
	gw := s.gateway(t)
	stop := c.feeding(t, devices)
	rng := rand.New(rand.NewPCG(7, 8))
	for round := range kills(t, "GODWIT_IDP_KILLS", 1) {
		before := c.book.len()
		if !eventually(60*time.Second, func() bool { return c.book.len() >= before+15 }) {
			gw.dump(t)
			t.Fatalf("%d messages marked in round %d, want 15 more than %d; terminal %+v\n%s", c.book.len(), round, before, c.Stats(), gw.out)
		}
		pause := time.NewTimer(time.Duration(rng.IntN(60)) * time.Millisecond)
		<-pause.C
		gw.kill(t)
		gw = s.gateway(t)
	}
	gw.kill(t)
	s.killedAt(t, failpoint.Erasing, 3, nil)
	if thorough() { // the short run has the other point
		s.killedAt(t, failpoint.Erased, 2, nil)
	}
	gw = s.gateway(t)
	messages := stop()
	if !eventually(60*time.Second, func() bool { return c.waiting() == 0 }) {
		t.Fatalf("%d messages are still on their way; terminal %+v\n%s", c.waiting(), c.Stats(), gw.out)
	}
	if c.book.len() != messages {
		t.Errorf("%d messages marked, want %d", c.book.len(), messages)
	}
	s.exactlyOnce(t, c.book.acked)
	c.once(t, s, gw, devices[0])
}

// once has the operator send a message, and the gateway killed while the terminal has it: it goes out once, and is cleared away.
func (c *terminal) once(t *testing.T, s *site, gw *process, d *device) {
	t.Helper()
	if out, err := command(t, "device", "address", "1", "idp:01234567SKYABCD", "--new", "--config", s.config); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if out, err := command(t, "message", "send", "1", "--hex", "c0ffee", "--config", s.config); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if !eventually(60*time.Second, func() bool { return len(c.Waiting()) > 0 }) {
		t.Fatalf("nothing was sent; terminal %+v\n%s", c.Stats(), gw.out)
	}
	gw.kill(t)
	gw = s.gateway(t)
	c.deliver(t, 1<<40, d)
	until(t, 60*time.Second, "a message after the start", func() bool { return c.waiting() == 0 })
	for _, name := range c.Waiting() {
		c.Finish(name, idpterm.FateDelivered)
	}
	if !eventually(60*time.Second, func() bool { return c.Stats().Returns == 0 }) {
		t.Fatalf("it is not cleared away; terminal %+v\n%s", c.Stats(), gw.out)
	}
	if left := c.left(); len(left) != 1 || c.Stats().Submitted != 1 {
		t.Errorf("%d messages left, want 1; terminal %+v\n%s", len(left), c.Stats(), gw.out)
	} else {
		d.opens(t, left[0], "c0ffee")
	}
}

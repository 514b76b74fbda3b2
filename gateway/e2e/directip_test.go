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
	"github.com/godwit-gateway/godwit/simulator/peers/gss"
)

// withDirectIP adds a link that the Iridium gateway delivers to, and returns its address.
func (s *site) withDirectIP(t *testing.T) string {
	t.Helper()
	address := fmt.Sprintf("127.0.0.1:%d", freePort(t, "tcp"))
	s.edit(t, func(text string) string {
		return text + fmt.Sprintf("\n[link.sat]\nkind = \"directip\"\nlisten = %q\nallow = [\"127.0.0.1\"]\nconfirm = true\nack = \"never\"\n", address)
	})
	return address
}

// constellation is satellites and the Iridium gateway, with what became of the messages of modems.
type constellation struct {
	gss  *gss.Gateway
	book ledger // confirmed by the gateway

	mu      sync.Mutex
	sent    map[uint64]sent // not settled, by tag
	tries   int             // of the messages that were settled
	lost    int
	settled chan struct{} // holds one token when a message was settled
}

func newConstellation(t *testing.T, destination string, devices []*device) *constellation {
	t.Helper()
	c := &constellation{sent: make(map[uint64]sent), settled: make(chan struct{}, 1)}
	var err error
	c.gss, err = gss.New(gss.Options{
		Destinations: []string{destination}, Confirm: true, Second: time.Millisecond,
		OnSettled: func(m gss.Message, o gss.Outcome) {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.tries += m.Tries
			if o == gss.Delivered {
				c.book.add(c.sent[m.Tag])
			} else {
				c.lost++
			}
			delete(c.sent, m.Tag)
			select {
			case c.settled <- struct{}{}:
			default:
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range devices {
		if err := c.gss.Add(d.imei()); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.gss.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Iridium gateway: %v", err)
		}
	})
	return c
}

func (d *device) imei() string { return fmt.Sprintf("3002340%08d", d.number) }

func (c *constellation) waiting() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.sent)
}

// feed has the modems send messages, of which a few wait at a time, until ctx is done. It returns how many the network took.
func (c *constellation) feed(ctx context.Context, t *testing.T, devices []*device, rng *rand.Rand) int {
	t.Helper()
	const ahead = 8
	for tag := uint64(1); ; tag++ {
		for c.waiting() >= ahead {
			select {
			case <-c.settled:
			case <-ctx.Done():
				return int(tag) - 1
			}
		}
		if ctx.Err() != nil {
			return int(tag) - 1
		}
		d := devices[rng.IntN(len(devices))]
		counter, payload := d.frame(t)
		c.mu.Lock()
		c.sent[tag] = sent{d.number, counter}
		c.mu.Unlock()
		if _, err := c.gss.Session(gss.Session{IMEI: d.imei(), Payload: payload, Tag: tag}); err != nil {
			t.Errorf("session: %v", err)
		}
	}
}

// feeding feeds until stop, which returns how many messages the network took.
func (c *constellation) feeding(t *testing.T, devices []*device) (stop func() int) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	taken := make(chan int, 1)
	go func() { taken <- c.feed(ctx, t, devices, rand.New(rand.NewPCG(9, 10))) }()
	stop = sync.OnceValue(func() int { cancel(); return <-taken })
	t.Cleanup(func() { stop() }) // also when the test fails: nothing may run on after it
	return stop
}

// kept checks, with a gateway that runs, that each message was confirmed and is one event.
func (c *constellation) kept(t *testing.T, s *site, gw *process, messages int) {
	t.Helper()
	if !eventually(2*time.Minute, func() bool { return c.waiting() == 0 }) {
		t.Fatalf("%d messages are still on their way\n%s", c.waiting(), gw.out)
	}
	t.Logf("%d messages were confirmed, with %d tries", c.book.len(), c.tries)
	if c.lost != 0 || c.book.len() != messages {
		t.Errorf("%d messages confirmed and %d lost, want %d confirmed", c.book.len(), c.lost, messages)
	}
	if c.tries <= messages {
		t.Errorf("%d tries for %d messages: none came twice", c.tries, messages)
	}
	s.exactlyOnce(t, c.book.acked)
	s.inOrder(t)
	gw.stopped(t)
	s.sound(t)
}

// The gateway is killed at random moments while the Iridium gateway delivers without a pause. A message that was confirmed is one event, one that was not
// comes again, and none is left.
func TestKillWithDirectIPLosesNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("kills a gateway many times")
	}
	s := newSite(t)
	address := s.withDirectIP(t)
	var devices []*device
	for i := range uint32(8) {
		devices = append(devices, newDevice(t, 1+i, s.udp, 17))
	}
	gw := s.gateway(t)
	c := newConstellation(t, address, devices)
	stop := c.feeding(t, devices)
	rng := rand.New(rand.NewPCG(17, 8))
	for round := range kills(t, "GODWIT_SAT_KILLS", 3) {
		before := c.book.len()
		if !eventually(60*time.Second, func() bool { return c.book.len() >= before+20 }) {
			gw.dump(t)
			t.Fatalf("%d messages confirmed in round %d, want 20 more than %d\n%s", c.book.len(), round, before, gw.out)
		}
		pause := time.NewTimer(time.Duration(rng.IntN(60)) * time.Millisecond)
		<-pause.C
		gw.kill(t)
		gw = s.gateway(t)
	}
	c.kept(t, s, gw, stop())
}

// The gateway is killed when a message is on disk and about to be confirmed, and just after that: it comes again, and is one event.
func TestKillBeforeAndAfterConfirmation(t *testing.T) {
	for _, p := range []failpoint.Point{failpoint.Replied, failpoint.Answered} {
		t.Run(string(p), func(t *testing.T) {
			if p == failpoint.Answered && !thorough() {
				t.Skip("the short run has the other point")
			}
			t.Parallel()
			s := newSite(t)
			address := s.withDirectIP(t)
			devices := []*device{newDevice(t, 1, s.udp, 3), newDevice(t, 2, s.udp, 3)}
			c := newConstellation(t, address, devices)
			stop := c.feeding(t, devices)
			rng := rand.New(rand.NewPCG(34, 1))
			for range rounds(2, 50) {
				s.killedAt(t, p, 1+rng.IntN(6), nil)
			}
			gw := s.gateway(t)
			c.kept(t, s, gw, stop())
		})
	}
}
